"""What has to be true after every case, checked on the real servers, processes and files."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg

from faults.play import LOST, NEEDS_MENDING
from faults.scene import SECOND, SIZES, Scene, apps, left_behind
from faults.worlds import WORLDS
from kit.orders import Customer
from kit.rogue import Rogue
from local_heroku.launcher import visit

NEW_PLAN = "standard-2"
BACK_WITHIN = 5.0
"""
Seconds in which a cancelled run has the app served by the old database again, besides the dyno's boot, on a machine
that has nothing else to do.
"""


@dataclass(slots=True)
class Verdict:
    """What is not as promised; empty lists are good news."""

    lost_writes: int = 0
    left_down: list[str] = field(default_factory=list)
    inconsistent: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)


def judge(verdict: Verdict, scene: Scene, customers: Sequence[Customer], rogue: Rogue | None) -> None:
    """
    Traffic has stopped; the last `pulumi up` is done. What is found is in the verdict as soon as it is, because a
    database that is gone ends the looking.
    """
    verdict.left_down += [*scene.trouble, *_down(scene)]
    verdict.lost_writes += _lost(scene, customers, rogue)
    verdict.inconsistent += [*_formation(scene), *_companions(scene), *_processes(scene), *_codes(scene)]
    verdict.inconsistent += [*_only_on_the_old_one(scene), *_left_on_the_primary(scene), *_claims(scene, verdict)]
    verdict.inconsistent += WORLDS[scene.case.world].check(scene)
    if not scene.rival:
        verdict.inconsistent += [*_databases(scene), *_agrees(scene)]
    verdict.leaks += _leaks(scene)


def _agrees(scene: Scene) -> Iterator[str]:
    if scene.pulumi("preview", "--expect-no-changes")[0]:
        yield "the state of the stack and Heroku do not agree"


def _orders(scene: Scene, addon: str) -> set[int]:
    with psycopg.connect(scene.heroku.database_url(addon)) as connection:
        return {int(i) for (i,) in connection.execute("SELECT id FROM orders")}


def _lost(scene: Scene, customers: Sequence[Customer], rogue: Rogue | None) -> int:
    """Of every app, of every login of somebody's own, and of whoever holds the old address."""
    primary = scene.heroku.primary(scene.name)
    acknowledged = {number for customer in customers for number in customer.ledger}
    acknowledged |= set(rogue.acknowledged if rogue else ())
    url = scene.heroku.database_url(primary)
    others = sum(len(writer.missing_on(url)) for writer in scene.writers)
    return len(acknowledged - _orders(scene, primary)) + others


def _down(scene: Scene) -> Iterator[str]:
    """Down by itself after the interruption, or at the very end."""
    if scene.down_seconds is None and not _may_stay_down(scene):
        yield "the app did not serve when the interrupted run, its steps and its keeper had ended"
    if (late := _late(scene)) > 0:
        yield f"a cancelled run left the app down for {late:.1f} s longer than {BACK_WITHIN:.0f} s and a dyno's boot"
    for app in apps(scene):
        if (status := visit(app["web_url"])[0]) != 200:
            yield f"{app['name']} answers {status} at the end"


def _may_stay_down(scene: Scene) -> bool:
    """Nobody is left who could bring it back, or a person has to mend something, or it was down before."""
    then = scene.case.then
    whats = {scene.case.what, then.what if then else ""}
    return bool(whats & {*LOST, *NEEDS_MENDING}) or bool(then and then.what == "killed") or scene.case.unstopped


def _late(scene: Scene) -> float:
    """Seconds beyond what is promised when somebody cancels before unfollow; negative is in time."""
    case = scene.case
    if scene.down_seconds is None or case.what != "ctrl-c" or not case.before_unfollow or case.world or case.then:
        return 0.0
    return scene.down_seconds - scene.boot_seconds - BACK_WITHIN * scene.busy


def _formation(scene: Scene) -> Iterator[str]:
    """Quantity and size of every process type, as found; what a colleague set since stays."""
    rows = scene.heroku.get(f"/apps/{scene.name}/formation")
    live = {row["type"]: (row["quantity"], row["size"]) for row in rows if row["type"] != "release"}
    web = 2 if scene.case.what == "colleague-scales-up" else 1
    if live != {"web": (web, SIZES["web"]), "worker": (1, SIZES["worker"])}:
        yield f"the formation is {live}"
    for name in scene.names:
        if scene.heroku.get(f"/apps/{name}")["maintenance"]:
            yield f"maintenance mode of {name} is on"
    for name in scene.names[1:]:
        if scene.heroku.quantities(name) != {"web": 1, "worker": 0}:
            yield f"the formation of {name} is {scene.heroku.quantities(name)}"


def _databases(scene: Scene) -> Iterator[str]:
    """The wanted plan is reached, and no follower was bought that nobody needed."""
    primary = scene.heroku.primary(scene.name)
    if primaries := {name: scene.heroku.primary(name) for name in scene.names[1:]}:
        yield from (f"DATABASE of {name} is {got}, not {primary}" for name, got in primaries.items() if got != primary)
    plan = scene.heroku.get(f"/addons/{primary}")["plan"]["name"]
    if plan != f"heroku-postgresql:{NEW_PLAN}":
        yield f"the primary {primary} is on {plan}"
    if scene.started_over and not _somebody_else_wrote(scene):
        yield "it had to be started over, although nobody wrote to the old database"
    bought = [e["addon"] for e in scene.heroku.events() if e["what"] == "provisioned" and _is_of(scene, e["addon"])]
    if len(bought) != (2 if scene.started_over else 1):
        yield f"these followers were bought: {', '.join(bought)}"


def _somebody_else_wrote(scene: Scene) -> bool:
    """
    Or PostgreSQL itself may have: where time passes until a lost machine is noticed, autovacuum analyzes tables, and
    each of its transactions looks like a write from outside.
    """
    case = scene.case
    return bool(case.rogue or scene.writers) or case.what in {
        "unprovable",
        "worker-scales-up",
        "recovered-by-hand",
        "wire-cut",
    }


def _companions(scene: Scene) -> Iterator[str]:
    """Every name that a person gave the old database, and its backup schedule, are the new one's."""
    primary = scene.heroku.primary(scene.name)
    second = scene.heroku.get(f"/apps/{scene.name}/addon-attachments/{SECOND}")["addon"]["name"]
    if second != primary:
        yield f"{SECOND} is still {second}"
    schedules = scene.heroku.get(f"/client/v11/databases/{primary}/transfer-schedules")
    if [row["name"] for row in schedules] != ["DATABASE_URL"]:
        yield f"{primary} has these backup schedules: {schedules}"


def _is_of(scene: Scene, addon: str) -> bool:
    return str(addon).startswith(f"{scene.name}-db-")


def _only_on_the_old_one(scene: Scene) -> Iterator[str]:
    """
    Whatever any writer stored, it is on the primary: only one database was written to. Without SQL that cannot be
    promised, but then an alarm has to say so.
    """
    primary = scene.heroku.primary(scene.name)
    for addon in {scene.leader, scene.follower if scene.rival else scene.leader} - {primary}:
        stray = _orders(scene, addon) - _orders(scene, primary)
        if stray and not (scene.case.world == "api" and "ALARM" in _told(scene)):
            yield f"{len(stray)} orders are on {addon} only"


def _told(scene: Scene) -> str:
    return "\n".join(scene.said)


def _left_on_the_primary(scene: Scene) -> Iterator[str]:
    """It takes writes, and nothing of a changeover is left on it."""
    primary = scene.heroku.primary(scene.name)
    with psycopg.connect(scene.heroku.database_url(primary), autocommit=True) as session:
        for what, count in _LEFT.items():
            row = session.execute(count).fetchone()
            if row and row[0]:
                yield f"{row[0]} {what} on the primary {primary}"


_LEFT: dict[str, LiteralString] = {
    "settings that make it read-only": "SELECT count(*) FROM pg_catalog.pg_db_role_setting"
    " WHERE 'default_transaction_read_only=on' = ANY (setconfig)",
    "triggers": "SELECT count(*) FROM pg_catalog.pg_trigger WHERE NOT tgisinternal",
    "advisory locks": "SELECT count(*) FROM pg_catalog.pg_locks WHERE locktype = 'advisory'",
    "sessions of a changeover": "SELECT count(*) FROM pg_catalog.pg_stat_activity"
    " WHERE application_name LIKE 'heroku-changeover%'",
}
"""What would be left behind, and how it is counted."""

CODES = {"10", "20", "30", "40"}
"""What a step may end with that does not reach its state."""


def _codes(scene: Scene) -> Iterator[str]:
    """A step ends with a code that means something, and with words for a person."""
    told = _told(scene)
    if unknown := set(re.findall(r"exit status (\d+)", told)) - CODES:
        yield f"a step ended with exit code {', '.join(sorted(unknown))}"
    if re.search(r'File "[^"]*/heroku_changeover/', told):
        yield "a traceback of a step was printed"
    if scene.case.what in RUNS_THROUGH and scene.ended and scene.case.world not in MAY_REFUSE:
        yield f"the run was ended with code {scene.ended}, although nothing was in its way"
    logs = "".join(_text(log) for log in scene.home.rglob("*.log"))
    if scene.case.what in RUNS_THROUGH and "the run that opened the window is gone" in logs:
        yield "the keeper took a run for gone that lives"


RUNS_THROUGH = {"nothing", "clock-forward", "clock-back", "clock-set"}
MAY_REFUSE = {name for name, world in WORLDS.items() if world.mend is not None}


def _claims(scene: Scene, verdict: Verdict) -> Iterator[str]:
    """What is said of a proof at the end is so."""
    summaries = [line for line in _told(scene).splitlines() if "every committed write proved" in line]
    if summaries and "ALARM" in summaries[-1]:
        yield "the summary says that every write is proved, and has an alarm"
    if summaries and verdict.lost_writes:
        yield "the summary says that every write is proved, and some are lost"


def _processes(scene: Scene) -> Iterator[str]:
    yield from (f"a process is left: {process}" for process in left_behind(scene))
    forgotten = scene.rival and scene.case.what in LOST  # nobody comes back to that machine
    if list(scene.home.rglob("*.window.json")) and not forgotten:
        yield "the record of an open window is left"


def _leaks(scene: Scene) -> Iterator[str]:
    secrets = {"the token": scene.heroku.token}
    for addon in {scene.leader, scene.heroku.primary(scene.name)}:
        secrets[f"the password of {addon}"] = str(urlsplit(scene.heroku.database_url(addon)).password)
    texts = {"the output": "\n".join(scene.said)}
    secrets |= {f"the password of {w.table}": str(urlsplit(w.url).password) for w in scene.writers}
    for folder in (scene.home, scene.folder / "state"):
        texts |= {str(path.relative_to(scene.folder)): _text(path) for path in folder.rglob("*") if path.is_file()}
    for where, text in texts.items():
        yield from (f"{what} is in {where}" for what, secret in secrets.items() if secret in text)


def _text(path: Path) -> str:
    return path.read_text(errors="replace")
