"""
The roles of a database and what they may do, as Heroku documents it (dev center: heroku-postgresql-credentials).

The default credential is one step below a superuser: it owns the database, reads all statistics and settings, and may
end the sessions of everybody but superusers. On a server that is shared with others (Essential) it only owns its
database. A further credential may sign in and nothing else, until the default one grants it more; the default one is a
member of it with the right to grant that, which is what `pg:credentials:repair-default` brings about again.
"""

from typing import LiteralString

from psycopg import sql

from local_heroku.postgres import Server

PREDEFINED = ("pg_monitor", "pg_read_all_settings", "pg_read_all_stats", "pg_signal_backend")

RIGHTS: dict[str, tuple[LiteralString, LiteralString] | None] = {
    "none": None,
    "read": ("SELECT", "SELECT"),
    "write": ("SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT"),
}
"""What a credential may be granted, on all tables and on all sequences of the schema `public`, new ones included."""


async def create_default(server: Server, *, shared: bool) -> None:
    """The owner of the database, which is made with it; nobody else may enter the schema `public`."""
    role, database = sql.Identifier(server.role), sql.Identifier(server.database)
    await server.ask(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(server.password)))
    await server.ask(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
    await server.ask("REVOKE ALL ON SCHEMA public FROM PUBLIC", server.database)
    if not shared:
        granted = sql.SQL(", ").join(map(sql.Identifier, PREDEFINED))
        await server.ask(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(granted, role))


async def create_credential(server: Server, name: str, password: str) -> None:
    role, owner = sql.Identifier(name), sql.Identifier(server.role)
    await server.ask(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
    await server.ask(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(role, owner))


async def grant(server: Server, name: str, rights: str) -> None:
    """What an owner who follows Heroku's page grants a credential in the end."""
    allowed = RIGHTS[rights]
    if allowed is None:
        return
    role, owner = sql.Identifier(name), sql.Identifier(server.role)
    await server.ask(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role), server.database)
    for kind, words in zip(("TABLES", "SEQUENCES"), allowed, strict=True):
        given = sql.SQL("GRANT {} ON {} TO {}")
        now = given.format(sql.SQL(words), sql.SQL(f"ALL {kind} IN SCHEMA public"), role)
        later = given.format(sql.SQL(words), sql.SQL(kind), role)
        await server.ask(now, server.database)
        defaults = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public ").format(owner)
        await server.ask(defaults + later, server.database)
