"""winback read: every row comes out again, faults are told by line, figures come with intervals."""

import csv
from argparse import ArgumentParser, Namespace
from pathlib import Path

import boto3
import pytest

from functions.store import cases
from infra.cli.main import UsageError
from infra.cli.read import ADDED, arguments, evaluate, feedback, run
from tests.builders import case, review
from tests.cloud import Cloud

GOLD = """id,text,is_negative,has_complaint,cause_primary,cause_secondary,evidence
1,物流太慢了，等了半个月,yes,yes,logistics_delay,,物流太慢了
2,质量太差，用两天就坏了,yes,yes,quality,,质量太差
3,客服态度恶劣，什么都不回,yes,yes,service_attitude,,客服态度恶劣
4,很好，很满意,no,no,none,,
"""


def given(*words: str) -> Namespace:
    parser = ArgumentParser()
    arguments(parser)
    return parser.parse_args(words)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_row_comes_out_and_a_bad_one_is_told_by_its_line(tmp_path: Path, capsys) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(
        'id,text,stars\n1,物流太慢了,1\n2,"很好\n很满意",5\n3,坏了\n4,就是太贵了,x\n5,但是物流太慢了,5\n',
        "utf-8",
    )
    assert run(given("--input", str(source), "--output", str(target), "--stars-column", "stars")) == 1
    found = rows(target)
    assert [row["id"] for row in found] == ["1", "2", "3", "4", "5"]
    assert [row["cause_primary"] for row in found] == ["logistics_delay", "none", "", "", "logistics_delay"]
    assert found[4]["hidden_complaint"] == "yes"
    told = capsys.readouterr().err
    # The second row goes over two lines.
    assert "line 5: 2 columns where the first line has 3" in told
    assert "line 6: stars is no number" in told
    assert "坏了" not in told


def test_columns_of_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(GOLD, "utf-8")
    assert run(given("--input", str(source), "--output", str(target))) == 0
    found = rows(target)
    assert [row["given_cause_primary"] for row in found] == [
        "logistics_delay", "quality", "service_attitude", "none"
    ]  # fmt: skip
    assert [row["is_negative"] for row in found] == ["yes", "yes", "yes", "no"]
    assert list(found[0]).count("is_negative") == 1


def test_the_columns_are_those_of_the_labels(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("comment\n质量太差，用两天就坏了\n", "utf-8")
    assert run(given("--input", str(source), "--output", str(target), "--text-column", "comment")) == 0
    (row,) = rows(target)
    assert list(row) == ["comment", *ADDED]
    assert (row["is_negative"], row["has_complaint"], row["cause_primary"]) == ("yes", "yes", "quality")
    assert row["evidence"] in row["comment"]
    assert 0 < float(row["confidence"]) <= 1


def test_a_missing_column_or_file_is_a_usage_error(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("id\n1\n", "utf-8")
    with pytest.raises(UsageError, match="no column 'text'; it has id"):
        run(given("--input", str(source), "--output", str(tmp_path / "out.csv")))
    with pytest.raises(UsageError, match="cannot be opened"):
        run(given("--input", str(tmp_path / "none.csv"), "--output", str(tmp_path / "out.csv")))


def test_an_evaluation_prints_figures_and_writes_one_page(tmp_path: Path, capsys) -> None:
    gold, page = tmp_path / "gold.csv", tmp_path / "page.html"
    gold.write_text(GOLD, "utf-8")
    assert evaluate(given("evaluate", "--gold", str(gold), "--page", str(page))) == 0
    told = capsys.readouterr().out
    assert "cause strict" in told
    assert "1.000 [1.000, 1.000]" in told
    html = page.read_text("utf-8")
    assert "<svg" in html
    assert "Confusion" in html
    assert "物流太慢了，等了半个月" not in html, "only mistakes are quoted"


def test_rows_that_were_trained_on_are_told(tmp_path: Path, capsys) -> None:
    gold = Path(__file__).parents[3] / "shared" / "data" / "gold_dev_450.csv"
    if not gold.exists():
        pytest.skip("the real labelled rows (../shared/data) are not here")
    evaluate(given("evaluate", "--gold", str(gold), "--page", str(tmp_path / "page.html")))
    assert "450 of the 450 rows were trained on" in capsys.readouterr().out


def test_confirmed_causes_become_training_rows(aws: Cloud, tmp_path: Path, monkeypatch) -> None:
    confirmed = {"status": "resolved", "confirmed_cause": "price"}
    cases.open_case(case(review_id="1", **confirmed), None)
    cases.open_case(case(review_id="2"), None)
    cases.open_case(
        case(review=review(review_id="3", text="", customer_id=None, order_id=None), **confirmed), None
    )
    target = tmp_path / "rows.csv"
    names = [name for name in boto3.client("dynamodb").list_tables()["TableNames"] if name.endswith("-cases")]
    stage = names[0].split("-")[1]
    assert feedback(Namespace(stage=stage, output=target)) == 0
    (row,) = rows(target)
    assert (row["cause_primary"], row["predicted"], row["text"]) == (
        "price",
        "logistics_delay",
        "物流太慢了,等了十天",
    )
