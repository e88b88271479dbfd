"""The simulator refuses what TOP refuses; the client here is as plain as a client can be."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from functions.platforms.taobao import sign
from infra.local.simulators import faults
from infra.local.simulators.faults import Fault
from infra.local.simulators.taobao import METHOD, TaobaoSimulator
from tests.clocks import NOON, Clock

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def request(**changes: str | None) -> dict[str, str]:
    """Return the signed parameters of a call; None leaves a parameter out."""
    params = {
        "method": METHOD,
        "app_key": "12345678",
        "session": "6100e23test",
        "timestamp": "2026-01-05 12:00:00",
        "format": "json",
        "v": "2.0",
        "sign_method": "md5",
        "fields": "oid,created,result,content",
        "rate_type": "get",
        "role": "buyer",
    } | changes
    present = {name: value for name, value in params.items() if value is not None}
    return {"sign": sign(present, "helloworld")} | present


def ask(taobao: TaobaoSimulator, params: Mapping[str, str]) -> dict[str, Any]:
    with urlopen(taobao.url, urlencode(params).encode()) as answer:
        content: dict[str, Any] = json.load(answer)
    found: dict[str, Any] = content.get("traderates_get_response", content)
    return found


def code(taobao: TaobaoSimulator, **changes: str | None) -> int | None:
    answer = ask(taobao, request(**changes))
    return answer["error_response"]["code"] if "error_response" in answer else None


def oids(answer: Mapping[str, Any]) -> list[int]:
    return [row["oid"] for row in answer.get("trade_rates", {}).get("trade_rate", [])]


@pytest.mark.parametrize("method", ["md5", "hmac", "hmac-sha256"])
def test_every_documented_signature_is_accepted(taobao: TaobaoSimulator, method: str) -> None:
    assert code(taobao, sign_method=method) is None
    assert code(taobao, sign_method=method, sign="0" * 32) == 25


@pytest.mark.parametrize("path", ["/router/rest", "/top/router/rest"])
def test_both_paths_and_both_http_methods_are_served(taobao: TaobaoSimulator, path: str) -> None:
    taobao.publish({"oid": 7, "created": NOON, "content": "差评"})
    address = taobao.url.replace("/router/rest", path)
    with urlopen(f"{address}?{urlencode(request())}") as answer:
        assert oids(json.load(answer)["traderates_get_response"]) == [7]
    with urlopen(address, urlencode(request()).encode()) as answer:
        assert oids(json.load(answer)["traderates_get_response"]) == [7]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"app_key": None}, 28),
        ({"app_key": "x"}, 29),
        ({"timestamp": None}, 30),
        ({"timestamp": "2026-01-05T12:00:00"}, 31),
        ({"timestamp": "2026-01-05 11:49:59"}, 31),
        ({"timestamp": "2026-01-05 12:10:01"}, 31),
        ({"timestamp": "2026-01-05 12:10:00"}, None),
        ({"sign_method": "sha1", "sign": "x"}, 25),
        ({"session": None}, 26),
        ({"session": "x"}, 27),
        ({"method": None}, 21),
        ({"method": "taobao.item.get"}, 22),
        ({"fields": None}, 40),
        ({"role": None}, 40),
        ({"role": "nobody"}, 41),
        ({"result": "splendid"}, 41),
        ({"page_no": "200"}, None),
        ({"page_no": "201"}, 41),
        ({"page_no": "0"}, 41),
        ({"page_size": "150"}, None),
        ({"page_size": "151"}, 41),
        ({"start_date": "2026-01-05"}, 41),
        ({"unknown": "ignored"}, None),
    ],
)
def test_what_top_refuses_is_refused(
    taobao: TaobaoSimulator, changes: dict[str, str | None], expected: int | None
) -> None:
    if "sign" in changes:
        assert (
            ask(taobao, request() | {k: v for k, v in changes.items() if v})["error_response"]["code"] == 25
        )
    else:
        assert code(taobao, **changes) == expected


def test_rows_come_newest_first_with_the_asked_fields_and_china_time(taobao: TaobaoSimulator) -> None:
    for oid in (2**60 + 1, 2**60 + 2):
        taobao.publish({"oid": oid, "created": NOON - DAY + (oid - 2**60) * SECOND, "result": "bad"})
    answer = ask(taobao, request(fields="oid,created"))
    assert answer["trade_rates"]["trade_rate"] == [
        {"oid": 2**60 + 2, "created": "2026-01-04 12:00:02"},
        {"oid": 2**60 + 1, "created": "2026-01-04 12:00:01"},
    ]


def test_an_empty_list_is_absent(taobao: TaobaoSimulator) -> None:
    assert ask(taobao, request()) == {"total_results": 0, "request_id": "sim"}


def test_has_next_comes_only_when_asked_for_and_replaces_the_total(taobao: TaobaoSimulator) -> None:
    for oid in range(1, 42):
        taobao.publish({"oid": oid, "created": NOON})
    assert ask(taobao, request())["total_results"] == 41
    first = ask(taobao, request(use_has_next="true"))
    assert (first["has_next"], len(oids(first)), "total_results" in first) == (True, 40, False)
    assert ask(taobao, request(use_has_next="true", page_no="2"))["has_next"] is False


def test_a_window_is_cut_silently_at_1500_rows(taobao: TaobaoSimulator) -> None:
    for oid in range(1, 1602):
        taobao.publish({"oid": oid, "created": NOON - oid * SECOND})
    tenth = ask(taobao, request(use_has_next="true", page_no="10", page_size="150"))
    assert (len(oids(tenth)), tenth["has_next"]) == (150, False)
    assert oids(ask(taobao, request(page_no="11", page_size="150"))) == []


def test_only_the_last_180_days_are_shown(taobao: TaobaoSimulator) -> None:
    taobao.publish({"oid": 1, "created": NOON - 180 * DAY})
    taobao.publish({"oid": 2, "created": NOON - 180 * DAY - SECOND})
    assert oids(ask(taobao, request())) == [1]


def test_a_review_shows_from_its_moment_on_and_its_edit_replaces_it(
    taobao: TaobaoSimulator, clock: Clock
) -> None:
    taobao.publish({"oid": 1, "visible_at": NOON + 5 * SECOND, "content": "好"})
    assert oids(ask(taobao, request())) == []
    clock.sleep(5)
    taobao.publish({"oid": 1, "created": NOON, "content": "差评"})
    assert ask(taobao, request())["trade_rates"]["trade_rate"][0]["content"] == "差评"


def test_window_result_and_role_filter(taobao: TaobaoSimulator) -> None:
    for oid, result in enumerate(("good", "neutral", "bad"), start=1):
        taobao.publish({"oid": oid, "created": NOON - oid * SECOND, "result": result})
    window = {"start_date": "2026-01-05 11:59:58", "end_date": "2026-01-05 11:59:59"}
    assert oids(ask(taobao, request(**window))) == [1, 2]
    assert oids(ask(taobao, request(**window, result="neutral"))) == [2]
    assert oids(ask(taobao, request(role="seller"))) == []


def test_calls_are_counted_by_outcome(taobao: TaobaoSimulator) -> None:
    taobao.faults = (Fault(kind="malformed_json", calls=1),)
    with pytest.raises(ValueError, match="char"):
        ask(taobao, request())
    code(taobao)
    code(taobao, session="x")
    assert taobao.counts == {(METHOD, "malformed_json"): 1, (METHOD, "ok"): 1, (METHOD, "error:27"): 1}


def test_late_rows_show_later_and_slow_answers_take_their_time(taobao: TaobaoSimulator, clock: Clock) -> None:
    taobao.faults = (Fault(kind="late_rows", seconds=30), Fault(kind="slow", seconds=10))
    taobao.publish({"oid": 1, "created": NOON})
    assert [oids(ask(taobao, request())) for _ in range(4)] == [[], [], [], [1]]
    assert clock.now() == NOON + 40 * SECOND


# The fault schedule


@pytest.mark.parametrize(
    ("when", "struck"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"after_calls": 2}, [3, 4, 5, 6]),
        ({"after_calls": 2, "calls": 2}, [3, 4]),
        ({"every": 3}, [3, 6]),
        ({"from_s": 3}, [3, 4, 5, 6]),
        ({"from_s": 3, "for_s": 2}, [3, 4]),
        ({"from_s": 3, "every": 2}, [4, 6]),
    ],
)
def test_a_fault_strikes_when_all_its_conditions_hold(when: dict[str, int], struck: list[int]) -> None:
    fault = Fault.model_validate({"kind": "http_500"} | when)
    assert [n for n in range(1, 7) if fault.strikes(call=n, elapsed_s=n)] == struck


def test_a_schedule_is_read_from_toml(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\nkind = "rate_limit"\nban_s = 5\nevery = 10\n\n[[fault]]\nkind = "http_500"\n')
    assert faults.load(file) == (Fault(kind="rate_limit", ban_s=5, every=10), Fault(kind="http_500"))


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ('[[fault]]\nkind = "rate_limit"', "needs ban_s"),
        ('[[fault]]\nkind = "fire"', "kind"),
        ('[[fault]]\nkind = "http_500"\nwhen = 5', "when"),
        ('[[faults]]\nkind = "http_500"', "faults"),
    ],
)
def test_a_mistake_in_a_schedule_is_named(tmp_path: Path, text: str, mend: str) -> None:
    file = tmp_path / "faults.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=mend):
        faults.load(file)


# What may be published


def test_what_a_published_row_leaves_out_gets_a_plain_value(taobao: TaobaoSimulator) -> None:
    row = taobao.publish({"oid": "7", "created": "2026-01-05 11:00:00", "content": None})
    assert (row.oid, row.tid, row.result, row.content) == (7, 7, "good", "")
    assert row.created == row.visible_at == NOON - 3600 * SECOND
    assert taobao.publish({"oid": 8}).created == NOON


def test_a_field_that_taobao_does_not_have_is_refused(taobao: TaobaoSimulator) -> None:
    with pytest.raises(TypeError, match="stars"):
        taobao.publish({"oid": 7, "stars": 5})
