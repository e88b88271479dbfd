"""Import time of each handler, ready to talk to DynamoDB, against `boto3` with one DynamoDB client alone.

CPU time of a process of its own, the best of several rounds: what else the machine does matters little. The
first round compiles the modules and does not count: the deployed code is compiled already.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

ROOT = Path(__file__).parents[2]
ROUNDS = 9
FLOOR = "import boto3; boto3.client('dynamodb')"
READY = "import functions.{name}; from functions.runtime.clients import client; client('dynamodb')"


def measure() -> Iterator[dict[str, Any]]:
    """Yield a line per handler; `ratio` is its best time over the floor's best time, rounds alternating."""
    handlers = sorted(path.stem for path in (ROOT / "functions").glob("*.py") if path.stem != "__init__")
    codes = {"empty": "pass", "floor": FLOOR} | {name: READY.format(name=name) for name in handlers}
    best = dict.fromkeys(codes, float("inf"))
    with tempfile.TemporaryDirectory() as folder:
        environment = bytecode(folder)
        for number in range(ROUNDS + 1):
            for name, code in codes.items():
                took = _seconds(code, environment)
                best[name] = min(best[name], took) if number else best[name]
    floor = best["floor"] - best["empty"]
    for name in handlers:
        took = best[name] - best["empty"]
        yield {
            "handler": name,
            "ms": round(1000 * took),
            "floor_ms": round(1000 * floor),
            "ratio": round(took / floor, 2),
        }


def bytecode(folder: str) -> dict[str, str]:
    """Return the environment of a process that imports as a deployed function does: compiled into a folder.

    A machine may forbid its processes to keep what they compiled; then each would do it again.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONPATH": str(ROOT),
        "PYTHONPYCACHEPREFIX": folder,
        "PYDANTIC_DISABLE_PLUGINS": "__all__",
    }


def _seconds(code: str, environment: dict[str, str]) -> float:
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, check=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
