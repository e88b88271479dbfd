"""DynamoDB Local: run a command with AWS's own DynamoDB beside it, in memory, on a free port.

    python -m infra.local.dynamodb_local python -m pytest tests/store

The command finds its address in WINBACK_DYNAMODB_ENDPOINT. The program comes out of the npm package
amplify-dynamodb-simulator (57 MB, fetched once into .winback/) and needs Java 17.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.local.emulator import STATE, free_port

PACKAGE = "amplify-dynamodb-simulator@2.9.30"
INTEGRITY = "sha512-xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ=="
_INSIDE = "package/emulator/"  # the tar archive's folder
_START_WITHIN_S = 30


class DynamoDBLocalError(Exception):
    """DynamoDB Local cannot be fetched or started; the message says what to do."""


def fetch(folder: Path = STATE / "dynamodb-local") -> Path:
    """Return the folder with DynamoDBLocal.jar; the first time, get it through npm."""
    if folder.exists():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise DynamoDBLocalError("npm is not on the PATH; run this through `make test-dynamodb-local`")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        packed = subprocess.run(
            [npm, "pack", "--silent", "--json", PACKAGE], cwd=temporary, stdout=subprocess.PIPE, check=True
        )
        (package,) = json.loads(packed.stdout)
        if package["integrity"] != INTEGRITY:
            raise DynamoDBLocalError(f"{PACKAGE} is not the one that was pinned: {package['integrity']}")
        with tarfile.open(Path(temporary) / package["filename"]) as archive:
            members = [member for member in archive if member.name.startswith(_INSIDE)]
            archive.extractall(temporary, members, filter="data")
        (Path(temporary) / _INSIDE).rename(folder)
    return folder


@contextmanager
def running() -> Iterator[str]:
    """Start DynamoDB Local, yield its address, stop it."""
    java = shutil.which("java")
    if java is None:
        raise DynamoDBLocalError("Java 17 is needed and there is no `java` on the PATH")
    folder, port = fetch(), free_port()
    log = STATE / "dynamodb-local.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                java,
                "-Xmx512m",
                "-Djava.library.path=./DynamoDBLocal_lib",
                "-jar",
                "DynamoDBLocal.jar",
                "-inMemory",
                "-port",
                str(port),
            ],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait(endpoint, process, log)
        yield endpoint
    finally:
        process.terminate()
        process.wait()


def run(command: Sequence[str]) -> int:
    """Run the command beside DynamoDB Local, return its exit status."""
    with running() as endpoint:
        return subprocess.run(command, env=os.environ | {"WINBACK_DYNAMODB_ENDPOINT": endpoint}).returncode


def _wait(endpoint: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    patience = time.monotonic() + _START_WITHIN_S
    while process.poll() is None and time.monotonic() < patience:
        try:
            urllib.request.urlopen(endpoint, timeout=1).close()  # noqa: S310 - our own address
        except urllib.error.HTTPError:
            return  # it answers, if only that the request is not signed
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise DynamoDBLocalError(f"DynamoDB Local did not start (Java 17?):\n{log.read_text()[-2000:]}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m infra.local.dynamodb_local COMMAND ...")
    try:
        sys.exit(run(sys.argv[1:]))
    except DynamoDBLocalError as error:
        sys.exit(str(error))
