"""What is deployed of functions/, and that nothing a function fails at gets lost."""

from pathlib import Path

import pytest

from infra import stages
from infra.constructs import code
from infra.stages import Target
from tests.infra.deployed import Deployed

ROOT = Path(__file__).parents[2]
MODULES = {path.stem for path in (ROOT / "functions").glob("*.py")} - {"__init__"}


def test_every_file_directly_in_functions_is_one_deployed_function(stack: Deployed) -> None:
    assert set(stack.functions()) == MODULES


def test_every_function_has_its_own_log_group_that_forgets(stack: Deployed) -> None:
    groups = stack.of("Logs::LogGroup")
    used = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in stack.functions().values()]
    assert len(set(used)) == len(MODULES)
    assert all(groups[group]["RetentionInDays"] <= 180 and "KmsKeyId" in groups[group] for group in used)


def test_every_log_group_forgets_and_is_encrypted(stack: Deployed) -> None:
    for group in stack.of("Logs::LogGroup").values():
        assert group["RetentionInDays"] <= 180
        assert "KmsKeyId" in group


def test_every_function_has_its_own_role(stack: Deployed) -> None:
    assert len({stack.role_of(module) for module in MODULES}) == len(MODULES)


def test_every_function_reports_its_errors(stack: Deployed) -> None:
    watched = {
        alarm["Dimensions"][0]["Value"]["Ref"]
        for alarm in stack.alarms().values()
        if alarm.get("Namespace") == "AWS/Lambda" and alarm["MetricName"] == "Errors"
    }
    assert watched == set(stack.of("Lambda::Function"))


def test_functions_run_on_graviton_with_one_layer_and_one_source(prod: Deployed) -> None:
    functions = prod.functions().values()
    assert all(function["Architectures"] == ["arm64"] for function in functions)
    assert len({str(function["Code"]) for function in functions}) == 1
    assert {str(function["Layers"]) for function in functions} == {
        str([{"Ref": next(iter(prod.of("Lambda::LayerVersion")))}])
    }


def test_a_function_is_told_of_its_stage_and_of_nothing_it_does_not_use(prod: Deployed) -> None:
    for module, function in prod.functions().items():
        told = function["Environment"]["Variables"]
        assert told["WINBACK_STAGE"] == "prod"
        assert told["POWERTOOLS_METRICS_NAMESPACE"] == "Winback/prod"
        assert told["POWERTOOLS_SERVICE_NAME"] == "winback"
        topics = {name for name in told if name.endswith("_TOPIC_ARN")}
        assert bool(topics) == (module == "case_events")


def test_what_a_queue_triggers_fails_message_by_message_into_a_dead_letter_queue(stack: Deployed) -> None:
    queues = stack.of("SQS::Queue")
    for mapping in stack.of("Lambda::EventSourceMapping").values():
        source = mapping["EventSourceArn"]["Fn::GetAtt"][0]
        if source in queues:
            assert "RedrivePolicy" in queues[source]
            assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_queue_hides_a_message_for_six_times_its_functions_timeout(stack: Deployed) -> None:
    queues, functions = stack.of("SQS::Queue"), stack.of("Lambda::Function")
    for mapping in stack.of("Lambda::EventSourceMapping").values():
        source = mapping["EventSourceArn"]["Fn::GetAtt"][0]
        if source in queues:
            timeout = functions[mapping["FunctionName"]["Ref"]]["Timeout"]
            assert queues[source]["VisibilityTimeout"] >= 6 * timeout


def test_the_stream_shows_only_cases_with_effects_and_sets_poison_aside(stack: Deployed) -> None:
    (mapping,) = (
        mapping
        for mapping in stack.of("Lambda::EventSourceMapping").values()
        if "StartingPosition" in mapping
    )
    (pattern,) = mapping["FilterCriteria"]["Filters"]
    assert pattern["Pattern"] == '{"dynamodb":{"NewImage":{"pending":{"BOOL":[true]}}}}'
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] > 0
    failures = stack.named("SQS::Queue", "case-events-dlq")[0]
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": [failures, "Arn"]}


def test_what_the_minute_starts_has_no_dead_letter_queue_because_the_next_one_does_the_same(
    stack: Deployed,
) -> None:
    woken = [stack.function_id(module) for module in ("poll_planner", "case_clock")]
    (schedule,) = stack.of("Events::Rule").values()
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert [target["Arn"] for target in schedule["Targets"]] == [
        {"Fn::GetAtt": [function, "Arn"]} for function in woken
    ]
    asynchronous = stack.of("Lambda::EventInvokeConfig").values()
    assert [each["FunctionName"] for each in asynchronous] == [{"Ref": function} for function in woken]
    assert {each["MaximumRetryAttempts"] for each in asynchronous} == {0}


def test_the_code_that_is_deployed_is_functions_and_rules_with_byte_code(
    tmp_path: Path, this_host: Target
) -> None:
    assert code.OwnCode(this_host).try_bundle(str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"functions", "rules"}
    compiled = {path.stem.split(".")[0] for path in (tmp_path / "functions" / "__pycache__").iterdir()}
    assert compiled == MODULES | {"__init__"}


def test_without_the_targets_python_there_is_no_byte_code_rather_than_a_wrong_one(
    tmp_path: Path, this_host: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "interpreter", lambda _: None)
    assert code.OwnCode(this_host).try_bundle(str(tmp_path))
    assert not list(tmp_path.rglob("*.pyc"))


@pytest.fixture
def this_host() -> Target:
    return stages.this_host()
