"""What is said of an error that is none of ours: its text was not made to be shown, and may quote an address."""

import os
import re

from heroku_changeover.terms.errors import ChangeoverError

NAMES_A_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|PROXY|DATABASE_URL", re.IGNORECASE)
SIGNED_IN = re.compile(r"(?<=://)[^\s/@]*@")
QUOTED = re.compile(r"""['"].*['"]""", re.DOTALL)
OF_A_VALUE = re.compile(r"""^(\W*[\w.]*(?:ValueError|ParseError|InvalidURL): [^'"\n]*)['"].*['"]""", re.MULTILINE)
"""
The last line of a traceback whose error quotes what could not be read: of an address that is a part of its password,
which nothing tells from any other word.
"""
SHORTEST = 4
"""Characters of what is taken for a secret: shorter ones are in any text."""


def said_of(error: BaseException) -> str:
    """The text of an error; of one that is none of ours without what may be secret. Its kind, where it has no text."""
    text = str(error)
    if not isinstance(error, ChangeoverError):
        text = without_secrets(QUOTED.sub("…", text) if isinstance(error, ValueError) else text)
    return text or type(error).__name__


def without_secrets(text: str) -> str:
    """
    A text without user and password of any address, without what the environment holds under a telling name, and
    without what could not be read, where an error quotes that.
    """
    for name, value in os.environ.items():
        if NAMES_A_SECRET.search(name) and len(value) >= SHORTEST:
            text = text.replace(value, "…")
    return OF_A_VALUE.sub(r"\1…", SIGNED_IN.sub("…@", text))
