"""The token that `heroku login` leaves in ~/.netrc."""

import os
from collections.abc import Iterator, Mapping


def token_in_netrc(hosts: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """
    The password of the first entry for one of these very hosts; empty where there is none.

    The entry `default` does not count: what somebody meant for any other server is not to be sent to this one. Only
    ASCII matters, so a file in any encoding is read.
    """
    path = environ.get("NETRC_PATH") or os.path.join(_home(environ), ".netrc")  # noqa: PTH118 - pathlib costs start-up time
    try:
        if not os.path.isfile(path):  # noqa: PTH113 - as above; and a pipe would be waited for
            return ""
        with open(path, encoding="latin-1") as file:  # noqa: PTH123 - as above
            entries = dict(reversed(list(_entries(file.read()))))
    except (OSError, ValueError):
        return ""
    return next((entries[host] for host in hosts if entries.get(host)), "")


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - as above


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Each host with its password, in the order of the file."""
    host, words = "", iter(_words(text))
    for word in words:
        if word == "default":
            host = ""
        elif word in {"machine", "login", "account", "password"}:
            value = next(words, "")
            if word == "machine":
                host = value.lower()
            elif word == "password" and host:
                yield host, value


def _words(text: str) -> Iterator[str]:
    """A macro reaches to the next empty line; a comment begins a line."""
    in_macro = False
    for line in text.splitlines():
        words = line.split()
        in_macro = bool(words) and (in_macro or words[0] == "macdef")
        if words and not in_macro and not words[0].startswith("#"):
            yield from (word.strip('"') for word in words)
