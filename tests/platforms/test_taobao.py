"""The connector against the simulator, over HTTP."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.domain.polling import Shop, Window
from functions.domain.reviews import Review
from functions.platforms import CONNECTORS, REPLIERS
from functions.platforms.errors import (
    ConfigurationError,
    Declined,
    MalformedAnswer,
    PlatformError,
    RateLimited,
    SessionExpired,
    TemporarilyUnavailable,
)
from functions.platforms.taobao import error_of
from infra.local.simulators.faults import Fault
from infra.local.simulators.loopback import Answer, Loopback
from infra.local.simulators.taobao import TaobaoSimulator
from tests.clocks import NOON, Clock

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
HOUR_BEFORE = Window(NOON - HOUR, NOON)


def shop_at(url: str) -> Shop:
    return Shop(shop_id="s1", platform="taobao", secret="winback/dev/s1", api_url=url)


def read(taobao: TaobaoSimulator, window: Window = HOUR_BEFORE, now: datetime = NOON) -> list[Review]:
    return CONNECTORS["taobao"](shop_at(taobao.url), taobao.secret, window, now)


def publish(taobao: TaobaoSimulator, number: int, created: Callable[[int], datetime]) -> set[str]:
    """Publish reviews 1..number and return their ids."""
    results = ("good", "neutral", "bad")
    for oid in range(1, number + 1):
        taobao.publish({"oid": oid, "created": created(oid), "result": results[oid % 3]})
    return {str(oid) for oid in range(1, number + 1)}


def ids(reviews: list[Review]) -> set[str]:
    assert len({review.review_id for review in reviews}) == len(reviews)
    return {review.review_id for review in reviews}


@contextmanager
def answering(body: object, status: int = 200) -> Iterator[str]:
    """Serve one fixed answer; yield the address."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    server = Loopback(("/router/rest",), 0, lambda _: Answer("ok", raw, status))
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}/router/rest"
    finally:
        server.stop()


def read_answer(body: object, status: int = 200, secret: str | None = None) -> list[Review]:
    secret = secret or json.dumps({"app_key": "k", "app_secret": "s", "session": "t"})
    with answering(body, status) as url:
        return CONNECTORS["taobao"](shop_at(url), secret, HOUR_BEFORE, NOON)


# What a review becomes


def test_a_review_carries_what_top_says(taobao: TaobaoSimulator) -> None:
    taobao.publish(
        {
            "oid": 2**60 + 1,
            "tid": 2**60,
            "num_iid": 2**59 + 1,
            "result": "bad",
            "content": "物流太慢了，差评！",
            "created": "2026-01-05 11:59:58",
            "item_title": "保温杯",
            "item_price": "59.90",
            "ouid": "AAF",
        }
    )
    assert read(taobao) == [
        Review(
            shop_id="s1",
            platform="taobao",
            review_id="1152921504606846977",
            order_id="1152921504606846976",
            customer_id="AAF",
            product_id="576460752303423489",
            product_title="保温杯",
            price=5990,
            rating="bad",
            text="物流太慢了，差评！",
            posted_at=datetime(2026, 1, 5, 3, 59, 58, tzinfo=UTC),
            first_seen_at=NOON,
        )
    ]


@pytest.mark.parametrize(
    ("nick", "customer"), [("小王爱喝茶", "小王爱喝茶"), ("t**1", None), ("匿名", None), ("", None)]
)
def test_without_open_id_only_a_nick_of_ones_own_names_the_customer(
    taobao: TaobaoSimulator, nick: str, customer: str | None
) -> None:
    taobao.publish({"oid": 1, "created": NOON, "nick": nick})
    (review,) = read(taobao)
    assert review.customer_id == customer


@pytest.mark.parametrize("price", [None, "", "1,299.00", "-1", "面议", "NaN"])
def test_a_review_with_an_odd_price_is_read_without_it(price: str | None) -> None:
    row = {"oid": 1, "result": "bad", "created": "2026-01-05 11:00:00", "item_price": price}
    [review] = read_answer({"traderates_get_response": {"trade_rates": {"trade_rate": [row]}}})
    assert review.price is None


@pytest.mark.parametrize("content", [{}, {"trade_rates": {}}, {"trade_rates": {"trade_rate": []}}])
def test_an_empty_list_may_be_absent_at_any_level(content: dict[str, Any]) -> None:
    assert read_answer({"traderates_get_response": content | {"request_id": "r"}}) == []


# Reading a window completely


@pytest.mark.parametrize("number", [149, 150, 151, 301, 1499])
def test_all_pages_are_read(taobao: TaobaoSimulator, number: int) -> None:
    assert ids(read(taobao)) == set()
    everyone = publish(taobao, number, lambda oid: NOON - oid * SECOND)
    assert ids(read(taobao)) == everyone


@pytest.mark.parametrize("end_included", [True, False])
@pytest.mark.parametrize("number", [1500, 1501, 5000])
def test_a_window_that_top_would_cut_is_split(number: int, end_included: bool, clock: Clock) -> None:
    with TaobaoSimulator(clock=clock.now, end_included=end_included) as taobao:
        everyone = publish(taobao, number, lambda oid: NOON - oid % 3600 * SECOND)
        assert ids(read(taobao)) == everyone


@pytest.mark.parametrize("end_included", [True, False])
def test_both_ends_of_the_window_are_read(end_included: bool, clock: Clock) -> None:
    with TaobaoSimulator(clock=clock.now, end_included=end_included) as taobao:
        taobao.publish({"oid": 1, "created": HOUR_BEFORE.start})
        taobao.publish({"oid": 2, "created": HOUR_BEFORE.end})
        assert ids(read(taobao)) == {"1", "2"}


def test_a_second_that_top_would_cut_is_split_by_rating(taobao: TaobaoSimulator) -> None:
    everyone = publish(taobao, 3000, lambda _: NOON - 60 * SECOND)
    assert ids(read(taobao)) == everyone


def test_a_second_that_cannot_be_split_is_an_error_not_a_part(taobao: TaobaoSimulator) -> None:
    for oid in range(1, 1501):
        taobao.publish({"oid": oid, "created": NOON - 60 * SECOND, "result": "bad"})
    with pytest.raises(
        MalformedAnswer,
        match="1500 or more reviews with the same rating in the second after 2026-01-05 11:58:59",
    ):
        read(taobao, Window(NOON - 90 * SECOND, NOON))


class BusySimulator(TaobaoSimulator):
    """Twenty reviews arrive after every answer."""

    def answer(self, params: Mapping[str, str]) -> Answer:
        page = super().answer(params)
        for _ in range(20):
            self.publish({"oid": 1000 + len(self._rows), "created": NOON})
        return page


def test_rows_that_arrive_between_two_pages_hide_none(clock: Clock) -> None:
    with BusySimulator(clock=clock.now) as taobao:
        everyone = publish(taobao, 400, lambda oid: NOON - oid * SECOND)
        found = ids(read(taobao))
    assert everyone <= found


def test_duplicate_rows_count_once(taobao: TaobaoSimulator) -> None:
    taobao.faults = (Fault(kind="duplicate_rows"),)
    everyone = publish(taobao, 160, lambda oid: NOON - oid * SECOND)
    assert ids(read(taobao)) == everyone


# Errors by class


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(kind="rate_limit", ban_s=30), RateLimited),
        (Fault(kind="session_expired"), SessionExpired),
        (Fault(kind="http_500"), TemporarilyUnavailable),
        (Fault(kind="malformed_json"), MalformedAnswer),
        (Fault(kind="isp_error"), TemporarilyUnavailable),
    ],
)
@pytest.mark.parametrize("good_pages", [0, 1])
def test_a_fault_on_any_page_is_an_error_and_then_nothing_is_missing(
    taobao: TaobaoSimulator, clock: Clock, fault: Fault, kind: type[PlatformError], good_pages: int
) -> None:
    everyone = publish(taobao, 200, lambda oid: NOON - oid * SECOND)
    taobao.faults = (fault.model_copy(update={"after_calls": good_pages}),)
    with pytest.raises(kind) as raised:
        read(taobao)
    assert raised.value.reason
    taobao.faults = ()
    clock.sleep(30)
    assert ids(read(taobao, now=clock.now())) == everyone


def test_a_ban_lasts_as_long_as_top_says(taobao: TaobaoSimulator, clock: Clock) -> None:
    taobao.faults = (Fault(kind="rate_limit", ban_s=30, calls=1),)
    with pytest.raises(RateLimited) as first:
        read(taobao)
    assert first.value.retry_after == 31 * SECOND
    clock.sleep(10)
    with pytest.raises(RateLimited) as second:
        read(taobao, now=clock.now())
    assert second.value.retry_after == 21 * SECOND


def problem(code: object, sub_code: str = "", sub_msg: str = "") -> PlatformError:
    return error_of({"code": code, "msg": "m", "sub_code": sub_code, "sub_msg": sub_msg}, NOON)


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [
        (problem(7, "accesscontrol.limited-by-api-access-count", "This ban will last for 1 more seconds"), 2),
        (problem(7, "accesscontrol.limited-by-app-api-access-count", "ban will last for 90 seconds"), 91),
        (problem(7, "accesscontrol.limited-by-api-access-count"), 10),
        # Noon in China: the app's daily quota comes back at midnight.
        (
            problem(7, "accesscontrol.limited-by-app-access-count", "This ban will last for 1 more seconds"),
            43200,
        ),
    ],
)
def test_a_rate_limit_says_how_long(error: PlatformError, retry_after: int) -> None:
    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(seconds=retry_after)


@pytest.mark.parametrize(
    ("code", "sub_code", "kind"),
    [
        (26, "", SessionExpired),
        (27, "invalid-sessionkey", SessionExpired),
        (10, "", TemporarilyUnavailable),
        (15, "isp.remote-service-timeout", TemporarilyUnavailable),
        (15, "", TemporarilyUnavailable),
        (15, "isv.invalid-parameter", Declined),
        *[(code, "", ConfigurationError) for code in (9, 11, 12, 13, 25, 28, 29, 30, 31, 40, 41, 42, 53)],
        (999, "", ConfigurationError),
        ("27", "", ConfigurationError),
    ],
)
def test_each_code_of_top_has_its_class(code: object, sub_code: str, kind: type[PlatformError]) -> None:
    error = problem(code, sub_code)
    assert type(error) is kind
    assert f"TOP code {code}" in str(error)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"app_key": "87654321"}, "app_key in the shop's secret is wrong"),
        ({"app_secret": "x"}, "app_secret in the shop's secret is wrong"),
        ({"session": "x"}, "must authorise the app again"),
    ],
)
def test_wrong_credentials_are_named(taobao: TaobaoSimulator, change: dict[str, str], code: str) -> None:
    secret = json.dumps(json.loads(taobao.secret) | change)
    with pytest.raises((ConfigurationError, SessionExpired), match=code):
        CONNECTORS["taobao"](shop_at(taobao.url), secret, HOUR_BEFORE, NOON)


def test_a_clock_more_than_ten_minutes_off_is_named(taobao: TaobaoSimulator) -> None:
    with pytest.raises(ConfigurationError, match="clock is more than ten minutes off"):
        read(taobao, now=NOON - 11 * 60 * SECOND)


@pytest.mark.parametrize("secret", ["not json", "{}", '{"app_key": "k", "app_secret": "s3cr3t"}', "[1]"])
def test_an_unusable_secret_is_a_configuration_error_that_does_not_quote_it(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="must hold app_key, app_secret, session") as raised:
        read_answer({}, secret=secret)
    assert "s3cr3t" not in f"{raised.value!r} {raised.value.__cause__!r}"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, TemporarilyUnavailable),
        (429, TemporarilyUnavailable),
        (404, ConfigurationError),
        (302, ConfigurationError),
    ],
)
def test_http_statuses_have_their_class(status: int, kind: type[PlatformError]) -> None:
    with pytest.raises(kind, match=f"HTTP {status}"):
        read_answer({}, status)


def test_an_unreachable_gateway_is_temporary() -> None:
    with answering({}) as url:
        pass
    with pytest.raises(TemporarilyUnavailable, match="cannot be reached"):
        CONNECTORS["taobao"](
            shop_at(url), '{"app_key": "k", "app_secret": "s", "session": "t"}', HOUR_BEFORE, NOON
        )


GOOD = {"oid": 1, "result": "bad", "created": "2026-01-05 11:00:00"}


@pytest.mark.parametrize(
    "body",
    [
        b"<html>sorry</html>",
        b"\xff\xfe",
        [1],
        {"something_else": {}},
        {"traderates_get_response": {"trade_rates": {"trade_rate": {"oid": 1}}}},
        {"traderates_get_response": {"trade_rates": {"trade_rate": ["x"]}}},
        {"traderates_get_response": {"trade_rates": ["x"]}},
        *[
            {"traderates_get_response": {"trade_rates": {"trade_rate": [row]}}}
            for row in (
                {name: value for name, value in GOOD.items() if name != "oid"},
                {name: value for name, value in GOOD.items() if name != "created"},
                GOOD | {"result": "splendid"},
                GOOD | {"created": "yesterday"},
                GOOD | {"created": None},
                GOOD | {"content": {"x": 1}},
            )
        ],
    ],
)
def test_an_answer_that_is_not_as_documented_is_malformed(body: object) -> None:
    with pytest.raises(MalformedAnswer):
        read_answer(body)


# The public reply


def replied(
    taobao: TaobaoSimulator, oid: int = 1, text: str = "非常抱歉，我们会负责到底", now: datetime = NOON
) -> None:
    REPLIERS["taobao"](shop_at(taobao.url), taobao.secret, str(oid), text, now)


def test_a_reply_is_signed_and_put_under_its_review(taobao: TaobaoSimulator) -> None:
    taobao.publish({"oid": 1, "created": NOON - HOUR, "result": "bad"})
    replied(taobao)
    assert taobao.replies == {1: "非常抱歉，我们会负责到底"}


def test_a_reply_that_top_does_not_want_is_declined(taobao: TaobaoSimulator) -> None:
    taobao.publish({"oid": 1, "created": NOON - 31 * 24 * HOUR, "result": "bad"})
    taobao.publish({"oid": 2, "created": NOON - HOUR, "result": "bad"})
    replied(taobao, 2)
    for oid, why in ((1, "expired"), (2, "exists"), (3, "not-exist")):
        with pytest.raises(Declined, match=why):
            replied(taobao, oid, "第二次")
    assert taobao.replies == {2: "非常抱歉，我们会负责到底"}


def test_an_answer_that_confirms_nothing_is_no_success(taobao: TaobaoSimulator) -> None:
    with answering({"traderate_explain_add_response": {"is_success": False}}) as url, pytest.raises(Declined):
        REPLIERS["taobao"](shop_at(url), taobao.secret, "1", "抱歉", NOON)


def test_what_passes_is_no_refusal_of_a_reply(taobao: TaobaoSimulator) -> None:
    taobao.publish({"oid": 1, "created": NOON - HOUR, "result": "bad"})
    for kind, error in (("isp_error", TemporarilyUnavailable), ("session_expired", SessionExpired)):
        taobao.faults = (Fault(kind=kind),)
        with pytest.raises(error):
            replied(taobao)
    taobao.faults = ()
    replied(taobao)
