"""
Whatever comes from outside, every command ends in one sentence and with a code that is documented; never a traceback.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from heroku_changeover import __main__ as program
from heroku_changeover.__main__ import EPILOG, main
from heroku_changeover.reach import heroku as client
from heroku_changeover.reach.hiding import said_of, without_secrets
from heroku_changeover.reach.home import folder
from heroku_changeover.reach.journal import Journal, Record
from heroku_changeover.terms.errors import NothingChanged
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import STEPS, Order
from heroku_changeover.terms.window import Window

CODES = {int(code) for code in re.findall(r"^ +(\d+)  ", EPILOG, re.MULTILINE)}
UUID = "01234567-89ab-cdef-0123-456789abcdef"
GOOD = ("--generation", "db-2", "--app", "shop", "--from", "postgresql-round-1", "--to", "shop-db-2")
GUARD = ("retire-guard", "--app-id", UUID, "--database-id", UUID, "--database", "shop-db-1")
ORDER = Order("db-2", ("shop",), "postgresql-round-1", "shop-db-2")

COMMANDS: list[tuple[str, ...]] = [
    *((step, *GOOD) for step in STEPS),
    GUARD,
    ("status", "--app", "shop"),
    ("status", "--app", "shop", "--json"),
    ("status", "--app", "shop", "--state", "STATE"),
    ("recover", "--app", "shop", "--yes"),
    ("recover", "--app", "shop", "--yes", "--state", "STATE"),
    ("recover", "--app", "shop", "--yes", "--was", "web=1"),
    ("keep", "--app", "shop"),
]

DEEP = "[" * 100_000
STATES: dict[str, bytes] = {
    "no state": b"{}",
    "deep": DEEP.encode(),
    "deep inside": b'{"deployment": {"resources": [%s]}}' % (DEEP[:900] + "]" * 900).encode(),
    "many digits": b"1" * 10_000,
    "latin-1": '{"ä": 1}'.encode("latin-1"),
    "utf-16": "{}".encode("utf-16"),
    "nul": b"\x00" * 100,
    "surrogates": b'{"deployment": {"resources": [{"inputs": {"create": "\\ud800"}}]}}',
    "no mappings": b'{"deployment": {"resources": [7, null, [], "x", true]}}',
    "a list": b"[]",
    "not a number": b"NaN",
    "empty": b"",
}

HUGE: Any = 10**400
ODD: dict[str, Any] = {
    "huge": HUGE,
    "below zero": -1,
    "not a number": float("nan"),
    "true": True,
    "nothing": None,
    "a list": [],
    "a mapping": {},
    "empty": "",
    "half a character": "\ud800",
    "a control character": "a\x00\x1b[2Jb",
}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody answers as Heroku, and nobody waits for that; what is remembered is in a folder of the test's own."""
    monkeypatch.setattr(client, "pause_before", lambda *_: 0.0)
    monkeypatch.setattr(program, "_on_signals", lambda: None)
    monkeypatch.setattr("heroku_changeover.rescue.keeper._outlive", lambda: None)
    monkeypatch.setattr("heroku_changeover.rescue.keeper._load", lambda: None)
    for name in ("HEROKU_CHANGEOVER_WINDOW", "HEROKU_CHANGEOVER_URN", "HEROKU_DATA_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HEROKU_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HEROKU_API_KEY", "a-token")
    monkeypatch.setenv("HEROKU_CHANGEOVER_HOME", str(tmp_path / "home"))


def outcome(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command says; it has to be a sentence, and its code a documented one."""
    code = main(list(words))
    said = capsys.readouterr().err
    assert code in CODES, said
    assert "Traceback" not in said
    assert "nobody has thought of" not in said
    assert code == 0 or said.strip(), "it says nothing"
    return said


def with_state(words: tuple[str, ...], path: Path) -> tuple[str, ...]:
    return tuple(str(path) if word == "STATE" else word for word in words)


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
@pytest.mark.parametrize("words", [w for w in COMMANDS if "STATE" in w], ids=" ".join)
def test_whatever_a_file_of_state_holds(
    words: tuple[str, ...], state: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").write_bytes(state)

    outcome(with_state(words, tmp_path / "state"), capsys)


@pytest.mark.parametrize("path", ["", "none", "a\x00b", ".", "\ud800", "x" * 5000])
@pytest.mark.parametrize("words", [w for w in COMMANDS if "STATE" in w], ids=" ".join)
def test_whatever_a_file_of_state_is_called(
    words: tuple[str, ...], path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome(tuple(str(tmp_path / path) if word == "STATE" else word for word in words), capsys)


@pytest.mark.parametrize("text", [*(s.decode("latin-1") for s in STATES.values()), "\ud800", "[]", "null", "7"])
@pytest.mark.parametrize("step", STEPS)
def test_whatever_a_window_document_holds(
    step: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {**os.environ, "HEROKU_CHANGEOVER_WINDOW": text}
    monkeypatch.setattr(os, "environ", given)

    outcome((step, *GOOD), capsys)


def places(value: Any, *above: str) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*above, key)
            yield from places(inner, *above, key)


WINDOW = Window("db-2", {}, {Moment.ENTERING_MAINTENANCE: 1000.0})


def put(row: dict[str, Any], path: tuple[str, ...], odd: Any) -> dict[str, Any]:
    """The same with another value at a place."""
    first, *rest = path
    return {**row, first: put(row[first], tuple(rest), odd) if rest else odd}


def record_row(tmp_path: Path) -> dict[str, Any]:
    journal = Journal(tmp_path, "shop")
    journal.write(Record(ORDER, WINDOW))
    return dict(json.loads(journal.record_path.read_text()))


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_whatever_is_anywhere_in_a_record(
    odd: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that read it are each tried with one odd value at each place."""
    monkeypatch.setattr(client, "TRIES", 1)
    row, path = record_row(tmp_path), folder() / "shop.window.json"
    for place in places(row):
        for words in (COMMANDS[0], COMMANDS[4], ("recover", "--app", "shop", "--yes")):
            path.unlink(missing_ok=True)
            path.write_text(json.dumps(put(row, place, odd)))
            outcome(words, capsys)


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_whatever_is_anywhere_in_a_window_document(
    odd: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TRIES", 1)
    row = json.loads(WINDOW.line())
    for place in places(row):
        monkeypatch.setenv("HEROKU_CHANGEOVER_WINDOW", json.dumps(put(row, place, odd)))
        outcome(("promote", *GOOD), capsys)


PUT: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path),
    "garbage": lambda path: path.write_bytes(b"\xff\x00" * 1000),
    "deep": lambda path: path.write_text(DEEP),
}


@pytest.mark.parametrize("put_there", PUT.values(), ids=PUT)
@pytest.mark.parametrize("name", ["shop.window.json", "shop.last.json", "shop.log", "shop.lock", "shop.keeper"])
def test_whatever_is_in_the_place_of_a_file_of_ours(
    name: str, put_there: Callable[[Path], object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TRIES", 1)
    put_there(folder() / name)
    for words in (w for w in COMMANDS if "STATE" not in w):
        outcome(words, capsys)


WORDS: list[list[str]] = [
    [],
    [""],
    ["\ud800"],
    ["promote", "\x00"],
    ["promote", *GOOD, "--budget", "1" + "0" * 400],
    ["promote", *GOOD, "--ready-limit", "٣"],
    ["promote", *GOOD, "--way", "nowhere"],
    ["promote", *GOOD, "--app", "x" * 100_000],
    ["recover", "--app", "shop", "--was", "web=" + "1" * 400],
    ["status", "--app", "--app"],
    ["keep", "--app", ".."],
]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: " ".join(words)[:40].encode("ascii", "replace").decode())
def test_whatever_is_typed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    said = outcome(tuple(words), capsys)

    assert len(said.strip().splitlines()) == 1


def run(words: tuple[str, ...], environ: dict[str, str], **how: Any) -> "subprocess.CompletedProcess[bytes]":
    base = {"PATH": os.environ["PATH"], "HEROKU_API_KEY": "a-token", "HEROKU_API_URL": "http://127.0.0.1:9"}
    return subprocess.run(
        [sys.executable, "-m", "heroku_changeover", *words],
        env={**base, **environ},
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=100,
        **{"capture_output": True, **how},
    )


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_in_whatever_locale(locale: str, tmp_path: Path) -> None:
    """State is UTF-8 in every one; what a locale cannot show is spelled out."""
    (tmp_path / "state").write_text('{"deployment": {"resources": [{"urn": "ä☃"}]}}', encoding="utf-8")
    environ = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "HOME": str(tmp_path)}
    done = run(("recover", "--app", "shop", "--state", str(tmp_path / "state"), "--was", "wäb=☃"), environ)

    assert done.returncode == 30, done.stderr
    assert b"Traceback" not in done.stderr
    done = run(("recover", "--app", "shop", "--state", str(tmp_path / "state")), environ)
    assert b"the state tells of no changeover of app shop" in done.stderr


def test_without_a_home(tmp_path: Path) -> None:
    done = run(("promote", *GOOD), {"HEROKU_CHANGEOVER_HOME": str(tmp_path / "none" / "below"), "HEROKU_API_KEY": ""})

    assert b"no Heroku token" in done.stderr
    assert done.returncode == 30


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_with_nobody_who_reads(closed: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", 0) as pipe, contextlib.suppress(BrokenPipeError):
        how = {"capture_output": False, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, closed: pipe}
        done = run(("--help",), {"HOME": str(tmp_path)}, **how)

        assert b"Traceback" not in (done.stderr or b"") + (done.stdout or b"")


def test_what_nobody_has_thought_of_is_one_sentence_and_its_traceback_is_in_the_log_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("at postgres://user:s3cret@host/db with a-token")

    monkeypatch.setattr(program, "_step", broken)

    assert main(["promote", *GOOD]) == 40
    said = capsys.readouterr().err
    log = (folder() / "shop.log").read_text()
    assert len(said.splitlines()) == 1
    assert "`heroku-changeover status --app shop`" in said
    assert "ZeroDivisionError" in said
    assert "Traceback" in log
    assert not any(secret in log + said for secret in ("s3cret", "a-token"))


def test_somebody_who_presses_ctrl_c_is_told_where_to_look(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(dict(program.RUN), "status", pressed)
    monkeypatch.setattr(program, "RUN", {"status": pressed})

    assert main(["status", "--app", "shop"]) == 40
    assert "may be half done" in capsys.readouterr().err


def test_a_short_value_of_a_secret_leaves_the_text_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "e")

    assert without_secrets("a sentence") == "a sentence"


def port_error() -> Exception:
    """As the library says it of an address whose password has a slash in it."""
    with pytest.raises(ValueError, match="Port") as error:
        _ = urlsplit("postgres://user:s3cret/more@host/db").port
    return error.value


ADDRESS = "postgres://user:s3cret@host/db"


@pytest.mark.parametrize(
    "error",
    [
        port_error(),
        ValueError("netloc 'user:s3cret\"'@host' contains invalid characters"),
        RuntimeError(f"no such place: {ADDRESS}"),
        OSError(2, "No such file", ADDRESS),
        UnicodeError(f"label too long in '{ADDRESS}'"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_an_error_of_a_library_shows_no_part_of_an_address(error: Exception) -> None:
    """Neither where it is a reason nor as the last line of a traceback."""
    traceback_of = "".join(traceback.format_exception(error))

    assert "s3cret" not in said_of(error)
    assert "s3cret" not in without_secrets(traceback_of).splitlines()[-1]
    assert said_of(error)


def test_what_we_say_ourselves_is_said_as_it_is() -> None:
    assert said_of(NothingChanged("app 'shop' is as found")) == "app 'shop' is as found"
    assert said_of(RuntimeError()) == "RuntimeError"
