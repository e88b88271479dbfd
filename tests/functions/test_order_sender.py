"""The order sender between the ledger and a shop's own order system."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from functions import order_sender
from functions.domain.cases import Case
from functions.domain.ledger import State, first, recall
from functions.domain.orders import LONGEST_PAUSE_S, headers, order, pause_s
from functions.runtime import credentials, http
from functions.runtime.clients import client
from functions.runtime.settings import setting
from functions.store import cases, ledger
from functions.store.items import attributes
from infra.local.simulators.orders import OrderSystemSimulator
from tests.builders import NOW, SHOP
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.domain.test_ledger import grant, solved
from tests.events import CONTEXT, queue_event
from tests.hooks import hooked

SECRET = "winback/local/shop-1-orders"


@pytest.fixture
def shop() -> Iterator[OrderSystemSimulator]:
    with OrderSystemSimulator("shop-secret", clock=NOW.timestamp) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _configured(aws: Cloud, shop: OrderSystemSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_sender, "now", lambda: NOW)
    credentials.forget()
    boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString=shop.secret)
    configure(orders_url=shop.url, orders_secret=SECRET)


def configure(**values: Any) -> None:
    item = {"shop_id": SHOP, "platform": "taobao", "secret": "s", "seen": b"12345678"} | values
    client("dynamodb").put_item(TableName=setting("WINBACK_SHOPS_TABLE"), Item=attributes(item))


@pytest.fixture
def case() -> Case:
    return cases.open_case(solved(outbox={}), None)


@pytest.fixture
def stands(case: Case) -> State:
    return ledger.append(None, first(grant(case_id=case.case_id), "effective", NOW, "2026-03-02"))


def send(case: Case, stands: State, tries: int = 1) -> list[Any]:
    """Deliver the order's message; return what failed."""
    event = queue_event(order(case, stands).model_dump_json())
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(tries)
    failed: list[Any] = order_sender.handler(event, CONTEXT)["batchItemFailures"]
    return failed


def pauses(case: Case, stands: State, tries: int) -> list[int]:
    """Deliver; return for how long the message was put back."""
    asked: list[int] = []

    def listen(params: Any, **_: Any) -> Any:
        asked.append(params["VisibilityTimeout"])

    with (
        hooked("sqs", "before-parameter-build.sqs.ChangeMessageVisibility", listen),
        hooked("sqs", "before-call.sqs.ChangeMessageVisibility", _taken),
    ):
        assert send(case, stands, tries)
    return asked


def _taken(**_: Any) -> Any:
    """The test's receipt handle is none that SQS gave out, so SQS is not asked."""
    from botocore.awsrequest import AWSResponse

    return AWSResponse("", 200, {}, None), {}  # type: ignore[arg-type]


def now_stands(case: Case) -> State:
    found = ledger.state(SHOP, case.case_id, "remedy")
    assert found is not None
    return found


def kinds(case: Case) -> list[str]:
    found = cases.read(case.case_id)
    assert found is not None
    return [event.kind for event in found.timeline]


def test_an_order_reaches_the_shops_system_signed(
    case: Case, stands: State, shop: OrderSystemSimulator
) -> None:
    assert send(case, stands) == []
    assert shop.taken[stands.key] == {
        "id": stands.key,
        "kind": "refund",
        "shop_id": SHOP,
        "case_id": case.case_id,
        "step": "remedy",
        "order_id": "order-1",
        "amount_fen": 5990,
        "currency": "CNY",
        "granted_at": "2026-03-02T08:00:00.000000Z",
    }
    assert now_stands(case).standing == "delivered"
    assert "refund ordered" in kinds(case)


def test_the_order_names_no_person(case: Case, stands: State) -> None:
    assert case.review.customer_id is not None
    assert case.review.customer_id not in order(case, stands).model_dump_json()


def test_an_order_delivered_twice_is_carried_out_once(
    aws: Cloud, case: Case, stands: State, shop: OrderSystemSimulator
) -> None:
    send(case, stands)
    before = aws.items("ledger"), aws.items("cases")
    assert send(case, stands) == []
    assert (aws.items("ledger"), aws.items("cases")) == before
    assert shop.counts == {200: 1}


def test_dying_after_any_effect_and_coming_again_ends_the_same(
    aws: Cloud, case: Case, stands: State, shop: OrderSystemSimulator
) -> None:
    def again() -> tuple[Case, State]:
        aws.empty()
        credentials.forget()
        boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString=shop.secret)
        configure(orders_url=shop.url, orders_secret=SECRET)
        opened = cases.open_case(solved(outbox={}), None)
        line = first(grant(case_id=opened.case_id), "effective", NOW, "2026-03-02")
        return opened, ledger.append(None, line)

    names = effects(lambda: send(case, stands))
    expected = aws.items("ledger"), aws.items("cases"), dict(shop.taken)
    assert names == ["dynamodb.PutItem", "dynamodb.PutItem"]
    for n in range(1, len(names) + 1):
        opened, stood = again()
        with dying_after(n):
            send(opened, stood)
        assert send(opened, stood) == []
        assert (aws.items("ledger"), aws.items("cases"), dict(shop.taken)) == expected


def test_an_order_whose_answer_got_lost_comes_again_under_its_key(
    case: Case, stands: State, shop: OrderSystemSimulator
) -> None:
    shop.forgetful = 1
    assert pauses(case, stands, 1) == [pause_s(1)]
    assert now_stands(case).standing == "effective"
    assert send(case, stands) == []
    assert (list(shop.taken), now_stands(case).standing) == ([stands.key], "delivered")


def test_a_failing_shop_is_asked_again_less_and_less_often(
    case: Case, stands: State, shop: OrderSystemSimulator
) -> None:
    shop.failing = 3
    assert [pauses(case, stands, tries) for tries in (1, 2, 9)] == [[15], [30], [LONGEST_PAUSE_S]]
    assert kinds(case).count("order fails") == 1
    assert send(case, stands) == []
    assert now_stands(case).standing == "delivered"


def test_a_shop_that_refuses_is_no_delivery(case: Case, stands: State, shop: OrderSystemSimulator) -> None:
    shop.secret = "changed at the shop only"
    assert pauses(case, stands, 1)
    assert shop.counts == {401: 1}
    assert now_stands(case).standing == "effective"


def test_a_shop_without_an_address_by_now_keeps_its_orders(case: Case, stands: State) -> None:
    configure()
    assert pauses(case, stands, 1)
    assert now_stands(case).standing == "effective"


def test_an_order_taken_back_meanwhile_is_not_sent(
    case: Case, stands: State, shop: OrderSystemSimulator
) -> None:
    """woocommerce #64743: the delayed action happened after the order had changed."""
    ledger.append(stands, recall(stands, "lin", "wrong customer", NOW))
    assert send(case, stands) == []
    assert shop.taken == {}
    assert ledger.used(SHOP, "2026-03-02")["shop"].amount == 0


def test_an_order_that_was_corrected_while_it_was_on_its_way_counts_again(
    case: Case, stands: State, shop: OrderSystemSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    posting = http.post

    def correcting(*given: Any) -> Any:
        ledger.append(stands, recall(stands, "lin", None, NOW))
        return posting(*given)

    monkeypatch.setattr(order_sender, "post", correcting)
    assert send(case, stands) == []
    assert now_stands(case).committed == 5990
    assert ledger.used(SHOP, "2026-03-02")["shop"].amount == 5990


def test_a_forged_or_old_or_altered_order_is_refused_by_the_shop(shop: OrderSystemSimulator) -> None:
    body = b'{"id": "k"}'
    good = dict(headers("k", body, shop.secret, NOW))
    assert shop.answer("/orders", good, body)[0] == 200
    for wrong in (
        headers("k", body, "guessed", NOW),
        headers("k", body, shop.secret, NOW - timedelta(minutes=6)),
        headers("k", b"{}", shop.secret, NOW),
        good | {"webhook-id": "other"},
        good | {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {},
    ):
        assert shop.answer("/orders", dict(wrong), body)[0] == 401
