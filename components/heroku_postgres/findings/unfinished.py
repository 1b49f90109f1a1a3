"""What an earlier changeover, or somebody at work on an app, has left in the middle."""

from heroku_changeover.terms.facts import App, Database, Facts
from heroku_changeover.terms.finding import Finding, finding, warning
from heroku_postgres.wish import Wish


def broken(wish: Wish, primary: Database, cut_off: Database, can_be_finished: bool) -> Finding:
    give_up = (
        f"bring the apps back on {primary.name} (scale up, `heroku maintenance:off`) and destroy {cut_off.name}, "
        "`heroku addons:destroy`"
    )
    return finding(
        "unfinished-changeover",
        f"{cut_off.name} ({cut_off.plan}) was unfollowed but never promoted, and the apps are not serving",
        f"an earlier changeover broke between the two; the plan now says {wish.plan}",
        f"to finish it, set plan back to {cut_off.plan}; to give it up, {give_up}" if can_be_finished else give_up,
    )


def not_serving(facts: Facts) -> Finding:
    return finding(
        "app-not-serving",
        f"app {_down(facts)} is in maintenance mode or scaled to nothing, and no follower is there",
        "an earlier changeover or somebody else's work is unfinished, and how the app is to be left cannot be seen",
        "bring it back: scale it up and `heroku maintenance:off`; then run this again",
    )


def resumed(facts: Facts) -> Finding:
    return warning(
        "changeover-resumed",
        f"app {_down(facts)} is in maintenance mode or scaled to nothing, and the follower of this changeover is there",
        "that is taken for an earlier run's doing: this one goes on and brings it back as that run found it",
        "if somebody else is at work on it, bring it back first",
    )


def held_in_the_middle(primary: Database, target: Database) -> Finding:
    return finding(
        "held-in-the-middle",
        f"hold is set, but the changeover from {primary.name} to {target.name} has begun",
        "holding it now would leave the apps down",
        "set `hold: false`, so that it is finished",
    )


def outside_the_changeover(app: App, primary: Database) -> Finding:
    return finding(
        "app-outside-changeover",
        f"DATABASE of app {app.name} is {app.primary.addon_name if app.primary else 'none'}, and steps of the "
        f"changeover to {primary.name} are left to do",
        "they would take it to another database's data",
        "take it out of `apps`",
    )


def left_down(facts: Facts) -> Finding:
    return warning(
        "app-down",
        f"app {_down(facts)} is in maintenance mode or scaled to nothing, and `plan` asks for no changeover",
        "a changeover that broke may have left it so, or somebody is at work on it",
        f"if nobody is: `heroku-changeover recover --app {facts.app.name}`",
    )


def _down(facts: Facts) -> str:
    return ", ".join(a.name for a in facts.apps if not a.is_serving)
