"""DATABASE through a credential or a pooler: what counts is the server, and not by which address it is reached."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from heroku_changeover.terms.order import STEPS
from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps
POOLER = "connection-pooling:default"


def through(heroku: LocalHeroku, app: str, addon: str, namespace: str | None, name: str = "DATABASE") -> None:
    """What `pg:promote` leaves of a database that is attached with a credential or through a pooler."""
    heroku.post("/addon-attachments", {"addon": addon, "app": app})
    body = {"addon": addon, "app": app, "name": name, "namespace": namespace, "confirm": app}
    heroku.post("/addon-attachments", body)


def credential(heroku: LocalHeroku, database: str, name: str = "limited") -> str:
    heroku.post(f"/postgres/v0/databases/{database}/credentials", {"name": name})
    return f"credential:{name}"


def namespace_of(heroku: LocalHeroku, app: str) -> str | None:
    named: str | None = heroku.get(f"/apps/{app}/addon-attachments/DATABASE")["namespace"]
    return named


def user_of(heroku: LocalHeroku, app: str) -> str | None:
    return urlsplit(str(heroku.get(f"/apps/{app}/config-vars")["DATABASE_URL"])).username


def test_an_app_whose_only_database_is_a_credentials_moves_with_it(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    through(heroku, name, operator.leader, credential(heroku, operator.leader))
    operator.run_until("restore")

    assert heroku.primary(name) == operator.follower
    assert namespace_of(heroku, name) == "credential:limited"
    assert user_of(heroku, name) == "limited"
    assert heroku.quantities(name) == {"web": 2, "worker": 1}
    assert not operator.app()["maintenance"]


def test_a_second_app_with_a_restricted_credential_moves_with_it(
    operator: Operator, heroku: LocalHeroku, new_name: Callable[[], str]
) -> None:
    admin = heroku.create_app(new_name(), web=1, share=operator.leader)["name"]
    through(heroku, admin, operator.leader, credential(heroku, operator.leader))
    operator.apps = (operator.apps[0], admin)
    operator.run_until("restore")

    assert [heroku.primary(name) for name in operator.apps] == [operator.follower] * 2
    assert [user_of(heroku, name) for name in operator.apps][1] == "limited"
    assert not heroku.get(f"/apps/{admin}")["maintenance"]


def test_one_whose_database_goes_through_a_pooler_moves_with_it(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    through(heroku, name, operator.leader, POOLER)
    operator.run_until("restore")

    assert heroku.primary(name) == operator.follower
    assert namespace_of(heroku, name) == POOLER


def through_a_credential_alone(heroku: LocalHeroku, app: str, addon: str) -> None:
    """No app has an attachment of the default credential, whose role owns what there is."""
    through(heroku, app, addon, credential(heroku, addon))
    for attachment in heroku.get(f"/addons/{addon}/addon-attachments"):
        if attachment["namespace"] is None:
            heroku.delete(f"/addon-attachments/{attachment['id']}")


def test_the_tables_are_locked_although_no_app_has_the_default_credential(
    operator: Operator, heroku: LocalHeroku
) -> None:
    """The Data API tells the address of the owner's role."""
    name = operator.apps[0]
    through_a_credential_alone(heroku, name, operator.leader)
    operator.run_until("restore")

    assert operator.facts["tables_locked"] > 0
    assert heroku.primary(name) == operator.follower


def test_where_nothing_tells_the_owners_address_it_is_refused_before_the_window_with_advice_that_works(
    operator: Operator, heroku: LocalHeroku
) -> None:
    name = operator.apps[0]
    through_a_credential_alone(heroku, name, operator.leader)
    told = f"/client/v11/databases/{heroku.get(f'/addons/{operator.leader}')['id']}"
    heroku.fault("status", told, status=404, error_id="not_found", times=1000)

    code, said = operator.run("await-database")

    assert code == 30, said
    advice = re.search(r"`heroku addons:attach (\S+) --app (\S+)` gives it a name", said)
    assert advice is not None
    heroku.post("/addon-attachments", {"addon": advice[1], "app": advice[2]})
    operator.run_until("restore")
    assert user_of(heroku, name) == "limited"


def test_a_credential_that_the_new_database_lacks_is_refused_before_the_window_with_advice_that_works(
    operator: Operator, heroku: LocalHeroku
) -> None:
    name = operator.apps[0]
    through(heroku, name, operator.leader, credential(heroku, operator.leader))
    heroku.patch(f"/_control/databases/{operator.follower}", {"forgets": "limited"})

    code, said = operator.run("await-database")

    assert code == 30, said
    assert operator.is_as_found()
    advice = re.search(r"`heroku addons:attach (\S+) --as DATABASE --app (\S+) --confirm (\S+)`", said)
    assert advice is not None
    assert advice.groups() == (operator.leader, name, name)
    body = {"addon": advice[1], "app": advice[2], "name": "DATABASE", "confirm": advice[3]}
    heroku.post("/addon-attachments", body)
    operator.run_until("restore")
    assert heroku.primary(name) == operator.follower


@pytest.mark.parametrize("kind", ["credential", "pooler"])
def test_what_heroku_refuses_in_the_window_keeps_no_app_down(
    operator: Operator, heroku: LocalHeroku, kind: str
) -> None:
    name = operator.apps[0]
    namespace = POOLER if kind == "pooler" else credential(heroku, operator.leader)
    through(heroku, name, operator.leader, namespace)
    heroku.patch(f"/_control/databases/{operator.follower}", {"refuses": [namespace]})
    operator.run_until("restore")

    assert heroku.primary(name) == operator.follower
    assert namespace_of(heroku, name) is None
    assert f"ALARM: {name}: DATABASE is {operator.follower} with its default credential" in "".join(operator.said)
    assert operator.facts["other_credential"][0].startswith(f"{name} (not {namespace}: ")
    assert heroku.quantities(name) == {"web": 2, "worker": 1}
    assert not operator.app()["maintenance"]


def test_a_keeper_finishes_for_an_app_with_a_credential_too(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    through(heroku, name, operator.leader, credential(heroku, operator.leader))
    operator.run_until("scale-down")
    heroku.fault("status", "/addon-attachments", method="POST", times=4)
    assert operator.run("promote")[0] in {10, 20}
    heroku.clear_faults()
    for step in STEPS[3:]:
        code, said = operator.run(step)
        assert code == 0, said

    assert user_of(heroku, name) == "limited"
