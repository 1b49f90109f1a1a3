"""What kind each act of a changeover is of: whoever breaks one or times one asks here."""

from heroku_changeover.terms.acts import Act

WRITES = {
    Act.MAINTENANCE_ON: ("PATCH", "/apps/{app}"),
    Act.SCALE_DOWN: ("PATCH", "/apps/{app}/formation"),
    Act.STOP_ONE_OFF: ("POST", "/apps/{app}/dynos/.*/actions/stop"),
    Act.KEEP_ATTACHED: ("POST", "/addon-attachments"),
    Act.UNFOLLOW: ("PUT", "/client/v11/databases/.*/unfollow"),
    Act.ATTACH: ("POST", "/addon-attachments"),
    Act.SCALE_UP: ("PATCH", "/apps/{app}/formation"),
    Act.MAINTENANCE_OFF: ("PATCH", "/apps/{app}"),
    Act.CARRY_SCHEDULE: ("POST", "/client/v11/databases/.*/transfer-schedules"),
}
"""Acts that are a write to an API: method and path of the request, by which a fault finds it."""

READS = {
    Act.AWAIT_AVAILABLE: "/client/v11/databases/.*",
    Act.AWAIT_CLOSE: "/client/v11/databases/.*",
    Act.AWAIT_DYNOS: "/apps/{app}/dynos",
    Act.AWAIT_ONE_OFFS: "/apps/{app}/dynos",
    Act.AWAIT_UNFOLLOWED: "/client/v11/databases/.*",
    Act.AWAIT_RELEASE: "/apps/{app}/releases",
    Act.AWAIT_WEB: "/apps/{app}/dynos",
}
"""Acts that wait for what an API says: the path that is read."""

OVER_SQL = (
    Act.REACH,
    Act.END_SESSIONS,
    Act.LOCK,
    Act.BARRIER,
    Act.AWAIT_REPLAY,
    Act.AWAIT_OTHER_ROLES,
    Act.AWAIT_WRITABLE,
    Act.SEAL,
    Act.UNSEAL,
    Act.LET_GO,
)
"""Acts that are, or wait for, something on the database servers."""

ON_THIS_MACHINE = (Act.START_KEEPER,)
"""Acts that ask nobody."""
