"""What the pinned Go modules say of themselves: which Go they need, and which version of what they hold."""

import re
from pathlib import Path

HERE = Path(__file__).parent
ENGINE, LANGUAGES, YAML, PLUGINS = (HERE / name for name in ("engine", "languages", "yaml", "plugins"))
ALL = (ENGINE, LANGUAGES, YAML, PLUGINS)

SDK = "github.com/pulumi/pulumi/sdk/v3"
YAML_HOST = "github.com/pulumi/pulumi-yaml"


def needed_go() -> str:
    """Return the version of Go that builds every one of them."""
    return max((_first(module, r"^go (\S+)$") for module in ALL), key=numbers)


def version_of(path: str, module: Path) -> str:
    """Return the version, with its `v`, at which a module of ours takes one of others."""
    return _first(module, rf"^(?:require)?\s+{re.escape(path)} (v\S+)")


def numbers(version: str) -> tuple[int, ...]:
    """Return what versions are compared by."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _first(module: Path, pattern: str) -> str:
    found = re.search(pattern, (module / "go.mod").read_text(), re.MULTILINE)
    assert found, f"{module}/go.mod has no line like {pattern}"
    return found[1]
