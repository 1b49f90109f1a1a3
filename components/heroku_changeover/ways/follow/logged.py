"""What is not in the log is on no follower: rows of UNLOGGED tables, which may go only where the user says so."""

from heroku_changeover.reach.sql import Fence, Session
from heroku_changeover.terms.errors import NothingChanged, Refused
from heroku_changeover.terms.order import DISCARD, Order
from heroku_changeover.ways.way import Changeover


def require_logged(c: Changeover, leader: Session) -> None:
    """
    Raises:
        Refused: there are rows that no follower gets, and that may not go.
    """
    tables = [] if c.order.unlogged_rows == DISCARD else leader.unlogged_with_rows()
    if tables:
        raise Refused(_told(c.order, tables))


def require_logged_still(c: Changeover, fence: Fence) -> None:
    """
    The same behind the fence, where it stays so: such a table may have been empty a moment ago. What may go is noted.

    Raises:
        NothingChanged: there are rows that no follower gets, and that may not go.
    """
    tables = fence.unlogged_with_rows()
    if tables and c.order.unlogged_rows != DISCARD:
        raise NothingChanged(_told(c.order, tables))
    c.document.tell(lambda report: report._replace(rows_discarded=tuple(tables)))
    if tables:
        c.report(f"{c.order.target} gets no rows of the UNLOGGED {', '.join(tables)}, as `unloggedRows` says")


def _told(order: Order, tables: list[str]) -> str:
    return (
        f"{order.leader} has UNLOGGED tables with rows, of which a follower gets none: {', '.join(tables)}; for each, "
        f"run ALTER TABLE … SET LOGGED in `heroku pg:psql {order.leader}`, or TRUNCATE it if its rows may go; where "
        "rows may go and come again, as in a cache, `unloggedRows: discard` lets them; then `pulumi up` again"
    )
