"""
A sandbox: a local Heroku with an app, and a shell in which pulumi, a stack and heroku-changeover are ready.

Commands on standard input are run instead of a terminal's; the first that fails ends them, with its exit code.
"""

import argparse
import signal
import sys
from contextlib import suppress
from pathlib import Path

from local_heroku.launcher import LocalHerokuFailed
from sandbox.heroku import APP, Busy, own_or_found
from sandbox.shell import greeting, open_for, stack_in
from toolchain import Failed, Unavailable, find

FOLDER = Path(__file__).parents[2] / "build" / "sandbox"


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser("sandbox", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--serve", action="store_true", help="only the local Heroku, until Ctrl-C")
    options = parser.parse_args()
    try:
        return serve() if options.serve else shell()
    except (Unavailable, LocalHerokuFailed, Failed, Busy) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def shell() -> int:
    """One for a person or for a script."""
    toolchain = find(_say)
    with own_or_found(FOLDER) as (running, heroku):
        _say("preparing the stack")
        stack = stack_in(FOLDER, toolchain, running)
        person = sys.stdin.isatty()
        if person:
            print(greeting(running, own=heroku is not None))
        # Ctrl-C is for what runs in the shell. A handler, because a program would inherit that it is ignored.
        signal.signal(signal.SIGINT, lambda *_: None)
        return open_for(person, stack)


def serve() -> int:
    """The local Heroku alone, for shells in other terminals and for anybody else's Pulumi."""
    with own_or_found(FOLDER) as (running, heroku):
        for name, value in running.environment.items():
            print(f"export {name}={value}")
        print(f"\napp {APP} serves at {running.web_url} on {running.where()}.")
        print("`make shell` in another terminal works on it; for a Pulumi of your own, export the two lines above.")
        if heroku is None:
            print("It belongs to another terminal, and ends there.")
            return 0
        print("Ctrl-C ends everything.", flush=True)
        with suppress(KeyboardInterrupt):
            raise LocalHerokuFailed(f"the local Heroku ended with {heroku.process.wait()}\n{heroku.log_text()}")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
