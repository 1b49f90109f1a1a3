"""Finds or builds the engine: progress on stderr, the folder on stdout."""

import argparse
import sys

from toolchain import ToolchainError, find


def main() -> int:
    """Returns the exit code: 0 with the folder printed, 1 with the reason."""
    argparse.ArgumentParser("toolchain", description=__doc__).parse_args()
    try:
        toolchain = find(lambda line: print(line, file=sys.stderr, flush=True))
    except ToolchainError as error:
        print(f"toolchain: {error}", file=sys.stderr)
        return 1
    print(toolchain.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
