"""
How a session is opened that is ours alone.

What it does follows from this file: no variable and no file that libpq reads on this machine changes it, and no setting
of a database, a role or a server. And both of its ends notice when the other one is gone.
"""

import os
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any, LiteralString

import psycopg
import psycopg.conninfo

from heroku_changeover.reach.loopback import is_this_machine

CONNECT_SECONDS = 10
STATEMENT_MILLISECONDS = 30_000

FORGOTTEN_MILLISECONDS = 2 * 3600 * 1000
"""
After this long the server ends an idle transaction of ours, and with it the fence. It is the last resort, where nothing
else tells that we are gone; the longest budget is half of it.
"""

NOTICING = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 3}
"""libpq's words for noticing, within some 20 s, that a server is not there any more."""

NOTICED = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}
"""The server's, for noticing the same of us: a machine that is lost says no good-bye, and it holds a lock."""

UNANSWERED_MILLISECONDS = 20_000
"""How long what was sent may stay without an answer, in either direction."""

SPEECHLESS_SECONDS = 40.0
"""
A server that has said nothing for so long about a statement is not at work on it, which it would have given up by then:
it stands still, as when its disk does. The session is over, so that we go on.
"""

NOWHERE = "/dev/null/none"
"""A path at which there is no file, for those that libpq would look for in the home of whoever runs this."""

LISTENED_TO = frozenset({"host", "port", "user", "password", "dbname", "sslmode", "sslrootcert"})
"""What an address says and we listen to; an app's own words for its driver are none of ours."""

VERIFYING = frozenset({"verify-ca", "verify-full"})

MACHINE: Mapping[str, str | int] = {
    "passfile": NOWHERE,
    "sslcertmode": "disable",
    "sslcrl": NOWHERE,
    "gssencmode": "disable",
    "require_auth": "scram-sha-256,md5",
    "channel_binding": "prefer",
    "ssl_min_protocol_version": "TLSv1.2",
    "connect_timeout": CONNECT_SECONDS,
    "tcp_user_timeout": UNANSWERED_MILLISECONDS,
    **NOTICING,
}
"""
In place of the files, and for security: a password is never sent as it is, so whoever stands in between gets none.
"""

SETTINGS: Mapping[str, str | int] = {
    "search_path": "pg_catalog,pg_temp",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "client_min_messages": "warning",
    "jit": "off",
    "row_security": "on",
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "statement_timeout": STATEMENT_MILLISECONDS,
    "lock_timeout": 0,
    "idle_in_transaction_session_timeout": FORGOTTEN_MILLISECONDS,
    "tcp_user_timeout": UNANSWERED_MILLISECONDS,
    **NOTICED,
}
"""
Sent with the request for a session, which is stronger than whatever a role or a database has been given, and there
before the first statement. Every server that is supported knows them, and no right is needed for any.
"""

FIRST: tuple[tuple[int, LiteralString], ...] = (
    (0, "SET ROLE NONE"),
    (0, "SET default_transaction_read_only = off"),
    (14_00_00, "SET idle_session_timeout = 0"),
    (14_00_00, "SET client_connection_check_interval = '5s'"),
    (17_00_00, "SET transaction_timeout = 0"),
)
"""
The first statements, each with the oldest server that knows it. What a session of anybody else would get is in
`pg_settings.reset_val` after that.
"""

_FORGETTING = threading.Lock()


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """One that does not wait for ever."""

    def wait(self, gen: Any, *arguments: Any, **named: Any) -> Any:
        """The driver's one place to wait for a server: `gen` is told now and then that nothing has come yet."""
        return super().wait(self._limited(gen), *arguments, **named)

    def _limited(self, gen: Any) -> Generator[Any, Any, Any]:
        until = time.monotonic() + SPEECHLESS_SECONDS
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > until:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"the server said nothing for {SPEECHLESS_SECONDS:.0f} s")
                wanted = gen.send(ready)
        except StopIteration as ended:
            return ended.value


def connected(url: str, name: str) -> "psycopg.Connection[tuple[Any, ...]]":
    """
    A session that others see under that name.

    Raises:
        ValueError: the address cannot be read; the text may quote it, and it holds a password.
        psycopg.Error: the session could not be had.
    """
    _forget_environment()
    connection = Connection.connect(conninfo(url, name), autocommit=True)
    try:
        connection.execute(_first_statements(connection.info))
    except BaseException:
        connection.close()
        raise
    return connection


def _forget_environment() -> None:
    """
    Takes libpq's variables (PGHOSTADDR, PGOPTIONS, PGSERVICE, …) out of this process: some of them outdo whatever is
    said. It speaks to databases for us alone; nothing that it starts does so for anybody else.
    """
    with _FORGETTING:  # before a first session, and so before libpq reads them in another thread
        for name in [name for name in os.environ if name.startswith("PG")]:
            del os.environ[name]


def conninfo(url: str, name: str) -> str:
    """
    What libpq is told: who and where by the address, all else by us.

    Raises:
        ValueError: the address cannot be read.
    """
    try:
        given = {word: str(value) for word, value in _given(url).items() if word in LISTENED_TO}
    except psycopg.Error as error:
        raise ValueError(str(error)) from None
    if not given.get("host"):
        raise ValueError("no host")
    said = {"application_name": name, "client_encoding": "UTF8", "options": _options(), **MACHINE}
    words: dict[str, str | int | None] = {**given, **said, **_tls(given)}
    return psycopg.conninfo.make_conninfo("", **words)


def _given(url: str) -> Mapping[str, Any]:
    """
    What an address says. libpq refuses one with words that it does not know, such as an app's own `pool=5`; and of one
    with a password that is not escaped it would take a part for the host, and tell it.
    """
    user, at, place = url.rpartition("@")
    if "@" in user or "/" in user.partition("://")[2] or not url.isprintable():
        raise ValueError("a sign in it that has to be escaped")
    base, _, query = place.partition("?")
    words = "&".join(word for word in query.split("&") if word.partition("=")[0] in LISTENED_TO)
    return psycopg.conninfo.conninfo_to_dict(f"{user}{at}{base}?{words}" if words else f"{user}{at}{base}")


def _tls(given: Mapping[str, str]) -> dict[str, str]:
    """
    TLS, except to this very machine. An address may ask for more: then the certificate is verified, against the
    authorities that it names or those that this machine trusts.
    """
    mode, root = given.get("sslmode", ""), given.get("sslrootcert", "")
    if mode in VERIFYING:
        return {"sslmode": mode, "sslrootcert": root} if root else {"sslmode": "verify-full", "sslrootcert": "system"}
    hosts = given.get("host", "").split(",")
    here = all(_is_socket(host) or is_this_machine(host) for host in hosts)
    return {"sslmode": (mode or "prefer") if here else "require", "sslrootcert": root or NOWHERE}


def _is_socket(host: str) -> bool:
    """Whether libpq takes it for a socket's folder, which only this machine has; no host is the usual folder."""
    return not host or host.startswith("/")


def _options() -> str:
    return " ".join(f"-c {name}={str(value).replace(' ', chr(92) + ' ')}" for name, value in SETTINGS.items())


def _first_statements(info: "psycopg.ConnectionInfo") -> bytes:
    return "; ".join(_first(info)).encode()


def _first(info: "psycopg.ConnectionInfo") -> Iterator[LiteralString]:
    yield from (statement for oldest, statement in FIRST if info.server_version >= oldest)
    if info.parameter_status("server_encoding") == "SQL_ASCII":
        yield "SET client_encoding = 'LATIN1'"  # such a server converts nothing: a letter is any byte, there and back
