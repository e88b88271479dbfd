"""Whatever somebody writes into a rules file, the check says what is wrong with it; it does not fall over."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.rulebook import SHIPPED
from functions.rulebook.check import check
from functions.rulebook.faults import KINDS
from functions.rulebook.files import files_of

FILES = files_of(SHIPPED)
BESIDE = {
    name: text for name, text in FILES.items() if name.startswith(("templates/", "limits", "follow_up"))
}
LINES = [(name, place) for name, text in FILES.items() for place in range(text.count("\n"))]
VALUES = (
    '""',
    '"x"',
    "5",
    "-1.5",
    "true",
    "[]",
    "[1]",
    '["x"]',
    "[[]]",
    "{}",
    "{ x = 1 }",
    "1979-05-27",
    "nan",
)
HEADERS = (
    "[row]",
    "[[row]]",
    "[case]",
    "[[case]]",
    "[facts]",
    "[[facts]]",
    "[outputs]",
    "[x]",
    "row = 5",
    "[[",
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(LINES), st.sampled_from(VALUES), st.sampled_from(HEADERS), st.integers(0, 3))
def test_a_garbled_line_is_a_fault_or_none(where, value, header, way) -> None:
    name, place = where
    lines = FILES[name].splitlines()
    key, equals, written = lines[place].partition(" = ")
    if way == 0:
        lines[place] = header
    elif way == 1 and equals:
        lines[place] = f"{key} = {value}"
    elif way == 2 and equals and "=" in written:  # the last cell of a line
        cell, _, rest = written.rpartition(" = ")
        lines[place] = f"{key} = {cell} = {value}{' }' if '}' in rest else ''}"
    else:
        del lines[place]
    for fault in check({**BESIDE, name: "\n".join(lines)}):
        assert fault.kind in KINDS
        assert fault.line > 0
        assert fault.message
        assert fault.mend
