"""Who may do what: nothing that is not needed, no star that is not accounted for."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

from tests.infra.deployed import Deployed, text

# Stars that AWS leaves no choice about, or that stand for numbers we cannot know.
ACCOUNTED_FOR = {
    r"\*": "the workflow's log delivery and X-Ray: AWS names no resource for them",
    r".*:secret:winback/prod/\*": "shops come and go without a deployment",
    r".*:secret:winback/prod/channels/\*": "channels come and go without a deployment",
    r".*:execution:winback-prod-follow-up:\*": "the follow-ups of cases",
    r"<EvidenceBucket\w+\.Arn>/(exhibits|packs)/\*": "the files of a folder",
    r".*:<ApiHttp\w+>/\$default/[A-Z]+/[a-z/*-]+": "the numbers in a route's path",
}


def _decides(module: str) -> bool:
    """Whether the module, or a part of functions/ that it imports, asks for the rulebook in force."""
    folder = Path(__file__).parents[2] / "functions"
    read = (folder / f"{module}.py").read_text(encoding="utf-8")
    imported = re.findall(r"^from functions\.effects import (.+)$", read, re.M)
    effects = [f"effects/{name.strip()}" for names in imported for name in names.split(",")]
    return "rulebooks.current()" in read or any(map(_decides, effects))


def test_no_action_is_a_star(stack: Deployed) -> None:
    assert [right for right in stack.statements() for action in right.actions if "*" in action] == []


def test_every_star_in_a_resource_is_accounted_for(prod: Deployed) -> None:
    for right in prod.statements():
        for resource in map(text, right.resources):
            known = any(re.fullmatch(pattern, resource) for pattern in ACCOUNTED_FOR)
            assert "*" not in resource or known, f"{right.owner} may {right.actions} on {resource}"


def test_only_log_delivery_and_tracing_are_allowed_everywhere(prod: Deployed) -> None:
    everywhere = {action for right in prod.statements() if "*" in right.resources for action in right.actions}
    assert {action.split(":")[0] for action in everywhere} == {"logs", "xray"}


def test_no_role_has_a_policy_that_others_wrote(stack: Deployed) -> None:
    assert not any("ManagedPolicyArns" in role for role in stack.of("IAM::Role").values())


def test_each_function_reads_the_secrets_it_needs_and_no_others(prod: Deployed) -> None:
    owners = {prod.role_of(module): module for module in prod.functions()}
    read: dict[str, list[str]] = {}
    for right in prod.statements():
        if "secretsmanager:GetSecretValue" in right.actions:
            named = [text(resource).partition(":secret:")[2] for resource in right.resources]
            read[owners[right.owner]] = sorted(read.get(owners[right.owner], []) + named)
    assert read == {
        "review_poller": ["winback/prod/*"],
        "case_events": [
            "winback-prod-link-keys-??????",
            "winback/prod/*",
        ],  # a public reply is signed
        "case_page": ["winback-prod-link-keys-??????"],
        "alert_sender": ["winback/prod/channels/*"],
        "order_sender": ["winback/prod/*"],
    }


def test_only_case_events_publishes_and_drives_the_workflow(stack: Deployed) -> None:
    driving = {"sns:Publish", "states:StartExecution", "states:StopExecution"}
    assert [module for module in stack.functions() if driving & stack.rights_of(module)] == ["case_events"]
    assert driving <= stack.rights_of("case_events")


def test_who_decides_reads_exactly_the_one_configuration_and_may_not_change_it(stack: Deployed) -> None:
    (application,) = stack.of("AppConfig::Application")
    (environment,) = stack.of("AppConfig::Environment")
    (profile,) = stack.of("AppConfig::ConfigurationProfile")
    place = f":application/<{application}>/environment/<{environment}>/configuration/<{profile}>"
    reading = [right for right in stack.statements() if right.actions[0].startswith("appconfig:")]
    assert {right.owner for right in reading} == {
        stack.role_of(module) for module in stack.functions() if _decides(module)
    }
    for module, function in stack.functions().items():
        assert ("WINBACK_RULEBOOK" in function["Environment"]["Variables"]) == _decides(module), module
    for right in reading:
        assert right.actions == ["appconfig:GetLatestConfiguration", "appconfig:StartConfigurationSession"]
        assert [text(resource).endswith(place) for resource in right.resources] == [True]


def test_the_validator_may_do_nothing_but_log(stack: Deployed) -> None:
    assert stack.rights_of("rules_validator") == {"logs:CreateLogStream", "logs:PutLogEvents"}


def test_nobody_deletes_a_case(stack: Deployed) -> None:
    cases = stack.named("DynamoDB::Table", "cases")[0]
    for right in stack.statements():
        if "dynamodb:DeleteItem" in right.actions:
            assert not any(cases in text(resource) for resource in right.resources)


def test_only_the_planner_reads_a_whole_table(stack: Deployed) -> None:
    assert [module for module in stack.functions() if "dynamodb:Scan" in stack.rights_of(module)] == [
        "poll_planner"
    ]


def test_an_index_is_only_queried(stack: Deployed) -> None:
    for right in stack.statements():
        if any("/index/" in text(resource) for resource in right.resources):
            assert right.actions == ["dynamodb:Query"]


def test_the_workflow_changes_cases_and_nothing_else(stack: Deployed) -> None:
    (machine,) = stack.of("StepFunctions::StateMachine").values()
    role = machine["RoleArn"]["Fn::GetAtt"][0]
    rights = [right for right in stack.statements() if right.owner == role and "*" not in right.resources]
    cases = stack.named("DynamoDB::Table", "cases")[0]
    assert [(right.actions, text(right.resources[0])) for right in rights] == [
        (["dynamodb:UpdateItem"], f"<{cases}.Arn>")
    ]


def test_every_route_but_the_pages_asks_for_a_signed_request(stack: Deployed) -> None:
    routes = list(stack.of("ApiGatewayV2::Route").values())
    pages = [route for route in routes if route["RouteKey"].endswith("/p/{token}")]
    assert [(page["RouteKey"], page["AuthorizationType"]) for page in pages] == [
        ("GET /p/{token}", "NONE"),
        ("POST /p/{token}", "NONE"),
    ]
    routes = [route for route in routes if route not in pages]
    unsigned = {route["RouteKey"] for route in routes if route["AuthorizationType"] != "AWS_IAM"}
    assert routes
    assert unsigned == set()


def test_each_route_may_be_called_by_exactly_one_kind_of_caller(stack: Deployed) -> None:
    routes = {
        re.sub(r"\{\w+\}", "*", route["RouteKey"].replace(" ", ""))
        for route in stack.of("ApiGatewayV2::Route").values()
        if route["AuthorizationType"] == "AWS_IAM"
    }
    allowed = [
        text(resource).partition("/$default/")[2]
        for right in stack.statements()
        if right.actions == ["execute-api:Invoke"]
        for resource in right.resources
    ]
    assert sorted(allowed) == sorted(routes)


def test_who_reads_cases_does_not_reach_their_evidence(stack: Deployed) -> None:
    """A star in a right also stands for slashes: evidence has paths that no star of a case's path covers."""
    named = {
        text(resource).partition("/$default/")[2]
        for right in stack.statements()
        if right.actions == ["execute-api:Invoke"]
        for resource in right.resources
    }
    others = [each for each in named if "/evidence/" not in each]
    evidence = ["GET/evidence/WB-1", "GET/evidence/WB-1/pack", "POST/evidence/WB-1/e/complete"]
    assert "GET/cases/*" in others
    assert [each for each in others for path in evidence if fnmatchcase(path, each)] == []


def test_the_access_log_holds_no_path_no_query_and_no_body(stack: Deployed) -> None:
    (stage,) = stack.of("ApiGatewayV2::Stage").values()
    logged = stage["AccessLogSettings"]["Format"]
    assert "$context.routeKey" in logged
    assert not re.search(r"\$context\.(path|protocol|.*uery)|authorizer", logged)


def test_the_workflow_does_not_log_its_data(stack: Deployed) -> None:
    (machine,) = stack.of("StepFunctions::StateMachine").values()
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
