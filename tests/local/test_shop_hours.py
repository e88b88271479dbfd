"""`winback shop hours` and `winback shop due`, on moto."""

import json
from pathlib import Path

import pytest

from functions.runtime.clients import client
from functions.store import shops
from functions.store.items import attributes
from infra.cli.main import main
from tests.builders import NOW
from tests.cloud import Cloud

STAGE = ("--stage", "local")
OFFICE = """
zone = "Asia/Shanghai"
holidays = "CN"

[week]
mon-fri = ["09:00-12:00", "13:30-18:00"]

[days]
2026-11-11 = "round the clock"
"""


@pytest.fixture(autouse=True)
def shop(aws: Cloud) -> None:
    item = {"shop_id": "tea", "platform": "taobao", "secret": "winback/local/tea", "version": 7}
    client("dynamodb").put_item(TableName="winback-local-shops", Item=attributes(item))


@pytest.fixture
def office(tmp_path: Path) -> Path:
    path = tmp_path / "hours.toml"
    path.write_text(OFFICE, encoding="utf-8")
    return path


def test_hours_that_were_set_are_shown_and_count(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shop", "hours", "tea", *STAGE]) == 0
    assert "round the clock" in capsys.readouterr().out
    assert main(["shop", "hours", "tea", str(office), *STAGE]) == 0
    capsys.readouterr()
    assert main(["shop", "hours", "tea", "--show", *STAGE]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["week"]["fri"] == ["09:00-12:00", "13:30-18:00"]
    assert shown["days"] == {"2026-11-11": ["00:00-24:00"]}
    known = shops.hours(["tea"], NOW).hours["tea"]
    assert known is not None
    assert known.holidays == "CN"
    assert shops.get("tea") is not None  # polls go on with the shop


def test_a_deadline_is_explained_in_the_shops_own_time(
    office: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["shop", "hours", "tea", str(office), *STAGE])
    capsys.readouterr()
    words = ["shop", "due", "tea", "--seen", "2026-05-08T17:40", "--grade", "logistics_delay", *STAGE]
    assert main(words) == 0
    assert "due at Sat 2026-05-09 10:40" in capsys.readouterr().out
    assert main([*words, "--language", "zh"]) == 0
    assert "2026-05-09 周六为调休上班日（劳动节）" in capsys.readouterr().out


def test_a_malicious_review_has_the_legal_deadline(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["shop", "due", "tea", "--seen", "2026-05-08T17:40:00+08:00", "--grade", "malicious", *STAGE]
    assert main(words) == 0
    assert "an answer within 1 h, counted round the clock" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("13:30-18:0", "hours.toml line 6, week: mon-fri, shift 2: '13:30-18:0' is no shift; write it like"),
        ("12:00-13:30", "line 6, week: mon-fri, shift 2"),
        ("13:30-18:00\n", "is not TOML"),
    ],
)
def test_a_wrong_shift_is_named_with_its_line_and_its_mend(
    office: Path, capsys: pytest.CaptureFixture[str], wrong: str, said: str
) -> None:
    office.write_text(OFFICE.replace("13:30-18:00", wrong if wrong != "12:00-13:30" else "18:00-13:30"))
    assert main(["shop", "hours", "tea", str(office), *STAGE]) == 2
    assert said in capsys.readouterr().err
    assert shops.hours(["tea"], NOW).hours["tea"] is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('holiday = "CN"', "line 1, holiday: there is no such field; there are zone, week, holidays"),
        ("week = {}", "line 1: week: the shop never opens; give at least one day a shift"),
        ('zone = "Peking"', "line 1, zone: 'Peking' is no time zone"),
        ('holidays = "US"', "line 1, holidays: Input should be 'CN'"),
        ("[days]\n2026-02-30 = []", "line 2, days.2026-02-30"),
    ],
)
def test_wrong_hours_are_refused_field_by_field(
    office: Path, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    office.write_text(line)
    assert main(["shop", "hours", "tea", str(office), *STAGE]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["shop", "hours", "nobody"], "has no shop nobody"),
        (["shop", "hours", "tea", "absent.toml"], "absent.toml cannot be read"),
        (["shop", "due", "nobody", "--seen", "2026-05-08T17:40", "--grade", "price"], "has no shop nobody"),
        (["shop", "due", "tea", "--seen", "yesterday", "--grade", "price"], "yesterday is no time"),
    ],
)
def test_what_cannot_be_done_is_said(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, *STAGE]) == 2
    assert said in capsys.readouterr().err
