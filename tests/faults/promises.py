"""What has to be true after every case, checked on the real servers, processes and files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from faults.scene import LOST, NEEDS_MENDING, SECOND, SIZES, Scene, left_behind
from kit.orders import Customer
from kit.rogue import Rogue
from local_heroku.launcher import visit

NEW_PLAN = "standard-2"
BACK_WITHIN = 5.0
"""Seconds in which a cancelled run has the app served by the old database again, besides the dyno's boot."""


@dataclass(slots=True)
class Verdict:
    """What is not as promised; empty lists are good news."""

    lost_writes: int = 0
    left_down: list[str] = field(default_factory=list)
    inconsistent: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.lost_writes or self.left_down or self.inconsistent or self.leaks)


def judge(verdict: Verdict, scene: Scene, customer: Customer, rogue: Rogue | None) -> None:
    """
    Traffic has stopped; the last `pulumi up` is done. What is found is in the verdict as soon as it is, because a
    database that is gone ends the looking.
    """
    verdict.left_down += _down(scene)
    verdict.lost_writes += _lost(scene, customer, rogue)
    verdict.inconsistent += [*_formation(scene), *_databases(scene), *_companions(scene), *_processes(scene)]
    verdict.inconsistent += _only_on_the_old_one(scene)
    if scene.pulumi("preview", "--expect-no-changes")[0]:
        verdict.inconsistent.append("the state of the stack and Heroku do not agree")
    verdict.leaks += _leaks(scene)


def _orders(scene: Scene, addon: str) -> set[int]:
    with psycopg.connect(scene.heroku.database_url(addon)) as connection:
        return {int(i) for (i,) in connection.execute("SELECT id FROM orders")}


def _lost(scene: Scene, customer: Customer, rogue: Rogue | None) -> int:
    acknowledged = set(customer.ledger) | set(rogue.acknowledged if rogue else ())
    return len(acknowledged - _orders(scene, scene.heroku.primary(scene.name)))


def _down(scene: Scene) -> Iterator[str]:
    """Down by itself after the interruption, or at the very end."""
    if scene.down_seconds is None and scene.case.what not in {*LOST, *NEEDS_MENDING}:
        yield "the app did not serve when the interrupted run, its steps and its keeper had ended"
    if (late := _late(scene)) > 0:
        yield f"a cancelled run left the app down for {late:.1f} s longer than {BACK_WITHIN:.0f} s and a dyno's boot"
    if (status := visit(scene.app["web_url"])[0]) != 200:
        yield f"the app answers {status} at the end"


def _late(scene: Scene) -> float:
    """Seconds beyond what is promised when somebody cancels before unfollow; negative is in time."""
    if scene.down_seconds is None or scene.case.what != "ctrl-c" or not scene.case.before_unfollow:
        return 0.0
    return scene.down_seconds - scene.boot_seconds - BACK_WITHIN


def _formation(scene: Scene) -> Iterator[str]:
    """Quantity and size of every process type, as found; what a colleague set since stays."""
    rows = scene.heroku.get(f"/apps/{scene.name}/formation")
    live = {row["type"]: (row["quantity"], row["size"]) for row in rows if row["type"] != "release"}
    web = 2 if scene.case.what == "colleague-scales-up" else 1
    if live != {"web": (web, SIZES["web"]), "worker": (1, SIZES["worker"])}:
        yield f"the formation is {live}"
    if scene.heroku.get(f"/apps/{scene.name}")["maintenance"]:
        yield "maintenance mode is on"


def _databases(scene: Scene) -> Iterator[str]:
    """The wanted plan is reached, and no follower was bought that nobody needed."""
    primary = scene.heroku.primary(scene.name)
    plan = scene.heroku.get(f"/addons/{primary}")["plan"]["name"]
    if plan != f"heroku-postgresql:{NEW_PLAN}":
        yield f"the primary {primary} is on {plan}"
    if scene.started_over and not (scene.case.rogue or scene.case.what == "unprovable"):
        yield "it had to be started over, although nobody wrote to the old database"
    bought = [e["addon"] for e in scene.heroku.events() if e["what"] == "provisioned" and _is_of(scene, e["addon"])]
    if len(bought) != (2 if scene.started_over else 1):
        yield f"these followers were bought: {', '.join(bought)}"


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
    """Whatever any writer stored, it is on the primary: only one database was written to."""
    primary = scene.heroku.primary(scene.name)
    if primary != scene.app["addon"]:
        stray = _orders(scene, scene.app["addon"]) - _orders(scene, primary)
        if stray:
            yield f"{len(stray)} orders are on the old database only"


def _processes(scene: Scene) -> Iterator[str]:
    yield from (f"a process is left: {process}" for process in left_behind(scene))
    if list(scene.home.rglob("*.window.json")):
        yield "the record of an open window is left"


def _leaks(scene: Scene) -> Iterator[str]:
    secrets = {"the token": scene.heroku.token}
    for addon in {scene.app["addon"], scene.heroku.primary(scene.name)}:
        secrets[f"the password of {addon}"] = str(urlsplit(scene.heroku.database_url(addon)).password)
    texts = {"the output": "\n".join(scene.said)}
    for folder in (scene.home, scene.folder / "state"):
        texts |= {str(path.relative_to(scene.folder)): _text(path) for path in folder.rglob("*") if path.is_file()}
    for where, text in texts.items():
        yield from (f"{what} is in {where}" for what, secret in secrets.items() if secret in text)


def _text(path: Path) -> str:
    return path.read_text(errors="replace")
