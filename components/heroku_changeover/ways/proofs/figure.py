"""In place of a proof, where SQL cannot reach: what Heroku's own figures say. That this proves nothing is told."""

from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.terms.verdict import CERTAIN, Then, Verdict, of_apps_that_serve
from heroku_changeover.ways.proofs.alone import require_unmoved
from heroku_changeover.ways.undoing import act_on
from heroku_changeover.ways.way import Changeover, Ends, Words


class ByFigure:
    """No table is locked; apps that run on the leader after the cut may have written what the target lacks."""

    seals = False

    def sentence(self, leader: str, target: str, words: Words) -> str:
        return f"{target} is {words.figure} (no proof, because verify is api)"

    def require_reach(self, c: Changeover) -> None:
        """Nothing: Heroku is all that is asked."""

    def prepare(self, c: Changeover, situation: Situation) -> None:
        """Nothing."""

    def carry_over(self, c: Changeover, situation: Situation, ends: Ends) -> None:
        from heroku_changeover.ways.moving import move_and_start

        if situation.stage is Stage.BEFORE:
            if c.way.bring_over_by_figure(c, ends.target):
                require_unmoved(c, situation, ends.target)
                c.require_budget()
                c.way.cut(c)
            else:
                act_on(c, situation, _verdict_on_idle(c, situation))
        c.way.wait_until_cut(c)
        c.document.did(Moment.CUT_OFF)
        now = c.observe()  # between the last look and the cut an app may have been brought up
        act_on(c, now, self.verdict(c, now))
        c.document.tell(lambda report: report._replace(no_proof=f"none: {c.way.words.figure}; SQL was not used"))
        require_unmoved(c, situation, ends.target)
        move_and_start(c, situation, ends)

    def verdict(self, c: Changeover, situation: Situation) -> Verdict:
        """
        Without SQL nothing tells whether an app that was brought up again has written; one that stayed down since the
        cut was asked for has not.
        """
        up = situation.running
        if up and (situation.is_serving or situation.moved):
            return of_apps_that_serve(
                f"app {', '.join(up)} runs on {c.order.leader}, from which {c.order.target} is cut off already; what "
                f"it wrote since then is not on {c.order.target}"
            )
        return CERTAIN if situation.moved else _verdict_on_idle(c, situation)  # whoever moved one had seen to it

    def require_turn(self, c: Changeover, situation: Situation) -> None:
        """Without SQL nobody sees who else is at work."""

    def seal_afterwards(self, c: Changeover, leader: Database) -> None:
        """Without SQL no database can be made read-only."""


def _verdict_on_idle(c: Changeover, situation: Situation) -> Verdict:
    """The target had everything when its cut was asked for; apps that ran since may have written what it lacks."""
    if c.window.is_past_return and not situation.running:
        return CERTAIN
    doubt = f"{c.order.target} was cut off while apps ran on {c.order.leader}; it may lack what they wrote"
    return Verdict(Then.PUT_BACK, doubt)
