"""What a keeper may need is loaded before it says that it watches: the environment that it is from may be removed."""

import codecs
import pkgutil
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module

NOT_NEEDED = ("__main__", "status", "by_hand")
"""What a person starts, and a keeper never: they load what shows tables."""

CODECS = ("utf-8", "ascii", "latin-1", "idna", "punycode", "cp1252", "utf-16")
"""What names, headers and answers are written in; each is a module that is loaded when it is used first."""

FROM_THE_LIBRARY = (
    "concurrent.futures.thread",
    "email._policybase",
    "email.errors",
    "linecache",
    "netrc",
    "psycopg.adapt",
    "psycopg.conninfo",
    "psycopg.errors",
    "psycopg.sql",
    "stringprep",
    "traceback",
    "zoneinfo",
)
"""Modules that are imported inside of functions which a keeper may call."""


def load_everything() -> None:
    for name in _modules():
        import_module(name)
    for name in (*FROM_THE_LIBRARY, *_parts_of_the_driver()):
        with suppress(ImportError, Warning):
            import_module(name)
    for name in CODECS:
        codecs.lookup(name)


def _modules() -> Iterator[str]:
    """All of the package, whatever it is called, but for what a person starts."""
    return (name for name in _below(__name__.partition(".")[0]) if name.rpartition(".")[2] not in NOT_NEEDED)


def _parts_of_the_driver() -> Iterator[str]:
    """Those for types of other libraries cannot be loaded where these are not installed, and are not needed then."""
    return _below("psycopg")


def _below(package: str) -> Iterator[str]:
    folders = import_module(package).__path__
    return (module.name for module in pkgutil.walk_packages(folders, f"{package}.", onerror=lambda _: None))
