"""The contracts against the code: which tables the functions ask, and with which facts."""

import ast
from pathlib import Path

import pytest

from functions.rulebook.contracts import CONTRACTS

ROOT = Path(__file__).parents[2]


def asked() -> list[tuple[str, str, set[str]]]:
    """Return where the functions ask which table with which facts: no type checker sees either."""
    found = []
    for file in sorted((ROOT / "functions").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr="ask"), attr=table), keywords=named
                ):
                    found.append((f"{file.name}:{node.lineno}", table, {str(one.arg) for one in named}))
    return found


@pytest.mark.parametrize(("where", "table", "facts"), asked())
def test_the_functions_hand_a_table_the_facts_of_its_contract(
    where: str, table: str, facts: set[str]
) -> None:
    assert facts == set(CONTRACTS[table].facts), where


def test_the_functions_ask_many_tables_by_name() -> None:
    assert len({table for _, table, _ in asked()}) > 20
