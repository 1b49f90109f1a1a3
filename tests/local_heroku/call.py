"""One request as the routes see it, and what they answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from local_heroku import wire
from local_heroku.postgres import Cluster
from local_heroku.world import Addon, App, Attachment, World

Json = Any
Answer = tuple[int, Json]


class Call:
    """One request: the world, the words of its path, its decoded body and its headers."""

    def __init__(
        self, world: World, cluster: Cluster, words: dict[str, str], body: Json, headers: Mapping[str, str]
    ) -> None:
        self.world, self.cluster, self.words, self.body, self.headers = world, cluster, words, body or {}, headers

    def app_shown(self, app: App) -> Json:
        return wire.app(app, self.headers.get("Accept", ""))

    def addon_shown(self, addon: Addon) -> Json:
        return wire.addon(addon, self.headers.get("Accept-Expansion", ""))

    def attachment_shown(self, attachment: Attachment) -> Json:
        return wire.attachment(attachment, self.headers.get("Accept-Inclusion", ""))

    @property
    def app(self) -> App:
        return self.world.app(self.words["app"])

    @property
    def addon(self) -> Addon:
        return self.world.addon(self.words["addon"])


Handler = Callable[[Call], Awaitable[Answer]]


def identity(value: Json) -> str:
    """Heroku takes a plain name or an object with one."""
    return str(value.get("name") or value.get("id")) if isinstance(value, dict) else str(value)
