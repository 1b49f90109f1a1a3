"""
Prints the folder of a Pulumi engine, on stdout; what is going on meanwhile, on stderr.

usage: python -m toolchain [--help] [--can]
"""

import argparse
import sys

from toolchain import Unavailable, can, find
from toolchain.cache import root

ABOUT = f"""\
Find or build the Pulumi engine that the demo and the tests run on, and print its folder.
It holds pulumi, the language hosts of Python, YAML and Node.js, pulumi-resource-command and pulumi-resource-heroku.

The first of these is taken:
  1. the folder that PULUMI_TOOLCHAIN names, as it is
  2. a pulumi on PATH whose plugins command 1.2.1 and heroku 1.0.4 are installed or can be
  3. a build from pinned Go modules into {root()}:
     about six minutes and 5 GB of Go caches on a machine that never did it, an instant afterwards

A build has pulumi itself and the released host of YAML. The hosts of Python and Node.js are stand-ins on what
Pulumi's SDKs carry of the released ones. So are the two plugins: they know command.local.Command and
heroku.addon.Addon only, and do what the released ones do.
"""

ENVIRONMENT = """\
environment:
  PULUMI_TOOLCHAIN  a folder that holds these programs, for instance with the released plugins
  XDG_CACHE_HOME    where the cache is, ~/.cache if unset

exit codes: 0 the folder is on stdout (or may be, with --can), 1 there is none and stderr says why
"""


def main() -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m toolchain",
        description=ABOUT,
        epilog=ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--can", action="store_true", help="only say, at once, if there is none to be had")
    asked = parser.parse_args()
    try:
        if asked.can:
            can()
            return 0
        toolchain = find(lambda line: print(f"toolchain: {line}", file=sys.stderr, flush=True))
    except Unavailable as error:
        print(f"toolchain: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("toolchain: interrupted; what was compiled so far is kept in Go's cache", file=sys.stderr)
        return 130
    print(f"toolchain: {toolchain.origin}", file=sys.stderr)
    print(toolchain.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
