"""Every right that a function has is needed: without it, what needs it is denied, and only as long."""

from collections.abc import Iterator

import pytest

from infra.local.watcher import FUNCTIONS
from tests.system import money
from tests.system.rights import WORKFLOW, Grant, grants, without
from tests.system.running import Shop, System, eventually
from tests.system.stage import (
    Deed,
    Stage,
    arranged,
    arranging,
    performing,
    serving,
    supervising,
    writing,
)

pytestmark = pytest.mark.system

_BATCH, _GET, _PUT, _UPDATE, _DELETE, _QUERY, _CHECK = (
    f"dynamodb:{action}"
    for action in (
        "BatchGetItem", "GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "ConditionCheckItem",
    )
)  # fmt: skip
_SECRET = "secretsmanager:GetSecretValue"
_ALERT = performing()
_CARE = writing("care")
_STOP = performing("stop:1", kind="stop")
_SOLVED = {"by": "li", "cause": "logistics_delay", "outcome": "solved"}
_WRITE = supervising("POST", "/cases/{case}/messages", {"by": "li", "text": "非常抱歉，今天为您补发。"})
_ORDER, _EXPORT, _ERASE = serving("POST", "/orders"), serving("GET", "/export"), serving("DELETE", "")

NEEDED: dict[Grant, Deed] = {
    Grant("poll-planner", "dynamodb:Scan", "shops"): Stage.plan,
    Grant("poll-planner", "sqs:SendMessage", "polls"): Stage.plan,
    Grant("review-poller", _GET, "shops"): Stage.poll,
    Grant("review-poller", _UPDATE, "shops"): Stage.poll,
    Grant("review-poller", _SECRET, "secrets"): Stage.poll,
    Grant("review-poller", "sqs:SendMessage", "reviews"): Stage.poll,
    Grant("rule-evaluator", _BATCH, "cases"): Stage.evaluate,
    Grant("rule-evaluator", _BATCH, "customers"): Stage.evaluate,
    Grant("rule-evaluator", _BATCH, "shops"): Stage.evaluate,
    Grant("rule-evaluator", _PUT, "cases"): Stage.evaluate,
    Grant("rule-evaluator", _PUT, "customers"): Stage.evaluate,
    Grant("case-events", _BATCH, "cases"): _ALERT,
    Grant("case-events", _PUT, "cases"): _ALERT,
    Grant("case-events", "sns:Publish", "alerts"): _ALERT,
    Grant("case-events", "states:StartExecution", "follow-up"): Stage.begin,
    Grant("case-events", "states:StopExecution", "follow-up"): _STOP,
    Grant("case-events", "sns:Publish", "messages"): _CARE,
    Grant("case-events", _BATCH, "customers"): _CARE,
    Grant("case-events", _QUERY, "customers"): _CARE,
    Grant("case-events", _PUT, "customers"): _CARE,
    Grant("case-events", _CHECK, "customers"): _CARE,
    Grant("case-events", _CHECK, "cases"): _CARE,
    Grant("case-events", _QUERY, "desk"): _ALERT,
    Grant("case-events", _UPDATE, "desk"): _ALERT,
    Grant("case-events", _BATCH, "desk"): performing("alert:warning", kind="alert", name="warning"),
    Grant("desk-api", _QUERY, "desk"): arranging("GET", "/desk"),
    Grant("desk-api", _PUT, "desk"): arranging("POST", "/silences", arranged()),
    Grant("desk-api", _UPDATE, "desk"): arranging("DELETE", "/silences/{made}"),
    Grant("desk-api", _BATCH, "cases"): arranging("POST", "/silences", arranged()),
    Grant("desk-api", _QUERY, "cases/due"): arranging("POST", "/silences", arranged()),
    Grant("case-clock", "sqs:SendMessage", "ticks"): Stage.look,
    Grant("case-clock", _QUERY, "cases/agenda"): Stage.look,
    Grant("case-clock", _BATCH, "cases"): Stage.look,
    Grant("case-clock", _PUT, "cases"): Stage.look,
    Grant("case-events", _SECRET, "secrets"): Stage.alert_anew,
    Grant("case-page", _SECRET, "secrets"): Stage.show,
    Grant("case-page", _BATCH, "cases"): Stage.show,
    Grant("case-page", _PUT, "cases"): Stage.show,
    Grant("alert-sender", _QUERY, "channels"): Stage.alert,
    Grant("alert-sender", _PUT, "channels"): Stage.alert,
    Grant("alert-sender", _BATCH, "cases"): Stage.alert,
    Grant("alert-sender", _PUT, "cases"): Stage.alert,
    Grant("alert-sender", _SECRET, "secrets"): Stage.alert,
    Grant("alert-sender", "sqs:SendMessage", "notices"): Stage.alert,
    Grant("cases-api", _BATCH, "cases"): supervising("GET", "/cases?shop={shop}"),
    Grant("cases-api", _QUERY, "cases/by_shop"): supervising("GET", "/cases?shop={shop}"),
    Grant("cases-api", _QUERY, "cases/due"): supervising("GET", "/cases?shop={shop}&sort=due"),
    Grant("cases-api", _PUT, "cases"): supervising("POST", "/cases/{case}/resolve", _SOLVED),
    Grant("cases-api", _BATCH, "customers"): supervising("POST", "/decisions"),
    Grant("cases-api", _BATCH, "shops"): supervising("POST", "/decisions"),
    Grant("messages-api", _BATCH, "cases"): supervising("GET", "/cases/{case}/drafts"),
    Grant("messages-api", _QUERY, "ledger"): supervising("GET", "/cases/{case}/drafts"),
    Grant("messages-api", _PUT, "cases"): _WRITE,
    Grant("messages-api", _BATCH, "customers"): _WRITE,
    Grant("messages-api", _GET, "customers"): serving("POST", "/opt-out"),
    Grant("messages-api", _QUERY, "customers"): _WRITE,
    Grant("messages-api", _PUT, "customers"): _WRITE,
    Grant("messages-api", _GET, "shops"): serving("POST", "/opt-out"),
    Grant("profile-api", _GET, "shops"): serving("PATCH", "", {"opted_out": True}),
    Grant("malice-api", _BATCH, "cases"): Stage.judge,
    Grant("malice-api", _PUT, "cases"): Stage.judge,
    Grant("malice-api", _QUERY, "cases/suspected"): Stage.measure,
    Grant("evidence-api", _BATCH, "cases"): Stage.collect,
    Grant("evidence-api", _PUT, "cases"): Stage.collect,
    Grant("evidence-api", "s3:PutObject", "evidence/exhibits"): Stage.collect,
    Grant("evidence-api", "s3:GetObject", "evidence/exhibits"): Stage.collect,
    Grant("evidence-api", "s3:GetObject", "evidence/packs"): Stage.fetch,
    Grant("evidence-api", "sqs:SendMessage", "packs"): Stage.ask_for_pack,
    Grant("pack-builder", _BATCH, "cases"): Stage.build_pack,
    Grant("pack-builder", _PUT, "cases"): Stage.build_pack,
    Grant("pack-builder", "s3:GetObjectVersion", "evidence/exhibits"): Stage.build_pack,
    Grant("pack-builder", "s3:PutObject", "evidence/packs"): Stage.build_pack,
    Grant("profile-api", _BATCH, "customers"): _ORDER,
    Grant("profile-api", _PUT, "customers"): _ORDER,
    Grant("profile-api", _GET, "customers"): serving("GET", ""),
    Grant("profile-api", _QUERY, "customers"): _EXPORT,
    Grant("profile-api", _BATCH, "cases"): _EXPORT,
    Grant("profile-api", _PUT, "cases"): _ERASE,
    Grant("profile-api", _DELETE, "customers"): _ERASE,
    Grant("profile-api", "s3:ListBucketVersions", "evidence"): Stage.erase_files,
    Grant("profile-api", "s3:DeleteObjectVersion", "evidence/exhibits"): Stage.erase_files,
    Grant("profile-api", "s3:DeleteObjectVersion", "evidence/packs"): Stage.erase_files,
    Grant("case-events", _QUERY, "ledger"): money.coupon,
    Grant("case-events", _PUT, "ledger"): money.coupon,
    Grant("case-events", _UPDATE, "ledger"): money.coupon,
    Grant("case-events", _GET, "shops"): money.coupon,
    Grant("case-events", _DELETE, "ledger"): money.lapse,
    Grant("case-events", "sqs:SendMessage", "orders"): money.hand_over,
    Grant("order-sender", _QUERY, "ledger"): money.send,
    Grant("order-sender", _PUT, "ledger"): money.send,
    Grant("order-sender", _BATCH, "cases"): money.send,
    Grant("order-sender", _PUT, "cases"): money.send,
    Grant("order-sender", _GET, "shops"): money.send,
    Grant("order-sender", "secretsmanager:GetSecretValue", "secrets"): money.send,
    Grant("order-sender", _UPDATE, "ledger"): money.send_what_is_corrected_meanwhile,
    Grant("order-sender", "sqs:ChangeMessageVisibility", "orders"): money.put_back,
    Grant("money-api", _QUERY, "ledger"): supervising("GET", "/shops/{shop}/picklist"),
    Grant("money-api", _QUERY, "ledger/by_day"): supervising("GET", "/shops/{shop}/ledger"),
    Grant("money-api", _GET, "shops"): supervising("GET", "/shops/{shop}/balance"),
    Grant("money-api", _BATCH, "cases"): supervising("GET", "/cases/{case}/benefits"),
    Grant("money-api", _PUT, "cases"): money.deciding("recall", "effective"),
    Grant("money-api", _PUT, "ledger"): money.deciding("recall", "effective"),
    Grant("money-api", _UPDATE, "ledger"): money.deciding("recall", "effective"),
    Grant("money-api", _DELETE, "ledger"): money.deciding("refuse", "proposed", note="above the limit"),
    Grant("coupons-api", _GET, "customers"): serving("GET", "/coupons"),
    Grant("coupons-api", _QUERY, "ledger"): money.reporting("effective"),
    Grant("coupons-api", _BATCH, "cases"): money.reporting("effective"),
    Grant("coupons-api", _PUT, "cases"): money.reporting("effective"),
    Grant("coupons-api", _PUT, "ledger"): money.reporting("effective"),
    Grant("coupons-api", _UPDATE, "ledger"): money.reporting("effective", "correction"),
    Grant("coupons-api", _DELETE, "ledger"): money.reporting("effective", hand=True),
}

# What the emulator does without asking for rights. tests/infra holds these against the template.
_LOGGING = {
    Grant(holder, action, "log")
    for holder in FUNCTIONS
    for action in ("logs:CreateLogStream", "logs:PutLogEvents")
}
_TRIGGERS = {
    *(
        Grant(holder, f"sqs:{action}", queue)
        for holder, queue in (
            ("review-poller", "polls"),
            ("rule-evaluator", "reviews"),
            ("case-clock", "ticks"),
            ("alert-sender", "notices"),
            ("pack-builder", "packs"),
            ("order-sender", "orders"),
        )
        for action in ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
    ),
    *(
        Grant("case-events", f"dynamodb:{action}", "cases/stream")
        for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    ),
}
_SET_ASIDE = {Grant("case-events", "sqs:SendMessage", "case-events-dlq")}
_WORKFLOW = {
    Grant(WORKFLOW, _UPDATE, "cases"),
    *(
        Grant(WORKFLOW, f"logs:{action}", "*")
        for action in (
            "CreateLogDelivery", "DeleteLogDelivery", "DescribeLogGroups", "DescribeResourcePolicies",
            "GetLogDelivery", "ListLogDeliveries", "PutResourcePolicy", "UpdateLogDelivery",
        )
    ),
    *(
        Grant(WORKFLOW, f"xray:{action}", "*")
        for action in (
            "GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments",
        )
    ),
}  # fmt: skip
# The emulator's AppConfig answers whoever asks.
_RULEBOOK = {
    Grant(holder, f"appconfig:{action}", "rulebook")
    for holder in (
        "alert-sender", "case-clock", "case-events", "case-page", "cases-api", "desk-api", "evidence-api",
        "malice-api", "messages-api", "money-api", "pack-builder", "rule-evaluator",
    )
    for action in ("GetLatestConfiguration", "StartConfigurationSession")
}  # fmt: skip
# The emulator says "not found" for a file that is not there whether or not one may list; AWS does not.
_NOT_THERE = {Grant("evidence-api", "s3:ListBucket", "evidence")}
# Asked only where the bucket has locked a file, which the local one does not.
_LOCKED = {
    Grant("profile-api", "s3:GetObjectRetention", f"evidence/{folder}") for folder in ("exhibits", "packs")
}
NOT_ENFORCED = _RULEBOOK | _LOGGING | _TRIGGERS | _SET_ASIDE | _WORKFLOW | _NOT_THERE | _LOCKED


@pytest.fixture
def stage(system: System) -> Iterator[Stage]:
    """The functions do only what a test has them do: queues, stream and clock start none of them."""
    lambdas, events = system.client("lambda"), system.client("events")
    mappings = [each["UUID"] for each in lambdas.list_event_source_mappings()["EventSourceMappings"]]
    for mapping in mappings:
        lambdas.update_event_source_mapping(UUID=mapping, Enabled=False)
    events.disable_rule(Name="winback-local-every-minute")
    yield Stage(system, "permissions")
    events.enable_rule(Name="winback-local-every-minute")
    for mapping in mappings:
        lambdas.update_event_source_mapping(UUID=mapping, Enabled=True)


def test_there_is_no_right_that_these_tests_do_not_know(system: System) -> None:
    held = {grant for holder in (*FUNCTIONS, WORKFLOW) for grant in grants(system, holder)}
    assert held == NEEDED.keys() | NOT_ENFORCED
    assert not NEEDED.keys() & NOT_ENFORCED


@pytest.mark.parametrize(("grant", "deed"), NEEDED.items(), ids=lambda given: " ".join(given)
                         if isinstance(given, Grant) else "")  # fmt: skip
def test_without_the_right_what_needs_it_is_denied(
    system: System, stage: Stage, grant: Grant, deed: Deed
) -> None:
    assert deed(stage) == ""
    with without(system, grant):
        wrong = deed(stage)
    assert "AccessDenied" in wrong or "AuthorizationError" in wrong, wrong or "it was not denied"
    assert deed(stage) == ""


def test_what_the_emulator_does_not_enforce_is_not_enforced(system: System, shop: Shop) -> None:
    """When this fails, the emulator has learned something: move those rights to NEEDED."""
    refused = logged(system).count("rulebook not usable")
    with without(system, *NOT_ENFORCED):
        shop.complain()
        shop.settle()
        (case,) = shop.cases()
        system.supervisor.post(f"/cases/{case.case_id}/resolve", _SOLVED)
        eventually(lambda: "start:1" in system.known(case.case_id).events)
    assert logged(system).count("rulebook not usable") == refused


def logged(system: System) -> str:
    group = "/aws/lambda/winback-local-rule-evaluator"
    return "".join(
        event["message"] for event in system.client("logs").filter_log_events(logGroupName=group)["events"]
    )
