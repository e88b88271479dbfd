"""What needs the rights of the money functions, done once each (see stage.py)."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from functions.domain.ledger import Kind, Line, first, state, then
from functions.domain.orders import Order
from functions.store.items import attributes
from functions.store.ledger import line_item
from infra.local.simulators.orders import OrderSystemSimulator
from tests.domain.test_ledger import grant
from tests.events import queue_event, stream_event
from tests.system.running import System
from tests.system.stage import Deed, Stage

_numbers = count(1)
_KEY = "/benefits/{case}:remedy"


def coupon(stage: Stage) -> str:
    number, _ = stage.case()
    stage.system.set(number, outcome="solved")
    stage.system.put_into_outbox(number, "grant:coupon", kind="grant", name="coupon")
    return _performed(stage, number)


def lapse(stage: Stage) -> str:
    number, _ = stage.case()
    long_ago = datetime.now(UTC) - timedelta(days=30)
    _write(stage, number, "proposed", at=long_ago, note="above the limit")
    stage.system.put_into_outbox(number, "grant:remedy", kind="grant", name="remedy")
    return _performed(stage, number)


def hand_over(stage: Stage) -> str:
    number, _ = stage.case()
    _write(stage, number, "effective")
    stage.system.put_into_outbox(number, "order:remedy", kind="order", name="remedy")
    return _performed(stage, number)


def send(stage: Stage) -> str:
    return _sent(stage)


def send_what_is_corrected_meanwhile(stage: Stage) -> str:
    return _sent(stage, corrected=True)


def put_back(stage: Stage) -> str:
    """Only the right to put a message back counts: that the order failed is what is wanted."""
    log = _sent(stage, failing=1)
    return log if "AccessDenied" in log else ""


def deciding(what: str, *kinds: Kind, **more: Any) -> Deed:
    """A supervisor decides about a benefit with these lines."""

    def deed(stage: Stage) -> str:
        number, _ = stage.case()
        _write(stage, number, *kinds, **more)
        path = f"{_KEY}/{what}".format(case=number)
        return stage._call("POST", path, {"by": "wang"}, stage.system.supervisor)

    return deed


def reporting(*kinds: Kind, **more: Any) -> Deed:
    """The shop's system reports an order as carried out."""

    def deed(stage: Stage) -> str:
        number, _ = stage.case()
        _write(stage, number, *kinds, **more)
        return stage._call("POST", f"{_KEY}/delivered".format(case=number), {}, stage.system.shop_system)

    return deed


def _performed(stage: Stage, number: str) -> str:
    wrong = stage.system.invoke("case-events", stream_event(number))
    assert wrong or stage.system.all_done(number)
    return wrong


def _sent(stage: Stage, *, failing: int = 0, corrected: bool = False) -> str:
    """Have an order of a new shop with a new secret sent."""
    number, _ = stage.case()
    shop, secret = f"orders-{next(_numbers)}", f"winback/local/orders-{next(_numbers)}"
    system, queue = stage.system, stage.system.stack.outputs["OrdersQueueUrl"]
    system.client("secretsmanager").create_secret(Name=secret, SecretString=secret)
    lines = _write(stage, number, "effective", shop=shop)

    class Correcting(OrderSystemSimulator):
        def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
            if corrected and not self.taken:
                stands = state(lines)
                assert stands is not None
                _put(stage, then(stands, "correction", "wang", datetime.now(UTC)))
            return super().answer(path, headers, body)

    with Correcting(secret) as simulator:
        simulator.failing = failing
        item = {"shop_id": shop, "orders_url": simulator.url, "orders_secret": secret}
        table = system.stack.outputs["ShopsTable"]
        system.client("dynamodb").put_item(TableName=table, Item=attributes(item))
        order = Order(
            id=f"{number}:remedy", kind="refund", shop_id=shop, case_id=number, step="remedy",
            order_id="o", amount_fen=5990, granted_at=datetime.now(UTC),
        )  # fmt: skip
        system.send("OrdersQueueUrl", order.model_dump_json())
        message = _received(system, queue, order.id)
        event = queue_event(message["Body"])
        event["Records"][0]["receiptHandle"] = message["ReceiptHandle"]
        wrong = system.invoke("order-sender", event)
        system.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return wrong


def _received(system: System, queue: str, key: str) -> dict[str, Any]:
    """Take the order's message from the queue; others, left by other deeds, stay aside for a while."""
    for _ in range(20):
        answer = system.client("sqs").receive_message(
            QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10
        )
        for message in answer.get("Messages", []):
            if json.loads(message["Body"])["id"] == key:
                return dict(message)
    raise AssertionError(f"no message of {key}")


def _write(
    stage: Stage, number: str, *kinds: Kind, at: datetime | None = None, shop: str | None = None, **more: Any
) -> list[Line]:
    """Put lines into the ledger, past everything that guards it."""
    wanted = grant(shop_id=shop or stage.shop_id, case_id=number)
    moment = at or datetime.now(UTC)
    lines = [first(wanted, kinds[0], moment, "2026-03-02", **more)]
    for kind in kinds[1:]:
        stands = state(lines)
        assert stands is not None
        lines.append(then(stands, kind, "rules", moment))
    for line in lines:
        _put(stage, line)
    return lines


def _put(stage: Stage, line: Line) -> None:
    table = stage.system.stack.outputs["LedgerTable"]
    stage.system.client("dynamodb").put_item(TableName=table, Item=line_item(line))
