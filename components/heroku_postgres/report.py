"""The window document of the last step, told in a sentence."""

import json

from heroku_changeover.terms.report import report_from


def in_a_sentence(document: str) -> str:
    """How long maintenance lasted and what was proved; empty for one that is empty or tells of no changeover."""
    return report_from(json.loads(document)["report"]).sentence() if document else ""
