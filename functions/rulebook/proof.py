"""Proof: does a table answer all facts, once, and does every row and every example have its say?"""

from collections.abc import Iterator

from functions.domain.decisions import Decision
from functions.rulebook.examples import fault
from functions.rulebook.faults import Fault
from functions.rulebook.lookups import UNCOVERED
from functions.rulebook.regions import Box, Space, joined, meet, without
from functions.rulebook.table import Row, Table

_TOLD = 3  # regions of a gap that are told; the rest is counted


def prove(table: Table) -> Iterator[Fault]:
    """Yield what is wrong with a table that can be read."""
    space = Space(table.facts, [row.spans for row in table.rows])
    boxes = {row.id: space.box(row.spans) for row in table.rows}
    live = [row for row in table.rows if row.live]
    if table.hit == "unique":
        yield from _overlaps(table, space, live, boxes)
    if table.hit != "collect":
        yield from _hidden(table, space, boxes)
        yield from _gaps(table, space, [boxes[row.id] for row in live])
    elif table.uncovered is not None:
        yield _needless(table, "a table that collects has no gaps")
    yield from _examples(table)


def gap(space: Space, boxes: list[Box]) -> list[Box]:
    """Return the region that none of the boxes covers."""
    left = [space.all]
    for box in boxes:
        left = without(left, box)
    return left


def _gaps(table: Table, space: Space, boxes: list[Box]) -> Iterator[Fault]:
    left = joined(gap(space, boxes))
    if table.uncovered is not None:
        if not left:
            yield _needless(table, "every fact has its row")
        if left and (strict := [name for name, kind in table.outputs.items() if not kind.optional]):
            message = f"a gap is declared, but {', '.join(strict)} must not be unknown"
            mend = (
                f"Write the type of {strict[0]} with a ? behind it, or add a last row instead of `uncovered`"
            )
            yield table.source.fault(
                table.source.line(None, 0, "uncovered"), "uncovered-outputs", message, mend
            )
        return
    if left:
        regions = "; ".join(space.words(box) for box in left[:_TOLD])
        more = f" and {len(left) - _TOLD} more" if len(left) > _TOLD else ""
        example = space.told(space.example(left[0]))
        message = f"no row for {regions}{more}; for example {example}"
        mend = (
            'Add a row for it, a last row without `when`, or declare it: uncovered = "a supervisor decides"'
        )
        yield table.source.fault(
            table.source.line("row", len(table.source.data["row"]) - 1, "id"), "uncovered", message, mend
        )


def _needless(table: Table, why: str) -> Fault:
    line = table.source.line(None, 0, "uncovered")
    return table.source.fault(
        line, "uncovered-needless", f"a gap is declared, but {why}", "Delete `uncovered`"
    )


def _overlaps(table: Table, space: Space, live: list[Row], boxes: dict[str, Box]) -> Iterator[Fault]:
    for place, row in enumerate(live):
        for earlier in live[:place]:
            both = meet(boxes[earlier.id], boxes[row.id])
            if both is not None:
                example = space.told(space.example(both))
                message = (
                    f"it overlaps with row {earlier.id!r} for {space.words(both)}; for example {example}"
                )
                mend = 'Narrow one of them, or let the first one decide: hit = "first"'
                yield table.row_fault(row.place, "overlap", message, mend, "when")


def _hidden(table: Table, space: Space, boxes: dict[str, Box]) -> Iterator[Fault]:
    """Yield rows that are never asked. A row on trial hides nothing and is hidden by live rows only."""
    earlier: list[Row] = []
    for row in table.rows:
        left = [boxes[row.id]]
        for other in earlier:
            left = without(left, boxes[other.id])
        if not left:
            masks = next((one for one in earlier if not without([boxes[row.id]], boxes[one.id])), None)
            mend = "Move it up, narrow what stands above it, or delete it"
            if masks is not None:
                message = f"row {masks.id!r} above takes everything it holds for"
                yield table.row_fault(row.place, "masked", message, mend)
            else:
                takers = [one.id for one in earlier if meet(boxes[one.id], boxes[row.id]) is not None]
                message = f"the rows {', '.join(takers)} above together take everything it holds for"
                yield table.row_fault(row.place, "never-reached", message, mend)
        if row.live:
            earlier.append(row)


def _examples(table: Table) -> Iterator[Fault]:
    decide = table.compiled("check")
    hit: set[str] = set()
    for example in table.examples:
        try:
            decision: Decision | None = decide(**example.facts)
        except LookupError:
            decision = None
        got = decision.row if decision else UNCOVERED
        hit.update(got.split(","))
        if decision and decision.shadow:
            hit.add(decision.shadow)
        if got != example.row and not (decision and decision.shadow == example.row):
            if got == UNCOVERED and decision is None:
                continue  # told as the gap that it is
            message = f"{got!r} decides it, not {example.row!r}"
            mend = "Correct the example, or the rows until it holds again"
            yield fault(table, example.place, "example-wrong", message, mend, "expect")
    if table.example_faults:
        return
    for row in table.rows:
        named = any(row.id in example.expect for example in table.examples)
        if row.id not in hit and not named:
            mend = f'Add a [[case]] at the bottom with expect = "{row.id}"'
            yield table.row_fault(row.place, "row-without-example", "no example is decided by it", mend)
