"""The watcher: what the running system did, asked of the system itself.

Nothing here trusts the player: cases come from the table, workflows from Step Functions, errors from the
functions' own metric, failures from the dead-letter queues.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from functions.domain.cases import Case
from functions.store.items import from_item
from infra.local.deploy import Deployed
from infra.local.emulator import Emulator

DEAD_LETTERS = (
    *("PollsDlqUrl", "ReviewsDlqUrl", "TicksDlqUrl", "NoticesDlqUrl"),
    *("PacksDlqUrl", "OrdersDlqUrl", "CaseEventsDlqUrl"),
)
FUNCTIONS = (
    *("poll-planner", "review-poller", "rule-evaluator", "case-events", "case-clock"),
    *("cases-api", "desk-api", "messages-api", "profile-api", "case-page", "alert-sender"),
    *("malice-api", "evidence-api", "pack-builder", "money-api", "coupons-api", "order-sender"),
    "rules-validator",
)
_read = TypeDeserializer().deserialize


@dataclass
class Watcher:
    target: Emulator
    stack: Deployed
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self._seen: dict[tuple[str, int, str], int] = {}
        self._logs_read_to = self.started_at
        self._calls_before = self.target.calls()["system"]

    def reviews_seen(self) -> int:
        """Return how many versions of reviews the poller has queued so far, from its ReviewsSeen metric."""
        start = self._logs_read_to - timedelta(seconds=10)  # log events may come a little late
        for event in self._log("review-poller", start):
            place = event.get("logStreamName", ""), event["timestamp"], event["message"]
            self._seen[place] = metric(event["message"], "ReviewsSeen")
            self._logs_read_to = max(self._logs_read_to, datetime.fromtimestamp(place[1] / 1000, UTC))
        return sum(self._seen.values())

    def bad_reviews(self) -> int:
        """Return how many reviews the evaluator has judged bad, from its BadReviews metric."""
        return sum(
            metric(each["message"], "BadReviews") for each in self._log("rule-evaluator", self.started_at)
        )

    def count_cases(self) -> int:
        pages = self.target.client("dynamodb").get_paginator("scan")
        table = self.stack.outputs["CasesTable"]
        return sum(page["Count"] for page in pages.paginate(TableName=table, Select="COUNT"))

    def cases(self) -> list[Case]:
        pages = self.target.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=self.stack.outputs["CasesTable"], ConsistentRead=True)
        return [from_item(Case, item) for page in found for item in page["Items"]]

    def workflows(self) -> Counter[str]:
        """Return how many executions there are of each status."""
        return Counter(each["status"] for each in self._executions())

    def workflows_of_cases(self) -> Counter[str]:
        """Return how many executions each case has, one for each run, by the case number in their names."""
        return Counter(each["name"].rpartition("-")[0] for each in self._executions())

    def dead_letters(self) -> int:
        return sum(self.depth(name) for name in DEAD_LETTERS)

    def depth(self, output: str) -> int:
        """Return how many messages the queue holds, waiting, delayed and in work together."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        answer = self.target.client("sqs").get_queue_attributes(
            QueueUrl=self.stack.outputs[output], AttributeNames=names
        )
        return sum(int(answer["Attributes"].get(name, 0)) for name in names)

    def errors(self) -> dict[str, int]:
        """Return the invocations of each function that ended in an error."""
        metrics = self.target.client("cloudwatch")
        found = {}
        for noun in FUNCTIONS:
            points = metrics.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName="Errors",
                Dimensions=[{"Name": "FunctionName", "Value": f"winback-local-{noun}"}],
                StartTime=self.started_at - timedelta(minutes=1),
                EndTime=datetime.now(UTC) + timedelta(minutes=1),
                Period=60,
                Statistics=["Sum"],
            )["Datapoints"]
            if total := round(sum(point["Sum"] for point in points)):
                found[noun] = total
        return found

    def calls(self) -> dict[str, int]:
        """Return the system's own AWS calls since the watcher was made."""
        now = self.target.calls()["system"]
        counted = {name: total - self._calls_before.get(name, 0) for name, total in now.items()}
        return {name: total for name, total in sorted(counted.items()) if total}

    def shop(self, shop_id: str) -> dict[str, Any]:
        answer = self.target.client("dynamodb").get_item(
            TableName=self.stack.outputs["ShopsTable"], Key={"shop_id": {"S": shop_id}}, ConsistentRead=True
        )
        return {name: _read(value) for name, value in answer.get("Item", {}).items()}

    def _log(self, noun: str, start: datetime) -> Iterator[dict[str, Any]]:
        pages = self.target.client("logs").get_paginator("filter_log_events")
        for page in pages.paginate(
            logGroupName=f"/aws/lambda/winback-local-{noun}", startTime=round(start.timestamp() * 1000)
        ):
            yield from page["events"]

    def _executions(self) -> list[dict[str, Any]]:
        pages = self.target.client("stepfunctions").get_paginator("list_executions")
        return [
            each
            for page in pages.paginate(stateMachineArn=self.stack.outputs["FollowUpArn"], maxResults=1000)
            for each in page["executions"]
        ]


def metric(line: str, name: str) -> int:
    """Return the metric's value in a line of the embedded metric format, 0 in any other line."""
    if '"_aws"' not in line or name not in line:
        return 0
    value = json.loads(line).get(name, 0)
    return round(sum(value) if isinstance(value, list) else value)


def quantiles(values: list[float]) -> dict[str, float]:
    """Return p50, p95, p99 and max by the nearest rank, all 0 without values."""
    ranked = sorted(values) or [0.0]
    at = {f"p{p}": ranked[max(0, -(-len(ranked) * p // 100) - 1)] for p in (50, 95, 99)}
    return {name: round(value, 3) for name, value in (at | {"max": ranked[-1]}).items()}
