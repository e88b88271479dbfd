"""Rules are changed without deploying code: pushed, refused, taken back, while the system runs."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.domain.cases import Case, case_id
from functions.rulebook import SHIPPED, Rulebook
from functions.rulebook.files import files_of, packed
from infra.rules.rollout import Rollouts, in_force
from tests.system.running import COMPLAINT, Shop, System, eventually

pytestmark = pytest.mark.system
Winback = Callable[..., int]
_OLD = 'then = { grade = "logistics_delay", respond_within = "2h", warn_before = "30m", owner = "agent"'
_BUNDLED = Rulebook(SHIPPED).version


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Rules by which late parcels are a supervisor's."""
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "rules"))
    edit(folder / "grades.toml", _OLD, _OLD.replace("agent", "supervisor"))
    return folder


@pytest.fixture
def rollouts(winback: Winback) -> Iterator[Rollouts]:
    """The stage's rollouts; afterwards the bundled rules are in force again."""
    rollouts = Rollouts("local")
    yield rollouts
    winback("rules", "rollback", "--to", "bundled")


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def decided(system: System) -> tuple[str, str]:
    """Return who would own a late parcel now, and under which rulebook that is decided."""
    answer: Any = system.supervisor.post(
        "/decisions", {"review": {"shop_id": "trial", "stars": 1, "text": COMPLAINT}}
    )
    return answer["owner"], answer["decisions"][0]["rulebook"]


def opened(system: System, shop: Shop) -> Case:
    number = case_id(shop.complain())
    shop.poll_until(lambda: system.case(number) is not None)
    return system.known(number)


def test_a_pushed_rulebook_decides_the_next_review_and_a_rollback_restores_the_old_decisions(
    system: System, shop: Shop, winback: Winback, rollouts: Rollouts, rules: Path, capsys
) -> None:
    pushed = Rulebook(rules).version
    eventually(lambda: decided(system) == ("agent", _BUNDLED))
    assert winback("rules", "push", "--now", "--rules", str(rules)) == 0
    assert f"{pushed} is in force" in capsys.readouterr().out
    eventually(lambda: decided(system) == ("supervisor", pushed))
    assert eventually(lambda: decided_by(pushed, opened(system, shop))) == "supervisor"
    assert winback("rules", "rollback") == 0
    eventually(lambda: decided(system) == ("agent", _BUNDLED))
    assert eventually(lambda: decided_by(_BUNDLED, opened(system, shop))) == "agent"


def decided_by(version: str, case: Case) -> str:
    """Return the case's owner, "" where the evaluator has not yet asked for this version."""
    return case.owner if {decision.rulebook for decision in case.decisions} == {version} else ""


def test_a_broken_rulebook_is_refused_with_its_reasons(
    system: System, winback: Winback, rollouts: Rollouts, rules: Path, capsys
) -> None:
    edit(rules / "remedies.toml", '"> 300.00"', '"(300.00..900.00]"')
    assert winback("rules", "push", "--now", "--rules", str(rules)) == 1
    told = capsys.readouterr().out
    assert "remedies.toml:" in told
    assert "order_value > 900.00" in told
    assert "order_value > 900.00" in rollouts.ask_validator(packed(files_of(rules)))
    assert rollouts.ask_validator(packed(files_of(SHIPPED))) == ""
    eventually(lambda: decided(system) == ("agent", _BUNDLED))


def test_what_got_past_the_validator_changes_no_decision(
    system: System, winback: Winback, rollouts: Rollouts, rules: Path
) -> None:
    """The emulator runs no validators, so a broken rulebook can be rolled out here."""
    assert winback("rules", "push", "--now", "--rules", str(rules)) == 0
    eventually(lambda: decided(system)[0] == "supervisor")
    pushed = decided(system)
    (rules / "grades.toml").unlink()
    broken = packed(files_of(rules))
    rollouts.start(rollouts.keep("broken", broken), "now", "test")
    eventually(lambda: decided(system) == pushed and "rulebook not usable" in logged(system, "cases-api"))
    assert decided(system) == pushed


def logged(system: System, noun: str) -> str:
    events = system.client("logs").filter_log_events(logGroupName=f"/aws/lambda/winback-local-{noun}")
    return "".join(event["message"] for event in events["events"])


def test_a_gradual_rollout_can_be_stopped_on_its_way(
    system: System, winback: Winback, rollouts: Rollouts, rules: Path, capsys
) -> None:
    assert winback("rules", "push", "--no-wait", "--rules", str(rules)) == 0
    assert winback("rules", "status") == 0
    assert "deploying" in capsys.readouterr().out
    assert winback("rules", "push", "--now", "--rules", str(rules)) == 2
    assert "rollback" in capsys.readouterr().err
    assert winback("rules", "rollback") == 0
    assert "bundled is in force" in capsys.readouterr().out
    eventually(lambda: decided(system) == ("agent", _BUNDLED))


def test_an_alarm_takes_a_rollout_back(
    system: System, winback: Winback, rollouts: Rollouts, rules: Path
) -> None:
    assert winback("rules", "push", "--no-wait", "--rules", str(rules)) == 0
    ring = system.client("cloudwatch").set_alarm_state
    ring(AlarmName="winback-local-rules-rollback", StateValue="ALARM", StateReason="test")
    eventually(lambda: rollouts.all()[0].state == "ROLLED_BACK")
    ring(AlarmName="winback-local-rules-rollback", StateValue="OK", StateReason="test")
    current = in_force(rollouts.all())
    assert current is not None
    assert current.version == "bundled"
