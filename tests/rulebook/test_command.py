"""`winback rules`: exit codes, machine-readable output, replay, the page."""

import argparse
import csv
import json
import shutil
from html import escape
from pathlib import Path

import pytest

from functions.rulebook import SHIPPED, Rulebook
from infra.cli.rules import arguments, run
from infra.local.stream import SAMPLE, StreamError
from infra.rules.page import page

COLUMNS = [
    "order_id",
    "customer_unique_id",
    "order_purchase_timestamp",
    "payment_value",
    "review_score",
    "review_comment_title",
    "review_comment_message",
    "review_answer_timestamp",
]


def winback(*words: str) -> int:
    parser = argparse.ArgumentParser()
    arguments(parser)
    return run(parser.parse_args(words))


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "rules"))


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    file = tmp_path / "orders.csv"
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(COLUMNS)
        for number, (value, stars) in enumerate([("90.00", "1"), ("90.00", "5"), ("250.00", "2"), ("", "1")]):
            day = f"2026-01-0{number + 1} 10:00:00"
            writer.writerow([f"o{number}", f"c{number}", day, value, stars, "", "", day])
    return file


def edit(folder: Path, old: str, new: str) -> None:
    file = folder / "remedies.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_check_ends_with_0_for_good_rules_and_1_for_bad_ones(rules: Path, capsys) -> None:
    assert winback("check", "--rules", str(rules)) == 0
    edit(rules, '"> 300.00"', '"(300.00..900.00]"')
    assert winback("check", "--rules", str(rules), "--format", "json") == 1
    (fault,) = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert (fault["file"], fault["kind"]) == ("remedies.toml", "uncovered")
    assert "order_value > 900.00" in fault["message"]


def test_explain_gives_the_reason_in_chinese_too(capsys) -> None:
    assert winback("explain", "remedies", "--facts", "suspected_malicious=false", "order_value=59.90") == 0
    assert "理由：100元以内" in capsys.readouterr().out


def test_explain_names_what_it_cannot_use(capsys) -> None:
    assert winback("explain", "remedies", "--facts", "order_value=5.00") == 2
    assert "suspected_malicious" in capsys.readouterr().err
    assert winback("explain", "remedy", "--facts", "a=b") == 2
    assert "remedies" in capsys.readouterr().err


def test_replay_tells_the_cases_and_the_yuan(rules: Path, reviews: Path, tmp_path: Path, capsys) -> None:
    edit(rules, '"<= 100.00"', '"<= 80.00"')
    edit(rules, '"(100.00..300.00]"', '"(80.00..300.00]"')
    html = tmp_path / "replay.html"
    words = (
        "replay",
        "--from",
        str(SHIPPED),
        "--to",
        str(rules),
        "--reviews",
        str(reviews),
        "--html",
        str(html),
    )
    assert winback(*words, "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["reviews"], told["cases"]) == (3, {"from": 2, "to": 2})
    assert [(flip["order_id"], flip["changed"]) for flip in told["flips"]] == [("o0", ["remedy", "coupon"])]
    assert told["cost_fen"]["to"] - told["cost_fen"]["from"] == 500
    assert told["difference_fen_per_day"] == round(500 / 3)
    assert "<svg" in html.read_text(encoding="utf-8")


def test_replay_reports_rows_on_trial_without_acting_on_them(rules: Path, reviews: Path, capsys) -> None:
    trial = """[[row]]
id = "bigger"
why = "w"
source = "s"
mode = "shadow"
when = { order_value = "<= 95.00" }
then = { remedy = "refund", coupon = "8.00" }

[[row]]
id = "small-order\""""
    edit(rules, '[[row]]\nid = "small-order"', trial)
    words = ("replay", "--from", str(SHIPPED), "--to", str(rules), "--reviews", str(reviews))
    assert winback(*words, "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["flips"] == []
    assert told["shadow"] == {"remedies.bigger": {"cases": 1, "cost_fen": 300}}


def test_replay_reads_files_of_every_known_shape(rules: Path, capsys) -> None:
    edit(rules, '"<= 100.00"', '"<= 50.00"')
    edit(rules, '"(100.00..300.00]"', '"(50.00..300.00]"')
    words = ("replay", "--from", str(SHIPPED), "--to", str(rules), "--format", "json", "--reviews")
    assert winback(*words, str(SAMPLE)) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["reviews"] > told["cases"]["from"] > 0
    assert told["orders"] > 0
    assert told["changes"]["remedy"] == len(told["flips"]) > 0


def test_replay_refuses_a_file_of_another_shape(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(StreamError, match="none of the known shapes"):
        winback("replay", "--from", str(SHIPPED), "--reviews", str(file))


def test_the_page_shows_every_row_in_two_languages() -> None:
    rules = Rulebook(SHIPPED)
    shown = page(rules)
    for table in rules.tables.values():
        assert all(f"<code>{row.id}</code>" in shown for row in table.rows)
    assert "订单金额" in shown
    assert "order value" in shown
    for table in rules.tables.values():
        assert all(f'<span class="zh">{escape(row.why_zh)}' in shown for row in table.rows)
        assert f'<span class="zh">{escape(table.about_zh)}' in shown


def test_the_source_of_a_table_can_be_read(capsys) -> None:
    assert winback("show", "--source", "remedies") == 0
    assert "if order_value is not None and order_value <= 10000:" in capsys.readouterr().out


def test_tables_are_written_as_dmn_and_read_back(tmp_path: Path, capsys) -> None:
    assert winback("dmn", "--export", str(tmp_path / "out")) == 0
    assert winback("dmn", "--import", str(tmp_path / "out" / "tiers.dmn")) == 0
    assert 'id = "high-value"' in capsys.readouterr().out
