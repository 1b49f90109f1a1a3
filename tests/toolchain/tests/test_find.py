"""Where the engine is looked for, in which order; the programs here are empty files and shell scripts."""

import signal
from pathlib import Path

import pytest

from toolchain import PROGRAMS, Toolchain, Unavailable, find
from toolchain.programs import HOSTS

SCRIPT = """#!/bin/sh
echo "$@" >> "{calls}"
case "$1 $2" in
  "version ") echo {version} ;;
  "plugin ls") /bin/cat "{plugins}" ;;
  "plugin install") {install} ;;
esac
"""
BOTH = """[{"kind": "resource", "name": "command", "version": "1.2.1"},
          {"kind": "resource", "name": "heroku", "version": "1.0.4"}]"""


def program(file: Path, text: str = "") -> Path:
    """Make an executable file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


class Installed:
    """A pulumi on PATH with its language host and two plugins, all of them fakes."""

    def __init__(self, folder: Path) -> None:
        """Make the files; a test then spoils what it is about."""
        self.bin, self.home, self.calls, self.listed = (folder / n for n in ("bin", "home", "calls", "listed"))
        self.pulumi()
        self.hosts = [program(self.bin / name) for name in HOSTS]
        self.listed.write_text(BOTH)
        self.plugins = [
            program(self.home / "plugins" / f"resource-{name}" / f"pulumi-resource-{name.partition('-')[0]}")
            for name in ("command-v1.2.1", "heroku-v1.0.4")
        ]

    def pulumi(self, version: str = "v3.259.0", install: str = "exit 0") -> None:
        """Make the program that answers to `version` and `plugin`."""
        text = SCRIPT.format(calls=self.calls, version=version, plugins=self.listed, install=install)
        program(self.bin / "pulumi", text)


@pytest.fixture
def said() -> list[str]:
    """Return the list that every line of progress is put on."""
    return []


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Return a usable pulumi as the only one on PATH; there is no go, so a build can only fail."""
    installed = Installed(tmp_path)
    monkeypatch.delenv("PULUMI_TOOLCHAIN", raising=False)
    monkeypatch.setenv("PATH", str(installed.bin))
    monkeypatch.setenv("PULUMI_HOME", str(installed.home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return installed


def test_a_given_folder_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    for name in PROGRAMS:
        program(tmp_path / name)
    monkeypatch.setenv("PULUMI_TOOLCHAIN", str(tmp_path))

    found = find(said.append)

    assert found == Toolchain(tmp_path, "given")
    assert said == []


def test_the_engine_can_be_interrupted_although_a_shell_put_the_run_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    for name in PROGRAMS:
        program(tmp_path / name)
    monkeypatch.setenv("PULUMI_TOOLCHAIN", str(tmp_path))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        find(said.append)

        assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_given_folder_that_lacks_programs_is_refused_with_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    program(tmp_path / "pulumi")
    program(tmp_path / "pulumi-resource-heroku").chmod(0o644)
    monkeypatch.setenv("PULUMI_TOOLCHAIN", str(tmp_path))

    with pytest.raises(Unavailable) as refusal:
        find(said.append)

    wanted = "pulumi-language-python, pulumi-language-yaml, pulumi-resource-command, pulumi-resource-heroku."
    assert wanted in str(refusal.value)
    assert str(tmp_path) in str(refusal.value)


def test_a_given_folder_that_is_not_there_is_refused_although_a_pulumi_is_installed(
    installed: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setenv("PULUMI_TOOLCHAIN", str(tmp_path / "nowhere"))

    with pytest.raises(Unavailable, match=f"{tmp_path}/nowhere, which does not hold .*pulumi, "):
        find(said.append)

    assert not installed.calls.exists()


def test_an_installed_pulumi_with_its_plugins_is_linked_to(installed: Installed, said: list[str]) -> None:
    found = find(said.append)

    assert found.origin == "installed"
    assert [(found.folder / name).resolve() for name in PROGRAMS] == [
        installed.bin / "pulumi",
        *installed.hosts,
        *installed.plugins,
    ]


def test_a_second_look_finds_the_same_folder(installed: Installed, said: list[str]) -> None:
    assert find(said.append) == find(said.append)


def test_plugins_that_are_missing_are_installed(installed: Installed, said: list[str]) -> None:
    installed.listed.write_text("[]")

    found = find(said.append)

    assert found.origin == "installed"
    asked = [line for line in installed.calls.read_text().splitlines() if line.startswith("plugin install")]
    assert asked[0] == "plugin install resource command 1.2.1"
    assert asked[1].startswith("plugin install resource heroku 1.0.4 --server github://")


@pytest.mark.parametrize(
    ("version", "listed", "install", "reason"),
    [
        ("v3.100.0", BOTH, "exit 0", "it is v3.100.0, wanted v3.220 or newer"),
        ("dev", BOTH, "exit 0", "it is dev"),
        ("v3.259.0", "not json", "exit 0", "something else than a list of plugins"),
        ("v3.259.0", "[]", "echo error: no network >&2; exit 1", "error: no network"),
        ("v3.259.0", "[]", "exec /bin/sleep 60", "took longer than"),
    ],
)
def test_an_installed_pulumi_that_does_not_do_is_named_with_the_reason_before_the_build(
    installed: Installed,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    listed: str,
    install: str,
    reason: str,
) -> None:
    monkeypatch.setattr("toolchain.installed.INSTALL_SECONDS", 0.2)
    installed.pulumi(version, install)
    installed.listed.write_text(listed)

    with pytest.raises(Unavailable, match="no go to build"):
        find(said.append)

    assert said[-1].startswith(f"{installed.bin / 'pulumi'} is not used: ")
    assert reason in said[-1]


@pytest.mark.parametrize("host", HOSTS)
def test_an_installed_pulumi_without_a_language_host_is_not_used(
    installed: Installed, said: list[str], host: str
) -> None:
    (installed.bin / host).unlink()

    with pytest.raises(Unavailable, match="no go to build"):
        find(said.append)

    assert f"{host} is neither beside it nor on PATH" in said[-1]


def test_what_lies_beside_an_installed_language_host_is_linked_to_as_well(
    installed: Installed, said: list[str]
) -> None:
    script = program(installed.bin / "pulumi-language-python-exec")

    found = find(said.append)

    assert (found.folder / script.name).resolve() == script


def test_an_environment_puts_the_folder_first_and_no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")

    environment = Toolchain(Path("/folder"), "built").environment()

    assert environment["PATH"] == "/folder:/usr/bin"
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
