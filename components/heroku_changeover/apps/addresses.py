"""
Where databases are: their addresses, from config vars of apps and from the Data API; and whether two are one server.

An address holds a password: none of them is told, noted or handed on.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from heroku_changeover.reach.answers import reads
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.loopback import is_loopback
from heroku_changeover.terms.errors import ChangeoverError, Forbidden, HerokuError, NotFound
from heroku_changeover.terms.facts import PRIMARY, App, Attachment, Database

CREDENTIAL = "credential:"
"""The beginning of an attachment's namespace where it signs in with another credential than the default one."""


class Addresses:
    """What one process has read of them; `apps` are asked first, in their order."""

    def __init__(self, heroku: Heroku, apps: Sequence[str]) -> None:
        self._heroku, self._apps = heroku, apps
        self._variables: dict[str, Mapping[str, str]] = {}

    def ask(self, heroku: Heroku) -> None:
        """From here on through this client; what was read stays."""
        self._heroku = heroku

    def of(self, database: Database) -> str:
        """
        The address with the default credential, whose role owns what there is: from a config var of an app, whoever has
        such an attachment; else from the Data API. Empty where neither has it.
        """
        return next(filter(None, map(self._in_config_var, self._own(database))), "") or self._told(database)

    def _own(self, database: Database) -> list[Attachment]:
        """Its attachments of the default credential: those of the apps that move first, then the paying app's."""
        own = [a for a in database.attachments if a.namespace is None]
        order = {app: number for number, app in enumerate((*self._apps, database.app))}
        return sorted(own, key=lambda a: order.get(a.app, len(order)))

    def _in_config_var(self, attachment: Attachment) -> str:
        seen = self._variables.get(attachment.app) or {}
        values = seen if attachment.config_var in seen else self._read(attachment.app)
        return str(values.get(attachment.config_var) or "")

    def _read(self, app: str) -> Mapping[str, str]:
        """An app that does not move may be one that this token does not open; one that moves has to open."""
        try:
            values: Mapping[str, str] = self._heroku.get(f"/apps/{app}/config-vars")
        except (NotFound, Forbidden):
            if app in self._apps:
                raise
            return {}
        self._variables[app] = values
        return values

    @reads("a database")
    def _told(self, database: Database) -> str:
        try:
            return str(self._heroku.data(f"/client/v11/databases/{database.id}").get("resource_url") or "")
        except HerokuError:
            return ""

    def read_ahead(self, apps: Iterable[str]) -> None:
        """Reads while something else is waited for; where it fails, `of` asks again, if it is needed."""
        for app in apps:
            with suppress(ChangeoverError):
                self._read(app)

    def seen_in(self, app: App) -> str:
        """What its DATABASE was when its config vars were read; empty if they were not."""
        return str((self._variables.get(app.name) or {}).get(f"{PRIMARY}_URL") or "")


def server_of(address: str) -> tuple[str, int, str] | None:
    """
    Host, port and name of the database at an address, the same for every credential; None where it is none. All names
    of this machine are one host.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or 5432
    except ValueError:
        return None
    if not host:
        return None
    return ("loopback" if is_loopback(address) else host, port, parts.path.strip("/"))


def is_pooled(app: App) -> bool:
    """Whether its DATABASE goes through something with an address of its own, as a pooler has."""
    namespace = app.primary.namespace if app.primary else None
    return namespace is not None and not namespace.startswith(CREDENTIAL)


def has_arrived(value: str, target: str, left: Iterable[str], *, pooled: bool) -> bool:
    """
    Whether what a config var holds is an address of the target, through whatever credential.

    A pooler may have a port or a host of its own, which nothing tells: there, and where the target's own address is not
    known, it counts that it is none of those that were `left`.
    """
    now = server_of(value)
    if now is None or now == server_of(target):
        return now is not None
    return (pooled or not target) and now not in {server_of(address) for address in left}
