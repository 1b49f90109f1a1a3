"""How a build is made once, kept whole, and explained where it fails; `go` here is a shell script."""

import errno
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from toolchain import PROGRAMS, Unavailable, build, cache, can, modules
from toolchain.__main__ import main

ROOT = Path(__file__).parents[3]
GO = """#!/bin/sh
echo "$@" >> "{calls}"
echo "$GOWORK $GOFLAGS $CGO_ENABLED" >> "{environments}"
{act}
case "$1" in
  env) printf '{version}\\nlinux\\namd64\\n{may}\\n' ;;
  list) echo "{sdk}" ;;
  build)
    for word in "$@"; do case "$previous" in -o) out=$word ;; esac; previous=$word; done
    for name in {programs}; do echo > "$out$name"; /bin/chmod +x "$out$name"; done ;;
esac
"""


class FakeGo:
    """A go that makes empty programs; it writes down how it is called."""

    def __init__(self, folder: Path) -> None:
        """Make the module folder that it names, with the files that are copied from there."""
        self.folder, self.calls, self.environments, self.sdk = (
            folder / name for name in ("go", "calls", "environments", "sdk")
        )
        for name in build.SCRIPTS:
            script = self.sdk / "python" / name
            script.parent.mkdir(parents=True)
            script.write_text("#!/bin/sh\n")
            script.chmod(0o444)
        self.folder.mkdir()
        self.acts("")

    def acts(self, act: str, verb: str = "build", version: str = "go99.1", may: str = "local") -> None:
        """Set what `go build`, or another verb, does before its work; `may` is its GOTOOLCHAIN."""
        go = self.folder / "go"
        text = GO.format(
            calls=self.calls,
            environments=self.environments,
            sdk=self.sdk,
            act=f'case "$1" in {verb}) {act or ":"} ;; esac',
            programs=" ".join(PROGRAMS),
            version=version,
            may=may,
        )
        go.write_text(text)
        go.chmod(0o755)

    def builds(self) -> int:
        """How many times `go build` was called."""
        return self.calls.read_text().count("build ")


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGo:
    """Return a go that is the only program on PATH, and an empty cache."""
    go = FakeGo(tmp_path)
    monkeypatch.setenv("PATH", str(go.folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return go


def silent(_: str) -> None:
    """Take a line of progress and drop it."""


def test_a_build_makes_every_program_and_the_scripts_beside_the_language_host(go: FakeGo) -> None:
    folder = build.folder(silent)

    made = {path.name for path in folder.iterdir() if os.access(path, os.X_OK)}
    assert made == {*PROGRAMS, "pulumi-language-python-exec", "pulumi-resource-pulumi-python"}


def test_a_second_call_builds_nothing(go: FakeGo) -> None:
    folder = build.folder(silent)
    before = go.builds()

    assert build.folder(silent) == folder
    assert go.builds() == before


def test_two_callers_at_once_build_once(go: FakeGo) -> None:
    with ThreadPoolExecutor(2) as pool:
        folders = set(pool.map(build.folder, [silent, silent]))

    assert len(folders) == 1
    assert go.builds() == len(modules.ALL)


def test_the_key_changes_with_a_source_file(go: FakeGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "main.go"
    monkeypatch.setattr(modules, "HERE", tmp_path)
    monkeypatch.setattr(modules, "ALL", [tmp_path])
    source.write_text("package one")
    before = build.key()

    source.write_text("package two")

    assert build.key() != before


def test_a_long_build_says_what_it_downloads_and_once_that_is_over_that_it_compiles(
    go: FakeGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, said = tmp_path / "seen", []
    monkeypatch.setattr("toolchain.golang.SPEAK_EVERY", 0.02)
    go.acts(f"echo 'go: downloading example v1.0.0' >&2; until test -e '{seen}'; do :; done")

    def progress(line: str) -> None:
        if doing := re.search(r"building .*, \d+ s \((.*)\)", line):
            said.append(doing[1])
        if said[-1:] == ["compiling"] and "downloading example v1.0.0" in said:
            seen.touch()

    build.folder(progress)

    assert said.count("downloading example v1.0.0") <= len(modules.ALL)
    assert said.count("compiling") >= 1


@pytest.mark.parametrize(
    ("version", "may", "will_do"),
    [
        (f"go{modules.needed_go()}", "local", True),
        ("go99.1", "local", True),
        ("go1.21.13", "auto", True),
        ("go1.21.13", "go1.21.13+auto", True),
        ("go1.21.13", "local", False),
        ("go1.21.13", "path", False),
        ("go1.20.14", "", False),
    ],
)
def test_a_go_will_do_that_is_new_enough_or_fetches_one_that_is(
    go: FakeGo, monkeypatch: pytest.MonkeyPatch, version: str, may: str, *, will_do: bool
) -> None:
    monkeypatch.delenv("PULUMI_TOOLCHAIN", raising=False)
    go.acts("", version=version, may=may)

    if will_do:
        can()
    else:
        with pytest.raises(Unavailable, match=f"is {version}, .* Install Go {re.escape(modules.needed_go())} or newer"):
            can()
    assert go.builds() == 0


def test_every_module_takes_the_same_engine_and_no_newer_go_than_the_one_that_is_named() -> None:
    needed = modules.needed_go()

    assert {modules.version_of(modules.SDK, m) for m in (modules.ENGINE, modules.LANGUAGES, modules.PLUGINS)} == {
        build.VERSION
    }
    assert f"Go {needed} or newer" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    ("printed", "cause"),
    [
        ("go: go.mod requires go >= 1.25.11 (running go 1.22.0; GOTOOLCHAIN=local)", "this Go is too old"),
        ("invalid go version '1.25.11': must match format 1.23", "this Go is too old"),
        ("go: download go1.25.11 for linux/amd64: toolchain not available", "this Go is too old"),
        ("dial tcp: lookup proxy.example: no such host", "could not be fetched"),
        ("module lookup disabled by GOPROXY=off", "could not be fetched"),
        ("write /tmp/x: no space left on device", "the disk is full"),
        ("compile: signal: killed", "for want of memory"),
        ("./main.go:3:1: undefined: nothing", "it does not compile"),
    ],
)
def test_a_failed_build_is_explained_with_its_last_lines_and_its_log(go: FakeGo, printed: str, cause: str) -> None:
    go.acts(f'echo "{printed}" >&2; exit 1')

    with pytest.raises(Unavailable) as failure:
        build.folder(silent)

    said = str(failure.value)
    assert cause in said
    assert printed in said
    log = Path(said.rpartition("The whole log is ")[2])
    assert printed in log.read_text()
    assert not [path for path in cache.root().iterdir() if path.is_dir()]


def test_without_go_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unavailable, match=f"Install Go {re.escape(modules.needed_go())} or newer"):
        build.folder(silent)


@pytest.mark.parametrize("verb", ["env", "list"])
def test_a_question_that_go_does_not_answer_is_named_with_what_go_says(go: FakeGo, verb: str) -> None:
    go.acts("echo 'go: cannot find GOROOT directory' >&2; exit 2", verb)

    with pytest.raises(Unavailable, match=f"`go {verb} .*` failed.*: go: cannot find GOROOT directory"):
        build.folder(silent)


def test_a_go_that_cannot_be_started_is_named(go: FakeGo) -> None:
    (go.folder / "go").write_text("#!/no/such/interpreter\n")

    with pytest.raises(Unavailable, match=f"{go.folder}/go cannot be started"):
        build.folder(silent)


def test_a_module_without_the_script_is_named_and_not_the_cache(go: FakeGo) -> None:
    go.acts("exit", "list")

    with pytest.raises(Unavailable, match="has no pulumi-language-python-exec"):
        build.folder(silent)


def test_every_call_of_go_has_the_same_environment_whatever_the_callers_is(
    go: FakeGo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOWORK", "/elsewhere/go.work")
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("CGO_ENABLED", "1")

    build.folder(silent)

    verbs = {call.split()[0] for call in go.calls.read_text().splitlines()}
    assert verbs == {"env", "build", "list"}
    assert set(go.environments.read_text().splitlines()) == {"off -buildvcs=false -mod=readonly 0"}


def test_the_command_fails_with_the_reason_and_prints_no_folder(
    go: FakeGo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    go.acts("echo 'read-only file system' >&2; exit 1")
    monkeypatch.delenv("PULUMI_TOOLCHAIN", raising=False)
    monkeypatch.setattr("sys.argv", ["toolchain"])

    code = main()

    printed = capsys.readouterr()
    assert (code, printed.out) == (1, "")
    assert "building the language hosts failed" in printed.err
    assert "read-only file system" in printed.err


def test_a_cache_that_cannot_be_written_is_named(go: FakeGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    with pytest.raises(Unavailable, match=f"{tmp_path}/file/.* cannot be written .* Set XDG_CACHE_HOME"):
        build.folder(silent)


def test_a_full_disk_is_named(go: FakeGo) -> None:
    def fill(into: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(into / "pulumi"))

    with pytest.raises(Unavailable, match="disk is full"):
        cache.once("key", fill, silent)

    assert not (cache.root() / "key").exists()


def test_a_folder_that_lacks_a_program_is_never_taken_for_a_build(go: FakeGo) -> None:
    with pytest.raises(Unavailable, match="lacks pulumi, pulumi-language-python"):
        cache.once("key", lambda _: None, silent)

    assert not (cache.root() / "key").exists()
