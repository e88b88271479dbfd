# ruff: noqa: E501  # XML as it comes
"""Tables go to DMN 1.3 and come back the same."""

import tomllib
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from xmlschema import XMLSchema

from functions.rulebook import SHIPPED, Rulebook, RuleError
from functions.rulebook.table import Table
from infra.rules.dmn import exported, imported

TABLES = Rulebook(SHIPPED).tables
FOREIGN = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
<decision id="dish" name="Dish"><decisionTable id="t" hitPolicy="FIRST">
<input id="i"><inputExpression id="e" typeRef="string"><text>Season</text></inputExpression></input>
<input id="j"><inputExpression id="f" typeRef="number"><text>Guests</text></inputExpression></input>
<output id="o" name="dish" typeRef="string"/>
<rule id="r1"><inputEntry id="a"><text>not("Fall")</text></inputEntry><inputEntry id="b"><text>[5..8]</text></inputEntry>
<outputEntry id="c"><text>"Stew"</text></outputEntry></rule>
<rule id="r2"><inputEntry id="x"><text>"Fall","Winter"</text></inputEntry><inputEntry id="y"><text></text></inputEntry>
<outputEntry id="z"><text>"Ribs"</text></outputEntry></rule></decisionTable></decision></definitions>"""


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_a_table_comes_back_as_it_went(table) -> None:
    back = Table(table.name, imported(exported(table)), table.file)
    assert [(row.id, row.why, row.source, row.spans, row.then, row.live) for row in back.rows] == [
        (row.id, row.why, row.source, row.spans, row.then, row.live) for row in table.rows
    ]
    assert (back.about_zh, [row.why_zh for row in back.rows]) == (
        table.about_zh,
        [row.why_zh for row in table.rows],
    )
    assert (back.hit, back.about, back.benefit, back.examples) == (
        table.hit,
        table.about,
        table.benefit,
        table.examples,
    )


@pytest.fixture(scope="module")
def schema() -> XMLSchema:
    return XMLSchema(Path(__file__).with_name("dmn13") / "DMN13.xsd")


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_an_exported_table_is_valid_by_the_schema_of_dmn_1_3(table, schema: XMLSchema) -> None:
    assert [error.reason for error in schema.iter_errors(exported(table))] == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [('hitPolicy="FIRST"', 'hitPolicy="FIRSTLY"'), ('<dc:Bounds x="160"', '<dc:Bounds x="left"')],
)
def test_the_schema_sees_what_is_wrong(right: str, wrong: str, schema: XMLSchema) -> None:
    text = exported(TABLES["remedies"])
    assert right in text
    assert not schema.is_valid(text.replace(right, wrong))


def test_an_exported_table_says_what_dmn_expects() -> None:
    root = Xml.fromstring(exported(TABLES["remedies"]))
    at = {"d": "https://www.omg.org/spec/DMN/20191111/MODEL/"}
    entries = [entry.text for entry in root.findall(".//d:rule/d:inputEntry/d:text", at)]
    assert entries == ["true", "-", "-", "<= 100.00", "-", "(100.00..300.00]", "-", "> 300.00", "-", "null"]
    assert [table.get("hitPolicy") for table in root.findall(".//d:decisionTable", at)] == ["FIRST"]


def test_a_table_from_elsewhere_is_read_with_guessed_types() -> None:
    data = tomllib.loads(imported(FOREIGN))
    assert data["facts"] == {"season": ["Fall", "Winter"], "guests": "int"}
    assert data["row"][0]["when"] == {"season": "not(Fall)", "guests": "[5..8]"}
    table = Table("dish", imported(FOREIGN), "dish.toml")
    assert table.decide({"season": "Winter", "guests": 6}, "v").then == {"dish": "Stew"}


@pytest.mark.parametrize("text", ["no xml", "<a/>"])
def test_what_is_no_decision_table_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        imported(text)
