"""Rollout: a stage's rules as AppConfig holds them: pushed, on their way, in force, taken back."""

import argparse
import json
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any, NamedTuple

import boto3

from functions.rulebook.check import check
from functions.rulebook.files import BUNDLED, Files, files_of, packed, unpacked, version_of
from infra.cli.main import UsageError

PROFILE = "rules"
_MOST_BYTES = 1_000_000  # what AppConfig keeps in a hosted version, with room
_UNDER_WAY = ("DEPLOYING", "BAKING", "VALIDATING", "ROLLING_BACK")
_IN_FORCE = ("BAKING", "COMPLETE")
_LOOK_EVERY_S = 2.0
_SHOWN = 10
Tell = Callable[[str], None]


class Rollout(NamedTuple):
    """One deployment of one version. `state` is AppConfig's word for it."""

    number: int
    version: str  # "bundled", or the rulebook's own version
    hosted: str  # AppConfig's number of the same
    state: str
    percent: float
    started: str
    minutes: int

    @property
    def under_way(self) -> bool:
        return self.state in _UNDER_WAY


class Rollouts:
    """The rollouts of a stage. Raises UsageError where the stage is not deployed."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self._appconfig = boto3.client("appconfig")
        name = f"winback-{stage}-rulebook"
        listed = self._appconfig.list_applications
        self._application = self._id(listed, name, "application")
        self._environment = self._id(self._appconfig.list_environments, stage, "environment", True)
        self._profile = self._id(self._appconfig.list_configuration_profiles, PROFILE, "profile", True)

    def all(self) -> list[Rollout]:
        """Return the rollouts, the newest first."""
        pages = self._appconfig.get_paginator("list_deployments").paginate(
            ApplicationId=self._application, EnvironmentId=self._environment
        )
        found = [_rollout(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda rollout: rollout.number, reverse=True)

    def read(self, number: int) -> Rollout:
        given = self._appconfig.get_deployment(
            ApplicationId=self._application, EnvironmentId=self._environment, DeploymentNumber=number
        )
        return _rollout(given)

    def ask_validator(self, document: str) -> str:
        """Return what the deployed code has against the document, "" for nothing."""
        answer = boto3.client("lambda").invoke(
            FunctionName=f"winback-{self.stage}-rules-validator",
            Payload=json.dumps({"content": b64encode(document.encode()).decode()}),
        )
        payload = json.loads(answer["Payload"].read() or b"null")
        return str(payload.get("errorMessage", payload)) if "FunctionError" in answer else ""

    def hosted(self, version: str) -> str | None:
        """Return AppConfig's number of a version, None where it was never pushed."""
        pages = self._appconfig.get_paginator("list_hosted_configuration_versions").paginate(
            ApplicationId=self._application, ConfigurationProfileId=self._profile
        )
        kept = (item for page in pages for item in page["Items"])
        return next((str(one["VersionNumber"]) for one in kept if one.get("VersionLabel") == version), None)

    def texts(self, rollout: Rollout) -> Files | None:
        """Return what a rollout rolled out, None for the bundled rules."""
        kept = self._appconfig.get_hosted_configuration_version(
            ApplicationId=self._application,
            ConfigurationProfileId=self._profile,
            VersionNumber=int(rollout.hosted),
        )
        return unpacked(kept["Content"].read())

    def keep(self, version: str, document: str) -> str:
        """Upload a document unless it is there; return AppConfig's number of it."""
        return self.hosted(version) or str(
            self._appconfig.create_hosted_configuration_version(
                ApplicationId=self._application,
                ConfigurationProfileId=self._profile,
                Content=document.encode(),
                ContentType="application/json",
                VersionLabel=version,
            )["VersionNumber"]
        )

    def start(self, hosted: str, strategy: str, why: str) -> Rollout:
        """Start rolling a version out, "now" or "gradual"."""
        chosen = self._id(
            self._appconfig.list_deployment_strategies, f"winback-{self.stage}-{strategy}", "strategy"
        )
        return _rollout(
            self._appconfig.start_deployment(
                ApplicationId=self._application,
                EnvironmentId=self._environment,
                ConfigurationProfileId=self._profile,
                ConfigurationVersion=hosted,
                DeploymentStrategyId=chosen,
                Description=why,
            )
        )

    def stop(self, rollout: Rollout) -> None:
        """Take a rollout that is under way back."""
        self._appconfig.stop_deployment(
            ApplicationId=self._application,
            EnvironmentId=self._environment,
            DeploymentNumber=rollout.number,
            AllowRevert=rollout.state == "BAKING",
        )

    def _id(self, listing: Callable[..., Any], name: str, noun: str, below: bool = False) -> str:
        given = {"ApplicationId": self._application} if below else {}
        while True:
            page = listing(MaxResults=50, **given)
            for item in page["Items"]:
                if item["Name"] == name:
                    return str(item["Id"])
            if not page.get("NextToken"):
                mend = f"is stage {self.stage} deployed in this region?"
                raise UsageError(f"AppConfig has no {noun} {name} here: {mend}")
            given["NextToken"] = page["NextToken"]


def _rollout(item: Any) -> Rollout:
    started = item.get("StartedAt", "")
    return Rollout(
        number=int(item["DeploymentNumber"]),
        version=str(item.get("VersionLabel") or f"no. {item['ConfigurationVersion']}"),
        hosted=str(item["ConfigurationVersion"]),
        state=str(item["State"]),
        percent=float(item.get("PercentageComplete", 0)),
        started=f"{started:%Y-%m-%d %H:%M:%S}" if started else "",
        minutes=int(item.get("DeploymentDurationInMinutes", 0)),
    )


def in_force(rollouts: list[Rollout]) -> Rollout | None:
    """Return the newest rollout that reached every function, None where nothing was pushed."""
    return next((rollout for rollout in rollouts if rollout.state in _IN_FORCE), None)


def before(rollouts: list[Rollout]) -> Rollout | None:
    """Return the newest rollout of another version than the one in force."""
    current = in_force(rollouts)
    done = (rollout for rollout in rollouts if rollout.state in _IN_FORCE)
    return next((one for one in done if current and one.hosted != current.hosted), None)


def push(given: argparse.Namespace, tell: Tell = print) -> int:
    """Check the rules here and there, upload them and roll them out. Return 1 where they are refused."""
    files = files_of(given.rules)
    if faults := check(files):
        tell("\n".join(map(str, faults)))
        tell(f"{len(faults)} faults: not pushed")
        return 1
    document, version = packed(files), version_of(files)
    if len(document.encode()) > _MOST_BYTES:
        size = f"{len(document.encode())} bytes, and AppConfig takes {_MOST_BYTES}"
        raise UsageError(f"the rules are {size}: shorten the lexicons")
    rollouts = Rollouts(given.stage)
    known = rollouts.all()
    if known and known[0].under_way:
        raise UsageError(
            f"{known[0].version} is still on its way ({known[0].percent:g} %): wait for it "
            "(`winback rules status`) or take it back (`winback rules rollback`)"
        )
    current = in_force(known)
    if current and current.version == version:
        tell(f"{version} is in force already")
        return 0
    if refusal := rollouts.ask_validator(document):
        tell(refusal)
        tell("refused by the deployed code: not pushed. Does it have other tables or facts? Deploy it first")
        return 1
    if current is None:  # something to go back to
        _followed(rollouts, _baseline(rollouts), lambda _: None)
    hosted = rollouts.keep(version, document)
    strategy = "now" if given.now else "gradual"
    started = rollouts.start(hosted, strategy, f"winback rules push, {len(files)} files")
    return _told(rollouts, started, given, tell)


def rollback(given: argparse.Namespace, tell: Tell = print) -> int:
    """Take back what is under way, else roll out again what was in force before."""
    rollouts = Rollouts(given.stage)
    known = rollouts.all()
    newest, current = (known[0] if known else None), in_force(known)
    if newest and newest.under_way:
        rollouts.stop(newest)
        tell(f"{newest.version} is taken back ({newest.percent:g} % of the functions had it)")
        current = in_force(rollouts.all())
        if given.to is None:
            tell(f"{current.version if current else BUNDLED} is in force")
            return 0
    if given.to is None:
        earlier = before(known)
        if earlier is None:
            raise UsageError("there is nothing to go back to: no other rulebook was in force before")
        hosted: str | None = earlier.hosted
    elif given.to == BUNDLED:
        hosted = rollouts.keep(BUNDLED, packed(None))
    else:
        hosted = rollouts.hosted(given.to)
    if hosted is None:
        raise UsageError(f"{given.to} was never pushed; `winback rules status` lists what was")
    if current and current.hosted == hosted:
        tell(f"{current.version} is in force already")
        return 0
    return _told(rollouts, rollouts.start(hosted, "now", "winback rules rollback"), given, tell)


def status(given: argparse.Namespace, tell: Tell = print) -> int:
    known = Rollouts(given.stage).all()
    current, local = in_force(known), version_of(files_of(given.rules))
    tell(f"in force: {current.version if current else f'{BUNDLED} (nothing was pushed)'}")
    tell(f"here:     {local} ({given.rules})")
    for rollout in known[:_SHOWN]:
        pace = f"over {rollout.minutes} min" if rollout.minutes else "at once"
        tell(
            f"  {rollout.number:>3}  {rollout.version:<12}  {rollout.state.lower():<11}  "
            f"{rollout.percent:>3g} %  {rollout.started}  {pace}"
        )
    return 0


def deployed(stage: str) -> Files | None:
    """Return the texts of the rulebook that is in force, None for the bundled one."""
    rollouts = Rollouts(stage)
    current = in_force(rollouts.all())
    return rollouts.texts(current) if current else None


def _baseline(rollouts: Rollouts) -> Rollout:
    return rollouts.start(rollouts.keep(BUNDLED, packed(None)), "now", "before the first push")


def _told(rollouts: Rollouts, rollout: Rollout, given: argparse.Namespace, tell: Tell) -> int:
    tell(f"{rollout.version} is on its way; Ctrl-C does not stop it, `winback rules rollback` does")
    if given.no_wait:
        return 0
    ended = _followed(rollouts, rollout, tell)
    if ended.state == "COMPLETE":
        tell(f"{ended.version} is in force; every function asks for it within a minute")
        return 0
    left = in_force(rollouts.all())
    tell(f"{ended.version} was taken back ({ended.state.lower()}): the alarm rules-rollback may say why")
    tell(f"{left.version if left else BUNDLED} is in force")
    return 1


def _followed(rollouts: Rollouts, rollout: Rollout, tell: Tell) -> Rollout:
    """Wait until a rollout has ended, one way or the other."""
    said = ""
    while True:
        seen = rollouts.read(rollout.number)._replace(version=rollout.version)
        line = f"  {seen.percent:>3g} %  {seen.state.lower()}"
        if line != said:
            tell(said := line)
        if not seen.under_way:
            return seen
        time.sleep(_LOOK_EVERY_S)
