"""Hit policies, rows on trial, declared gaps, and what a decision keeps."""

from pydantic import BaseModel

from functions.domain.decisions import Decision, Fact
from functions.rulebook.table import Table

HEAD = """
about = "a"
facts = {{ value = "fen?", kind = {{ set = ["x", "y"] }} }}
outputs = {{ give = "fen?", tags = "names?" }}
{more}
"""
ROW = """
[[row]]
id = "{id}"
why = "{id} holds"
source = "s"
when = {{ {when} }}
then = {{ {then} }}
{more}
"""


def table(*rows: str, more: str = "") -> Table:
    top, _, rest = HEAD.format(more="").partition("facts")
    return Table("t", f"{top}{more}\nfacts{rest}" + "".join(rows), "t.toml")


def row(id: str, when: str = "", then: str = 'give = "1.00"', more: str = "") -> str:  # noqa: A002
    return ROW.format(id=id, when=when, then=then, more=more)


FACTS: dict[str, Fact] = {"value": 5000, "kind": ["x"]}


def test_a_table_that_collects_lists_names_and_adds_amounts() -> None:
    rows = (
        row("a", 'value = "<= 50.00"', 'give = "1.00", tags = ["p"]'),
        row("b", 'kind = "has(x)"', 'give = "2.50", tags = ["q", "p"]'),
        row("c", 'kind = "has(y)"', 'give = "9.00"'),
    )
    decision = table(*rows, more='hit = "collect"').decide(FACTS, "v")
    assert (decision.row, decision.then) == ("a,b", {"give": 350, "tags": ["p", "q"]})
    nothing = table(*rows, more='hit = "collect"').decide({"value": 6000, "kind": []}, "v")
    assert (nothing.row, nothing.then) == ("none", {"give": 0, "tags": []})


def test_a_row_on_trial_is_recorded_and_never_acted_on() -> None:
    tried = table(row("new", 'value = "> 40.00"', 'give = "9.00"', 'mode = "shadow"'), row("old"))
    decision = tried.decide(FACTS, "v")
    assert (decision.row, decision.then["give"], decision.shadow) == ("old", 100, "new")
    assert tried.decide({"value": 100, "kind": []}, "v").shadow is None


def test_a_row_on_trial_behind_the_deciding_one_would_not_decide() -> None:
    tried = table(row("old"), row("new", "", 'give = "9.00"', 'mode = "shadow"'))
    assert tried.decide(FACTS, "v").shadow is None


def test_a_declared_gap_is_answered_with_its_reason() -> None:
    decision = table(row("a", 'value = "< 1.00"'), more='uncovered = "a supervisor decides"').decide(
        FACTS, "v"
    )
    assert (decision.row, decision.why, decision.then["give"]) == ("uncovered", "a supervisor decides", None)


def test_a_decision_survives_a_model_and_its_json() -> None:
    class Case(BaseModel):
        decisions: tuple[Decision, ...]

    case = Case(decisions=(table(row("a")).decide(FACTS, "v"),))
    assert Case.model_validate_json(case.model_dump_json()) == case
    assert Case.model_validate(case.model_dump(mode="json", exclude_none=True)).decisions[0].row == "a"


def test_a_table_may_have_thousands_of_rows() -> None:
    rows = (row(f"r{n}", f'value = "{n}.00"') for n in range(2000))
    decided = table(*rows, more='uncovered = "nobody knows"')
    assert decided.decide({"value": 199_900, "kind": []}, "v").row == "r1999"
    assert decided.decide({"value": 1, "kind": []}, "v").row == "uncovered"
