"""The emulator: MiniStack as a child process on a free port of 127.0.0.1, gone without a trace afterwards."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).parents[2]
STATE = ROOT / ".winback"
REGION = "us-east-1"
ACCOUNT = "000000000000"
OBSERVER = "winback-observer"
_START_WITHIN_S = 60
_STOP_WITHIN_S = 15


class EmulatorError(Exception):
    """The emulator did not start; the message says why and ends with the last lines of its log."""


@dataclass(frozen=True)
class Emulator:
    endpoint: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def environment(self) -> dict[str, str]:
        """Return what the AWS SDKs and the CDK CLI read to talk to this emulator as its root."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str, keys: dict[str, str] | None = None) -> Any:
        """Return a client that is counted apart from the system: root's, or with a role's `keys`."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            config=Config(user_agent_extra=OBSERVER, max_pool_connections=32),
            **(keys or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}),
        )

    def assume(self, role_arn: str, session: str) -> dict[str, str]:
        """Return the role's temporary keys, as `client` takes them."""
        given = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session)["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def calls(self) -> dict[str, dict[str, int]]:
        """Return the AWS calls since the start: {"system" or "observer": {service.operation: count}}, and
        the items that batched reads asked for: {"keys": {"system" or "observer": count}}."""
        with urllib.request.urlopen(f"{self.endpoint}/_winback/calls", timeout=10) as answer:  # noqa: S310
            return dict(json.load(answer))


@contextmanager
def emulator() -> Iterator[Emulator]:
    """Start the emulator, yield it when it answers, end it and all that it started.

    Raises EmulatorError when it does not answer within a minute or its interpreter is not there.
    """
    interpreter = Path(os.environ.get("WINBACK_EMULATOR_PYTHON", ROOT / ".venv-emulator/bin/python"))
    if not interpreter.exists():
        raise EmulatorError(f"{interpreter} is missing: `make setup` installs the emulator")
    STATE.mkdir(exist_ok=True)
    port = free_port()
    scratch = tempfile.mkdtemp(prefix="winback-emulator-")
    log = STATE / f"emulator-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [interpreter, Path(__file__).with_name("launcher.py")],
            env=_environment(port, scratch),
            cwd=scratch,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is ours: we stop it when we are done with it
        )
    started = Emulator(f"http://127.0.0.1:{port}", log, process)
    try:
        _await_health(started)
        yield started
    finally:
        _stop(process)
        shutil.rmtree(scratch, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(port: int, scratch: str) -> dict[str, str]:
    # Nothing of ours: every Lambda function inherits what the emulator has.
    return {
        "PATH": os.environ["PATH"],
        "HOME": scratch,
        "TMPDIR": scratch,
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": "true",
        "LAMBDA_WARM_TTL_SECONDS": "120",
        "LOG_LEVEL": "WARNING",
    }


def _await_health(started: Emulator) -> None:
    deadline = time.monotonic() + _START_WITHIN_S
    while time.monotonic() < deadline and started.alive:
        with (
            suppress(OSError),
            urllib.request.urlopen(f"{started.endpoint}/_ministack/health", timeout=2) as answer,  # noqa: S310
        ):
            if answer.status == 200:
                return
        time.sleep(0.1)
    tail = "\n".join(started.log.read_text(errors="replace").splitlines()[-20:])
    ended = "still starts" if started.alive else f"ended with code {started.process.returncode}"
    raise EmulatorError(
        f"The emulator does not answer at {started.endpoint} ({ended}). {started.log}:\n{tail}"
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(ProcessLookupError):  # its Lambda workers share its session
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin:
        process.stdin.close()
