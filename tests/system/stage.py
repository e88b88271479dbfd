"""Each function made to do, once, what needs a right, while nothing else starts any of them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from functions.domain.cases import case_id
from functions.domain.reviews import Review
from functions.domain.times import iso
from infra.local.api import RefusedError
from infra.local.simulators.taobao import TaobaoSimulator
from tests.builders import review
from tests.events import queue_event, reviews_event, stream_event
from tests.system.running import Shop, System, now

_numbers = count(1)

Deed = Callable[["Stage"], str]


class Stage:
    """Every deed returns what went wrong, "" when nothing did; each has its own review and customer."""

    def __init__(self, system: System, shop_id: str) -> None:
        self.system, self.shop_id = system, shop_id

    def review(self) -> Review:
        number = next(_numbers)
        names = {name: f"{name}-{number}" for name in ("review_id", "order_id", "customer_id")}
        return review(shop_id=self.shop_id, posted_at=now(), first_seen_at=now(), **names)

    def case(self) -> tuple[str, Review]:
        """Return the number of a case that was just opened, nothing of its outbox done, and its review."""
        written = self.review()
        assert self.evaluate(written) == ""
        return case_id(written.key), written

    def plan(self) -> str:
        with self._shop():
            return self.system.invoke("poll-planner", {"time": iso(now())})

    def poll(self) -> str:
        """Poll a shop that is new: nothing is known of its credentials or its reviews."""
        with self._shop() as shop:
            shop.write()
            body = json.dumps({"shop_id": shop.shop_id, "due_at": iso(now())})
            return self.system.invoke("review-poller", queue_event(body))

    def evaluate(self, written: Review | None = None) -> str:
        return self.system.invoke("rule-evaluator", reviews_event(written or self.review()))

    def look(self) -> str:
        """Have the case clock look while the warning of a new case is due."""
        number, _ = self.case()
        self.system.set(number, warn_at=iso(now()), agenda="0", agenda_at=iso(now()))
        wrong = self.system.invoke("case-clock", {"time": iso(now())})
        assert wrong or "warned" in self.system.known(number).events
        return wrong

    def perform(self, key: str = "", **effect: str) -> str:
        """Have a new case's first effects performed, and one more if it is given."""
        number, _ = self.case()
        if key:
            self.system.put_into_outbox(number, key, **effect)
        wrong = self.system.invoke("case-events", stream_event(number))
        assert wrong or self.system.all_done(number)
        return wrong

    def supervise(self, method: str, path: str, body: Any = None) -> str:
        """Make a supervisor's call about a new case."""
        number, written = self.case()
        asked = {"review": written.model_dump(mode="json")} if path == "/decisions" else body
        return self._call(method, path.format(case=number, shop=self.shop_id), asked, self.system.supervisor)

    def serve(self, method: str, path: str, body: Any = None) -> str:
        """Make a shop system's call about a customer with an order and a case."""
        _, written = self.case()
        order = {
            "order_id": written.order_id,
            "customer_id": written.customer_id,
            "placed_at": iso(now()),
            "total": 5990,
        }
        orders = f"/shops/{self.shop_id}/orders"
        if path == "/orders":
            return self._call(method, orders, {"orders": [order]}, self.system.shop_system)
        assert self._call("POST", orders, {"orders": [order]}, self.system.shop_system) == ""
        customer = f"/shops/{self.shop_id}/customers/{written.customer_id}"
        return self._call(method, customer + path, body, self.system.shop_system)

    @contextmanager
    def _shop(self) -> Iterator[Shop]:
        with TaobaoSimulator() as simulator:
            shop = Shop(self.system, f"{self.shop_id}-{next(_numbers)}", simulator)
            shop.open()
            try:
                yield shop
            finally:
                shop.close()

    def _call(self, method: str, path: str, body: Any, api: Any) -> str:
        try:
            api.call(method, path, body)
        except RefusedError as error:
            return str(error)
        return ""


def performing(key: str = "", **effect: str) -> Deed:
    return lambda stage: stage.perform(key, **effect)


def supervising(method: str, path: str, body: Any = None) -> Deed:
    return lambda stage: stage.supervise(method, path, body)


def serving(method: str, path: str, body: Any = None) -> Deed:
    return lambda stage: stage.serve(method, path, body)
