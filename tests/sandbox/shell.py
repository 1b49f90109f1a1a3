"""The shell: its environment, its project, and what it says to whoever opens it."""

import fcntl
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from kit.project import project_in
from sandbox.heroku import ADDON, APP, PLAN, Running, changeover_in
from toolchain import Stack, Toolchain

STACK = "sandbox"
PROMPT = f"({STACK}) $ "
NEXT = (
    f"pulumi config set app {APP}",
    f"pulumi config set plan {PLAN}",
    f"pulumi config set adopt {ADDON}",
    "pulumi up",
    "pulumi config set plan standard-2",
    "pulumi preview",
    "pulumi up",
    f"heroku-changeover status --app {APP}",
    "pulumi stack output teardown",
)
"""The commands of the README's five minutes; a test compares the two."""


def stack_in(folder: Path, toolchain: Toolchain, running: Running) -> Stack:
    """The stack of everybody who uses this folder, made by the first."""
    environment = {
        **running.environment,
        "HEROKU_CHANGEOVER_HOME": str(changeover_in(folder)),
        "SHOP": running.web_url,
    }
    stack = Stack(toolchain, folder / "project", folder / "home", folder / "state", environment, STACK)
    with (folder / "stack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "stack.made").exists():
            _make(stack)
            (folder / "stack.made").touch()
    return stack


def _make(stack: Stack) -> None:
    """From nothing: somebody may have been interrupted while making it."""
    for left in (stack.project, stack.home, stack.backend):
        shutil.rmtree(left, ignore_errors=True)
    project_in(stack.project.parent)
    stack.create()


def open_for(person: bool, stack: Stack) -> int:
    """A shell for somebody at a terminal, or for a script on standard input; returns its exit code."""
    folder = stack.project.parent
    variables = stack.variables()
    variables["PATH"] = f"{stack.project / '.venv' / 'bin'}{os.pathsep}{variables['PATH']}"
    del variables["PULUMI_STACK"]  # `pulumi stack select` and `stack init` are to work as everywhere
    if person:
        del variables["PULUMI_SKIP_CONFIRMATIONS"]
        return _interactive(folder, stack.project, variables)
    return _script(folder, stack.project, variables)


def _interactive(folder: Path, project: Path, variables: dict[str, str]) -> int:
    settings = folder / "bashrc"
    settings.write_text(f"PS1='{PROMPT}'\nHISTFILE={shlex.quote(f'{folder}/history')}\n")
    subprocess.run(["bash", "--rcfile", settings, "-i"], cwd=project, env=variables, check=False)
    return 0  # what the last command in it came to has been seen


def _script(folder: Path, project: Path, variables: dict[str, str]) -> int:
    """
    From a file, because the commands would read what is left of the script as their own input. The first command that
    fails ends it.
    """
    script = folder / "script"
    script.write_text(sys.stdin.read())
    return subprocess.run(
        ["bash", "-e", script], cwd=project, env=variables, stdin=subprocess.DEVNULL, check=False
    ).returncode


def greeting(running: Running, *, own: bool) -> str:
    """A few lines: where one is, and what to type next."""
    ends = "`exit` ends all of it." if own else "It belongs to another terminal and ends with that."
    there = f"A local Heroku runs the app {APP} on {running.where()}; `curl $SHOP` visits it. {ends}\n"
    here = "pulumi works here, in any folder, and heroku-changeover too; nothing leaves this machine."
    if running.where() != f"{ADDON} ({PLAN})":
        return f"{there}{here}\nThis sandbox has been used; end it where it was started to begin anew.\n"
    return f"{there}{here} Next:\n" + "".join(f"  {command}\n" for command in NEXT)
