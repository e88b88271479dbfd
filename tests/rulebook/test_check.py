"""The check finds every fault at its place, and nothing wrong with the shipped rules."""

import re
import shutil
from pathlib import Path

import pytest

from functions.rulebook import SHIPPED, RuleError
from functions.rulebook.check import check
from functions.rulebook.faults import KINDS, Fault
from tests.rulebook.broken import BROKEN, Broken


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "rules"))


def test_nothing_is_said_about_the_shipped_rules() -> None:
    assert check(SHIPPED) == []


def test_every_kind_of_fault_has_a_broken_table() -> None:
    assert {broken.kind for broken in BROKEN} == KINDS.keys()
    assert len(BROKEN) >= 60


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: f"{broken.kind}: {broken.file} {broken.at}")
def test_a_fault_is_found_at_its_place(broken: Broken, folder: Path) -> None:
    file = folder / broken.file
    if broken.new is None:
        file.unlink()
        lines = [1]
    else:
        before = file.read_text(encoding="utf-8")
        assert before.count(broken.old) >= 1, "the shipped file has changed; mend the edit"
        after = re.sub(*broken.then, before.replace(broken.old, broken.new, 1))
        file.write_text(after, encoding="utf-8")
        lines = [after[: after.index(broken.at)].count("\n") + 1] if broken.at else []
    faults = check(folder)
    found = [fault for fault in faults if fault.kind == broken.kind]
    assert found, [str(fault) for fault in faults]
    if broken.kind != "template-unused":  # told at the template, not at the row that named it
        found = [fault for fault in found if fault.file == broken.file]
    there = [fault for fault in found if fault.line in (lines or [fault.line])]
    assert [fault for fault in there if broken.row in (None, "", fault.row)], [str(fault) for fault in found]
    assert all(fault.message and fault.mend for fault in found)
    others = {fault.kind for fault in faults} - {broken.kind, *broken.also}
    assert not others, [str(fault) for fault in faults]


def test_rules_with_a_fault_are_not_synthesised(monkeypatch) -> None:
    from aws_cdk import App  # takes seconds, which the other tests need not wait for

    from infra import app

    fault = Fault("remedies.toml", 7, "cell", "order_value: 'viel'", "Write an amount", "small-order")
    monkeypatch.setattr(app, "check", lambda _: [fault])
    with pytest.raises(RuleError, match=r"remedies\.toml:7: row 'small-order'"):
        app.build(App())
