"""Ending the sessions that other clients still have on the leader once no dyno runs."""

from heroku_changeover.changeover import Changeover
from heroku_changeover.facts import Database
from heroku_changeover.postgres import end_other_sessions, open_session, other_sessions

SETTLE = 0.1
"""Seconds after which a client that reconnects by itself is back."""


def end_sessions(c: Changeover, leader: Database) -> None:
    """
    Ends what an ordinary role may end: its own role's sessions. Who comes back at once is a client outside the apps;
    it is named here and held by the fence.
    """
    with open_session(leader.name, c.url_of(leader)) as session:
        ended = end_other_sessions(session)
        if not ended:
            return
        c.clock.sleep(SETTLE)
        back = len(other_sessions(session))
    again = f"; {back} came back, so a client outside the apps uses it: the fence holds it" if back else ""
    c.report(f"{ended} other sessions on {leader.name} were ended{again}")
    c.window = c.window.noting(sessions_ended=ended, sessions_back=back)
