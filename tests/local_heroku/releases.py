"""Releases: one for each change of an app, in order, with the release phase where the app has one."""

from local_heroku import dynos
from local_heroku.world import App, Release, World


def announce(world: World, app: App, description: str, config: dict[str, str] | None = None) -> Release:
    """A release exists as soon as the change is accepted; its phase and the restart of dynos come after."""
    release = Release(len(app.releases) + 1, description, config if config is not None else world.config_vars(app))
    app.releases.append(release)
    world.event("release", app=app.name, description=description, version=release.version)
    if not _has_phase(app):
        _succeed(app, release)
    world.in_background(_carry_out(world, app, release))
    return release


def _has_phase(app: App) -> bool:
    return "release" in app.formation


def _succeed(app: App, release: Release) -> None:
    release.status = "succeeded"
    for other in app.releases:
        other.current = other is release


async def _carry_out(world: World, app: App, release: Release) -> None:
    async with app.releasing:
        if _has_phase(app) and not await _phase(world, app, release):
            release.status = "failed"
            return
        if release.status != "succeeded":
            _succeed(app, release)
        await world.latency.take("release")
        if app.running is release:
            await dynos.restart(world, app, release)
            world.event("released", app=app.name, version=release.version)


async def _phase(world: World, app: App, release: Release) -> bool:
    """Whether the release command, run with this release's config vars, ended well."""
    command = app.formation["release"].command
    dyno = await dynos.start(world, app, f"release.{release.version}", "release", command, "Standard-1X", release)
    await dyno.began.wait()
    return dyno.process is not None and await dyno.process.wait() == 0
