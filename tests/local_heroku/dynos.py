"""Dynos: real processes of the sample app, started and ended as Heroku does."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from local_heroku.postgres import free_port
from local_heroku.processes import die_with_parent
from local_heroku.world import App, ProcessType, Release, World, new_id, now

if TYPE_CHECKING:
    from asyncio.subprocess import Process

LOOK = 0.02
BOOT_SECONDS = 60.0
"""Heroku's limit for a web dyno to bind its port (dev center: error R10)."""

RESTART_PAUSE = 0.5


@dataclass(slots=True)
class Dyno:
    """One process; `wanted` is False once it was told to end."""

    name: str
    type: str
    command: str
    size: str
    version: int
    release_id: str
    port: int = 0
    state: str = "starting"
    wanted: bool = True
    id: str = field(default_factory=new_id)
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)
    process: "Process | None" = None
    began: asyncio.Event = field(default_factory=asyncio.Event)
    unwanted: asyncio.Event = field(default_factory=asyncio.Event)

    def become(self, state: str) -> None:
        """`updated_at` is when a dyno last changed its state (dev center: platform-api-reference)."""
        self.state, self.updated_at = state, now()

    def refuse(self) -> None:
        """From now on it is on its way out."""
        self.wanted = False
        self.become("stopping")
        self.unwanted.set()


async def start(
    world: World, app: App, name: str, process_type: str, command: str, size: str, release: Release
) -> Dyno:
    """Starts a dyno with the config vars of a release; it is listed at once and comes up when it answers."""
    dyno = Dyno(name, process_type, command, size, release.version, release.id)
    app.dynos.append(dyno)
    world.event("dyno started", app=app.name, dyno=name)
    boot = world.latency.draw("boot")
    if boot:
        world.in_background(_boot(world, app, dyno, release, boot))
    else:
        await _begin(world, app, dyno, release)
    return dyno


async def _boot(world: World, app: App, dyno: Dyno, release: Release, seconds: float) -> None:
    """A dyno is placed and its slug fetched before its process runs; one that is stopped meanwhile never does."""
    try:
        await asyncio.wait_for(dyno.unwanted.wait(), seconds)
    except TimeoutError:
        await _begin(world, app, dyno, release)
    else:
        app.dynos.remove(dyno)
        dyno.began.set()


async def _begin(world: World, app: App, dyno: Dyno, release: Release) -> None:
    dyno.port = free_port()
    dyno.process = await _spawn(dyno, release.config)
    dyno.began.set()
    world.in_background(_watch(world, app, dyno, release))


async def _spawn(dyno: Dyno, config: dict[str, str]) -> "Process":
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "PYTHONUNBUFFERED": "1",
        **config,
        "PORT": str(dyno.port),
        "DYNO": dyno.name,
    }
    return await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", f"exec {dyno.command}"),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=None,
        start_new_session=True,
        preexec_fn=lambda: die_with_parent(signal.SIGKILL),
    )


async def _watch(world: World, app: App, dyno: Dyno, release: Release) -> None:
    """Marks the dyno up, and sees to its end: a formation dyno that crashed is started again."""
    process = dyno.process
    if process is None:
        return
    await _come_up(dyno)
    world.event("dyno up", app=app.name, dyno=dyno.name)
    await process.wait()
    world.event("dyno ended", app=app.name, dyno=dyno.name, code=process.returncode)
    if dyno.wanted and dyno.type in app.formation and dyno.type != "release":
        dyno.become("crashed")
        await asyncio.sleep(RESTART_PAUSE)
    if dyno in app.dynos:
        app.dynos.remove(dyno)
    if dyno.wanted and dyno.state == "crashed":
        await start(world, app, dyno.name, dyno.type, dyno.command, dyno.size, release)


async def _come_up(dyno: Dyno) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + BOOT_SECONDS
    while dyno.process is not None and dyno.process.returncode is None and loop.time() < deadline:
        if dyno.type != "web" or await _answers(dyno.port):
            if dyno.wanted:
                dyno.become("up")
            return
        await asyncio.sleep(LOOK)


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def stop(world: World, dyno: Dyno) -> None:
    """SIGTERM, and SIGKILL after the grace (dev center: dyno-shutdown-behavior, 30 s)."""
    if not dyno.wanted:
        return
    dyno.refuse()
    world.event("dyno told to stop", dyno=dyno.name)
    wait = world.latency.draw("shutdown")
    if wait:
        world.in_background(_terminate_later(world, dyno, wait))
    else:
        _terminate(world, dyno)


async def _terminate_later(world: World, dyno: Dyno, seconds: float) -> None:
    await asyncio.sleep(seconds)
    _terminate(world, dyno)


def _terminate(world: World, dyno: Dyno) -> None:
    if dyno.process is None or dyno.process.returncode is not None:
        return
    dyno.process.send_signal(signal.SIGTERM)
    world.in_background(_kill_later(world, dyno))


async def _kill_later(world: World, dyno: Dyno) -> None:
    process = dyno.process
    if process is None:
        return
    try:
        await asyncio.wait_for(process.wait(), world.grace)
    except TimeoutError:
        world.event("dyno killed", dyno=dyno.name)
        process.kill()


async def kill_all(app: App) -> None:
    """Ends every dyno of an app without any grace."""
    for dyno in list(app.dynos):
        dyno.refuse()
        if dyno.process is not None and dyno.process.returncode is None:
            dyno.process.kill()
            await dyno.process.wait()


def wanted_dynos(app: App, process_type: str) -> list[Dyno]:
    return [d for d in app.dynos if d.type == process_type and d.wanted]


async def fit_formation(world: World, app: App) -> None:
    """Starts and stops dynos until they are as the formation says."""
    release = app.running
    for row in app.formation.values():
        if row.type == "release" or release is None:
            continue
        running = wanted_dynos(app, row.type)
        for dyno in running[row.quantity :]:
            await stop(world, dyno)
        for number in _free_numbers(running, row):
            await start(world, app, f"{row.type}.{number}", row.type, row.command, row.size, release)


def _free_numbers(running: list[Dyno], row: ProcessType) -> list[int]:
    taken = {d.name for d in running}
    free = [n for n in range(1, row.quantity + 1) if f"{row.type}.{n}" not in taken]
    return free[: max(row.quantity - len(running), 0)]


async def restart(world: World, app: App, release: Release) -> None:
    """
    A new release: formation dynos of older ones end, and others start with the new config vars. One that was started
    since runs the new release already.
    """
    for row in app.formation.values():
        for dyno in wanted_dynos(app, row.type):
            if dyno.version < release.version:
                await stop(world, dyno)
    await fit_formation(world, app)


async def run_one_off(world: World, app: App, command: str, process_type: str, size: str) -> Dyno:
    number = 1 + sum(
        1 for e in world.events if e["what"] == "dyno started" and e["dyno"].startswith(f"{process_type}.")
    )
    release = app.running
    if release is None:
        raise RuntimeError(f"app {app.name} has no release")
    return await start(world, app, f"{process_type}.{number}", process_type, command, size, release)
