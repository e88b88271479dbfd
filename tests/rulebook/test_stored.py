"""Stored cases replayed, and what rows on trial would have done to them."""

import argparse
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from functions.domain.cases import Case, open_case
from functions.domain.erasure import forget_person
from functions.domain.exhibits import Erased
from functions.domain.reviews import Review
from functions.domain.verdicts import judge
from functions.rulebook import SHIPPED, Rulebook
from functions.store import cases
from infra.cli.rules import arguments, run
from infra.rules.replay import replay_cases
from infra.rules.stored import shadows
from tests.builders import NOW, SHOP, decision, order, profile, review

TRIAL = """[[row]]
id = "bigger"
why = "w"
source = "s"
mode = "shadow"
when = { order_value = "<= 60.00" }
then = { remedy = "refund", coupon = "8.00" }

[[row]]
id = "small-order\""""


def opened(rules: Rulebook, number: int = 1, total: int = 5990, **said: object) -> Case:
    written: Review = review(review_id=f"review-{number}", **said)
    bought = order(order_id=f"order-{number}", total=total)
    moment = NOW + timedelta(days=number)
    return open_case(written, judge(written, rules), profile(orders=1), bought, rules, moment)


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """Rules with another bound, and a row on trial."""
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "rules"))
    file = folder / "remedies.toml"
    text = file.read_text(encoding="utf-8").replace('"<= 100.00"', '"<= 50.00"')
    file.write_text(text.replace('"(100.00..300.00]"', '"(50.00..300.00]"'), encoding="utf-8")
    return folder


@pytest.fixture
def on_trial(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "trial"))
    file = folder / "remedies.toml"
    text = file.read_text(encoding="utf-8").replace('[[row]]\nid = "small-order"', TRIAL)
    file.write_text(text, encoding="utf-8")
    return folder


def winback(*words: str) -> int:
    parser = argparse.ArgumentParser()
    arguments(parser)
    return run(parser.parse_args(words))


def test_a_case_is_decided_again_on_the_facts_that_it_was_decided_from(changed: Path) -> None:
    shipped = Rulebook(SHIPPED)
    stored = [opened(shipped, 1), opened(shipped, 2, total=4000), opened(shipped, 3, text="", stars=2)]
    result = replay_cases(stored, shipped, Rulebook(changed))
    assert (result.reviews, result.left_out, result.days) == (3, 0, 3)
    assert [flip.order_id for flip in result.flips] == [stored[0].case_id, stored[2].case_id]
    assert result.cost[1] - result.cost[0] == 2 * 500


def test_decided_by_the_same_rules_a_stored_case_is_as_it_was() -> None:
    shipped = Rulebook(SHIPPED)
    stored = opened(shipped)
    erased = forget_person(stored, Erased(), NOW)
    for case in (stored, erased):
        (result,) = (replay_cases([case], shipped, shipped),)
        assert (result.cases, result.flips) == ((1, 1), [])
        assert result.cost == (5990 + 500, 5990 + 500)


def test_a_case_of_other_facts_is_left_out_and_said() -> None:
    shipped = Rulebook(SHIPPED)
    strange = opened(shipped).model_copy(update={"decisions": (decision(),)})
    assert replay_cases([strange], shipped, shipped).left_out == 1


def test_what_a_row_on_trial_would_have_changed_is_told_in_cases_and_yuan(on_trial: Path) -> None:
    rules = Rulebook(on_trial)
    stored = [opened(rules, 1), opened(rules, 2), opened(rules, 3, total=9000)]
    found = shadows(stored, rules)
    trial = found.rows["remedies.bigger"]
    assert (found.cases, found.days) == (3, 3)
    assert (trial.cases, trial.cost, dict(trial.changes)) == (2, 600, {"coupon 5.00 -> 8.00": 2})
    assert shadows(stored, Rulebook(SHIPPED)).gone == {"remedies.bigger": 2}


def test_the_commands_read_the_cases_of_a_shop(aws, on_trial: Path, changed: Path, capsys) -> None:
    rules = Rulebook(on_trial)
    for number in (1, 2):
        cases.open_case(opened(rules, number), None)
    cases.open_case(opened(rules, 3, shop_id="another"), None)
    where = ("--shop", SHOP, "--stage", "local", "--format", "json")
    assert winback("shadow", *where, "--rules", str(on_trial)) == 0
    assert json.loads(capsys.readouterr().out)["rows"]["remedies.bigger"]["cases"] == 2
    assert winback("shadow", *where, "--rules", str(on_trial), "--since", "2026-03-04") == 0
    assert json.loads(capsys.readouterr().out)["cases"] == 1
    assert winback("replay", "--from", str(SHIPPED), "--to", str(changed), *where) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["reviews"], told["changes"]["remedy"], told["difference_fen_per_day"]) == (2, 2, 500)


def test_without_a_row_on_trial_the_report_says_so(aws, capsys) -> None:
    assert winback("shadow", "--shop", SHOP, "--stage", "local") == 0
    assert "no row on trial" in capsys.readouterr().out
