"""Every way in which something from outside can be wrong: a clear refusal, before anything is changed."""

import argparse
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from heroku_changeover.__main__ import EPILOG, main, parser
from heroku_changeover.reach.address import address_from
from heroku_changeover.reach.home import HOME_VARIABLE, folder
from heroku_changeover.reach.journal import Journal, Record, record_of
from heroku_changeover.reach.processes import Process
from heroku_changeover.rescue.by_hand import record_in_state
from heroku_changeover.terms.command import WINDOW_VARIABLE
from heroku_changeover.terms.errors import BadInput
from heroku_changeover.terms.facts import ProcessType
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import STEPS, Order
from heroku_changeover.terms.report import Report
from heroku_changeover.terms.window import AppAsFound, Window, window_from

TOKEN = {"HEROKU_API_KEY": "a-token"}
APPS = {"shop": AppAsFound(maintenance=False, formation=(ProcessType("web", 2, "Standard-1X"),))}
WINDOW = Window("db-2", APPS, {Moment.CAPTURED: 12.5}, Report(tables_locked=3))
ORDER = Order("db-2", ("shop",), "postgresql-round-1", "shop-db-2")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is wrong in a document: what is done to the object that holds the last key of a path."""

    path: tuple[str, ...]
    to_its_holder: Callable[[dict[str, Any]], object]

    def __call__(self, row: dict[str, Any]) -> None:
        self.to_its_holder(_parent(row, self.path))


def without(*path: str) -> Change:
    return Change(path, lambda holder: holder.pop(path[-1]))


def replacing(value: object, *path: str) -> Change:
    return Change(path, lambda holder: holder.update({path[-1]: value}))


def _parent(row: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for key in path[:-1]:
        row = row[key]
    return row


ENVIRONMENTS = [
    ({}, "no Heroku token"),
    ({"HEROKU_API_KEY": ""}, "no Heroku token"),
    ({"HEROKU_API_KEY": "  "}, "no Heroku token"),
    ({"HEROKU_API_KEY": "a\nb"}, "characters that no token has"),
    ({"HEROKU_API_KEY": "a b"}, "characters that no token has"),
    ({"HEROKU_API_KEY": "töken"}, "characters that no token has"),
    ({"HEROKU_API_KEY": "a\x00b"}, "characters that no token has"),
    ({"HEROKU_API_KEY": "a\tb"}, "characters that no token has"),
    ({"HEROKU_API_KEY": "a\rb"}, "characters that no token has"),
    ({"HEROKU_API_KEY": "a\x7f"}, "characters that no token has"),
    ({**TOKEN, "HEROKU_API_URL": "http://api.heroku.com"}, "not an https address"),
    ({**TOKEN, "HEROKU_API_URL": "api.heroku.com"}, "not the address of an API"),
    ({**TOKEN, "HEROKU_API_URL": "ftp://api.heroku.com"}, "not the address of an API"),
    ({**TOKEN, "HEROKU_API_URL": "https://"}, "not the address of an API"),
    ({**TOKEN, "HEROKU_API_URL": "https://[::1"}, "not the address of an API"),
    ({**TOKEN, "HEROKU_API_URL": "https://host:port"}, "not the address of an API"),
    ({**TOKEN, "HEROKU_API_URL": "https://host:99999"}, "not the address of an API"),
    ({**TOKEN, "HEROKU_API_URL": "https://user:secret@host"}, "not the address of an API"),
    ({**TOKEN, "HEROKU_API_URL": "https://host?a=b"}, "not the address of an API"),
    ({**TOKEN, "HEROKU_API_URL": "http://127.0.0.1:1", "HEROKU_DATA_API_URL": "https://data"}, "have to be on this"),
    ({**TOKEN, "HEROKU_DATA_API_URL": "http://127.0.0.1:1"}, "have to be on this"),
    ({**TOKEN, "HEROKU_DATA_API_URL": "http://api.data.heroku.com"}, "not an https address"),
    ({**TOKEN, "HEROKU_DATA_API_URL": "data"}, "HEROKU_DATA_API_URL is not the address"),
    ({**TOKEN, "HEROKU_API_URL": "https://host#part"}, "not the address of an API"),
    ({**TOKEN, "HEROKU_API_URL": "//host"}, "not the address of an API"),
    ({**TOKEN, "HEROKU_API_URL": "http://10.0.0.1:80"}, "not an https address"),
    ({**TOKEN, "HEROKU_API_URL": "http://localhost.example.org"}, "not an https address"),
    ({**TOKEN, "HEROKU_DATA_API_URL": "https://user:secret@data"}, "HEROKU_DATA_API_URL is not the address"),
    ({**TOKEN, "HEROKU_DATA_API_URL": "https://data?a=b"}, "HEROKU_DATA_API_URL is not the address"),
    ({**TOKEN, "HEROKU_DATA_API_URL": "https://data:port"}, "HEROKU_DATA_API_URL is not the address"),
    ({**TOKEN, "HEROKU_DATA_API_URL": "ftp://data"}, "HEROKU_DATA_API_URL is not the address"),
    ({"NETRC_PATH": "/nonexistent"}, "no Heroku token"),
]

DOCUMENTS = [
    without("version"),
    without("generation"),
    without("apps"),
    without("moments"),
    without("report"),
    without("apps", "shop", "maintenance"),
    without("apps", "shop", "formation"),
    without("apps", "shop", "names"),
    replacing(["READONLY"], "apps", "shop", "names"),
    without("apps", "shop", "formation", "web", "quantity"),
    without("apps", "shop", "formation", "web", "size"),
    replacing(0, "version"),
    replacing(1, "version"),
    replacing(4, "version"),
    replacing("1", "version"),
    replacing(None, "version"),
    replacing("db-3", "generation"),
    replacing(None, "generation"),
    replacing(7, "generation"),
    replacing(None, "apps"),
    replacing([], "apps"),
    replacing("shop", "apps"),
    replacing({"shop": None}, "apps"),
    replacing({"shop": []}, "apps"),
    replacing("no", "apps", "shop", "maintenance"),
    replacing(None, "apps", "shop", "maintenance"),
    replacing(1, "apps", "shop", "maintenance"),
    replacing("soon", "apps", "shop", "boot_seconds"),
    replacing([], "apps", "shop", "boot_seconds"),
    replacing({}, "apps", "shop", "boot_seconds"),
    replacing(None, "apps", "shop", "formation"),
    replacing([], "apps", "shop", "formation"),
    replacing({"web": 2}, "apps", "shop", "formation"),
    replacing(-1, "apps", "shop", "formation", "web", "quantity"),
    replacing(1.5, "apps", "shop", "formation", "web", "quantity"),
    replacing("two", "apps", "shop", "formation", "web", "quantity"),
    replacing("2", "apps", "shop", "formation", "web", "quantity"),
    replacing(True, "apps", "shop", "formation", "web", "quantity"),
    replacing(None, "apps", "shop", "formation", "web", "quantity"),
    replacing(None, "moments"),
    replacing([1], "moments"),
    replacing({"captured": "early"}, "moments"),
    replacing({"captured": None}, "moments"),
    replacing({"captured": float("nan")}, "moments"),
    replacing({"captured": float("inf")}, "moments"),
    replacing({"captured": 10**400}, "moments"),
    replacing({"captured": 1e300}, "moments"),
    replacing({"captured": -1}, "moments"),
    replacing({"captured": True}, "moments"),
    replacing({"captured": "12"}, "moments"),
    replacing({"\ud800": 1}, "moments"),
    replacing(10**400, "apps", "shop", "boot_seconds"),
    replacing(float("nan"), "apps", "shop", "boot_seconds"),
    replacing(10**400, "apps", "shop", "formation", "web", "quantity"),
    replacing(10**400, "report", "tables_locked"),
    replacing(float("inf"), "report", "sessions_ended"),
    replacing({"promote": 10**400}, "report", "seconds"),
    replacing([], "report", "seconds"),
    replacing(None, "report"),
    replacing("no", "report"),
    replacing(3, "report"),
]

TEXTS = [
    "{",
    "null",
    "[]",
    "7",
    '"text"',
    "not json",
    WINDOW.line()[:-1],
    WINDOW.line()[:30],
    WINDOW.line() * 2,
    "\x00",
    "[" * 100_000,
    '{"version":' * 50_000,
    "1" * 10_000,
    "\ud800",
]

RECORDS = [
    without("version"),
    without("order"),
    without("window"),
    without("engine"),
    without("gave_up"),
    without("order", "generation"),
    without("order", "apps"),
    without("order", "leader"),
    without("order", "target"),
    replacing(1, "version"),
    replacing(None, "order"),
    replacing({"colour": "blue"}, "order"),
    replacing(None, "order", "apps"),
    replacing(None, "window"),
    replacing({}, "window"),
    replacing("db-3", "window", "generation"),
    replacing(None, "engine"),
    replacing([{}], "engine"),
    replacing([{"pid": "one", "started": 1, "name": ""}], "engine"),
    replacing([{"pid": 1, "started": None, "name": ""}], "engine"),
    replacing([{"pid": -1, "started": 1.0, "name": ""}], "engine"),
    replacing([{"pid": True, "started": 1.0, "name": ""}], "engine"),
    replacing([{"pid": 10**400, "started": 1.0, "name": ""}], "engine"),
    replacing([{"pid": 1, "started": 10**400, "name": ""}], "engine"),
    replacing([{"pid": 1, "started": float("nan"), "name": ""}], "engine"),
    replacing("pulumi", "engine"),
    without("boot"),
    without("epoch"),
    replacing("early", "epoch"),
    replacing(float("nan"), "epoch"),
    replacing(10**400, "epoch"),
    replacing(10**400, "window", "moments", "captured"),
    replacing("shop", "order", "apps"),
    replacing([], "order", "apps"),
    replacing([7], "order", "apps"),
    replacing(["../shop"], "order", "apps"),
    replacing(7, "order", "generation"),
    replacing("", "order", "leader"),
    replacing("a\nb", "order", "target"),
    replacing("\ud800", "order", "target"),
    replacing(10**400, "order", "budget"),
    replacing("300", "order", "budget"),
    replacing(True, "order", "budget"),
    replacing(0, "order", "ready_limit"),
]

UUID = "01234567-89ab-cdef-0123-456789abcdef"
GOOD = ["--generation", "db-2", "--app", "shop", "--from", "postgresql-round-1", "--to", "shop-db-2"]
COMMAND_LINES = [
    ([], "the following arguments are required"),
    (["promot"], "invalid choice"),
    (["promote"], "the following arguments are required"),
    (["promote", *GOOD[:-2]], "--to"),
    (["promote", *GOOD[2:]], "--generation"),
    (["promote", *GOOD[:2], *GOOD[4:]], "--app"),
    (["promote", *GOOD, "--budget", "0"], "whole number of seconds"),
    (["promote", *GOOD, "--budget", "-1"], "whole number of seconds"),
    (["promote", *GOOD, "--budget", "1" + "0" * 400], "whole number of seconds"),
    (["promote", *GOOD, "--budget", "1" + "0" * 5000], "whole number of seconds"),
    (["promote", *GOOD, "--budget", "\uff11"], "whole number of seconds"),
    (["promote", *GOOD, "--ready-limit", "1" + "0" * 400], "whole number of seconds"),
    (["promote", *GOOD, "--way", ""], "--way: '' is not a name"),
    (["promote", *GOOD[2:], "--generation", "db\n2"], "--generation: 'db\\n2' is not a name"),
    (["promote", *GOOD[:-2], "--to", "\udcff"], "--to: '\\udcff' is not a name"),
    (["promote", *GOOD[:4], *GOOD[6:], "--from", ""], "--from: '' is not a name"),
    (["retire-guard", "--app-id", UUID, "--database-id", UUID, "--database", "\x00"], "--database: '\\x00' is not"),
    (["recover", "--app", "shop", "--was", "web=" + "9" * 5000], "not of the form web=2"),
    (["recover", "--app", "shop", "--was", "w\nb=1"], "not of the form web=2"),
    (["status", "--app", "s" * 5000], "not the name of an app"),
    (["status", "--app", "shop\n"], "not the name of an app"),
    (["promote", *GOOD, "--budget", "soon"], "--budget"),
    (["promote", *GOOD, "--budget", "1.5"], "--budget"),
    (["promote", *GOOD, "--ready-limit", "0"], "whole number of seconds"),
    (["promote", *GOOD, "--ready-limit", ""], "--ready-limit"),
    (["promote", *GOOD, "--one-off-dynos", "kill"], "invalid choice"),
    (["promote", *GOOD, "--verify", "no"], "invalid choice"),
    (["promote", *GOOD, "--unlogged-rows", "go"], "invalid choice"),
    (["promote", *GOOD, "--forse"], "unrecognized arguments"),
    (["promote", *GOOD, "extra"], "unrecognized arguments"),
    (["retire-guard", "--app-id", UUID, "--database", "x"], "--database-id"),
    (["retire-guard", "--database-id", UUID, "--database", "x"], "--app-id"),
    (["retire-guard", "--app-id", UUID, "--database-id", UUID], "--database"),
    (["retire-guard", "--app-id", UUID, "--database-id", "shop-db-1", "--database", "x"], "not a UUID"),
    (["status"], "--app"),
    (["status", "--app"], "expected one argument"),
    (["recover"], "--app"),
    (["recover", "--app", "shop", "--was", "web"], "not of the form web=2"),
    (["recover", "--app", "shop", "--was", "web=many"], "not of the form web=2"),
    (["recover", "--app", "shop", "--was", "=2"], "not of the form web=2"),
    (["recover", "--app", "shop", "--was", "web=-1"], "not of the form web=2"),
    (["keep"], "--app"),
    (["keep", "--app", "../shop"], "not the name of an app"),
    (["status", "--app", "a/b"], "not the name of an app"),
    (["status", "--app", ""], "not the name of an app"),
    (["recover", "--app", "Shop"], "not the name of an app"),
    (["promote", *GOOD, "--app", "a b"], "not the name of an app"),
    (["retire-guard", "--app-id", f"{UUID}/..", "--database-id", UUID, "--database", "x"], "not a UUID"),
]

FILES = ["", "{", "null", "[]", "7", "[" * 100_000, "\x00" * 5000, "1" * 10_000, "NaN"]
FOLDERS = [(HOME_VARIABLE, "file"), (HOME_VARIABLE, "file/below"), ("XDG_STATE_HOME", "file"), ("HOME", "file")]
STATES = [
    "[" * 100_000,
    "1" * 10_000,
    "NaN",
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"deployment": null}',
    '{"deployment": {"resources": 7}}',
    "<html>",
]


@pytest.mark.parametrize(("environ", "found"), ENVIRONMENTS)
def test_an_environment_that_leads_nowhere_is_refused(environ: dict[str, str], found: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=found) as refusal:
        address_from({"NETRC_PATH": str(tmp_path / "none"), **environ})

    assert "secret" not in str(refusal.value)
    assert not (key := environ.get("HEROKU_API_KEY", "").strip()) or key not in str(refusal.value)


@pytest.mark.parametrize("change", DOCUMENTS)
def test_a_window_document_that_is_not_whole_is_refused(change: Change) -> None:
    row = json.loads(WINDOW.line())
    change(row)

    with pytest.raises(BadInput, match=WINDOW_VARIABLE):
        window_from({WINDOW_VARIABLE: json.dumps(row)}, "db-2")


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_is_no_window_document_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="does not hold a window document"):
        window_from({WINDOW_VARIABLE: text}, "db-2")


@pytest.mark.parametrize("change", RECORDS)
def test_a_record_that_is_not_whole_is_refused_with_its_file(change: Change, tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop")
    journal.write(Record(ORDER, WINDOW, (Process(1, 2.0, "pulumi"),)))
    row = json.loads(journal.record_path.read_text())
    change(row)
    journal.record_path.write_text(json.dumps(row))

    with pytest.raises(BadInput, match=r"shop\.window\.json|HEROKU_CHANGEOVER_WINDOW"):
        journal.read()


@pytest.mark.parametrize("text", FILES)
def test_a_file_that_is_no_record_is_refused_with_its_name(text: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop")
    journal.record_path.write_text(text)

    with pytest.raises(BadInput, match=r"shop\.window\.json"):
        journal.read()


@pytest.mark.parametrize("change", RECORDS)
def test_a_damaged_record_of_another_app_is_named_and_passed_over(change: Change, tmp_path: Path) -> None:
    other, own = Journal(tmp_path, "books"), Journal(tmp_path, "shop")
    for journal in (other, own):
        journal.write(Record(ORDER._replace(apps=(journal.app, "admin")), WINDOW))
    row = json.loads(other.record_path.read_text())
    change(row)
    other.record_path.write_text(json.dumps(row))
    said: list[str] = []

    found = record_of(tmp_path, "shop", said.append), record_of(tmp_path, "admin", said.append)

    assert found == (own.read(), own.read())
    assert len(said) == 2
    assert all(line.startswith("warning: ") and "passed over" in line for line in said)


@pytest.mark.parametrize("text", FILES)
def test_a_damaged_record_of_the_app_itself_is_not_passed_over(text: str, tmp_path: Path) -> None:
    Journal(tmp_path, "shop").record_path.write_text(text)

    with pytest.raises(BadInput, match=r"shop\.window\.json"):
        record_of(tmp_path, "shop", print)


def test_a_record_that_cannot_be_read_is_refused_with_its_name(tmp_path: Path) -> None:
    Journal(tmp_path, "shop").record_path.mkdir()

    with pytest.raises(BadInput, match=r"shop\.window\.json"):
        record_of(tmp_path, "shop", print)


@pytest.mark.parametrize(("words", "found"), COMMAND_LINES)
def test_a_command_line_that_cannot_be_meant_is_refused_in_a_line(
    words: list[str], found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == BadInput.exit_code

    said = capsys.readouterr().err
    assert found in said
    assert "--help" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("text", STATES)
def test_a_text_that_is_no_exported_stack_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="pulumi stack export"):
        record_in_state(text, "shop")


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"inputs": None},
        {"inputs": {"create": 7}},
        {"inputs": {"create": "echo 'no end"}},
        {"inputs": {"create": "exec heroku-changeover"}},
        {"inputs": {"create": "exec heroku-changeover promote"}},
        {"inputs": {"create": f"heroku-changeover scale-down {' '.join(GOOD)}"}},
        {"inputs": {"create": f"heroku-changeover scale-down {' '.join(GOOD)}"}, "outputs": {"stdout": "{"}},
        {"inputs": {"create": f"heroku-changeover scale-down {' '.join(GOOD)}"}, "outputs": {"stdout": 7}},
    ],
)
def test_a_resource_of_another_kind_tells_of_no_changeover(resource: dict[str, Any]) -> None:
    assert record_in_state(json.dumps({"deployment": {"resources": [resource]}}), "shop") is None


@pytest.mark.parametrize(("variable", "path"), FOLDERS)
def test_a_folder_that_cannot_be_written_to_is_refused_with_the_way_out(
    variable: str, path: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(BadInput, match=HOME_VARIABLE):
        folder({variable: str(tmp_path / path)})


def parts_of(row: dict[str, Any], *above: str) -> set[tuple[str, ...]]:
    """The path of every part of a document that has a name, and of the parts of these."""
    inside = (parts_of(part, *above, name) for name, part in row.items() if isinstance(part, dict))
    return {(*above, name) for name in row}.union(*inside)


def test_every_part_of_a_window_document_is_tried_as_a_wrong_one() -> None:
    """A part that is new to it has to be read as carefully as the others."""
    any_text, told = {("apps", "shop", "id")}, Report().row().keys()
    parts = parts_of(json.loads(WINDOW.line())) - any_text - {("report", name) for name in told}
    by_names_of_its_own = {("apps", "shop"), ("apps", "shop", "formation", "web"), ("moments", "captured")}

    assert {change.path for change in DOCUMENTS} >= parts - by_names_of_its_own


def test_every_part_of_a_record_is_tried_as_a_wrong_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop")
    journal.write(Record(ORDER, WINDOW, (Process(1, 2.0, "pulumi"),)))
    row = json.loads(journal.record_path.read_text())
    needed = {("order", name) for name in Order._fields if name not in Order._field_defaults}

    assert {change.path for change in RECORDS} >= {(name,) for name in row} | needed


def test_every_variable_of_an_address_is_tried_with_a_wrong_value() -> None:
    named = re.findall(r"^ +(HEROKU_API_\w+|HEROKU_DATA_\w+)", EPILOG, re.MULTILINE)

    assert {variable for environ, _ in ENVIRONMENTS for variable in environ} == {*named, "NETRC_PATH"}


def options_with_limits() -> Iterator[tuple[str, str]]:
    """Every command with each of its options that has to be there, or that not every value is right for."""
    (commands,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    for name, command in commands.choices.items():
        for action in command._actions:
            if action.required or action.type or action.choices:
                yield name, action.option_strings[-1]


def test_every_option_that_can_be_wrong_is_named_when_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """One step stands for all five: they have the same options."""
    blamed = set[tuple[str, str]]()
    for words, _ in COMMAND_LINES:
        main(words)
        blamed |= {(word, option) for word in words[:1] for option in re.findall(r"--[\w-]+", capsys.readouterr().err)}

    others = {step for step in STEPS if step != "promote"}
    assert {(name, option) for name, option in options_with_limits() if name not in others} <= blamed
