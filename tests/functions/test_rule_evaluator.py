"""The evaluator on the template's tables: what a batch of reviews leaves behind."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from functions import rule_evaluator
from functions.domain.calendars import Hours
from functions.domain.cases import case_id
from functions.runtime.clients import client
from functions.runtime.settings import setting
from functions.store import cases, customers
from functions.store.errors import StaleWrite
from functions.store.items import attributes
from tests.builders import CUSTOMER, NOW, SHOP, order, profile, review
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.events import CONTEXT, queue_event, reviews_event


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_evaluator, "now", lambda: NOW)


def deliver(*reviews: Any) -> list[str]:
    """Return the ids of the messages that failed."""
    answer = rule_evaluator.handler(reviews_event(*reviews), CONTEXT)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def state(aws: Cloud) -> tuple[Any, Any]:
    return aws.items("cases"), aws.items("customers")


def test_a_bad_review_opens_a_case_and_is_remembered_in_the_profile(aws: Cloud) -> None:
    assert deliver(review()) == []
    case = cases.read(case_id(review().key))
    assert case is not None
    assert (case.grade, case.status, set(case.outbox)) == ("logistics_delay", "open", {"alert:0"})
    known = customers.profile(SHOP, CUSTOMER)
    assert known is not None
    assert known.bad_reviews == (review().key,)


def test_good_reviews_write_nothing(aws: Cloud) -> None:
    good = [review(review_id=f"g{n}", stars=5, text="很好，物流快") for n in range(10)]
    assert effects(lambda: deliver(*good)) == []
    assert state(aws) == ([], [])


def test_a_whole_batch_is_looked_up_in_three_reads_and_the_next_in_two(aws: Cloud) -> None:
    calls: list[str] = []
    from botocore.client import BaseClient

    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counting(self: Any, operation: str, parameters: Any) -> Any:
        calls.append(operation)
        return original(self, operation, parameters)

    bad = [review(review_id=f"b{n}", customer_id=f"c{n}") for n in range(10)]
    with patch.object(BaseClient, "_make_api_call", counting):
        deliver(*bad)
    assert sorted(calls) == ["BatchGetItem"] * 3 + ["TransactWriteItems"] * 10
    calls.clear()
    with patch.object(BaseClient, "_make_api_call", counting):
        deliver(review(review_id="next"))
    assert sorted(calls) == ["BatchGetItem"] * 2 + ["TransactWriteItems"]


def keep_hours(hours: Any) -> None:
    item = attributes({"shop_id": SHOP, "hours": hours})
    client("dynamodb").put_item(TableName=setting("WINBACK_SHOPS_TABLE"), Item=item)


def test_a_case_keeps_the_hours_that_its_shop_had_at_the_opening(aws: Cloud) -> None:
    office = {"week": {"mon-fri": ["09:00-12:00", "13:30-18:00"]}, "holidays": "CN"}
    keep_hours(office)
    seen = datetime(2026, 5, 8, 9, 40, tzinfo=UTC)  # 17:40 on the Friday before a make-up Saturday
    deliver(review(first_seen_at=seen, posted_at=seen))
    keep_hours({"week": {"sun": ["09:00-12:00"]}})
    deliver(review(first_seen_at=seen, posted_at=seen, text="物流太慢了，还没到"))
    case = cases.read(case_id(review().key))
    assert case is not None
    assert len(case.versions) == 2
    assert case.due_at == datetime(2026, 5, 9, 2, 40, tzinfo=UTC)  # 10:40 in China
    assert case.hours == Hours.model_validate(office)


def test_a_deadline_in_a_year_without_known_holidays_is_set_and_told(
    aws: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_hours({"holidays": "CN"})
    deliver(review(first_seen_at=datetime(2099, 5, 8, tzinfo=UTC)))
    assert len(aws.items("cases")) == 1
    assert '"HoursInDoubt":[1.0]' in capsys.readouterr().out


def test_hours_that_cannot_be_read_stop_no_case(aws: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    keep_hours({"week": {}})
    assert deliver(review()) == []
    (item,) = aws.items("cases")
    assert "hours" not in item
    assert '"HoursInDoubt":[1.0]' in capsys.readouterr().out


def test_a_complaint_under_five_stars_opens_a_case(aws: Cloud) -> None:
    deliver(review(stars=5, text="东西好，就是物流慢"))
    assert [item["grade"] for item in aws.items("cases")] == ["logistics_delay"]


def test_a_review_delivered_twice_opens_one_case(aws: Cloud) -> None:
    deliver(review(), review())
    once = state(aws)
    assert deliver(review()) == []
    assert state(aws) == once
    assert len(once[0]) == 1


def test_an_edit_is_a_new_version_of_the_same_case(aws: Cloud) -> None:
    edited = review(stars=5, text="已经解决，谢谢")
    deliver(review(), edited)
    deliver(review(), edited)
    (case,) = cases.read_many([case_id(review().key)]).values()
    assert case.versions == (review().version, edited.version)
    assert [event.kind for event in case.events.values()].count("review edited") == 1


def test_a_good_review_edited_to_a_bad_one_opens_a_case(aws: Cloud) -> None:
    deliver(review(stars=5, text="不错"))
    deliver(review(stars=1, text="用了两天坏了"))
    assert [item["grade"] for item in aws.items("cases")] == ["quality"]


def test_two_bad_reviews_of_one_customer_in_one_batch_are_both_remembered(aws: Cloud) -> None:
    assert deliver(review(review_id="a"), review(review_id="b")) == []
    known = customers.profile(SHOP, CUSTOMER)
    assert known is not None
    assert known.bad_reviews == (review(review_id="a").key, review(review_id="b").key)


def test_the_decision_uses_the_customers_orders(aws: Cloud) -> None:
    customers.take(
        [
            order(order_id="old", placed_at=NOW - timedelta(days=90), total=100_000),
            order(total=25_000),
        ],
        NOW,
    )
    deliver(review())
    (case,) = cases.read_many([case_id(review().key)]).values()
    assert (case.tier, case.remedy, case.coupon, case.goodwill) == ("high_value", "reship", 1000, "vip_gift")


def test_a_review_without_customer_still_opens_a_case(aws: Cloud) -> None:
    deliver(review(customer_id=None, order_id=None))
    assert len(aws.items("cases")) == 1
    assert aws.items("customers") == []


def test_a_message_that_is_no_review_fails_alone_and_quotes_nothing(
    aws: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    broken = json.loads(review(text="我的电话是13800000000").model_dump_json()) | {"stars": 9}
    event = queue_event("{", json.dumps(broken), review().model_dump_json())
    answer = rule_evaluator.handler(event, CONTEXT)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m0", "m1"]
    assert len(aws.items("cases")) == 1
    said = " ".join(str(vars(record)) for record in caplog.records)
    assert "mend stars: less_than_equal" in said
    assert "13800000000" not in said


def test_a_batch_that_fails_entirely_is_reported_message_by_message(aws: Cloud) -> None:
    answer = rule_evaluator.handler(queue_event("{", "{}"), CONTEXT)
    assert len(answer["batchItemFailures"]) == 2


def test_a_profile_that_changes_meanwhile_is_decided_on_again(aws: Cloud) -> None:
    read, interfered = customers.profile_and_order, list[bool]()

    def read_then_interfere(buyers: Any) -> Any:
        known = read(buyers)
        if not interfered:
            interfered.append(True)
            customers.take([order(total=99_900)], NOW)
        return known

    with patch.object(customers, "profile_and_order", read_then_interfere):
        assert deliver(review()) == []
    (case,) = cases.read_many([case_id(review().key)]).values()
    assert case.remedy == "supervisor", "decided on the order that came in between"


def test_a_profile_that_never_rests_sends_the_message_back(aws: Cloud) -> None:
    def busy(*given: Any) -> None:
        raise StaleWrite("the customer's profile")

    with patch.object(cases, "open_case", busy):
        assert deliver(review()) == ["m0"]


@pytest.mark.parametrize(
    "reviews",
    [
        pytest.param([review(), review(review_id="r2", customer_id="c2")], id="two cases"),
        pytest.param([review(), review(stars=5, text="好了")], id="a case and its edit"),
    ],
)
def test_dying_after_any_effect_and_coming_again_ends_the_same(aws: Cloud, reviews: list[Any]) -> None:
    names = effects(lambda: deliver(*reviews))
    expected = state(aws)
    assert names
    for n in range(1, len(names) + 1):
        aws.empty()
        with dying_after(n):
            deliver(*reviews)
        assert deliver(*reviews) == []
        assert state(aws) == expected, f"died after {names[n - 1]}"


def test_the_same_customer_as_in_an_order_is_one_profile(aws: Cloud) -> None:
    customers.take([order()], NOW)
    deliver(review())
    known = customers.profile(SHOP, CUSTOMER)
    assert known is not None
    assert (known.orders, len(known.bad_reviews)) == (profile(orders=1).orders, 1)


@pytest.mark.parametrize(
    "praise", ["手感柔软，不扎脖子。", "扣子结实，走线整齐。", "发货快，隔天就到。", "杯口圆润，喝水不烫嘴。"]
)
def test_praise_under_a_good_rating_that_only_the_model_doubts_opens_no_case(aws: Cloud, praise: str) -> None:
    deliver(review(stars=None, rating="good", text=praise))
    assert aws.items("cases") == []


def test_a_complaint_behind_praise_opens_a_case(aws: Cloud) -> None:
    deliver(review(stars=None, rating="good", text="五星给外观，但是右耳用了一周就没声音了，希望能换一副。"))
    assert len(aws.items("cases")) == 1
