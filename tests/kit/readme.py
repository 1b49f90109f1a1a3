"""The pages as tests read them: their tables, and the programs that the README prints."""

import re

from kit.checkout import ROOT

README = (ROOT / "README.md").read_text()


def table(*head: str, page: str = README) -> list[list[str]]:
    """The rows of the one table of a page that has this head, each cell without its quotes."""
    (rows,) = re.findall(rf"^\| {re.escape(' | '.join(head))} \|\n\|[-| ]+\|\n((?:\|.*\n)+)", page, re.MULTILINE)
    return [[cell.strip(" `") for cell in line.strip("|").split(" | ")] for line in rows.splitlines()]


def program(language: str) -> str:
    """The program of a language, as a reader cuts it out."""
    (text,) = re.findall(rf"<!-- program: {language} -->\n```{language}\n(.*?)```", README, re.DOTALL)
    return str(text)
