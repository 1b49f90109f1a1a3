# The verbs of this project. Nothing has to be done by hand before any of them:
# the virtual environment is made by the first one that needs it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RUN := PYTHONPATH=tests $(BIN)/python -m

.PHONY: help
help:  ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

define CHECK_PYTHON
@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, found " + sys.version.split()[0] + "; set PYTHON=<another interpreter>")'
endef

$(READY): pyproject.toml requirements-dev.txt
	$(CHECK_PYTHON)
	@echo "making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "the module venv is missing: on Debian, apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.PHONY: engine-or-go
engine-or-go:  # before anything slow: what demo, test and toolchain cannot do without
	$(CHECK_PYTHON)
	@PYTHONPATH=tests $(PYTHON) -m toolchain --can

.PHONY: demo
demo: engine-or-go $(READY)  ## change the plan of a real database under traffic, from pulumi up to pulumi destroy
	$(RUN) demo

.PHONY: test
test: engine-or-go $(READY)  ## run every test: decisions, graph, steps, engine
	$(RUN) toolchain
	$(BIN)/python -m pytest -n 4 --dist loadgroup

.PHONY: conformance
conformance: $(READY)  ## Heroku's own CLI against the local Heroku (needs Node.js and npm)
	$(RUN) conformance.heroku_cli
	$(BIN)/python -m pytest tests/conformance -n 3

.PHONY: bench
bench: engine-or-go $(READY)  ## outage and time of each way to change a plan, side by side (needs Node.js and npm)
	$(RUN) bench

.PHONY: faults
faults: engine-or-go $(READY)  ## a fault at every act of a changeover, a slip at every moment of it; SEED=<number> chooses the cases
	$(RUN) faults

.PHONY: check
check: lint types contracts  ## lint, types, import contracts and workflows

.PHONY: lint
lint: $(READY)  ## ruff, and actionlint for the workflows
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.7 -shellcheck= -pyflakes=

.PHONY: types
types: $(READY)  ## mypy, strict
	$(BIN)/mypy

.PHONY: contracts
contracts: $(READY)  ## import contracts: who may import whom
	PYTHONPATH=tests $(BIN)/lint-imports

.PHONY: dist
dist: $(READY)  ## wheel and source distribution, in dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist .

.PHONY: shell
shell: engine-or-go $(READY)  ## a shell in which pulumi, a stack and a local Heroku are ready; `exit` ends all of it
	@$(RUN) sandbox

.PHONY: sandbox
sandbox: $(READY)  ## only the local Heroku, until Ctrl-C; `make shell` in another terminal works on it
	@$(RUN) sandbox --serve

.PHONY: toolchain
toolchain: engine-or-go $(READY)  ## find or build the Pulumi engine and its plugins
	$(RUN) toolchain

.PHONY: clean
clean:  ## remove what was made here (the toolchain's cache stays)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache components/*.egg-info
