import pytest

from functions.rulebook import BlankVariable, NoRowHolds, Rulebook, RuleError
from functions.rulebook.cells import CellError, FactType, span
from functions.rulebook.table import Table

GOOD = """
about = "a"
facts = { value = "fen?", grade = ["a", "b"] }
outputs = { give = "fen", note = "text?" }
[[row]]
id = "small"
why = "w"
source = "s"
when = { value = "<= 100.00" }
then = { give = "5.00" }
[[row]]
id = "b-only"
why = "w"
source = "s"
when = { grade = "b" }
then = { give = "0.00", note = "n" }
"""


@pytest.mark.parametrize(
    ("written", "kind", "holds", "fails"),
    [
        ("-", "int", [0, 7], []),
        (3, "int", [3], [2, 4]),
        ("<= 100.00", "fen", [0, 10_000], [10_001]),
        ("> 3", "int?", [4], [3, None]),
        ("[100.00..300.00)", "fen", [10_000, 29_999], [9_999, 30_000]),
        ("(100.00..300.00]", "fen", [10_001, 30_000], [10_000, 30_001]),
        ("not(a)", ["a", "b"], ["b"], ["a"]),
        ("not(a, b)", ["a", "b", "c"], ["c"], ["a", "b"]),
        (["a", "c"], ["a", "b", "c"], ["a", "c"], ["b"]),
        ("unknown", "fen?", [None], [0]),
        (True, "bool", [True], [False]),
        (">= 2h", "duration", [7200], [7199]),
    ],
)
def test_a_cell_holds_for_what_it_says(written, kind, holds, fails) -> None:
    held = span(written, FactType(kind))
    assert all(held.holds(fact) for fact in holds)
    assert not any(held.holds(fact) for fact in fails)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("maybe", "bool"),
        ("<= a", "fen"),
        ("> 1", ["a"]),
        (1.5, "int"),
        ("1.234", "fen"),
        (5, "fen"),
        (True, "int"),
    ],
)
def test_a_cell_that_does_not_fit_its_fact_is_refused(written, kind) -> None:
    with pytest.raises(CellError):
        span(written, FactType(kind))


def test_the_first_row_that_holds_decides_and_says_why() -> None:
    decision = Table("t", GOOD, "t.toml").decide({"value": 10_000, "grade": "b"}, "v1")
    assert (decision.row, decision.then, decision.rulebook) == ("small", {"give": 500, "note": None}, "v1")


def test_a_gap_is_an_error_that_shows_the_facts() -> None:
    with pytest.raises(NoRowHolds, match="10001"):
        Table("t", GOOD, "t.toml").decide({"value": 10_001, "grade": "a"}, "v1")


@pytest.mark.parametrize(
    "facts", [{"value": 1}, {"value": 1, "grade": "a", "more": 1}, {"value": "1", "grade": "a"}]
)
def test_facts_the_table_does_not_declare_are_refused(facts) -> None:
    with pytest.raises(TypeError):
        Table("t", GOOD, "t.toml").decide(facts, "v1")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"<= 100.00"', '"<= viel"', r"t.toml:9: row 'small': value: 'viel' is not an amount"),
        ('{ value = "<=', '{ worth = "<=', "worth is not declared as a fact. The table knows value, grade"),
        ('id = "b-only"', 'id = "small"', "appears twice"),
        ('give = "5.00"', 'note = "n"', "lacks give"),
        ('why = "w"\n', "", "t.toml:6: row 'small': there is no `why`"),
        ('"fen?"', '"money"', "is no type"),
        ("about", "abuot", "t.toml:2: 'abuot' means nothing here.*'about' may be meant"),
        ("[[row]]", "[[row", "t.toml:5: "),
    ],
)
def test_a_fault_names_file_row_field_and_mend(old: str, new: str, says: str) -> None:
    with pytest.raises(RuleError, match=says):
        Table("t", GOOD.replace(old, new, 1), "t.toml")


def test_the_version_names_the_content(tmp_path) -> None:
    (tmp_path / "t.toml").write_text(GOOD)
    first = Rulebook(tmp_path).version
    assert first == Rulebook(tmp_path).version
    (tmp_path / "t.toml").write_text(GOOD.replace("5.00", "6.00"))
    assert first != Rulebook(tmp_path).version


def test_an_empty_folder_is_no_rulebook(tmp_path) -> None:
    with pytest.raises(RuleError, match="WINBACK_RULES_DIR"):
        Rulebook(tmp_path)


def test_a_template_with_a_blank_variable_is_not_rendered(tmp_path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "x.toml").write_text('about = "a"\ntext = "您好{name}"')
    rules = Rulebook(tmp_path)
    assert rules.render("x", {"name": "亲"}) == "您好亲"
    with pytest.raises(BlankVariable, match="name"):
        rules.render("x", {"name": ""})
