"""Start and wake the follow-up workflow of a case."""

from datetime import datetime

from functions.domain.cases import Case, Effect, Event
from functions.domain.follow_ups import plan
from functions.domain.outbox import Done
from functions.runtime.clients import client
from functions.runtime.observability import logger
from functions.runtime.settings import setting
from functions.store import rulebooks
from functions.store.pace import pace


def start(case: Case, key: str, effect: Effect, now: datetime) -> Done:
    workflow = client("stepfunctions")
    try:
        workflow.start_execution(
            stateMachineArn=setting("WINBACK_FOLLOW_UP_ARN"),
            name=f"{case.case_id}-{case.run}",
            input=plan(case, rulebooks.current(), pace()).model_dump_json(),
        )
    except workflow.exceptions.ExecutionAlreadyExists:
        logger.info("follow-up already started", extra={"case_id": case.case_id, "run": case.run})
    return Done(Event(at=now, kind="follow-up started"))


def wake(case: Case, key: str, effect: Effect, now: datetime) -> Done:
    workflow = client("stepfunctions")
    try:
        workflow.send_task_success(taskToken=effect.token or "", output="{}")
    except (workflow.exceptions.TaskTimedOut, workflow.exceptions.TaskDoesNotExist):
        # The workflow went on by itself; its next condition sees how the case stands.
        logger.info("workflow no longer waits there", extra={"case_id": case.case_id})
    return Done(Event(at=now, kind="follow-up woken"))
