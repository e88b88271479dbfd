"""Malice: what is a signal, what speaks against it, and how sure we are of each."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions import rulebook
from functions.domain.malice import Said, Signal, bulk_signals, chat_signal, signals, suspicion
from functions.domain.precision import wilson
from functions.domain.profiles import Profile, remember
from functions.domain.redaction import redacted
from tests.builders import NOW, profile, review

RULES = rulebook.load()


def seen(text: str = "物流慢", customer: Profile | None = None) -> tuple[Signal, ...]:
    return signals(review(text=text), RULES.read(text), customer or profile(), RULES, NOW)


@pytest.mark.parametrize(
    "text", ["要求退款", "必须赔我钱，不然投诉到底", "再不处理我就给差评", "退货退款！！！"]
)
def test_an_angry_demand_scores_nothing_in_a_review_or_a_chat(text: str) -> None:
    assert seen(text) == ()
    assert chat_signal([Said(by="customer", text=text)], "王芳", RULES, NOW) is None


def test_a_signal_names_its_source_and_what_speaks_against_it() -> None:
    (signal,) = seen("质量差，开线了，不返现就差评", profile(orders=12, returns=1))
    assert (signal.name, signal.source, signal.by) == ("blackmail_in_review", "review_text", None)
    assert [(each.fact, each.count) for each in signal.counter] == [
        ("kept_orders", 11),
        ("concrete_fault", 1),
    ]


def test_many_bad_reviews_by_one_customer_within_a_day_are_a_signal() -> None:
    customer = profile()
    for number in range(4):
        assert seen(customer=customer) == ()
        at = NOW - timedelta(hours=number)
        customer = remember(customer, review(review_id=str(number), posted_at=at))
    assert [signal.name for signal in seen(customer=customer)] == ["bulk_from_one_source"]


def test_the_same_number_over_a_week_is_none() -> None:
    customer = profile()
    for number in range(6):
        at = NOW - timedelta(days=number + 1)
        customer = remember(customer, review(review_id=str(number), posted_at=at))
    assert seen(customer=customer) == ()


def test_one_source_counts_within_its_window_only() -> None:
    posted = {str(number): NOW + timedelta(hours=5 * number) for number in range(9)}
    assert set(bulk_signals(posted, "shop", RULES, NOW)) == {"1", "2", "3", "4", "5", "6", "7"} | {"0", "8"}
    sparse = {str(number): NOW + timedelta(hours=7 * number) for number in range(4)}
    assert bulk_signals(sparse, "shop", RULES, NOW) == {}


@given(
    names=st.lists(st.sampled_from(["blackmail_in_review", "abnormal_returns"]), max_size=4),
    raised=st.booleans(),
)
def test_a_suspicion_takes_two_sources_or_one_and_a_person(names: list[str], raised: bool) -> None:
    found = [
        Signal.model_validate({"name": each, "source": "orders", "count": 1, "at": NOW}) for each in names
    ]
    expected = len(set(names)) >= 2 or (len(set(names)) == 1 and raised)
    assert suspicion(found, raised, RULES).then["suspected"] is expected


@given(part=st.integers(0, 500), more=st.integers(0, 500))
def test_the_interval_holds_the_share_and_stays_between_0_and_1(part: int, more: int) -> None:
    share = wilson(part, part + more)
    if share.share is None or share.low is None or share.high is None:
        assert part + more == 0
    else:
        assert 0 <= share.low <= share.share <= share.high <= 1


def test_wilsons_interval_is_the_published_one() -> None:
    """81 of 263, the example of Newcombe 1998 (Statistics in Medicine 17, 857-872): 0.2553 to 0.3662."""
    share = wilson(81, 263)
    assert (share.low, share.high) == (0.2553, 0.3662)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("电话13812345678", "电话[电话]"),
        ("打138 1234 5678找我", "打[电话]找我"),
        ("座机0571-88887777", "座机[电话]"),
        ("身份证330106199001011234", "身份证[身份证]"),
        ("邮箱a.b@example.com", "邮箱[邮箱]"),
        ("收货人：张伟，地址：浙江省杭州市西湖区文三路478号", "收货人：[姓名]，地址：[地址]"),
        ("我住广东省深圳市南山区科技路1号", "[地址]"),
        ("王女士说坏了", "[姓名]说坏了"),
        ("加微信: abc_12345", "加微信: [微信]"),
        ("用了3天就坏了，花了299元，订单2月1日到", "用了3天就坏了，花了299元，订单2月1日到"),
        ("质量差，不给退款就投诉", "质量差，不给退款就投诉"),
    ],
)
def test_what_identifies_a_person_is_masked_and_the_rest_stays(text: str, clean: str) -> None:
    assert redacted(text) == clean


def test_a_known_name_is_masked_wherever_it_stands() -> None:
    assert redacted("小明明收到了", ["小明明"]) == "[姓名]收到了"
