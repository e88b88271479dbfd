"""What a role may do, one action on one thing at a time, and taking that away for a while."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.system.running import System

WORKFLOW = "follow-up"


class Grant(NamedTuple):
    """`on` is the thing's noun: "cases", its index "cases/due" or "cases/stream", "secrets", "log", "*"."""

    holder: str
    action: str
    on: str


def grants(system: System, holder: str) -> set[Grant]:
    """Return everything that the role of the function, or of the workflow, may do."""
    return {
        Grant(holder, action, _noun(resource))
        for statement in _statements(system, _role(system, holder)).values()
        for action, resource in _pairs(statement)
    }


@contextmanager
def without(system: System, *taken: Grant) -> Iterator[None]:
    """Take grants away from their holders' roles; give them back at the end."""
    before = {role: _statements(system, role) for role in {_role(system, grant.holder): 0 for grant in taken}}
    away = {(_role(system, grant.holder), grant.action, grant.on) for grant in taken}
    try:
        for role, policies in before.items():
            for policy, statements in policies.items():
                kept = [
                    {"Effect": "Allow", "Action": action, "Resource": resource}
                    for action, resource in _pairs(statements)
                    if (role, action, _noun(resource)) not in away
                ]
                _put(system, role, policy, kept)
        for holder in {grant.holder for grant in taken} - {WORKFLOW}:
            _start_anew(system, holder)
        yield
    finally:
        for role, policies in before.items():
            for policy, statements in policies.items():
                _put(system, role, policy, statements)


def _start_anew(system: System, holder: str) -> None:
    """Have the function's next call begin in a new process: what one remembers it need not ask for."""
    lambdas, function = system.client("lambda"), f"winback-local-{holder}"
    known = lambdas.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    lambdas.update_function_configuration(
        FunctionName=function, Environment={"Variables": known | {"STARTED_ANEW": str(time.time_ns())}}
    )


def _role(system: System, holder: str) -> str:
    if holder == WORKFLOW:
        machine = system.stack.outputs["FollowUpArn"]
        arn = system.client("stepfunctions").describe_state_machine(stateMachineArn=machine)["roleArn"]
    else:
        function = f"winback-local-{holder}"
        arn = system.client("lambda").get_function_configuration(FunctionName=function)["Role"]
    return str(arn).rpartition("/")[2]


def _statements(system: System, role: str) -> dict[str, list[dict[str, Any]]]:
    """Return the statements of each of the role's policies. There is no other way for it to have rights."""
    iam = system.client("iam")
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    found = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    assert all(each["Effect"] == "Allow" for statements in found.values() for each in statements)
    return found


def _put(system: System, role: str, policy: str, statements: list[dict[str, Any]]) -> None:
    if not statements:  # a policy that allows nothing is malformed
        system.client("iam").delete_role_policy(RoleName=role, PolicyName=policy)
        return
    document = {"Version": "2012-10-17", "Statement": statements}
    system.client("iam").put_role_policy(
        RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document)
    )


def _pairs(statements: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (action, resource)
        for statement in statements
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    ]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _noun(resource: str) -> str:
    if ":logs:" in resource:
        return "log"
    if ":appconfig:" in resource:
        return "rulebook"
    if ":s3:::" in resource:
        return "/".join(["evidence", *re.findall(r"/(\w+)/\*", resource)])
    if ":secretsmanager:" in resource:
        return "secrets"
    found = re.search(r"winback-local-([a-z-]+)(?:/(?:index/)?(\w+))?", resource)
    return "/".join(filter(None, found.groups())) if found else resource
