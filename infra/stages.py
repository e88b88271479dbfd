"""Stages: what differs between dev, prod and local. Everything else is the same in all three.

Chosen with `-c stage=NAME` (dev when absent). Further context keys:

| key | meaning | default |
|---|---|---|
| alarm_emails | who hears of alarms, separated by commas | nobody |
| alert_emails, alert_phones | supervisors who get alerts, separated by commas | nobody |
| case_link | URL prefix of a case's page, 65 characters at most; a token follows | the API's own /p/ |
| time_scale, time_floor_s | local only: waits become max(floor, seconds * scale) | 1, 0 |
"""

import platform
import sys
from dataclasses import dataclass

from aws_cdk import (
    CliCredentialsStackSynthesizer,
    Duration,
    Environment,
    IStackSynthesizer,
    RemovalPolicy,
    aws_lambda,
)
from aws_cdk.aws_logs import RetentionDays
from constructs import Node

NAMES = ("dev", "prod", "local")
LINK_PREFIX = 62  # LINK_LENGTH without the token: functions/domain/alerts.py, links.py


class UnknownStageError(ValueError):
    """The context names a stage that does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"stage {name!r} does not exist; choose one of {', '.join(NAMES)} with -c stage=NAME"
        )


class LinkTooLongError(ValueError):
    """The links in alerts would not fit into a text message."""

    def __init__(self, link: str) -> None:
        super().__init__(f"case_link has {len(link)} characters; text messages have room for {LINK_PREFIX}")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the functions run on. `wheels` is pip's platform tag, None for this host's own."""

    runtime: aws_lambda.Runtime
    architecture: aws_lambda.Architecture
    wheels: str | None

    @property
    def python(self) -> str:
        """The Python version, "3.14" for example."""
        return self.runtime.name.removeprefix("python")


@dataclass(frozen=True, kw_only=True)
class Stage:
    name: str
    target: Target
    removal: RemovalPolicy
    protected: bool
    log_retention: RetentionDays
    stream_record_age: Duration
    alarm_emails: tuple[str, ...] = ()
    alert_emails: tuple[str, ...] = ()
    alert_phones: tuple[str, ...] = ()
    case_link: str | None = None
    time_scale: str = "1"
    time_floor_s: str = "0"

    @property
    def local(self) -> bool:
        return self.name == "local"

    @property
    def pace(self) -> dict[str, str]:
        """How fast waits pass, for the functions' environment. Only the local stage has a pace of its own."""
        if not self.local:
            return {}
        return {"WINBACK_TIME_SCALE": self.time_scale, "WINBACK_TIME_FLOOR_S": self.time_floor_s}

    @property
    def tick_s(self) -> str:
        """How often the case clock looks, in seconds that divide a minute."""
        return "3" if self.local else "15"

    @property
    def environment(self) -> Environment | None:
        """Local: the emulator's account. Else none: the stack goes wherever the credentials point."""
        return Environment(account="000000000000", region="us-east-1") if self.local else None

    @property
    def synthesizer(self) -> IStackSynthesizer | None:
        """Local: deploy with the caller's own credentials, the emulator knows no deployment roles."""
        return CliCredentialsStackSynthesizer() if self.local else None

    def physical(self, noun: str) -> str:
        """Return the name of a resource in the account: winback-dev-cases for example."""
        return f"winback-{self.name}-{noun}"


def chosen(node: Node) -> Stage:
    """Return the stage that the context asks for.

    Raises UnknownStageError for a name that is none of NAMES, LinkTooLongError.
    """
    name = _text(node, "stage", "dev")
    if name not in NAMES:
        raise UnknownStageError(name)
    if len(link := _text(node, "case_link", "")) > LINK_PREFIX:
        raise LinkTooLongError(link)
    local, prod = name == "local", name == "prod"
    return Stage(
        name=name,
        target=this_host() if local else graviton(),
        removal=RemovalPolicy.RETAIN if prod else RemovalPolicy.DESTROY,
        protected=prod,
        log_retention=RetentionDays.SIX_MONTHS if prod else RetentionDays.ONE_MONTH,
        # The emulator ignores the number of retries: only the age frees a stream of a poison record.
        stream_record_age=Duration.seconds(60) if local else Duration.hours(6),
        alarm_emails=_list(node, "alarm_emails"),
        alert_emails=_list(node, "alert_emails"),
        alert_phones=_list(node, "alert_phones"),
        case_link=link or None,
        time_scale=_text(node, "time_scale", "1") if local else "1",
        time_floor_s=_text(node, "time_floor_s", "0") if local else "0",
    )


def this_python() -> aws_lambda.Runtime:
    """Return the runtime of the Python that deploys: only that one can write the byte code to ship."""
    return aws_lambda.Runtime(
        f"python{sys.version_info.major}.{sys.version_info.minor}", aws_lambda.RuntimeFamily.PYTHON
    )


def graviton() -> Target:
    """ARM is the cheaper; this Python where Lambda has it, else the newest that Lambda has."""
    known = this_python().name in _RUNTIMES
    return Target(
        runtime=this_python() if known else aws_lambda.Runtime.PYTHON_3_14,
        architecture=aws_lambda.Architecture.ARM_64,
        wheels="manylinux2014_aarch64",
    )


def this_host() -> Target:
    """The emulator runs the functions with this host's Python, so their wheels must fit it."""
    arm = platform.machine() in ("aarch64", "arm64")
    return Target(
        runtime=this_python(),
        architecture=aws_lambda.Architecture.ARM_64 if arm else aws_lambda.Architecture.X86_64,
        wheels=None,
    )


# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_RUNTIMES = {f"python3.{minor}" for minor in (11, 12, 13, 14)}


def _text(node: Node, key: str, default: str) -> str:
    value = node.try_get_context(key)
    return default if value is None else str(value)


def _list(node: Node, key: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in _text(node, key, "").split(",") if part.strip())
