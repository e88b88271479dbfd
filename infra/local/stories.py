"""Stories: one case of every kind, lived through on the running system, told as a timeline and judged.

A story says what happens in the world (a customer orders, writes, answers; a person works) and what must come
of it. `winback demo --story NAME|all` plays them; the system tests play the same ones.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

from functions.domain.cases import case_id
from functions.domain.times import iso
from infra.cli.shop import keep
from infra.local.api import Api, RefusedError
from infra.local.deploy import Deployed
from infra.local.emulator import Emulator
from infra.local.simulators.taobao import TaobaoSimulator
from infra.local.simulators.taobao_rows import Row

_oids = count(470000000000000001)
_PATIENCE_S = 180


class StoryFailed(AssertionError):
    """Something that the story waits for did not happen."""


@dataclass(frozen=True)
class Scene:
    """A shop of its own on a platform of its own, and everybody who has to do with it."""

    target: Emulator
    stack: Deployed
    supervisor: Api
    shop_system: Api
    legal: Api
    simulator: TaobaoSimulator
    shop_id: str
    customer: str

    def open(self, **given: Any) -> None:
        """Have the system watch the shop; `given` are further attributes of its configuration."""
        secret = f"winback/local/{self.shop_id}"
        keep(self.target.client("secretsmanager"), secret, json.loads(self.simulator.secret))
        item = {
            "shop_id": {"S": self.shop_id},
            "platform": {"S": "taobao"},
            "name": {"S": self.shop_id},
            "active": {"BOOL": True},
            "interval_s": {"N": "60"},
            "secret": {"S": secret},
            "api_url": {"S": self.simulator.url},
            "silent_after_s": {"N": "86400"},
            "cursor_at": {"S": iso(datetime.now(UTC))},
        }
        self.target.client("dynamodb").put_item(TableName=self.stack.outputs["ShopsTable"], Item=item | given)

    def order(
        self, yuan: float = 59.90, *, days_ago: float = 3, returned: bool = False, number: int = 1
    ) -> None:
        """Have the shop's system report an order of the customer, the number-th."""
        told = {
            "order_id": str(self._order_id(number)),
            "customer_id": self.customer,
            "placed_at": iso(datetime.now(UTC) - timedelta(days=days_ago)),
            "total": round(100 * yuan),
            "returned": returned,
        }
        self.shop_system.post(f"/shops/{self.shop_id}/orders", {"orders": [told]})

    def consent(self) -> None:
        said = {"sms": {"granted": True, "source": "order form"}}
        self.shop_system.call("PATCH", f"/shops/{self.shop_id}/customers/{self.customer}", {"consent": said})

    def review(self, text: str, *, rating: str = "bad", order: int | None = None, **row: Any) -> str:
        """Have the customer write; return the number of the case once it is open."""
        oid = row.get("oid") or next(_oids)
        about = {"oid": oid, "result": rating, "content": text, "ouid": self.customer, **row}
        if order is not None:
            about["tid"] = self._order_id(order)
        self.simulator.publish(Row.of(about, datetime.now(UTC)))
        number = case_id(f"taobao#{self.shop_id}#{oid}")
        self.until(lambda: self._opened(number), "the case is open", poll=True)
        return number

    def case(self, number: str) -> dict[str, Any]:
        return dict(self.supervisor.get(f"/cases/{number}"))

    def kinds(self, number: str) -> list[str]:
        return [event["kind"] for event in self.case(number)["timeline"]]

    def acknowledge(self, number: str, by: str = "李组长") -> None:
        self.supervisor.post(f"/cases/{number}/acknowledge", {"by": by})

    def resolve(self, number: str, cause: str, outcome: str = "solved", by: str = "李组长") -> None:
        self.supervisor.post(f"/cases/{number}/resolve", {"by": by, "cause": cause, "outcome": outcome})

    def until_told(self, number: str, *kinds: str) -> None:
        """Wait until the timeline holds all of these."""
        self.until(lambda: set(kinds) <= set(self.kinds(number)), f"{number} tells of {', '.join(kinds)}")

    def until_told_after(self, number: str, first: str, then: str) -> None:
        """Wait until the timeline holds one behind the other."""

        def told() -> bool:
            kinds = self.kinds(number)
            return first in kinds and then in kinds[kinds.index(first) :]

        self.until(told, f"{number} tells of {then} after {first}")

    def until_awaited(self, number: str, step: str, why: str) -> None:
        """Wait until the step's benefit waits for an approval because of this."""
        approvals = f"/shops/{self.shop_id}/approvals"

        def awaited() -> bool:
            return any(
                (each["case_id"], each["step"]) == (number, step) and why in each["reason"]
                for each in self.supervisor.get(approvals)["benefits"]
            )

        self.until(awaited, f"the {step} of {number} awaits an approval: {why}")

    def until_closed(self, number: str) -> None:
        self.until(
            lambda: (case := self.case(number))["status"] == "closed" and not case["outstanding"],
            f"{number} is closed",
        )

    def until(self, holds: Callable[[], object], what: str, *, poll: bool = False) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise StoryFailed(f"not within {_PATIENCE_S} s: {what}")
            if poll:
                self._poll()
            time.sleep(1)

    def _order_id(self, number: int) -> int:
        return 430000000000000000 + 1000 * int(self.customer.rpartition("-")[2]) + number

    def _poll(self) -> None:
        body = json.dumps({"shop_id": self.shop_id, "due_at": iso(datetime.now(UTC))})
        self.target.client("sqs").send_message(QueueUrl=self.stack.outputs["PollsQueueUrl"], MessageBody=body)

    def _opened(self, number: str) -> bool:
        key = {"case_id": {"S": number}}
        answer = self.target.client("dynamodb").get_item(TableName=self.stack.outputs["CasesTable"], Key=key)
        return "Item" in answer


@dataclass(frozen=True)
class Story:
    """`live` plays it and returns the case's number; the rest is what must have come of it.

    `told` are kinds of events that the timeline holds, in this order; `never` are none of it.
    """

    name: str
    about: str
    live: Callable[[Scene], str]
    case: Mapping[str, Any] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    def wrong(self, case: Mapping[str, Any]) -> list[str]:
        """Return what did not come out as the story has it."""
        kinds = [event["kind"] for event in case["timeline"]]
        faults = [
            f"{name} is {case[name]!r}, not {wanted!r}"
            for name, wanted in ({"status": "closed"} | dict(self.case)).items()
            if case[name] != wanted
        ]
        place = 0
        for kind in self.told:
            if kind not in kinds[place:]:
                faults.append(f"“{kind}” is not told{'' if kind not in kinds else ' in its place'}")
            else:
                place += kinds[place:].index(kind) + 1
        return faults + [f"“{kind}” must not happen" for kind in self.never if kind in kinds]


def scenes(
    running: ExitStack, target: Emulator, stack: Deployed, supervisor: Api, shop_system: Api, legal: Api
) -> Iterator[Scene]:
    """Yield scenes without end, each with a new shop."""
    for number in count(1):
        simulator = running.enter_context(TaobaoSimulator())
        names = f"story-{number}", f"customer-{number}"
        yield Scene(target, stack, supervisor, shop_system, legal, simulator, *names)


class Told(NamedTuple):
    story: Story
    case: dict[str, Any]
    wrong: list[str]


def play(chosen: Sequence[Story], stage: Iterator[Scene], at_once: int = 8) -> Iterator[Told]:
    """Play the stories, several at once; yield each as it ends."""
    with ThreadPoolExecutor(at_once) as hands:
        ending = {hands.submit(_lived, story, next(stage)): story for story in chosen}
        for ended in as_completed(ending):
            yield ended.result()


def _lived(story: Story, scene: Scene) -> Told:
    scene.open()
    try:
        case = scene.case(story.live(scene))
    except (StoryFailed, RefusedError) as error:
        return Told(story, {}, [str(error)])
    return Told(story, case, story.wrong(case))
