"""The window document of the last step, told in a sentence."""

import json
from typing import Any


def in_a_sentence(report: str) -> str:
    """How long maintenance lasted and what was proved; empty for a report that is empty or tells of no changeover."""
    facts: dict[str, Any] = json.loads(report)["facts"] if report else {}
    if "maintenance_seconds" not in facts:
        return ""
    fenced = f"every committed write proved on the new one, {facts.get('tables_locked', 0)} tables fenced"
    told = f"{facts['retired']} to {facts['primary']}: maintenance for {facts['maintenance_seconds']} s"
    return f"{told}; {facts.get('proof') or fenced}{_alarms(facts)}"


def _alarms(facts: dict[str, Any]) -> str:
    tripwire = facts.get("tripwire") or {"equal": True}
    alarm = "" if tripwire["equal"] else "; ALARM: transactions were started on the old one behind the fence"
    missed = facts.get("tables_not_locked") or []
    return alarm + (f"; not lockable: {', '.join(missed)}" if missed else "")
