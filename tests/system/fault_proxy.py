"""AWS that fails: microburst, a proxy that injects faults, between the functions and the emulator."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from infra.local.emulator import Emulator, free_port
from infra.local.watcher import FUNCTIONS

# Of all calls: throttled, failed by AWS, never answered, cut off before and cut off after they were carried
# out. A rule is asked where those before it let the call pass, so each gets about a twenty-fifth of all.
SHARE = 0.2
_KINDS: tuple[dict[str, Any], ...] = (
    {"error": {"code": "ThrottlingException", "status": 400}},
    {"error": {"code": "InternalServerError", "status": 500}},
    {"timeout_ms": 1500},
    {"reset": True},
    {"response": {"abort_bytes": 5}},
)
# microburst changes the Host header that the caller signed; then no signature holds.
_KEEPING_HOST = """
import microburst.forward as forward
for kind in vars(forward).values():
    if isinstance(kind, type) and "_outbound_headers" in vars(kind):
        def keep(self, request, outbound=kind._outbound_headers):
            return outbound(self, request) | {"host": request.headers["Host"]}
        kind._outbound_headers = keep
from microburst.cli import main
main()
"""


class FaultProxy:
    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def fail(self, *once: tuple[str, str]) -> None:
        """Let a fifth of all calls fail, in every way, and these operations (service, name) once for sure."""
        share, rules = SHARE / len(_KINDS), list[dict[str, Any]]()
        for place, kind in enumerate(_KINDS):
            rules.append(kind | {"probability": share / (1 - place * share)})
        first = [{"service": service, "operation": name, "times": 1, **_KINDS[1]} for service, name in once]
        self._call("POST", "rules", [*first, *rules])

    def stop_failing(self) -> None:
        self._call("POST", "rules", [])

    def failed(self) -> Counter[str]:
        """Return how many calls were made to fail, by "service.Operation"."""
        found = Counter[str]()
        for line in self._read("metrics").splitlines():
            labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
            if line.startswith("microburst_faults_total{"):
                found[f"{labels['service']}.{labels['operation']}"] += round(float(line.split()[-1]))
        return found

    def passed(self) -> int:
        found = re.search(r"^microburst_requests_total (\d+)", self._read("metrics"), re.M)
        assert found
        return int(found[1])

    def _read(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.url}/_microburst/{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def _call(self, method: str, path: str, body: Any) -> None:
        request = urllib.request.Request(
            f"{self.url}/_microburst/{path}", json.dumps(body).encode(), method=method
        )
        with urllib.request.urlopen(request, timeout=10):
            pass


@contextmanager
def between(target: Emulator) -> Iterator[FaultProxy]:
    """Have every function talk to AWS through a proxy, until the end of the block."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", _KEEPING_HOST, "--upstream", target.endpoint, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    proxy = FaultProxy(port)
    try:
        _await(proxy, process)
        before = _direct(target, proxy.url)
        try:
            yield proxy
        finally:
            for function, environment in before.items():
                target.client("lambda").update_function_configuration(
                    FunctionName=function, Environment=environment
                )
    finally:
        process.terminate()
        process.wait(10)


def _direct(target: Emulator, url: str) -> dict[str, Any]:
    """Tell all functions where AWS is; return what they were told before."""
    lambdas, before = target.client("lambda"), dict[str, Any]()
    for noun in FUNCTIONS:
        function = f"winback-local-{noun}"
        before[function] = lambdas.get_function_configuration(FunctionName=function)["Environment"]
        told = before[function]["Variables"] | {"AWS_ENDPOINT_URL": url}
        lambdas.update_function_configuration(FunctionName=function, Environment={"Variables": told})
    return before


def _await(proxy: FaultProxy, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, f"microburst ended with {process.returncode}"
        with suppress(OSError):
            proxy.passed()
            return
        time.sleep(0.1)
    raise TimeoutError("microburst does not answer")
