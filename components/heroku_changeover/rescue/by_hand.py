"""`recover`: what a keeper does, done by a person, from any machine with a token."""

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heroku_changeover.apps.service import put_back
from heroku_changeover.apps.writable import await_turns, let_write, primaries_without_writes
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.journal import Journal, Record, record_of
from heroku_changeover.reach.locks import locked
from heroku_changeover.reach.look import app_from
from heroku_changeover.reach.wait import Clock
from heroku_changeover.reach.world import World, world_of
from heroku_changeover.rescue.recovery import changeover_in, is_as_found, look_for_recovery, plan_of_recovery, recover
from heroku_changeover.terms.command import (
    PROGRAM,
    RECOVER,
    URN_VARIABLE,
    Arguments,
    add_order_options,
    order_from,
    shown,
)
from heroku_changeover.terms.errors import BadInput, Busy, NeedsPerson, Refused
from heroku_changeover.terms.facts import App
from heroku_changeover.terms.order import STEPS, number_in
from heroku_changeover.terms.situation import Situation
from heroku_changeover.terms.window import AppAsFound, Window, window_of
from heroku_changeover.ways.way import Changeover

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """
    What a person typed: the app; `state`, a file with the output of `pulumi stack export`, or `-`; `was`, the dynos
    that the app had, by process type; `yes` for no question.
    """

    app: str
    state: str | None = None
    was: Mapping[str, int] | None = None
    yes: bool = False


def run(request: Request, heroku: Heroku, journal: Journal, say: Say) -> None:
    """
    Says what will be done, asks, and does it.

    Raises:
        Refused: a living run has the window, or the person said no.
        NeedsPerson: nothing says how the app was, or that a database has every write.
    """
    found = record_of(journal.path, request.app, say)
    record = found or _record_in_state(request)
    if record is None:
        _without_record(request, heroku, journal, say)
        return
    _require_no_run(record)
    c = _changeover(record, heroku, journal, say)
    situation = look_for_recovery(c)
    if situation is None or not is_as_found(c, situation):
        _confirm(request, f"This will {plan_of_recovery(c, situation)}.", say)
    with locked(journal.path, record.order.apps, RECOVER, c.world.clock, say):
        _recover_alone(c, found, record)


def _changeover(record: Record, heroku: Heroku, journal: Journal, say: Say) -> Changeover:
    own = Journal(journal.path, record.order.apps[0])
    clock = record.clock(Clock().undisturbed())
    return changeover_in(record, heroku.by(clock), say, clock, own)


def _recover_alone(c: Changeover, found: Record | None, known: Record) -> None:
    """
    While a person was asked, or the lock was waited for, another run or a keeper may have been at work: what was
    `found` on this machine may be closed; what is `known` from a stack's state alone has no record here.
    """
    journal = c.document.journal
    record = (journal.read() if journal else None) or (known if found is None else None)
    if record is None:
        c.report(f"nothing to do: the window of {known.order.generation} was closed meanwhile, by another run")
        return
    _require_no_run(record)
    clock = record.clock(Clock().undisturbed())
    c = changeover_in(record, c.world.heroku.by(clock), c.report, clock, journal)
    situation = look_for_recovery(c)
    if situation is not None and is_as_found(c, situation):
        c.document.close()
        c.report(_nothing_to_do(c, situation))
    else:
        c.report(recover(c))


def _nothing_to_do(c: Changeover, situation: Situation) -> str:
    """A colleague's formation is left as it is, and named."""
    found = c.window.apps
    changes = [f"{n} has {', '.join(rows)}" for n, app in situation.apps.items() if (rows := found[n].changes(app))]
    how = f"other than found, and is left so: {'; '.join(changes)}" if changes else "as before"
    return f"nothing to do: {', '.join(situation.apps)} serves {how}"


def _require_no_run(record: Record) -> None:
    if record.has_engine:
        raise Refused(
            f"the run that opened the window of {record.order.generation} is alive "
            f"({', '.join(f'process {p.pid} {p.name}' for p in record.engine)}): it closes the window, or its keeper "
            "does once it has ended; end it with Ctrl-C if it must stop"
        )


def _record_in_state(request: Request) -> Record | None:
    if request.state is None:
        return None
    record = record_in_state(text_of(request.state), request.app)
    if record is None:
        raise BadInput(f"the state tells of no changeover of app {request.app} that has begun and is not restored")
    return record


def text_of(state: str) -> str:
    """
    The exported stack that `--state` names; `-` is stdin.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        given = sys.stdin.buffer.read() if state == "-" else Path(state).read_bytes()
        return given.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise BadInput(
            f"--state {shown(state)} cannot be read ({type(error).__name__}): it has to be the output of "
            "`pulumi stack export`, in a file or on stdin"
        ) from error


def record_in_state(text: str, app: str) -> Record | None:
    """
    The unfinished changeover of an app, from the output of `pulumi stack export`: the newest document that one of its
    steps printed.

    Raises:
        BadInput: that is no exported stack.
    """
    try:
        resources = [dict(r) for r in json.loads(text)["deployment"]["resources"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput("what --state names is not the output of `pulumi stack export`") from error
    steps = [s for r in resources if (s := _step_in(r)) is not None and s[0] in STEPS and app in s[1].order.apps]
    finished = {number_in(record.order.generation) for step, record in steps if step == STEPS[-1]}
    open_ = [s for s in steps if number_in(s[1].order.generation) not in finished]
    return max(open_, key=_how_new)[1] if open_ else None


def _how_new(printed: tuple[str, Record]) -> tuple[int, str, int]:
    """A later generation's first step was printed after all of an earlier one's; the longer number is the greater."""
    step, record = printed
    number = number_in(record.order.generation)
    return len(number), number, STEPS.index(step)


def _step_in(resource: Mapping[str, Any]) -> tuple[str, Record] | None:
    """The step that a resource is, with what it printed; None for a resource of any other kind."""
    parser = Arguments()
    add_order_options(parser)
    with suppress(BadInput, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        words = shlex.split(resource["inputs"]["create"])
        step, *rest = words[words.index(PROGRAM) + 1 :]
        order = order_from(parser.parse_args(rest), resource["inputs"].get("environment", {}).get(URN_VARIABLE, ""))
        return step, Record(order, window_of(json.loads(resource["outputs"]["stdout"]), order.generation))
    return None


def _without_record(request: Request, heroku: Heroku, journal: Journal, say: Say) -> None:
    """No window is known: an app that is down is brought back on the database that it has, as the person says."""
    app = app_from(heroku, request.app)
    if app.is_serving:
        say(f"nothing to do: {app.name} serves, and no window of it is open on this machine")
        return
    was, on = _as_told(request, app), _primary_of(app)
    world = world_of(heroku, say, Clock().undisturbed())
    how = (
        "which is read-only and will take writes again" if list(primaries_without_writes(world, [app])) else "as it is"
    )
    listed = ", ".join(f"{kind} {quantity}" for kind, quantity in was.items())
    _confirm(request, f"This will scale {app.name} to {listed} and end its maintenance mode, on {on}, {how}.", say)
    with locked(journal.path, [app.name], RECOVER, world.clock, say):
        _bring_up(world, journal, app.name, was)


def _as_told(request: Request, app: App) -> dict[str, int]:
    """
    How many dynos of each process type there will be.

    Raises:
        NeedsPerson: nobody says it.
        BadInput: what is said leaves the app without any, or names a process type that it does not have.
    """
    types = [p for p in app.formation if p.type != "release"]
    if not app.writers and not request.was:
        raise NeedsPerson(
            f"app {app.name} is scaled to nothing, and this machine has no record of how it was: hand in the stack's "
            f"state, `pulumi stack export | heroku-changeover {RECOVER} --app {app.name} --state - --yes`, or say how "
            "it was, `--was web=2 --was worker=1`"
        )
    was = {p.type: p.quantity for p in types} | dict(request.was or {})
    if unknown := sorted(set(was) - {p.type for p in types}):
        raise BadInput(f"app {app.name} has no process type {', '.join(unknown)}")
    if not any(was.values()):
        raise BadInput(
            f"with that, app {app.name} would have no dyno, so nothing was done: say how it was, such as `--was "
            f"{types[0].type if types else 'web'}=1`; `heroku maintenance:off --app {app.name}` is all that an app "
            "without dynos needs"
        )
    return was


def _primary_of(app: App) -> str:
    """
    Raises:
        NeedsPerson: an app would come up without any database.
    """
    if app.primary:
        return app.primary.addon_name
    has = sorted({a.addon_name for a in app.attachments})
    command = f"heroku addons:attach {has[0] if has else '<database>'} --as DATABASE --app {app.name}"
    others = f" (it has {', '.join(has)}: take the one that it was on)" if len(has) > 1 else ""
    raise NeedsPerson(
        f"app {app.name} has no DATABASE, so it is not brought up: `{command}` gives it one{others}, then run the same "
        "command again"
    )


def _bring_up(world: World, journal: Journal, name: str, was: Mapping[str, int]) -> None:
    """
    Alone with the app on this machine; before that, another run may have been at work.

    Raises:
        Busy: one is at work on its database, or has begun meanwhile.
    """
    if record_of(journal.path, name, world.report) is not None:
        raise Busy(
            f"a changeover of app {name} has begun meanwhile: run `heroku-changeover {RECOVER} --app {name}` again"
        )
    app = app_from(world.heroku, name)
    if app.is_serving:
        world.report(f"nothing to do: {name} serves by now")
        return
    _primary_of(app)
    await_turns(world, [app])
    for one in primaries_without_writes(world, [app]):
        let_write(world, *one)
    formation = tuple(p._replace(quantity=was.get(p.type, p.quantity)) for p in app.formation if p.type != "release")
    put_back(world, Document(Window("", {name: AppAsFound(maintenance=False, formation=formation)}), world.clock))


def _confirm(request: Request, plan: str, say: Say) -> None:
    say(plan)
    if request.yes:
        return
    if not sys.stdin.isatty():
        raise Refused("nobody can be asked here: add --yes")
    try:
        answer = input("Go on? [y/N] ")
    except (EOFError, KeyboardInterrupt):
        answer = ""
    if answer.strip().lower() not in {"y", "yes"}:
        raise Refused("nothing was done")
