"""The compiled tables against their rows: random tables, every point of a grid."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.rulebook.compiled import compiled, source
from functions.rulebook.faults import NoRowHolds
from functions.rulebook.table import Table
from tests.rulebook.grid import GRID, cells, points, tables, written

slowly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
long_row = st.fixed_dictionaries({"a": cells["a"]}, optional={name: cells[name] for name in "bc"})
rows_of_all_forms = st.one_of(
    tables.map(lambda table: table[1]),
    st.lists(st.fixed_dictionaries({}, optional={name: cells[name] for name in "bc"}), min_size=1),
    st.lists(long_row, min_size=16, max_size=24),
)


def read(rows: list[dict[str, Any]], more: str = "") -> Table | None:
    """Return the table of these rows, with the facts that they use only."""
    used = {name for one in rows for name in one} or {"a"}
    return Table.read("t", more + written("first", rows, used), "t.toml")[0]


@slowly
@given(rows_of_all_forms, st.booleans())
def test_a_compiled_table_decides_as_its_rows_read(rows: list[dict[str, Any]], gaps: bool) -> None:
    table = read(rows, 'uncovered = "nobody knows"\n' if gaps else "")
    if table is None:  # a cell that holds for nothing
        return
    decide = compiled(table, "v")
    for point in points(table.facts):
        held = next((one for one in table.rows if one.holds(point)), None)
        if held is None and not gaps:
            with pytest.raises(NoRowHolds):
                decide(**point)
            continue
        decision = decide(**point)
        assert (decision.table, decision.facts, decision.rulebook) == ("t", point, "v")
        if held is None:
            assert (decision.row, decision.why, decision.then) == ("uncovered", "nobody knows", {"o": None})
        else:
            assert (decision.row, decision.why, decision.then) == (held.id, held.why, held.then)


FORMS: dict[str, list[dict[str, Any]]] = {
    "ANSWERS": [{"b": "x", "c": True}, {}],
    "bisect": [{"a": n % 10, "b": "x", "c": True} for n in range(16)] + [{}],
    "while": [{"a": "<= 3", "b": "x", "c": True}, {"d": "has(p)"}, {}],
}
WRONG: dict[str, list[Any]] = {
    "a": ["1", 1.0, True, -1, 10, [1]],
    "b": ["z", 1, True, ["x"]],
    "c": [1, 0, None, "true", [True]],
    "d": [["z"], None, 1],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_refuses_facts_of_another_type(form: str) -> None:
    table = read(FORMS[form])
    assert table is not None
    assert form in source(table, "v")[0]
    right = {name: GRID[name][-1] for name in table.facts}
    decide = compiled(table, "v")
    assert decide(**right) == table.decide(right, "v")
    for names in ([*right, "more"], list(right)[1:]):
        with pytest.raises(TypeError, match="t is decided from"):
            table.decide(dict.fromkeys(names), "v")
        with pytest.raises(TypeError, match=r"^t\(\) "):
            decide(**dict.fromkeys(names))
    for name, value in ((fact, value) for fact in right for value in WRONG[fact]):
        with pytest.raises(TypeError, match="is not of its type"):
            decide(**right | {name: value})
