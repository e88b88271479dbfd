"""No number of the policy stands in the code that decides: a grep for literals finds technical ones only."""

import ast
from pathlib import Path

import pytest

DOMAIN = Path(__file__).parents[2] / "functions" / "domain"
# Literals that are no policy: units, protocol limits, the definition of a fact.
TECHNICAL: dict[str, dict[int | float, str]] = {
    "alerts.py": {
        8: "China is UTC+8; units of a name",
        67: "SMS segments",
        134: "SMS",
        201: "SMS",
        16: "UTF-16",
        101: "length of a link",
    },
    "cases.py": {12: "length of a case number and of a token's key", 100: "percent"},
    "deadlines.py": {3600: "seconds of an hour, to tell it"},
    "follow_ups.py": {10: "an escalation without end is an error"},
    "incidents.py": {16: "length of a hidden name", 50: "members that are worth a write to remove"},
    "windows.py": {5: "Monday to Friday"},
    "order_systems.py": {8: "China is UTC+8"},
    "orders.py": {15: "pause before the second try", 900: "longest pause between two tries"},
    "exhibits.py": {
        3: "characters",
        80: "characters",
        100: "characters",
        200: "characters",
        1000: "characters",
        16: "digits of an exhibit's number",
        1024: "bytes of a kilobyte",
        50: "exhibits that a case's item holds",
        2048: "MB that pack_builder copies in its time",
    },
    "malice.py": {100: "percent", 2000: "characters", 5: "quotes", 200: "characters", 20: "signals"},
    "money.py": {100: "fen of a yuan"},
    "profiles.py": {365: "days of the fact spent_12_months"},
    "reading.py": {100: "percent"},
    "reviews.py": {5: "stars", 16: "length of a version"},
}
DECIDING = [
    *TECHNICAL,
    "appeals.py",
    "benefits.py",
    "ledger.py",
    "dossiers.py",
    "judgement.py",
    "causes.py",
    "chain.py",
    "desks.py",
    "duty.py",
    "silences.py",
    "decisions.py",
    "explanations.py",
    "remedies.py",
    "tiers.py",
    "verdicts.py",
]


@pytest.mark.parametrize("name", DECIDING)
def test_no_policy_number_stands_in_the_code(name: str) -> None:
    tree = ast.parse((DOMAIN / name).read_text(encoding="utf-8"))
    numbers = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    }
    assert numbers - {0, 1, 2} <= TECHNICAL.get(name, {}).keys()
