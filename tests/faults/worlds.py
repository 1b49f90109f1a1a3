"""What is so before a run begins, by the names that cases have for it: apps, roles, settings, tables, machines."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from faults.happenings import COOKIE
from faults.rival import prepare_rival
from faults.scene import Scene
from faults.writers import Writer

MANY = 2200
"""Tables whose names are as long as names can be: together they are longer than an environment variable may be."""


def _as_it_is(_: Scene) -> None:
    """Nothing is special."""


def _nothing_more(_: Scene) -> Iterator[str]:
    yield from ()


@dataclass(frozen=True, slots=True)
class World:
    """
    `arrange` is done before the database is adopted, `begin` right before the run that something happens to. `settings`
    are in the stack's config, `variables` in the environment of every run. `mend` is what a person does who is told
    before anything was lost that this world is in the way; without it no run may be refused. `check` looks at the end
    for what is special to this world.
    """

    arrange: Callable[[Scene], None] = _as_it_is
    begin: Callable[[Scene], None] = _as_it_is
    settings: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    mend: Callable[[Scene], None] | None = None
    check: Callable[[Scene], Iterator[str]] = _nothing_more


def _credential(scene: Scene, name: str, *, may_write: bool) -> str:
    """Made as `heroku pg:credentials:create` does, with what the owner grants it; its address."""
    path = f"/postgres/v0/databases/{scene.leader}/credentials"
    row = scene.heroku.post(path, {"name": name})["credentials"][0]
    scene.type_sql(f'GRANT USAGE ON SCHEMA public TO "{row["user"]}"', as_="default")
    if may_write:
        for kind in ("TABLES", "SEQUENCES"):
            scene.type_sql(f'GRANT ALL ON ALL {kind} IN SCHEMA public TO "{row["user"]}"', as_="default")
    parts = urlsplit(str(scene.app["database_url"]))
    host = f"{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=f"{row['user']}:{row['password']}@{host}"))


def _attach(scene: Scene, app: str, credential: str) -> None:
    body = {"addon": scene.leader, "app": app, "name": "DATABASE", "namespace": f"credential:{credential}"}
    scene.heroku.post("/addon-attachments", {**body, "confirm": app})


def _with_spare_name(scene: Scene) -> None:
    """The database keeps a name on the app that pays for it while DATABASE is given to a credential."""
    body = {"addon": scene.leader, "app": scene.name, "confirm": scene.name}
    scene.heroku.post("/addon-attachments", body)


def _several_apps(scene: Scene) -> None:
    """A second app on the same database, and a third one that is let in by a credential alone."""
    _credential(scene, "shop", may_write=True)
    for letter in ("b", "c"):
        scene.also.append(scene.heroku.create_app(f"{scene.name}-{letter}", web=1, share=scene.leader))
    _attach(scene, scene.names[2], "shop")
    scene.stack.edit({"apps": scene.names[1:]})


def _by_credential(scene: Scene) -> None:
    """As after `heroku pg:promote` of a credential: the only app signs in as somebody who owns nothing."""
    _credential(scene, "shop", may_write=True)
    _with_spare_name(scene)
    _attach(scene, scene.name, "shop")


def _slow_cut(scene: Scene) -> None:
    """Heroku takes its time to carry out an unfollow, which is what somebody else's write needs."""
    scene.heroku.patch("/_control/world", {"latency": {"unfollow": 1.5, "unfollowed": 0.5}})


def _own_table(scene: Scene, url: str, table: str) -> None:
    user = urlsplit(url).username
    scene.type_sql(
        f"CREATE TABLE {table} (id bigserial PRIMARY KEY, at timestamptz DEFAULT now())",
        f'ALTER TABLE {table} OWNER TO "{user}"',
        f'GRANT SELECT ON {table} TO "{scene.role}"',
    )


def _open_transactions(scene: Scene) -> None:
    """A credential that writes into tables of its own, in short transactions and in long ones."""
    url = _credential(scene, "reports", may_write=False)
    _own_table(scene, url, "reports_short")
    _own_table(scene, url, "reports_long")
    scene.writers += [Writer(url, "reports_short"), Writer(url, "reports_long", hold=2.0)]


def _stop_writing(scene: Scene) -> None:
    """What a person does who is told that somebody else's transaction is in the way."""
    for writer in scene.writers:
        writer.over.set()


def _foreign_parent(scene: Scene) -> None:
    """A partition of the app's role, under a parent that belongs to a credential."""
    url = _credential(scene, "reports", may_write=False)
    _own_table(scene, url, "logs_before")
    user = urlsplit(url).username
    scene.type_sql(
        "CREATE TABLE logs (id bigserial, at timestamptz DEFAULT now()) PARTITION BY RANGE (id)",
        "CREATE TABLE logs_now PARTITION OF logs FOR VALUES FROM (0) TO (MAXVALUE)",
        f'ALTER TABLE logs OWNER TO "{user}"',
        f'ALTER TABLE logs_now OWNER TO "{scene.role}"',
        f'GRANT USAGE ON SEQUENCE logs_id_seq TO "{scene.role}"',
    )
    scene.writers.append(Writer(scene.app["database_url"], "logs_now"))


def _unlogged(scene: Scene) -> None:
    scene.type_sql("CREATE UNLOGGED TABLE cache (id int)", as_="default")


def _empty_cache(scene: Scene) -> None:
    """As the refusal advises."""
    scene.type_sql("TRUNCATE cache", as_="default")


def _cache_is_told(scene: Scene) -> Iterator[str]:
    """Rows of the old database that the new one lacks, and nobody was told."""
    rows = [_count(scene, addon) for addon in (scene.leader, scene.heroku.primary(scene.name))]
    if rows[0] > rows[1] and "cache" not in "\n".join(scene.said):
        yield f"{rows[0] - rows[1]} rows of an UNLOGGED table are gone, and nothing was said of it"


def _count(scene: Scene, addon: str) -> int:
    with psycopg.connect(scene.heroku.database_url(addon)) as session:
        row = session.execute("SELECT count(*) FROM cache").fetchone()
    return int(row[0]) if row else 0


def _of_the_database(*settings: str) -> Callable[[Scene], None]:
    def arrange(scene: Scene) -> None:
        scene.type_sql(*(f'ALTER DATABASE "{scene.database}" SET {setting}' for setting in settings))

    return arrange


def _time_outs(scene: Scene) -> None:
    """Those that end a session which does nothing, or takes its time; `transaction_timeout` is new in 17."""
    names = ("idle_session_timeout", "idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout")
    settings = [f'ALTER ROLE "{scene.role}" SET {name} = 1500' for name in names]
    newer = f'ALTER ROLE "{scene.role}" SET transaction_timeout = 1500'
    since = "current_setting('server_version_num')::int >= 170000"
    scene.type_sql(*settings, f"DO $$ BEGIN IF {since} THEN EXECUTE '{newer}'; END IF; END $$")


def _shadowed(scene: Scene) -> None:
    """Tables of the app's own are found before the server's, by their bare names."""
    scene.type_sql(
        "CREATE SCHEMA shadow",
        f'ALTER SCHEMA shadow OWNER TO "{scene.role}"',
        "CREATE TABLE shadow.pg_stat_activity (pid int, usename name, datname name)",
        "CREATE TABLE shadow.pg_locks (pid int)",
        "CREATE TABLE shadow.pg_class (oid oid)",
        f'ALTER DATABASE "{scene.database}" SET search_path = shadow, pg_catalog, public',
    )


def _another_role(scene: Scene) -> None:
    """Whoever signs in acts as somebody else, who owns nothing."""
    scene.type_sql(
        "CREATE ROLE acting",
        "GRANT USAGE ON SCHEMA public TO acting",
        f'GRANT acting TO "{scene.role}"',
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO acting",
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO acting",
        f'ALTER ROLE "{scene.role}" SET role = acting',
    )


def _many_tables(scene: Scene) -> None:
    scene.type_sql(
        "CREATE ROLE archive",
        "CREATE SCHEMA archive AUTHORIZATION archive",
        f"DO $$ BEGIN FOR n IN 1..{MANY} LOOP"
        " EXECUTE format('CREATE TABLE archive.%I ()', 't_' || n || '_' || repeat('x', 54)); END LOOP; END $$",
        "DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'archive'::regnamespace"
        " LOOP EXECUTE format('ALTER TABLE %s OWNER TO archive', t); END LOOP; END $$",
    )


def _held_then_taken_down(*, maintenance: bool, scaled: bool) -> Callable[[Scene], None]:
    def begin(scene: Scene) -> None:
        """Prepared at noon with `hold`; at night somebody takes the app down by hand, and then lets the run go on."""
        scene.stack.edit({"hold": True})
        scene.must("up", "--yes", "--skip-preview")
        scene.stack.edit({"hold": False})
        if maintenance:
            scene.heroku.patch(f"/apps/{scene.name}", {"maintenance": True})
        if scaled:
            nothing = [{"type": kind, "quantity": 0} for kind in ("web", "worker")]
            scene.heroku.patch(f"/apps/{scene.name}/formation", {"updates": nothing})

    return begin


def _bring_up_by_hand(scene: Scene) -> None:
    as_before = [{"type": kind, "quantity": 1} for kind in ("web", "worker")]
    scene.heroku.patch(f"/apps/{scene.name}/formation", {"updates": as_before})
    scene.heroku.patch(f"/apps/{scene.name}", {"maintenance": False})


LIBPQ = {
    "PGHOSTADDR": "127.0.0.9",
    "PGOPTIONS": "-c default_transaction_read_only=on",
    "PGTARGETSESSIONATTRS": "read-only",
    "PGPORT": "1",
    "PGUSER": "somebody",
    "PGSSLROOTCERT": "/nowhere/root.crt",
}
"""What a person may have in a shell for another database."""

WORLDS: dict[str, World] = {
    "": World(),
    "apps": World(_several_apps),
    "credential": World(_by_credential),
    "transactions": World(_open_transactions, _slow_cut, mend=_stop_writing),
    "partition": World(_foreign_parent, _slow_cut, mend=_stop_writing),
    "unlogged": World(_unlogged, mend=_empty_cache, check=_cache_is_told),
    "api": World(settings={"verify": "api"}),
    "datestyle": World(
        _of_the_database("datestyle = 'SQL, DMY'", "intervalstyle = 'iso_8601'", "timezone = 'Asia/Tokyo'")
    ),
    "serializable": World(_of_the_database("default_transaction_isolation = 'serializable'")),
    "timeouts": World(_time_outs, _slow_cut),
    "shadow": World(_shadowed),
    "set-role": World(_another_role),
    "libpq": World(variables=LIBPQ),
    "many-tables": World(_many_tables),
    "held": World(begin=_held_then_taken_down(maintenance=True, scaled=True), mend=_bring_up_by_hand),
    "held-maintenance": World(begin=_held_then_taken_down(maintenance=True, scaled=False), mend=_bring_up_by_hand),
    "held-scaled": World(begin=_held_then_taken_down(maintenance=False, scaled=True), mend=_bring_up_by_hand),
    "ci": World(),
    "elsewhere": World(),
    "rival": World(begin=prepare_rival),
}
"""The tidy one has no name."""


def variables_of(scene: Scene) -> dict[str, str]:
    """What every run of a case has in its environment."""
    own = {COOKIE: str(scene.folder)} if scene.case.world == "ci" else {}
    return {**WORLDS[scene.case.world].variables, **own}
