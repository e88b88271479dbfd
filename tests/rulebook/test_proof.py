"""The prover against brute force: random tables, every point of a grid."""

from hypothesis import HealthCheck, given, settings

from functions.rulebook.cells import FactType
from functions.rulebook.proof import gap, prove
from functions.rulebook.regions import Space
from functions.rulebook.table import Table
from tests.rulebook.grid import points, tables, written


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables)
def test_the_prover_says_what_going_through_every_point_says(given_table) -> None:
    hit, rows = given_table
    text = written(hit, rows)
    table, faults = Table.read("t", text, "t.toml")
    if table is None:
        assert {fault.kind for fault in faults} == {"empty-cell"}
        return
    found = {(fault.kind, fault.row) for fault in prove(table)} - {
        ("row-without-example", one.id) for one in table.rows
    }
    holding = [[one.id for one in table.rows if one.holds(point)] for point in points()]
    gaps = any(not ids for ids in holding)
    first = {ids[0] for ids in holding if ids}
    overlaps = {later for ids in holding for later in ids[1:]}
    assert any(kind == "uncovered" for kind, _ in found) == gaps
    hidden = {one.id for one in table.rows} - first
    assert {name for kind, name in found if kind in ("masked", "never-reached")} == hidden
    assert {name for kind, name in found if kind == "overlap"} == (overlaps if hit == "unique" else set())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables)
def test_the_gap_is_exactly_the_points_that_no_row_covers(given_table) -> None:
    table, _ = Table.read("t", written(*given_table), "t.toml")
    if table is None:
        return
    space = Space(table.facts, [one.spans for one in table.rows])
    left = gap(space, [space.box(one.spans) for one in table.rows])
    for point in points():
        places = [axis.place(point[axis.name]) for axis in space.axes]
        inside = [
            box for box in left if all(mask >> place & 1 for mask, place in zip(box, places, strict=True))
        ]
        covered = any(one.holds(point) for one in table.rows)
        assert len(inside) == (0 if covered else 1)
    for box in left:
        assert not any(one.holds(space.example(box)) for one in table.rows)


def test_a_gap_is_told_as_a_region_and_as_an_example() -> None:
    text = written("first", [{"a": "<= 3"}, {"a": "unknown"}])
    table, _ = Table.read("t", text, "t.toml")
    assert table is not None
    (fault,) = (fault for fault in prove(table) if fault.kind == "uncovered")
    assert fault.message.startswith("no row for a >= 4; for example a = 4, ")


def test_the_type_of_a_fact_bounds_what_must_be_covered() -> None:
    assert FactType("fen").domain.ranges == ((0, float("inf")),)
    assert FactType("int? [1..5]").domain.ranges == ((1, 5),)
