"""Answers of the form of Heroku's reference, a client that gives them, and every place at which one can be wrong."""

import copy
from collections.abc import Iterator
from typing import Any, Self

from heroku_changeover.terms.errors import NotFound

ADDON = {
    "id": "a1",
    "name": "postgresql-round-1",
    "plan": {"id": "p0", "name": "heroku-postgresql:standard-0"},
    "addon_service": {"id": "s1", "name": "heroku-postgresql"},
    "app": {"id": "i1", "name": "shop"},
    "state": "provisioned",
}
ATTACHMENT = {
    "id": "t1",
    "name": "DATABASE",
    "namespace": None,
    "addon": {"id": "a1", "name": "postgresql-round-1", "app": {"id": "i1", "name": "shop"}},
    "app": {"id": "i1", "name": "shop"},
}
INFO = {
    "following": None,
    "waiting?": False,
    "num_bytes": 1000,
    "leader": None,
    "info": [{"name": "Fork/Follow", "values": ["Available"]}, {"name": "Data Size", "values": ["1.0 GB / 64 GB"]}],
}
ANSWERS: dict[str, Any] = {
    "/apps/shop": {
        "id": "i1",
        "name": "shop",
        "maintenance": False,
        "generation": {"id": "g", "name": "cedar"},
        "space": None,
    },
    "/apps/shop/formation": [{"type": "web", "quantity": 2, "size": "Standard-1X"}],
    "/apps/shop/dynos": [
        {
            "name": "web.1",
            "type": "web",
            "state": "up",
            "created_at": "2026-01-02T03:04:05Z",
            "updated_at": "2026-01-02T03:04:47Z",
        }
    ],
    "/apps/shop/addon-attachments": [ATTACHMENT],
    "/apps/shop/features": [{"name": "preboot", "enabled": False}],
    "/apps/shop/addons": [ADDON],
    "/apps/shop/config-vars": {"DATABASE_URL": "postgres://u:p@127.0.0.1:5432/d", "OTHER": "1"},
    "/apps/shop/releases": [{"version": 1, "description": "Attach DATABASE (@ref:postgresql-round-1)"}],
    "/addons/a1": ADDON,
    "/addons/a1/addon-attachments": [ATTACHMENT],
    "/addon-services/heroku-postgresql/plans": [{"name": "heroku-postgresql:standard-0"}],
    "/client/v11/databases/a1": INFO,
    "/data/maintenances/v1/a1": {"status": "none", "required_by": None, "scheduled_for": None},
    "/client/v11/databases/a1/transfer-schedules": [{"name": "DATABASE_URL", "hour": 3, "timezone": "UTC"}],
}
WRONG: list[Any] = [None, "", "text", 0, -1, 1.5, True, [], {}, [None], [[]], {"name": None}, "postgres://x:y@h/d"]


class Answering:
    """A client that gives prepared answers."""

    answers: dict[str, Any]

    def __init__(self, _: object) -> None: ...

    def undisturbed(self) -> Self:
        return self

    def get(self, path: str) -> Any:
        if path not in self.answers:
            raise NotFound(f"GET {path}", 404, "not_found", "Couldn't find that.")
        return copy.deepcopy(self.answers[path])

    data = get

    def newest(self, path: str, _: int) -> Any:
        return self.get(path)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, from the whole to each leaf."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def changed(whole: dict[str, Any], url: str, place: tuple[Any, ...], change: Any, *, remove: bool) -> dict[str, Any]:
    """All answers, with one place of one of them removed or replaced."""
    answers = copy.deepcopy(whole)
    parent: Any = answers
    *way, last = (url, *place)
    for key in way:
        parent = parent[key]
    if remove:
        parent.pop(last)
    else:
        parent[last] = change
    return answers
