"""`make bench`: what things cost, one JSON line each, compared within the same run.

python -m tests.bench [imports] [calls] [cost] [evaluator] [gate] [reading] [rulebook] [running]
"""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench import calls, cost, evaluator, gate, imports, reading, rulebook, running

BENCHES: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
    "imports": imports.measure,
    "calls": calls.measure,
    "cost": cost.measure,
    "evaluator": evaluator.measure,
    "gate": gate.measure,
    "reading": reading.measure,
    "rulebook": rulebook.measure,
    "running": running.measure,
}


def main(names: list[str]) -> int:
    if unknown := sorted(set(names) - BENCHES.keys()):
        print(f"no bench called {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    for name in names or BENCHES:
        for line in BENCHES[name]():
            print(json.dumps({"bench": name} | line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
