"""Each function made to do, once, what needs a right, while nothing else starts any of them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from secrets import token_bytes
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from functions.domain.alerts import Alert
from functions.domain.cases import case_id
from functions.domain.links import Keys, Link, token
from functions.domain.messages import OUTSIDE
from functions.domain.reviews import Review
from functions.domain.times import iso
from functions.store.items import attributes
from infra.local.api import RefusedError
from infra.local.simulators.taobao import TaobaoSimulator
from tests.builders import review
from tests.events import queue_event, reviews_event, stream_event
from tests.exhibits import PICTURE, announced
from tests.system.running import Shop, System, eventually, now

_numbers = count(1)

Deed = Callable[["Stage"], str]


class Stage:
    """Every deed returns what went wrong, "" when nothing did; each has its own review and customer."""

    def __init__(self, system: System, shop_id: str) -> None:
        self.system, self.shop_id = system, shop_id

    def review(self) -> Review:
        number = next(_numbers)
        names = {name: f"{name}-{number}" for name in ("review_id", "order_id", "customer_id", "product_id")}
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
        before = self.system.known(number).version
        wrong = self.system.invoke("case-clock", {"time": iso(now())})
        assert wrong or self.system.known(number).version > before
        return wrong

    def show(self) -> str:
        """Acknowledge a new case through the link of an alert; the function starts anew: it knows no key."""
        number, _ = self.case()
        self._restart("case-page")
        keys = json.loads(
            self.system.client("secretsmanager").get_secret_value(SecretId="winback-local-link-keys")[
                "SecretString"
            ]
        )
        signing = Keys(1, {1: keys["1"].encode()})
        until = now() + timedelta(hours=1)
        page = token(Link("show", number, until), signing)
        act = token(Link("acknowledge", number, until, token_bytes(6)), signing)
        wrong = self.system.invoke(
            "case-page",
            {
                "requestContext": {"http": {"method": "POST"}},
                "pathParameters": {"token": act},
                "body": f"page={page}",
            },
        )
        assert wrong or self.system.known(number).status == "acknowledged"
        return wrong

    def alert(self) -> str:
        """Have an alert sent to a new shop's channels, whose secrets hold no address: they refuse it."""
        number, written = self.case()
        shop_id = f"{self.shop_id}-{next(_numbers)}"
        for place, name in enumerate(("one", "two")):
            secret = f"winback/local/channels/{shop_id}/{name}"
            self.system.client("secretsmanager").create_secret(Name=secret, SecretString="{}")
            item = {"shop_id": shop_id, "channel": name, "kind": "webhook", "place": place}
            self.system.client("dynamodb").put_item(
                TableName=self.system.stack.outputs["ChannelsTable"],
                Item=attributes(item | {"secret": secret, "version": 0}),
            )
        said = Alert(
            key=f"{number}:first:0", case_id=number, shop_id=shop_id, grade="other", kind="first",
            roles=("agent",), due_at=written.posted_at, sms="text",
        )  # fmt: skip
        return self.system.invoke("alert-sender", queue_event(said.model_dump_json()))

    def alert_anew(self) -> str:
        """Have an alert made by a function that starts anew: it knows no key to sign the link with."""
        self._restart("case-events")
        return self.perform()

    def _restart(self, noun: str) -> None:
        function, lambdas = f"winback-local-{noun}", self.system.client("lambda")
        known = lambdas.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        lambdas.update_function_configuration(
            FunctionName=function, Environment={"Variables": known | {"RESTARTED": str(next(_numbers))}}
        )

    def perform(self, key: str = "", **effect: str) -> str:
        """Have a new case's first effects performed, and one more if it is given."""
        number, _ = self.case()
        if key:
            self.system.put_into_outbox(number, key, **effect)
        wrong = self.system.invoke("case-events", stream_event(number))
        assert wrong or self.system.all_done(number)
        return wrong

    def begin(self) -> str:
        """Have the follow-up of a resolved case started; the workflow takes it from there."""
        number, _ = self.case()
        long_ago = now() - timedelta(hours=1)  # at this pace: its care is due
        self.system.set(number, status="resolved", resolved_at=iso(long_ago))
        self.system.put_into_outbox(number, "start:1", kind="start")
        wrong = self.system.invoke("case-events", stream_event(number))
        assert wrong or eventually(lambda: "start:1" in self.system.known(number).events)
        return wrong

    def write(self, step: str) -> str:
        """Have a step's message go to a customer who agreed to it, its hold over, whatever the hour."""
        number, written = self.case()
        customer = f"/shops/{self.shop_id}/customers/{written.customer_id}"
        consent = {"consent": {"sms": {"granted": True, "source": "order form"}}}
        assert self._call("PATCH", customer, consent, self.system.shop_system) == ""
        self.system.set(number, status="resolved", outcome="solved", resolved_at=iso(now()))
        self.system.tell(number, f"message:{step}:held", kind="held", note=OUTSIDE)
        asked = iso(now() - timedelta(minutes=10))
        self.system.put_into_outbox(number, f"message:{step}", kind="message", name=step, at=asked)
        wrong = self.system.invoke("case-events", stream_event(number))
        assert wrong or f"{step} sent" in {event.kind for event in self.system.known(number).timeline}
        return wrong

    def supervise(self, method: str, path: str, body: Any = None) -> str:
        """Make a supervisor's call about a new case."""
        number, written = self.case()
        asked = {"review": written.model_dump(mode="json")} if path == "/decisions" else body
        return self._call(method, path.format(case=number, shop=self.shop_id), asked, self.system.supervisor)

    def arrange(self, method: str, path: str, body: Any = None) -> str:
        """Make a supervisor's call about the desk of a shop with an open case; "{made}" is a new silence."""
        self.case()
        desk, made = f"/shops/{self.shop_id}", ""
        if "{made}" in path:
            said = arranged() | {"reason": f"number {next(_numbers)}"}
            made = self.system.supervisor.post(f"{desk}/silences", said)["silence_id"]
        asked = body and body | {"reason": f"number {next(_numbers)}"}
        return self._call(method, desk + path.format(made=made), asked, self.system.supervisor)

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

    def judge(self) -> str:
        """Hand in a chat about a new case, which reads and writes it."""
        number, _ = self.case()
        chat = {"by": "zhou", "messages": [{"by": "customer", "text": "返现删评，懂的都懂"}]}
        return self._call("POST", f"/cases/{number}/chat", chat, self.system.legal)

    def measure(self) -> str:
        return self._call("GET", f"/shops/{self.shop_id}/signals", None, self.system.legal)

    def collect(self) -> str:
        """Hand in an exhibit of a new case: its link, its upload and its record."""
        number, _ = self.case()
        return self._collect(number)

    def fetch(self) -> str:
        """Fetch the pack of a case by its link; the pack itself is only said to be there."""
        number, _ = self.case()
        pack = {"digest": "d", "head": "0", "sha256": "0", "size": 1, "at": iso(now())}
        self.system.pretend_packed(number, pack)
        try:
            link = self.system.legal.get(f"/evidence/{number}/pack")["url"]
        except RefusedError as error:
            return str(error)
        return requested(link)

    def ask_for_pack(self) -> str:
        number, _ = self.case()
        return self._call("POST", f"/evidence/{number}/pack", None, self.system.legal)

    def build_pack(self) -> str:
        number, _ = self.case()
        assert self._collect(number) == ""
        return self.system.invoke("pack-builder", queue_event(number))

    def erase_files(self) -> str:
        """Erase a person of whom there is an exhibit and a pack."""
        number, written = self.case()
        assert self._collect(number) == ""
        assert self.system.invoke("pack-builder", queue_event(number)) == ""
        path = f"/shops/{self.shop_id}/customers/{written.customer_id}"
        return self._call("DELETE", path, None, self.system.shop_system)

    def _collect(self, number: str) -> str:
        file, legal = announced(), self.system.legal
        try:
            place = legal.post(f"/evidence/{number}", file)
            if wrong := requested(place["url"], PICTURE, place["headers"]):
                return wrong
            legal.post(f"/evidence/{number}/{place['exhibit_id']}/complete", file)
        except RefusedError as error:
            # The answer to a HEAD has no body that could name the denial.
            return str(error).replace("HeadObject operation: Forbidden", "HeadObject operation: AccessDenied")
        return ""

    def _call(self, method: str, path: str, body: Any, api: Any) -> str:
        try:
            api.call(method, path, body)
        except RefusedError as error:
            return str(error)
        return ""


def requested(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> str:
    """Use a link; return what S3 said against it, "" where it did it or only lacks the file."""
    request = Request(url, data, headers or {}, method="GET" if data is None else "PUT")
    try:
        with urlopen(request, timeout=30):
            return ""
    except HTTPError as error:
        said = error.read().decode(errors="replace")
        return "" if "NoSuchKey" in said else said


def performing(key: str = "", **effect: str) -> Deed:
    return lambda stage: stage.perform(key, **effect)


def writing(step: str) -> Deed:
    return lambda stage: stage.write(step)


def supervising(method: str, path: str, body: Any = None) -> Deed:
    return lambda stage: stage.supervise(method, path, body)


def arranging(method: str, path: str, body: Any = None) -> Deed:
    return lambda stage: stage.arrange(method, path, body)


def arranged() -> dict[str, Any]:
    """A silence of nothing that there is."""
    ends = iso(now() + timedelta(hours=1))
    return {"by": "li", "reason": "a test", "matchers": {"products": ["none"]}, "ends": ends}


def serving(method: str, path: str, body: Any = None) -> Deed:
    return lambda stage: stage.serve(method, path, body)
