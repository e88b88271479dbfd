"""Start and stop the follow-up workflow of a case."""

from datetime import datetime

from functions.domain.cases import Case, Effect, Event
from functions.domain.follow_ups import before_care, execution, plan
from functions.domain.outbox import Done, Held
from functions.runtime.clients import client
from functions.runtime.observability import logger
from functions.runtime.settings import setting
from functions.store import rulebooks
from functions.store.pace import pace


def planned(case: Case, now: datetime) -> Held | None:
    """Return until when the workflow's start waits, and what comes before; None once it is time."""
    return before_care(case, rulebooks.current(), pace(), now)


def start(case: Case) -> None:
    """Start the workflow of the case's run. Its first step takes the effect out of the outbox itself: two
    writers at the same moment would only be in each other's way."""
    workflow = client("stepfunctions")
    try:
        workflow.start_execution(
            stateMachineArn=setting("WINBACK_FOLLOW_UP_ARN"),
            name=execution(case.case_id, case.run),
            input=plan(case, rulebooks.current(), pace()).model_dump_json(),
        )
    except workflow.exceptions.ExecutionAlreadyExists:
        logger.info("follow-up already started", extra={"case_id": case.case_id, "run": case.run})


def stop(case: Case, key: str, effect: Effect, now: datetime) -> Done:
    """Stop the workflow of the run that a re-opening ended. None of its steps would hold any more."""
    workflow, run = client("stepfunctions"), int(key.removeprefix("stop:"))
    machine = setting("WINBACK_FOLLOW_UP_ARN").replace(":stateMachine:", ":execution:")
    try:
        workflow.stop_execution(
            executionArn=f"{machine}:{execution(case.case_id, run)}", cause="the case was re-opened"
        )
    except workflow.exceptions.ExecutionDoesNotExist:
        logger.info("follow-up was not started", extra={"case_id": case.case_id, "run": run})
    return Done(Event(at=now, kind="follow-up stopped"))
