"""How a build is made once, kept whole, and explained where it fails; `go` here is a shell script."""

import errno
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from toolchain import PROGRAMS, Unavailable, build, cache

GO = """#!/bin/sh
echo "$@" >> "{calls}"
case "$1" in
  env) printf 'go1.26.8\\nlinux\\namd64\\n' ;;
  list) echo "{sdk}" ;;
  build)
    {act}
    for word in "$@"; do case "$previous" in -o) out=$word ;; esac; previous=$word; done
    for name in {programs}; do echo > "$out$name"; /bin/chmod +x "$out$name"; done ;;
esac
"""


class FakeGo:
    """A go that makes empty programs; it writes down how it is called."""

    def __init__(self, folder: Path) -> None:
        """Make the module folder that it names, with the one file that is copied from there."""
        self.folder, self.calls, self.sdk = folder / "go", folder / "calls", folder / "sdk"
        script = self.sdk / "python" / "cmd" / "pulumi-language-python-exec"
        script.parent.mkdir(parents=True)
        script.write_text("#!/bin/sh\n")
        script.chmod(0o444)
        self.folder.mkdir()
        self.acts("")

    def acts(self, act: str) -> None:
        """Set what `go build` does before it makes the programs."""
        go = self.folder / "go"
        go.write_text(GO.format(calls=self.calls, sdk=self.sdk, act=act, programs=" ".join(PROGRAMS)))
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


def test_a_build_makes_every_program_and_the_script_beside_the_language_host(go: FakeGo) -> None:
    folder = build.folder(silent)

    made = {path.name for path in folder.iterdir() if os.access(path, os.X_OK)}
    assert made == {*PROGRAMS, "pulumi-language-python-exec"}


def test_a_second_call_builds_nothing(go: FakeGo) -> None:
    folder = build.folder(silent)
    before = go.builds()

    assert build.folder(silent) == folder
    assert go.builds() == before


def test_two_callers_at_once_build_once(go: FakeGo) -> None:
    with ThreadPoolExecutor(2) as pool:
        folders = set(pool.map(build.folder, [silent, silent]))

    assert len(folders) == 1
    assert go.builds() == 3


def test_the_key_changes_with_a_source_file(go: FakeGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "main.go"
    monkeypatch.setattr(build, "HERE", tmp_path)
    monkeypatch.setattr(build, "PLUGINS", tmp_path)
    monkeypatch.setattr(build, "ENGINE", tmp_path)
    monkeypatch.setattr(build, "LANGUAGE_HOST", tmp_path)
    source.write_text("package one")
    before = build.key()

    source.write_text("package two")

    assert build.key() != before


def test_a_long_build_says_how_long_it_has_taken(go: FakeGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"
    monkeypatch.setattr("toolchain.golang.SPEAK_EVERY", 0.02)
    go.acts(f"echo 'go: downloading example v1.0.0' >&2; until test -e '{seen}'; do :; done")

    def progress(line: str) -> None:
        if re.search(r"building .*, \d+ s \(downloading example v1\.0\.0\)", line):
            seen.touch()

    build.folder(progress)

    assert seen.exists()


@pytest.mark.parametrize(
    ("printed", "cause"),
    [
        ("go: go.mod requires go >= 1.25.11 (running go 1.22.0; GOTOOLCHAIN=local)", "this Go is too old"),
        ("invalid go version '1.25.11': must match format 1.23", "this Go is too old"),
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

    with pytest.raises(Unavailable, match=r"Install Go 1\.25\.11 or newer"):
        build.folder(silent)


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
