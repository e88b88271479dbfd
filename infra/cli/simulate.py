"""winback simulate taobao: Taobao's review gateway on this machine, for any client of that platform."""

import argparse
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from infra.cli.main import UsageError
from infra.local.player import platform_row
from infra.local.simulators.faults import Fault, load
from infra.local.simulators.taobao import TaobaoSimulator
from infra.local.stream import read

# The reviews end now, and so far apart that a day holds fewer than the 1,500 that a query shows.
_APART = timedelta(minutes=1)


def run(given: argparse.Namespace) -> int:
    stream = read(given.reviews)
    tell = Console(highlight=False, soft_wrap=True).print
    try:
        simulator = TaobaoSimulator(port=given.port, faults=faults(given.faults))
    except OSError as error:
        raise UsageError(f"port {given.port} cannot be used: {error.strerror}") from error
    now = datetime.now(UTC)
    for age, written in enumerate(reversed(stream.reviews)):
        simulator.publish(platform_row(written) | {"created": now - age * _APART})
    with simulator:
        tell(f"Taobao is simulated at {simulator.url} with {len(stream.reviews)} reviews. Ctrl-C stops it.")
        tell(f"Credentials: {simulator.secret}")
        for mistake in stream.mistakes:
            tell(f"left out: {mistake}")
        threading.Event().wait()
    return 0


def faults(path: Path | None) -> tuple[Fault, ...]:
    """Read the faults that a platform is to show. Raises UsageError."""
    if path is None:
        return ()
    try:
        return load(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
