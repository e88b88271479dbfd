"""The running system as its tests see it: shops of their own, what was heard, what became of a review."""

import base64
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple, TypeVar

from functions.domain.cases import Case
from functions.domain.follow_ups import execution
from functions.domain.times import iso
from functions.store.items import attributes, from_item, plain
from infra.cli.shop import keep
from infra.local.api import Api
from infra.local.deploy import Deployed
from infra.local.emulator import Emulator
from infra.local.simulators.taobao import TaobaoSimulator
from infra.local.simulators.taobao_rows import Row
from infra.local.supervisor import subscribe
from infra.local.watcher import FUNCTIONS, Watcher

COMPLAINT, PRAISE = "物流太慢了", "很好用,喜欢"
SOON_S = 60  # generous: the machine may be busy, and what holds earlier is seen earlier
Seen = TypeVar("Seen")
_numbers = count(300000000000000001)  # beyond 2^53, as Taobao's are


class Heard(NamedTuple):
    attributes: dict[str, str]
    body: dict[str, Any]


class Ears:
    """A queue of our own at one topic. Nothing is dropped: what was said twice is heard twice."""

    def __init__(self, target: Emulator, topic_arn: str, name: str) -> None:
        self._sqs, self._url = target.client("sqs"), subscribe(target, topic_arn, name)
        self._all: list[Heard] = []

    def heard(self, **wanted: str) -> list[Heard]:
        """Return what was said so far with these attributes, in the order it came."""
        while messages := self._receive():
            for message in messages:
                given = message.get("MessageAttributes", {})
                said = {name: str(value["StringValue"]) for name, value in given.items()}
                self._all.append(Heard(said, json.loads(message["Body"])))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [each for each in self._all if wanted.items() <= each.attributes.items()]

    def _receive(self) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return list(answer.get("Messages", []))


@dataclass(frozen=True)
class System:
    """Everything deployed, looked at as root; `supervisor`, `shop_system`, `legal` call with a role."""

    target: Emulator
    stack: Deployed
    watcher: Watcher
    supervisor: Api
    shop_system: Api
    alerts: Ears
    messages: Ears
    legal: Api

    def client(self, service: str) -> Any:
        return self.target.client(service)

    def invoke(self, noun: str, event: dict[str, Any]) -> str:
        """Call a function with an event; return what went wrong, "" when nothing did."""
        answer = self.client("lambda").invoke(
            FunctionName=f"winback-local-{noun}", Payload=json.dumps(event), LogType="Tail"
        )
        payload = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            return str(payload)
        failures = (json.loads(payload) or {}).get("batchItemFailures")
        return base64.b64decode(answer["LogResult"]).decode() if failures else ""

    def send(self, queue: str, body: str) -> None:
        """Put a message into the queue of that output ("ReviewsQueueUrl")."""
        self.client("sqs").send_message(QueueUrl=self.stack.outputs[queue], MessageBody=body)

    def case(self, case_id: str) -> Case | None:
        answer = self.client("dynamodb").get_item(
            TableName=self.stack.outputs["CasesTable"],
            Key=attributes({"case_id": case_id}),
            ConsistentRead=True,
        )
        return from_item(Case, answer["Item"]) if "Item" in answer else None

    def known(self, case_id: str) -> Case:
        case = self.case(case_id)
        assert case is not None, f"there is no case {case_id}"
        return case

    def set(self, case_id: str, **attribute: str) -> None:
        """Set attributes of a case, past everything that guards it."""
        self.client("dynamodb").update_item(
            TableName=self.stack.outputs["CasesTable"],
            Key=attributes({"case_id": case_id}),
            UpdateExpression="SET "
            + ", ".join(f"#{name} = :{name}" for name in attribute)
            + " ADD version :one",
            ExpressionAttributeNames={f"#{name}": name for name in attribute},
            ExpressionAttributeValues=attributes(
                {":one": 1} | {f":{name}": value for name, value in attribute.items()}
            ),
        )

    def pretend_packed(self, case_id: str, pack: dict[str, Any]) -> None:
        """Have a case say that it has a pack."""
        self.client("dynamodb").update_item(
            TableName=self.stack.outputs["CasesTable"],
            Key=attributes({"case_id": case_id}),
            UpdateExpression="SET dossier = :dossier ADD version :one",
            ExpressionAttributeValues=attributes({":dossier": {"packs": [pack]}, ":one": 1}),
        )

    def put_into_outbox(self, case_id: str, key: str, **effect: str) -> None:
        """Ask for an effect as the workflow does."""
        self.client("dynamodb").update_item(
            TableName=self.stack.outputs["CasesTable"],
            Key=attributes({"case_id": case_id}),
            UpdateExpression="SET outbox.#key = :effect, pending = :yes ADD version :one",
            ExpressionAttributeNames={"#key": key},
            ExpressionAttributeValues=attributes(
                {":effect": {"at": iso(datetime.now(UTC)), **effect}, ":yes": True, ":one": 1}
            ),
        )

    def tell(self, case_id: str, key: str, **event: str) -> None:
        """Write a line of the case's timeline."""
        self.client("dynamodb").update_item(
            TableName=self.stack.outputs["CasesTable"],
            Key=attributes({"case_id": case_id}),
            UpdateExpression="SET events.#key = :event ADD version :one",
            ExpressionAttributeNames={"#key": key},
            ExpressionAttributeValues=attributes(
                {":event": {"at": iso(datetime.now(UTC)), **event}, ":one": 1}
            ),
        )

    def all_done(self, case_id: str) -> bool:
        case = self.case(case_id)
        return case is not None and not case.outbox

    def workflow(self, case_id: str, run: int = 1) -> str | None:
        """Return the status of the workflow of a run of the case, None where there is none."""
        machine, steps = self.stack.outputs["FollowUpArn"], self.client("stepfunctions")
        name = machine.replace(":stateMachine:", ":execution:") + f":{execution(case_id, run)}"
        try:
            return str(steps.describe_execution(executionArn=name)["status"])
        except steps.exceptions.ExecutionDoesNotExist:
            return None

    def trouble(self) -> Counter[str]:
        """Return the failed invocations by function and the dead letters, since the system started."""
        return Counter(self.watcher.errors()) + Counter({"dead letters": self.watcher.dead_letters()})


@dataclass(frozen=True)
class Shop:
    """A shop with a platform of its own. `bad` and `all` are the keys of what was published."""

    system: System
    shop_id: str
    simulator: TaobaoSimulator
    bad: set[str] = field(default_factory=set)
    all: set[str] = field(default_factory=set)

    @property
    def secret(self) -> str:
        return f"winback/local/{self.shop_id}"

    def open(self, **given: str | int) -> None:
        """Have the system watch the shop from now on."""
        keep(self.system.client("secretsmanager"), self.secret, json.loads(self.simulator.secret))
        item = {
            "shop_id": self.shop_id,
            "platform": "taobao",
            "name": self.shop_id,
            "active": True,
            "interval_s": 20,
            "secret": self.secret,
            "api_url": self.simulator.url,
            "silent_after_s": 86400,
            "cursor_at": iso(datetime.now(UTC)),
            **given,
        }
        self.system.client("dynamodb").put_item(
            TableName=self.system.stack.outputs["ShopsTable"], Item=attributes(item)
        )

    def close(self) -> None:
        self.system.client("dynamodb").delete_item(
            TableName=self.system.stack.outputs["ShopsTable"], Key=attributes({"shop_id": self.shop_id})
        )

    def change(self, **state: str) -> None:
        """Set attributes of the shop's item."""
        self.system.client("dynamodb").update_item(
            TableName=self.system.stack.outputs["ShopsTable"],
            Key=attributes({"shop_id": self.shop_id}),
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in state),
            ExpressionAttributeValues=attributes({f":{name}": value for name, value in state.items()}),
        )

    @property
    def state(self) -> dict[str, Any]:
        answer = self.system.client("dynamodb").get_item(
            TableName=self.system.stack.outputs["ShopsTable"],
            Key=attributes({"shop_id": self.shop_id}),
            ConsistentRead=True,
        )
        return plain(answer["Item"])

    def write(self, result: str = "good", content: str = PRAISE, **row: Any) -> str:
        """Have a customer write a review, or edit the one with that oid; return its key.

        Bad is what is not rated good, or complains. Each is about another product, so that many of them are
        no incident.
        """
        oid = row.get("oid") or next(_numbers)
        written = {"oid": oid, "result": result, "content": content, "ouid": f"buyer-{oid}", "num_iid": oid}
        self.simulator.publish(Row.of(written | row, now()))
        key = f"taobao#{self.shop_id}#{oid}"
        self.all.add(key)
        if result != "good" or content == COMPLAINT:
            self.bad.add(key)
        return key

    def complain(self, **row: Any) -> str:
        """Have a customer write a bad review about the delivery; return its key."""
        return self.write("bad", **{"content": COMPLAINT} | row)

    def poll(self) -> None:
        """Have the shop polled now instead of when its turn comes."""
        self.system.send(
            "PollsQueueUrl", json.dumps({"shop_id": self.shop_id, "due_at": iso(datetime.now(UTC))})
        )

    def poll_until(self, holds: Callable[[], Seen], within_s: float = SOON_S) -> Seen:
        """Poll about every second until it holds."""
        deadline = time.monotonic() + within_s
        while not (seen := holds()):
            assert time.monotonic() < deadline, f"not within {within_s:g} s; the shop: {self.state}"
            self.poll()
            time.sleep(1)
        return seen

    def cases(self) -> list[Case]:
        return [case for case in self.system.watcher.cases() if case.shop_id == self.shop_id]

    def everything_opened(self) -> bool:
        """Say whether every bad review has its case and of every case somebody was told."""
        cases = self.cases()
        return self.bad <= {case.review.key for case in cases} and not any(
            "alert:0" in case.outbox for case in cases
        )

    def first_alerts(self) -> Counter[str]:
        """Return how often each case's first alert was heard, by case id."""
        heard = self.system.alerts.heard(shop=self.shop_id, kind="first")
        return Counter(each.attributes["case_id"] for each in heard)

    def settle(self) -> None:
        """Poll until everything has been opened and heard, and nothing is on its way any more."""
        self.poll_until(self.everything_opened)
        eventually(lambda: len(self.first_alerts()) >= len(self.bad))
        eventually(lambda: not self.system.watcher.depth("ReviewsQueueUrl"))


def nothing_lost_nothing_twice(shop: Shop) -> None:
    """Each bad review has one case with one first alert, the others have nothing; and no case that nobody
    resolved has a workflow."""
    cases = shop.cases()
    assert sorted(case.review.key for case in cases) == sorted(shop.bad)
    ids = {case.case_id for case in cases}
    assert shop.first_alerts() == Counter(ids)
    started = shop.system.watcher.workflows_of_cases()
    assert {case.case_id for case in cases if started[case.case_id]} == {
        case.case_id for case in cases if case.resolved_at is not None and case.follow_up
    }


def eventually(holds: Callable[[], Seen], within_s: float = SOON_S, pause_s: float = 0.2) -> Seen:
    """Return what holds as soon as it does. Fails after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not (seen := holds()):
        assert time.monotonic() < deadline, f"did not hold within {within_s:g} s"
        time.sleep(pause_s)
    return seen


def kinds(heard: Iterable[Heard]) -> list[str]:
    return [each.attributes["kind"] for each in heard]


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def paced(system: System, *, scale: float, floor_s: int) -> Iterator[None]:
    """Let time pass at another pace for every function that knows one, until the end of the block."""
    lambdas, before = system.client("lambda"), dict[str, Any]()
    for noun in FUNCTIONS:
        function = f"winback-local-{noun}"
        environment = lambdas.get_function_configuration(FunctionName=function)["Environment"]
        if "WINBACK_TIME_SCALE" in environment["Variables"]:
            before[function] = environment
    pace = {"WINBACK_TIME_SCALE": str(scale), "WINBACK_TIME_FLOOR_S": str(floor_s)}
    for function, known in before.items():
        lambdas.update_function_configuration(
            FunctionName=function, Environment={"Variables": known["Variables"] | pace}
        )
    yield
    for function, known in before.items():
        lambdas.update_function_configuration(FunctionName=function, Environment=known)
