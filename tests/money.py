"""A world for the tests of money: cases, a ledger, a shop that takes orders, a clock that tests move."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from functions import case_clock, case_events, coupons_api, money_api, order_sender, rulebook
from functions.domain.cases import Case, reopen, resolve
from functions.domain.ledger import Line, State, Step, first, states
from functions.runtime import clock, credentials
from functions.runtime.clients import client
from functions.runtime.settings import setting
from functions.store import cases, customers, ledger
from functions.store.items import attributes
from infra.local.simulators.orders import OrderSystemSimulator
from tests.builders import CUSTOMER, NOW, SHOP, case, profile
from tests.cloud import Cloud
from tests.domain.test_ledger import grant, solved
from tests.events import CONTEXT, queue_event, stream_event
from tests.hooks import hooked
from tests.requests import ask

SECRET = "winback/local/shop-1-orders"
DAY = "2026-03-02"
_ROUNDS = 20


class World:
    """`now` is what every function's clock says."""

    def __init__(self, aws: Cloud) -> None:
        self.aws = aws
        self.now = NOW
        self.orders = OrderSystemSimulator("shop-secret", clock=lambda: self.now.timestamp())
        self._pausing: list[int] = []

    @contextmanager
    def running(self) -> Iterator["World"]:
        with self.orders, pytest.MonkeyPatch.context() as patching:
            for module in (case_events, coupons_api, money_api, order_sender, clock):
                patching.setattr(module, "now", lambda: self.now)
            self.begin()
            with hooked("sqs", "before-call.sqs.ChangeMessageVisibility", _visible):
                yield self

    def begin(self) -> None:
        """Configure the shop in a world that is empty."""
        credentials.forget()
        self.orders.taken.clear()
        boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString="shop-secret")
        self.configure(orders_url=self.orders.url, orders_secret=SECRET)

    def configure(self, **values: Any) -> None:
        item = {"shop_id": SHOP, "platform": "taobao", "secret": "s"} | values
        client("dynamodb").put_item(TableName=setting("WINBACK_SHOPS_TABLE"), Item=attributes(item))

    # What people do

    def solve(self, number: int = 1, order: str | None = None, **given: Any) -> Case:
        """Open a case and have it resolved as solved; what follows has not been performed yet."""
        order_id = f"order-{number}" if order is None else order
        written = case(review_id=f"r{number}").review.model_copy(update={"order_id": order_id or None})
        decided = solved(**{"value": 5990} | given).model_dump(include={"decisions"})
        for about_decisions in ("value", "gift"):
            given.pop(about_decisions, None)
        about = {"review": written, "outbox": {}, "decisions": decided["decisions"]}
        known = customers.profile(SHOP, CUSTOMER) or profile()
        met = known.model_copy(update={"bad_reviews": (*known.bad_reviews, written.key)})
        opened = cases.open_case(case(**about | given), met)
        return cases.save(_begun(resolve(opened, "lin", "logistics_delay", "solved", None, self.now)))

    def spend(self, fen: int) -> None:
        """Another case was refunded so much."""
        another = grant(case_id=f"WB-{fen}", cost=fen, row="remedies.small-order")
        ledger.append(None, first(another, "effective", self.now, DAY))

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        shops_own = path.endswith(("/delivered", "/redeemed", "/coupons"))
        handler = (coupons_api if shops_own else money_api).handler
        return ask(handler, method, path, body=body, query=query)

    def say(self, what: str, of: Case, step: Step = "remedy", by: str = "wang", **more: Any) -> int:
        """Approve, refuse, recall, sent, delivered or redeemed; return the status of the answer."""
        own = what in ("delivered", "redeemed")
        body = more if own else {"by": by, **more}
        return self.call("POST", f"/benefits/{of.case_id}:{step}/{what}", body)[0]

    # What machines do

    def perform(self, *of: Case) -> None:
        """Deliver the stream's events once: for these cases, or for all that are pending."""
        for case_id in [one.case_id for one in of] or self._pending():
            # One by one: moto's transactions are not safe in threads.
            case_events.handler(stream_event(case_id), CONTEXT)

    def send(self, bodies: list[str] | None = None) -> None:
        """Deliver these orders, or every one that waits in the queue, once."""
        for body in self.aws.queued("orders") if bodies is None else bodies:
            if order_sender.handler(queue_event(body), CONTEXT)["batchItemFailures"]:
                client("sqs").send_message(QueueUrl=setting("WINBACK_ORDERS_QUEUE_URL"), MessageBody=body)

    def settle(self) -> None:
        """Deliver events and orders until nothing is left to do at this moment."""
        for _ in range(_ROUNDS):
            self.perform()
            self.send()
            if not self._pending():
                return
        raise AssertionError("it does not come to rest")

    def later(self, **wait: float) -> datetime:
        """Let time pass; the case clock looks and everything is done that has become due."""
        self.now += timedelta(**wait)
        self.tick()
        self.settle()
        return self.now

    def tick(self) -> None:
        case_clock.handler(queue_event("{}"), CONTEXT)

    # What there is to see

    def lines(self) -> list[Line]:
        found = [item for item in self.aws.items("ledger") if "kind" in item and "day_book" in item]
        return [Line.model_validate(item) for item in found]

    def stands(self, of: Case, step: Step = "remedy") -> State:
        found = ledger.state(SHOP, of.case_id, step)
        assert found is not None
        return found

    def benefits(self, of: Case) -> dict[Step, State]:
        return states(ledger.lines(SHOP, of.case_id))

    def case(self, of: Case) -> Case:
        found = cases.read(of.case_id)
        assert found is not None
        return found

    def told(self, of: Case) -> list[str]:
        return [event.kind for event in self.case(of).timeline]

    def used(self, row: str = "shop", day: str = DAY) -> int:
        found = ledger.used(SHOP, day)
        return found[row].amount if row in found else 0

    def reopen(self, of: Case) -> Case:
        """The case is at work again, as by somebody who re-opened it, and solved once more."""
        again = reopen(of, "lin", "it broke again", rulebook.load(), self.now)
        return cases.save(_begun(resolve(cases.save(again), "lin", "quality", "solved", None, self.now)))

    def _pending(self) -> list[str]:
        return [item["case_id"] for item in self.aws.items("cases") if item.get("pending")]


def _begun(case: Case) -> Case:
    """The case after the follow-up workflow, which there is none of here, took its start out."""
    outbox = {key: effect for key, effect in case.outbox.items() if effect.kind != "start"}
    return case.model_copy(update={"outbox": outbox})


def _visible(**_: Any) -> Any:
    """The tests' receipt handles are none that SQS gave out, so SQS is not asked."""
    from botocore.awsrequest import AWSResponse

    return AWSResponse("", 200, {}, None), {}  # type: ignore[arg-type]
