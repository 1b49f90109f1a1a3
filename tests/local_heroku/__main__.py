"""
Runs a local Heroku until a signal, or until standard input ends because its starter is gone.

How it is reached is one line of JSON on standard output.
"""

import asyncio
import faulthandler
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiohttp import web

from local_heroku import dynos, router
from local_heroku.postgres import Cluster
from local_heroku.server import application
from local_heroku.world import World

PREFIX = "local-heroku-"

MEMORY = Path("/dev/shm")  # noqa: S108 - each instance makes a folder of its own in it
ROOM = 2 * 2**30
"""Bytes that have to be free there: a database and its follower take some 100 MB."""


def main() -> int:
    """Returns the exit code."""
    asyncio.run(_run())
    return 0


async def _run() -> None:
    _remove_leftovers()
    root = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_place()))
    root.chmod(0o755)
    world = World()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _tell_what_goes_on)
    try:
        cluster = await Cluster.prepare(root)
        runner = web.AppRunner(application(world, cluster), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        world.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        print(json.dumps({"api": world.origin, "token": world.token}), flush=True)
        await _until_told()
        await runner.cleanup()
    finally:
        await _clean(world, root)


def _place() -> Path:
    """
    Where data folders go: into memory where there is room, since making servers and base backups is mostly writing
    files; else where temporary files go.
    """
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return Path(tempfile.gettempdir())
    usable = os.access(MEMORY, os.W_OK) and not found.f_flag & os.ST_NOEXEC
    return MEMORY if usable and found.f_bavail * found.f_frsize > ROOM else Path(tempfile.gettempdir())


def _tell_what_goes_on() -> None:
    """For whoever gets no answer: what each thread and each task is at, in the log."""
    faulthandler.dump_traceback()
    for task in asyncio.all_tasks():
        print(f"{task.get_name()}, from the outermost call inwards:", *_awaiting(task), sep="\n  ", file=sys.stderr)


def _awaiting(task: asyncio.Task[Any]) -> Iterator[str]:
    """Where each coroutine of a task is; a stack of Python's shows the outermost one only."""
    coroutine: Any = task.get_coro()
    while frame := getattr(coroutine, "cr_frame", None):
        yield f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}"
        coroutine = coroutine.cr_await


async def _until_told() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    loop.add_reader(sys.stdin.fileno(), lambda: told.set() if not os.read(sys.stdin.fileno(), 4096) else None)
    await told.wait()


async def _clean(world: World, root: Path) -> None:
    """Ends every process; what is left behind by one that cannot be ended dies with this one."""
    for task in list(world.tasks):
        task.cancel()
    await asyncio.gather(*(dynos.kill_all(app) for app in world.apps.values()))
    await asyncio.gather(*(a.server.stop() for a in world.addons.values() if a.server is not None))
    await router.close()
    shutil.rmtree(root, ignore_errors=True)


def _remove_leftovers() -> None:
    """Data folders of instances that were killed and could not clean up."""
    for folder in (*MEMORY.glob(f"{PREFIX}*"), *Path(tempfile.gettempdir()).glob(f"{PREFIX}*")):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
