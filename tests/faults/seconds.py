"""The second fault of a pair: what hits the keeper while it makes good what the first one broke."""

from collections.abc import Callable

from faults.happenings import Stopped
from faults.scene import Scene, kill
from heroku_changeover.terms.acts import Act
from kit.acts import READS, WRITES

Strike = Callable[[Scene, Act, Stopped], None]


def _killed(_: Scene, act: Act, keeper: Stopped) -> None:
    kill(keeper.step)


def _answer(kind: str, **options: object) -> Strike:
    """What Heroku answers to the request of that act, once."""

    def strike(scene: Scene, act: Act, keeper: Stopped) -> None:
        method, path = WRITES.get(act) or ("GET", READS.get(act, ".*"))
        scene.heroku.fault(kind, path.format(app=scene.name), method=method, **options)
        keeper.go()

    return strike


def _leader_restarted(scene: Scene, act: Act, keeper: Stopped) -> None:
    scene.knob(scene.leader, restart=True)
    keeper.go()


AT_THE_KEEPER: dict[str, Strike] = {
    "killed": _killed,
    "401": _answer("status", status=401, error_id="unauthorized"),
    "503": _answer("status", status=503),
    "reset-after": _answer("reset_after"),
    "hang": _answer("hang"),
    "leader-restarted": _leader_restarted,
}
