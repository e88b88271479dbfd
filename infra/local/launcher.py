"""Start MiniStack with a few repairs and a meter. Run by the emulator's own interpreter (.venv-emulator).

Repairs: a callback task whose TimeoutSeconds is a JSONata expression waits for that long (MiniStack 1.5.33
fails the state), a schedule that is deployed again fires again, loopback counts as TLS, batches of
messages need the rights that AWS asks for, a function's code is unpacked once, not at each cold start,
streams are read beside queues, and an alarm on a formula does not stop a deployment.

Meter: GET /_winback/calls answers {"system": {"dynamodb.UpdateItem": 12, ...}, "observer": {...}}: every AWS
request that arrived, those that a state machine makes, its state transitions (what Step Functions bills) and
the Lambda invocations. Whoever only looks on says so with "winback-observer" in the User-Agent and is counted
apart. Batched reads are billed by the items they ask for: "keys" counts those, {"system": 34, ...}.
"""

import hashlib
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import ministack.app as server
import ministack.core.iam_actions as iam_actions
import ministack.core.lambda_runtime as lambda_runtime
import ministack.services.cloudformation.provisioners as provisioners
import ministack.services.lambda_svc as lambdas
import ministack.services.scheduler as scheduler
import ministack.services.stepfunctions as workflows

OBSERVER = "winback-observer"
# A waiting execution is a thread: small stacks let thousands wait.
THREAD_STACK_BYTES = 512 * 1024
MEMORY_BYTES = 8 * 1024**3
_STREAM_REST_S = 0.05
calls: dict[str, Counter[str]] = {"system": Counter(), "observer": Counter(), "keys": Counter()}
_counting = threading.Lock()


def count(what: str, user_agent: str = "") -> None:
    with _counting:
        calls[_who(user_agent)][what] += 1


def count_keys(body: bytes, user_agent: str) -> None:
    asked = sum(len(table["Keys"]) for table in json.loads(body)["RequestItems"].values())
    with _counting:
        calls["keys"][_who(user_agent)] += asked


def _who(user_agent: str) -> str:
    return "observer" if OBSERVER in user_agent else "system"


def operation(headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> str | None:
    """Return "service.Operation" of a JSON or query protocol request, None for the REST ones.

    The system's own REST calls (Lambda, API Gateway) reach it from outside and are not what it pays for.
    """
    service = headers.get("authorization", "").partition("Credential=")[2].split("/")[3:4]
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if not action:
        form = parse_qs(body.decode(errors="replace")) if body[:4096].find(b"Action=") >= 0 else query
        action = form.get("Action", [""])[0]
    return f"{service[0]}.{action}" if service and action else None


def count_requests() -> None:
    dispatch = server._dispatch_service_request

    async def counted(
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, list[str]],
        request: str,
    ) -> Any:
        if name := operation(headers, body, query):
            count(name, headers.get("user-agent", ""))
        if name == "dynamodb.BatchGetItem":
            count_keys(body, headers.get("user-agent", ""))
        return await dispatch(method, path, headers, body, query, request)

    server._dispatch_service_request = counted


def serve_counts() -> None:
    first = server._handle_pre_body_request

    async def answer(method: str, path: str, *rest: Any) -> Any:
        if path != "/_winback/calls":
            return await first(method, path, *rest)
        with _counting:
            body = json.dumps({who: dict(sorted(counter.items())) for who, counter in calls.items()})
        return 200, {"Content-Type": "application/json"}, body.encode()

    server._handle_pre_body_request = answer


def count_invocations() -> None:
    execute = lambdas._execute_function_warm

    def counted(function: dict[str, Any], event: Any, request_id: str) -> Any:
        count("lambda.Invoke")
        return execute(function, event, request_id)

    lambdas._execute_function_warm = counted


def count_workflows() -> None:
    """A state entered is a transition; a scheduled native task is a call of that service."""
    add_event = workflows._add_event

    def counted(execution: dict[str, Any], event: str, details: dict[str, Any] | None = None) -> Any:
        if event.endswith("StateEntered"):
            count("states.transition")
        elif event == "TaskScheduled" and details:
            resource = details["taskScheduledEventDetails"]["resource"].removesuffix(".waitForTaskToken")
            service, _, action = resource.rpartition(":")
            count(f"{service.rpartition(':')[2]}.{action[:1].upper()}{action[1:]}")
        return add_event(execution, event, details)

    workflows._add_event = counted


def allow_computed_timeouts() -> None:
    execute = workflows._execute_task

    def timed(state: dict[str, Any], raw: Any, execution: dict[str, Any], context: dict[str, Any]) -> Any:
        if isinstance(state.get("TimeoutSeconds"), str):
            seconds = workflows._jsonata_state_field(state, "TimeoutSeconds", "number", raw, context)
            state = {**state, "TimeoutSeconds": seconds}
        return execute(state, raw, execution, context)

    workflows._execute_task = timed


def take_loopback_for_tls() -> None:
    """Queues and topics refuse what comes without TLS. Here nothing leaves the machine."""
    pin = server.pin_request_origin
    server.pin_request_origin = lambda address, _secure: pin(address, True)


def authorise_batches_as_aws_does() -> None:
    """The right to send, delete or publish one message is the right to do so in batches."""
    extract = iam_actions.extract_iam_action

    def extracted(service: str, *request: Any) -> str | None:
        action: str | None = extract(service, *request)
        return action.removesuffix("Batch") if action and service in ("sqs", "sns") else action

    iam_actions.extract_iam_action = extracted


class UnpackedOnce(zipfile.ZipFile):
    """An archive that is unpacked once for all workers: a dependency layer has thousands of files."""

    def namelist(self) -> list[str]:
        return []  # MiniStack asks for it only to check paths, which unpacking does too

    def extractall(self, path: Any = None, *_: Any) -> None:
        own = Path(str(self.filename))
        with own.open("rb") as archive:
            shared = Path(tempfile.gettempdir(), hashlib.file_digest(archive, "sha256").hexdigest())
        with _unpacking:
            if not shared.exists():
                super().extractall(f"{shared}.part", super().namelist())
                Path(f"{shared}.part").rename(shared)
        Path(path).rmdir()
        Path(path).symlink_to(shared)
        own.unlink()


_unpacking = threading.Lock()


def unpack_code_once() -> None:
    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=UnpackedOnce, BadZipFile=zipfile.BadZipFile, LargeFileError=zipfile.LargeZipFile
    )


def read_streams_beside_queues() -> None:
    """One thread reads both, so a busy stream keeps queues waiting; in AWS they do not know each other."""
    read = lambdas._poll_dynamodb_streams

    def reading() -> None:
        while True:
            if not read():
                time.sleep(_STREAM_REST_S)

    lambdas._poll_dynamodb_streams = lambda: False
    threading.Thread(target=reading, daemon=True).start()


def accept_alarms_on_formulas() -> None:
    """An alarm on metric math is made, but never rings: the metrics it is about do not exist here anyway."""
    record = provisioners._cw_metric_alarm_record

    def recorded(name: str, wanted: dict[str, Any]) -> Any:
        if wanted.get("Metrics"):
            wanted = {key: value for key, value in wanted.items() if key != "Metrics"}
            wanted |= {"Namespace": "metric-math", "MetricName": name, "Statistic": "Sum", "Period": 60}
        return record(name, wanted)

    provisioners._cw_metric_alarm_record = recorded


def fire_again_when_redeployed() -> None:
    def forgetting(write: Any) -> Any:
        def run(name: str, body: Any) -> Any:
            answer = write(name, body)
            fired = scheduler._schedule_last_fired
            for key in [key for key in fired if key[-1].split("/")[-1] == name]:
                fired.pop(key, None)
            return answer

        return run

    scheduler._create_schedule = forgetting(scheduler._create_schedule)
    scheduler._update_schedule = forgetting(scheduler._update_schedule)


def limit_memory() -> None:
    threading.stack_size(THREAD_STACK_BYTES)
    with suppress(ValueError, OSError):  # macOS knows the limit and refuses to set it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def end_with_parent() -> None:
    """Standard input is a pipe from whoever started us: its end is theirs, however they died."""

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


for step in (
    limit_memory,
    end_with_parent,
    count_requests,
    serve_counts,
    count_invocations,
    count_workflows,
    allow_computed_timeouts,
    unpack_code_once,
    read_streams_beside_queues,
    accept_alarms_on_formulas,
    take_loopback_for_tls,
    authorise_batches_as_aws_does,
    fire_again_when_redeployed,
):
    step()

if __name__ == "__main__":
    server.main()
