"""Deploy the CDK app onto the emulator with the real CDK CLI, as onto AWS.

MiniStack's CloudFormation drops a table's time to live and a function's dead-letter queue; what the template
says of those is set again through the API, read from the template itself.
"""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.emulator import ACCOUNT, REGION, ROOT, STATE, Emulator

STACK = "Winback-local"
# Kept from one deployment to the next: what is bundled there need not be bundled again.
ASSEMBLY = STATE / "cdk.out"
_DEPLOY_WITHIN_S = 600
AT_ONCE = 2


class DeployError(Exception):
    """The CDK CLI failed; the message holds the end of what it printed."""


@dataclass(frozen=True)
class Deployed:
    """The running stack: its outputs by name and its resources by the names the template gives them."""

    outputs: dict[str, str]
    resources: dict[str, str]


def deploy(
    target: Emulator, context: dict[str, str] | None = None, tell: Callable[[str], None] = lambda _: None
) -> Deployed:
    """Bootstrap and deploy the local stage; `context` is passed on to the app (`cdk -c key=value`).

    Raises DeployError.
    """
    STATE.mkdir(exist_ok=True)
    with _turn():
        tell("cdk bootstrap")
        with tempfile.TemporaryDirectory() as nowhere:  # where no cdk.json makes it synthesise an app first
            _cdk(target, Path(nowhere), "bootstrap", f"aws://{ACCOUNT}/{REGION}")
        tell("cdk deploy")
        given = [word for key, value in (context or {}).items() for word in ("-c", f"{key}={value}")]
        outputs = STATE / "outputs.json"
        _cdk(
            target, ROOT, "deploy", "--all", "--require-approval", "never", "-c", "stage=local", *given,
            "--app", f"{sys.executable} -m infra.app",
            "--output", str(ASSEMBLY),
            "--outputs-file", str(outputs),
        )  # fmt: skip
        stack = target.client("cloudformation")
        listed = stack.describe_stack_resources(StackName=STACK)["StackResources"]
        resources = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed}
        _set_what_was_dropped(target, ASSEMBLY, resources)
        _spare_this_machine(target)
        return Deployed(json.loads(outputs.read_text())[STACK], resources)


@contextmanager
def _turn() -> Iterator[None]:
    """Wait until no other process deploys from this checkout."""
    with (STATE / "deploy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _cdk(target: Emulator, folder: Path, *arguments: str) -> None:
    command = Path(os.environ.get("WINBACK_CDK", ROOT / "infra/node/node_modules/.bin/cdk"))
    if not command.exists():
        raise DeployError(f"{command} is missing: `make setup` installs the CDK CLI")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    binaries = str(Path(sys.executable).parent)
    try:
        done = subprocess.run(
            [
                command, *arguments,
                "--ci", "--no-color", "--no-notices", "--no-version-reporting",
            ],
            cwd=folder,
            env={
                **inherited,
                **target.environment(),
                "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
                "CDK_DEFAULT_ACCOUNT": ACCOUNT,
                "CDK_DEFAULT_REGION": REGION,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=_DEPLOY_WITHIN_S,
            text=True,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DeployError(f"cdk {arguments[0]} took more than {_DEPLOY_WITHIN_S} s") from error
    (STATE / f"cdk-{arguments[0]}.log").write_text(done.stdout)
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-40:])
        raise DeployError(f"cdk {arguments[0]} ended with code {done.returncode}:\n{tail}")


def _set_what_was_dropped(target: Emulator, assembly: Path, resources: dict[str, str]) -> None:
    template = json.loads((assembly / f"{STACK}.template.json").read_text())["Resources"]
    for name, resource in template.items():
        wanted: dict[str, Any] = resource.get("Properties", {})
        ttl = wanted.get("TimeToLiveSpecification")
        if ttl and resource["Type"] in ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
            target.client("dynamodb").update_time_to_live(
                TableName=resources[name], TimeToLiveSpecification={"Enabled": True, **ttl}
            )
        if resource["Type"] == "AWS::Lambda::Function" and "DeadLetterConfig" in wanted:
            queue = wanted["DeadLetterConfig"]["TargetArn"]["Fn::GetAtt"][0]
            arn = target.client("sqs").get_queue_attributes(
                QueueUrl=resources[queue], AttributeNames=["QueueArn"]
            )["Attributes"]["QueueArn"]
            target.client("lambda").update_function_configuration(
                FunctionName=resources[name], DeadLetterConfig={"TargetArn": arn}
            )


def _spare_this_machine(target: Emulator) -> None:
    """Have each queue read by two workers: more of them, all starting at once, only wait for each other."""
    lambdas = target.client("lambda")
    for mapping in lambdas.list_event_source_mappings()["EventSourceMappings"]:
        if ":sqs:" in mapping["EventSourceArn"]:
            lambdas.update_event_source_mapping(
                UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": AT_ONCE}
            )
