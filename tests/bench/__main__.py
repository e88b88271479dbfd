"""`make bench`: what things cost, one JSON line each, compared within the same run.

python -m tests.bench [imports] [calls] [cost] [evaluator] [gate] [reading] [rulebook] [lives] [burst]

Standard output has these lines only; what the measured code logs goes to standard error.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from tests.bench import calls, cost, evaluator, gate, imports, reading, rulebook, running

BENCHES: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
    "imports": imports.measure,
    "calls": calls.measure,
    "cost": cost.measure,
    "evaluator": evaluator.measure,
    "gate": gate.measure,
    "reading": reading.measure,
    "rulebook": rulebook.measure,
    "lives": running.lives,
    "burst": running.burst,
}


def main(names: list[str]) -> int:
    if unknown := sorted(set(names) - BENCHES.keys()):
        print(f"no bench called {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    with _own_stdout() as lines:
        for name in names or BENCHES:
            for line in BENCHES[name]():
                print(json.dumps({"bench": name} | line), file=lines, flush=True)
    return 0


@contextmanager
def _own_stdout() -> Iterator[TextIO]:
    """Yield standard output; what others write to it goes to standard error, loggers' kept streams too."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(own, "w", encoding="utf-8", closefd=False) as lines:
            yield lines
    finally:
        sys.stdout.flush()
        os.dup2(own, 1)
        os.close(own)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
