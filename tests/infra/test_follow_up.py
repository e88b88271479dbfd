"""The follow-up workflow as written: its shape, its input, and each of its updates on a real case."""

import json
import re
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from functions.domain.cases import Effect
from functions.domain.follow_ups import Plan
from functions.runtime.clients import client
from functions.store import cases
from infra.constructs.workflows import DEFINITION
from tests import builders
from tests.cloud import Cloud

MACHINE = json.loads(DEFINITION.read_text("utf-8"))
STATES: dict[str, Any] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
WAITS = {name: state for name, state in TASKS.items() if state["Resource"].endswith(".waitForTaskToken")}
REFUSED = {
    "DynamoDb.ConditionalCheckFailedException",  # as Step Functions names it
    "DynamoDB.ConditionalCheckFailedException",  # as the emulator does
    "ConditionalCheckFailedException",
}
_JSONATA = re.compile(r"\{%(.+)%\}")


def following(state: dict[str, Any]) -> set[str]:
    ways = [state, *state.get("Catch", []), *state.get("Choices", [])]
    return {way["Next"] for way in ways if "Next" in way} | {
        state["Default"] for _ in "x" if "Default" in state
    }


def test_it_is_valid_amazon_states_language() -> None:
    AmazonStateLanguageParser.parse(DEFINITION.read_text("utf-8"))


def test_every_state_can_be_reached_and_every_next_state_exists() -> None:
    reached, ahead = set[str](), {MACHINE["StartAt"]}
    while ahead:
        reached |= ahead
        ahead = {name for state in ahead for name in following(STATES[state])} - reached
    assert reached == set(STATES)


def test_it_takes_two_transitions() -> None:
    assert list(TASKS) == ["Care", "Silver"]
    assert list(WAITS) == ["Care"]


def test_every_wait_is_an_update_of_the_case_that_hands_the_token_over_and_does_not_keep_it() -> None:
    for state in WAITS.values():
        assert state["Resource"] == "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken"
        assert ":token" not in state["Arguments"]["UpdateExpression"]
        assert state["Arguments"]["ConditionExpression"].endswith("AND #status <> :token")
        assert state["Arguments"]["ExpressionAttributeValues"][":token"] == {
            "S": "{% $states.context.Task.Token %}"
        }


def test_a_wait_is_at_least_one_whole_second_as_aws_demands() -> None:
    for state in WAITS.values():
        assert re.fullmatch(r"\{% \$max\(\[1, \$ceil\(.+\)\]\) %\}", state["TimeoutSeconds"])


def test_everything_in_the_input_is_used_and_nothing_else_is_expected() -> None:
    written = DEFINITION.read_text("utf-8")
    used = set(re.findall(r"Execution\.Input\.(\w+)", written))
    assert used == set(Plan.model_fields)


def test_every_update_checks_the_case_again_and_counts_its_version() -> None:
    for state in TASKS.values():
        assert "#status" in state["Arguments"]["ConditionExpression"]
        assert "#run = :run" in state["Arguments"]["ConditionExpression"]
        assert state["Arguments"]["UpdateExpression"].endswith("ADD #version :one")


def test_a_case_that_moved_on_is_no_failure_and_no_reason_to_try_again() -> None:
    for state in TASKS.values():
        first, others = state["Retry"]
        assert (set(first["ErrorEquals"]), first["MaxAttempts"]) == (REFUSED, 0)
        assert others["ErrorEquals"] == ["States.TaskFailed"]
        assert any(set(catch["ErrorEquals"]) == REFUSED for catch in state["Catch"])


@pytest.mark.parametrize("name", TASKS)
def test_an_update_leaves_a_case_that_the_store_can_read(aws: Cloud, name: str) -> None:
    arguments = _evaluated(TASKS[name]["Arguments"])
    cases.open_case(_case_for(arguments), None)
    before = cases.read("WB-1")

    client("dynamodb").update_item(**arguments)

    after = cases.read("WB-1")
    assert before is not None
    assert after is not None
    assert after.version == before.version + 1
    assert after.events.keys() >= before.events.keys()
    (item,) = aws.items("cases")
    assert item.get("pending", False) == bool(after.outbox)
    assert "due_shop" not in item


@pytest.mark.parametrize("name", TASKS)
def test_an_update_leaves_a_case_of_another_run_alone(aws: Cloud, name: str) -> None:
    arguments = _evaluated(TASKS[name]["Arguments"])
    cases.open_case(_case_for(arguments).model_copy(update={"run": 2}), None)
    with pytest.raises(client("dynamodb").exceptions.ConditionalCheckFailedException):
        client("dynamodb").update_item(**arguments)


def test_the_first_step_takes_the_start_out_of_the_outbox_and_says_so(aws: Cloud) -> None:
    arguments = _evaluated(TASKS[MACHINE["StartAt"]]["Arguments"])
    start = {"start:1": Effect(kind="start", at=builders.NOW)}
    cases.open_case(_case_for(arguments).model_copy(update={"outbox": start}), None)
    client("dynamodb").update_item(**arguments)
    after = cases.existing("WB-1")
    assert set(after.outbox) == {"message:care", "grant:care"}
    assert after.events["start:1"].kind == "follow-up started"
    client("dynamodb").update_item(**arguments)
    assert cases.existing("WB-1").outbox == after.outbox


def test_what_goes_out_is_what_case_events_can_perform() -> None:
    sent = set()
    for state in TASKS.values():
        arguments = _evaluated(state["Arguments"])
        for which in ("effect", "grant"):
            if entry := arguments["ExpressionAttributeValues"].get(f":{which}"):
                plain = {key: next(iter(value.values())) for key, value in entry["M"].items()}
                effect = Effect.model_validate(plain)
                key = arguments["ExpressionAttributeNames"][f"#{which}"]
                assert key == f"{effect.kind}:{effect.name}"
                sent.add(key)
    assert sent == {"message:care", "grant:care", "message:silver", "grant:repurchase"}


def _case_for(arguments: dict[str, Any]) -> Any:
    """A case that the condition holds for, with nothing left to perform."""
    assert arguments["ExpressionAttributeValues"][":resolved"] == {"S": "resolved"}
    return builders.case(case_id="WB-1", status="resolved", resolved_at=builders.NOW, outbox={})


def _evaluated(value: Any) -> Any:
    """The arguments as Step Functions would pass them on, for run 1, whose keys have no mark."""
    match value:
        case {"Bool": truth}:  # Step Functions writes BOOL so, after the SDK for Java
            return {"BOOL": truth}
        case dict():
            return {name: _evaluated(each) for name, each in value.items()}
        case "${CasesTable}":
            return "winback-local-cases"
        case str() if expression := _JSONATA.fullmatch(value):
            return _VALUES.get(expression[1].strip()) or _marked(expression[1].strip())
        case _:
            return value


_VALUES = {
    "$states.context.Execution.Input.case_id": "WB-1",
    "$string($states.context.Execution.Input.run)": "1",
    "'start:' & $string($states.context.Execution.Input.run)": "start:1",
    "$states.context.Task.Token": "token",
    "$substringBefore($now(), 'Z') & '000Z'": "2026-03-02T08:15:00.123000Z",
}


def _marked(expression: str) -> str:
    found = re.fullmatch(r"'([a-z_:]+)' & \$states\.context\.Execution\.Input\.mark", expression)
    assert found, expression
    return found[1]
