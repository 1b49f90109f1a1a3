"""Roles on a server beside the default one: such as it may end, as on Heroku, and such as it may not."""

from psycopg.conninfo import conninfo_to_dict

from local_heroku.launcher import LocalHeroku


def stranger_on(heroku: LocalHeroku, addon: str, name: str = "reports") -> str:
    """A credential whose sessions the default one may not end, since somebody has revoked what Heroku grants it."""
    url = heroku.credential(addon, name)
    default = str(conninfo_to_dict(heroku.database_url(addon))["user"])
    heroku.administer(addon, f"REVOKE pg_signal_backend FROM {default}", f"REVOKE {name} FROM {default}")
    return url


def with_a_table_of_its_own(heroku: LocalHeroku, addon: str, name: str = "reports") -> None:
    """Which the default credential may not lock."""
    heroku.administer(
        addon,
        f"CREATE SCHEMA {name}_own AUTHORIZATION {name}",
        f"CREATE TABLE {name}_own.audit (note text)",
        f"ALTER TABLE {name}_own.audit OWNER TO {name}",
    )
