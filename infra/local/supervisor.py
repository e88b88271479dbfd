"""The people of the demo: they hear the alerts as a subscriber of the topic and work through the API.

Most cases are taken and solved at once. A few are left for the escalation, a few are taken and never
solved (the deadline's warning and breach follow), and a few nobody ever looks at.
"""

import heapq
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count
from typing import Any

from infra.local.api import Api, RefusedError
from infra.local.emulator import Emulator

_HANDS = 3


@dataclass(frozen=True)
class HeardAlert:
    key: str
    case_id: str
    kind: str
    grade: str
    roles: tuple[str, ...]
    text: str
    heard_at: datetime


@dataclass
class Supervisor:
    """Listens until `stop`; `alerts` are those heard so far in order, each key once."""

    target: Emulator
    topic_arn: str
    api: Api
    react_s: float
    alerts: list[HeardAlert] = field(default_factory=list)
    duplicates: int = 0
    plans: dict[str, str] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._queue = subscribe(self.target, self.topic_arn, "winback-local-demo-alerts")
        self._keys: set[str] = set()
        self._messages: set[str] = set()
        self._todo: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._wake = threading.Condition()
        self._stopping = False
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads += [threading.Thread(target=self._work, daemon=True) for _ in range(_HANDS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=30)

    def _listen(self) -> None:
        sqs = self.target.client("sqs")
        while not self._stopping:
            answer = sqs.receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
            )
            for message in answer.get("Messages", []):
                if message["MessageId"] not in self._messages:  # the queue itself may deliver twice
                    self._messages.add(message["MessageId"])
                    self._hear(heard(message, datetime.now(UTC)))
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def _hear(self, alert: HeardAlert) -> None:
        if alert.key in self._keys:
            self.duplicates += 1
            return
        self._keys.add(alert.key)
        self.alerts.append(alert)
        if alert.kind == "first":
            plan = plan_for(len(self.plans))
            self.plans[alert.case_id] = plan
            if plan in ("solve", "take"):
                self._later(self.react_s, lambda: self._acknowledge(alert.case_id))
        elif alert.kind == "escalation" and self.plans.get(alert.case_id) == "late":
            self.plans[alert.case_id] = "solve"
            self._later(self.react_s, lambda: self._acknowledge(alert.case_id))

    def _acknowledge(self, case_id: str) -> None:
        self.api.post(f"/cases/{case_id}/acknowledge", {"by": "supervisor.li"})
        self.done["acknowledged"] += 1
        if self.plans[case_id] == "solve":
            self._later(self.react_s, lambda: self._resolve(case_id))

    def _resolve(self, case_id: str) -> None:
        case = self.api.get(f"/cases/{case_id}")
        self.api.post(
            f"/cases/{case_id}/resolve",
            {
                "by": "supervisor.li",
                "cause": case["cause"],
                "outcome": "solved",
                "note": "电话沟通，客户接受方案",
            },
        )
        self.done["resolved"] += 1

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        with self._wake:
            heapq.heappush(self._todo, (time.monotonic() + seconds, next(self._order), act))
            self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._stopping and (not self._todo or self._todo[0][0] > time.monotonic()):
                    wait = self._todo[0][0] - time.monotonic() if self._todo else None
                    self._wake.wait(wait)
                if self._stopping:
                    return
                act = heapq.heappop(self._todo)[2]
            try:
                act()
            except (RefusedError, OSError) as error:
                if isinstance(error, RefusedError) and error.status == HTTPStatus.CONFLICT:
                    self.done["too late"] += 1  # the case was closed in the meantime: a rightful answer
                else:
                    self.done["refused"] += 1
                    self.errors.append(str(error))


def plan_for(number: int) -> str:
    """Return what is planned for the case with that number: solve, late, take or ignore."""
    match number % 20:
        case 7:
            return "late"
        case 12:
            return "take"
        case 17:
            return "ignore"
        case _:
            return "solve"


def heard(message: dict[str, Any], now: datetime) -> HeardAlert:
    given = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
    return HeardAlert(
        key=given["alert_key"],
        case_id=given["case_id"],
        kind=given["kind"],
        grade=given["grade"],
        roles=tuple(json.loads(given["role"])),
        text=json.loads(message["Body"])["sms"],
        heard_at=now,
    )


def subscribe(target: Emulator, topic_arn: str, name: str) -> str:
    """Make a queue that hears everything said to the topic; return its URL."""
    sqs = target.client("sqs")
    url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    )
    target.client("sns").subscribe(
        TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    return url
