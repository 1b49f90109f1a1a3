"""
Moving DATABASE and its companions from the leader to the new primary, in every app, and making sure that it took.

Replacing an attachment is not atomic on Heroku: it makes a release that detaches and one that attaches, and a release
phase may fail on either. So nothing is taken as done until the release has succeeded and the config var was read
back.
"""

from collections.abc import Callable, Iterable, Iterator

from heroku_changeover.apps.addresses import CREDENTIAL
from heroku_changeover.apps.attachments import attach, companions
from heroku_changeover.reach.answers import TRIES, Json, reads
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.threads import at_once, side_by_side
from heroku_changeover.reach.world import World
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import (
    ChangeoverError,
    Forbidden,
    HerokuError,
    Incomplete,
    TimedOut,
    UnexpectedAnswer,
)
from heroku_changeover.terms.facts import POOLER, PRIMARY, App, Attachment, Database, Name
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.window import Window

RELEASE_LIMIT = 900
"""Seconds for a release phase; the Heroku CLI waits as long in pg:promote."""

RECENT_RELEASES = 100
"""
How many releases are looked through for the one that attached DATABASE: every companion makes two after it.
"""


def move(world: World, document: Document, apps: Iterable[App], leader: Database, target: Database) -> None:
    """
    Moves DATABASE in every app, which is what counts, and then every companion, apps side by side.

    Raises:
        HerokuError: DATABASE of an app could not be moved. A companion that could not is told, and left to `restore`:
            it keeps no app down.
    """
    moving = list(apps)
    side_by_side(lambda app: _move_primary(world, document, app, leader, target), moving)
    document.did(Moment.MOVED)
    for reason in move_companions(world, document, moving, leader, target, tries=1):
        world.report(f"{reason}; it is tried again when the apps are up")


def _move_primary(world: World, document: Document, app: App, leader: Database, target: Database) -> None:
    for attachment in companions(app, leader, document.window.apps[app.name].names):
        if attachment.is_primary:
            _attach_primary(world, document, attachment, target)


def _attach_primary(world: World, document: Document, attachment: Attachment, target: Database) -> None:
    """
    With its credential or pooler; where Heroku refuses that, with the default credential, as pg:promote attaches it,
    because an app without DATABASE would stay down.
    """
    try:
        attach(world, attachment, target)
    except HerokuError as error:
        if attachment.namespace is None or error.is_passing or isinstance(error, Forbidden):
            raise
        attach(world, attachment._replace(namespace=None), target)
        told = f"{attachment.app} (not {attachment.namespace}: {error.message})"
        document.tell(lambda report: report._replace(other_credential=(*report.other_credential, told)))
        world.report(
            f"ALARM: {attachment.app}: {attachment.name} is {target.name} with its default credential, because Heroku "
            f"refused {attachment.namespace}: {error.message}"
        )
    world.report(f"{attachment.app}: {attachment.name} is {target.name}")


def move_companions(
    world: World, document: Document, apps: Iterable[App], leader: Database, target: Database, tries: int = TRIES
) -> list[str]:
    """Moves every name beside DATABASE, apps side by side; returns the reason for each that could not be moved."""
    left = side_by_side(lambda app: list(_move_companions(world, document.window, app, leader, target, tries)), apps)
    reasons = tuple(reason for each in left for reason in each)
    document.tell(lambda report: report._replace(not_moved=reasons))
    return list(reasons)


def _move_companions(
    world: World, window: Window, app: App, leader: Database, target: Database, tries: int
) -> Iterator[str]:
    """After a failure that may pass nothing more is tried: each further one would take as long, and users may wait."""
    names = [a for a in companions(app, leader, window.apps[app.name].names) if not a.is_primary]
    for number, attachment in enumerate(names):
        try:
            attach(world, attachment, target, tries)
        except (HerokuError, UnexpectedAnswer) as error:
            if isinstance(error, HerokuError) and not error.is_passing:
                yield _left(attachment, target, error)
                continue
            yield from (_left(later, target, error) for later in names[number:])
            return
        world.report(f"{app.name}: {attachment.name} is {target.name}")


def _left(attachment: Attachment, target: Database, error: ChangeoverError) -> str:
    name, app = attachment.name, attachment.app
    credential = (attachment.namespace or "").partition(CREDENTIAL)[2]
    through = f" --credential {credential}" if credential else ""
    by_hand = f"heroku addons:attach {target.name} --as {name}{through} --app {app} --confirm {app}"
    if attachment.namespace == POOLER:
        by_hand = f"heroku pg:connection-pooling:attach {target.name} --as {name} --app {app}"
    return (
        f"{name} of {app} is {attachment.addon_name} still: {error}; by hand, `{by_hand}`, or, if nobody reads it, "
        f"`heroku addons:detach {name} --app {app}`"
    )


def confirm_moved(world: World, app: str, target: Database, has_arrived: Callable[[str], bool]) -> None:
    """
    Waits for the release that attached DATABASE, reads the config var back and asks whether it `has_arrived`.

    Raises:
        Incomplete: with what the release says, or that the config var still holds another address.
    """
    releases, values = at_once(lambda: _recent(world, app), lambda: world.heroku.get(f"/apps/{app}/config-vars"))
    attached = _attach_release(releases, target.name)
    if attached is not None:
        _require_success(world, app, attached, releases)
    if not has_arrived(str(values.get(f"{PRIMARY}_URL") or "")):
        raise Incomplete(
            f"app {app}: {PRIMARY}_URL does not hold the address of {target.name} yet; run `pulumi up` again"
        )


def _recent(world: World, app: str) -> Json:
    """Releases, the newest first."""
    return world.heroku.newest(f"/apps/{app}/releases", RECENT_RELEASES)


@reads("releases")
def _attach_release(releases: Json, addon: str) -> int | None:
    """The version of the newest release that attached DATABASE to this add-on; None when it is long ago."""
    for release in releases:
        if f"Attach {PRIMARY} " in release["description"] and addon in release["description"]:
            return int(release["version"])
    return None


@reads("releases")
def failed_companions(world: World, app: str, names: Iterable[Name], target: Database) -> list[str]:
    """The names beside DATABASE that no dyno has, because their release failed; each with what to do."""
    attaching = {f"Attach {n.name} (@ref:{target.name})": n.name for n in names if n.name != PRIMARY}
    failed: list[str] = []
    for release in _recent(world, app) if attaching else ():
        if release["status"] == "succeeded":
            break
        if release["status"] == "failed" and (name := attaching.get(release["description"])):
            failed.append(
                f"{name} of {app}: release v{release['version']}, which attaches it, failed, so no dyno has it; see "
                f"`heroku releases:output --app {app}`, and `heroku releases:retry --app {app}` when that is mended"
            )
    return failed


@reads("releases")
def _statuses_since(releases: Json, version: int) -> list[str]:
    """Newest first, down to that release itself."""
    return [str(r["status"]) for r in releases if int(r["version"]) >= version]


def _require_success(world: World, app: str, version: int, releases: Json) -> None:
    """
    A release whose command failed is not what dynos run; one that succeeded since carries the attachment too.
    `releases` are those seen last.
    """
    statuses: list[str] = []
    unread = [releases]

    def pending() -> str | None:
        statuses[:] = _statuses_since(unread.pop() if unread else _recent(world, app), version)
        return "its release phase is running" if "pending" in statuses and "succeeded" not in statuses else None

    try:
        with doing(Act.AWAIT_RELEASE):
            world.urgent().until(f"the release of {app}", pending, world.clock.now() + RELEASE_LIMIT)
    except TimedOut as error:
        raise Incomplete(
            f"app {app}: {error}; see `heroku releases:output --app {app}`, then run `pulumi up` again"
        ) from error
    if "succeeded" not in statuses:
        raise Incomplete(
            f"app {app}: the release that attaches {PRIMARY} {statuses[-1]}; see `heroku releases:output --app {app}`, "
            "mend the release command, make a release that succeeds (`heroku releases:retry` or a deploy), "
            "and run `pulumi up` again"
        )
