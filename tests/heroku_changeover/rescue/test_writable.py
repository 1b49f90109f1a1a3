"""Apps are brought up only on a database that takes writes, whoever brings them up and whatever is remembered."""

import re
from pathlib import Path

import psycopg
import pytest

from heroku_changeover.apps.writable import TURN_LIMIT
from heroku_changeover.reach.postgres.sessions import LEFT_OVER_AFTER
from heroku_changeover.rescue.recovery import LEFT_OVER_LIMIT
from heroku_changeover.terms.order import STEPS
from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

from .lost_runs import break_behind_the_seal, by_hand, exported, lose_the_machine

pytestmark = pytest.mark.steps


def require_writes(heroku: LocalHeroku, database: str) -> None:
    """In a session like those of the app's dynos."""
    with psycopg.connect(heroku.database_url(database)) as session:
        session.execute("INSERT INTO orders (reference, source) VALUES ('after', 'after')")


def seal(heroku: LocalHeroku, database: str) -> None:
    with psycopg.connect(heroku.database_url(database), autocommit=True) as session:
        session.execute(f"ALTER DATABASE {session.info.dbname} SET default_transaction_read_only = on")


def require_brought_back(operator: Operator, heroku: LocalHeroku, elsewhere: Path) -> None:
    """`recover` on another machine, which has an older state of the stack, brings the app up where it can write."""
    operator.home = elsewhere
    words = ("recover", "--app", operator.apps[0], "--state", "-", "--yes")
    code, _, said = by_hand(operator, *words, stdin=exported(operator))

    assert code == 0, said
    assert operator.is_as_found()
    require_writes(heroku, operator.leader)


def test_nothing_is_put_back_while_the_data_api_does_not_know_what_was_cut_off(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    operator.break_the_move()
    promote = operator.start("promote")
    operator.read_until(promote, "takes writes, and gets nothing of")
    heroku.patch(f"/_control/databases/{operator.follower}", {"known": False})
    code, said = operator.finish(promote)

    assert code == 20, said
    assert "as it was found" not in said
    assert operator.run("promote")[0] == 20
    assert operator.app()["maintenance"]
    heroku.patch(f"/_control/databases/{operator.follower}", {"known": True})
    for step in STEPS[3:]:
        code, said = operator.run(step)
        assert code == 0, said
    assert heroku.primary(operator.apps[0]) == operator.follower


def test_an_app_is_brought_back_on_a_database_that_takes_writes_although_no_record_says_that_it_was_sealed(
    operator: Operator, heroku: LocalHeroku, tmp_path: Path
) -> None:
    """The stack's state is older, and the Data API does not know the new database at that moment."""
    break_behind_the_seal(operator)
    heroku.patch(f"/_control/databases/{operator.follower}", {"known": False})
    require_brought_back(operator, heroku, tmp_path / "another-machine")


def test_one_that_is_brought_back_as_a_person_says_it_was_takes_writes(
    operator: Operator, heroku: LocalHeroku, tmp_path: Path
) -> None:
    break_behind_the_seal(operator)
    operator.home = tmp_path / "another-machine"
    words = ("recover", "--app", operator.apps[0], "--was", "web=2", "--was", "worker=1")
    asked = by_hand(operator, *words)
    code, _, said = by_hand(operator, *words, "--yes")

    assert f"{operator.leader}, which is read-only and will take writes again" in asked[2]
    assert code == 0, said
    assert operator.is_as_found()
    require_writes(heroku, operator.leader)


def test_one_whose_new_database_was_destroyed_is_brought_back_on_one_that_takes_writes(
    operator: Operator, heroku: LocalHeroku, tmp_path: Path
) -> None:
    break_behind_the_seal(operator)
    heroku.delete(f"/apps/{operator.apps[0]}/addons/{operator.follower}")
    require_brought_back(operator, heroku, tmp_path / "another-machine")


def test_one_that_a_later_changeover_has_moved_is_brought_back_on_one_that_takes_writes(
    operator: Operator, heroku: LocalHeroku
) -> None:
    lose_the_machine(operator, "scale-down")
    name = operator.apps[0]
    other = heroku.create_app(f"{name}-other", web=0)["addon"]
    heroku.post("/addon-attachments", {"addon": operator.leader, "app": name, "confirm": name})
    heroku.post("/addon-attachments", {"addon": other, "app": name, "name": "DATABASE", "confirm": name})
    seal(heroku, other)
    code, _, said = by_hand(operator, "recover", "--app", name, "--yes")
    assert code == 0, said

    require_writes(heroku, other)
    heroku.delete(f"/_control/apps/{name}-other")


def test_apps_stay_down_on_a_database_that_cannot_be_made_to_take_writes(
    operator: Operator, heroku: LocalHeroku, tmp_path: Path
) -> None:
    """A page that says maintenance is true, and errors at every write are not what the app was."""
    break_behind_the_seal(operator)
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute("ALTER ROLE CURRENT_USER SET default_transaction_read_only = on")
    operator.home = tmp_path / "another-machine"
    words = ("recover", "--app", operator.apps[0], "--was", "web=2", "--yes")
    code, _, said = by_hand(operator, *words)

    assert code == 40, said
    assert operator.app()["maintenance"]
    advice = re.search(rf"`heroku pg:psql {operator.leader} --app {operator.apps[0]} --command '([^']+)'`", said)
    assert advice is not None
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as session:
        session.execute(advice[1])
    code, _, said = by_hand(operator, *words)
    assert code == 0, said
    require_writes(heroku, operator.leader)


def test_whoever_waits_for_a_run_that_is_gone_waits_longer_than_its_sessions_are_silent_before_they_are_ended() -> None:
    assert min(TURN_LIMIT, LEFT_OVER_LIMIT) >= int(LEFT_OVER_AFTER.split()[0]) + 10
