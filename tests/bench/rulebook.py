"""A whole decision by the compiled tables, by hand-written if/else and by other engines, on the same inputs.

The other engines need a virtual environment of their own (WINBACK_ENGINES, its python); without it, or
without one of them, the line says that it was skipped.
"""

import gc
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from functions.domain.causes import CAUSES
from functions.domain.decisions import Decision
from functions.rulebook import SHIPPED, Rulebook
from tests.bench.imports import bytecode

ROOT = Path(__file__).parents[2]
INPUTS = 10_000
ROUNDS = 7
_IMPORTS = 25
TIERS = ("high_value", "new", "dormant", "regular")
Input = tuple[str, bool, int, int, int | None, int | None]
Whole = tuple[Decision, Decision, Decision, Decision]


def inputs(count: int = INPUTS) -> list[Input]:
    """Random facts: cause, suspicion, spent, earlier orders, days since, order value."""
    chance = random.Random(7)
    return [
        (
            chance.choice(CAUSES),
            chance.random() < 0.1,
            chance.randrange(0, 200_000),
            earlier := chance.randrange(0, 5),
            chance.randrange(0, 400) if earlier else None,
            chance.randrange(0, 50_000) if chance.random() < 0.9 else None,
        )
        for _ in range(count)
    ]


def by_tables(rules: Rulebook) -> Callable[[Input], Whole]:
    """As the functions ask them."""

    def whole(given: Input) -> Whole:
        cause, suspected, spent, earlier, days, value = given
        ask = rules.ask
        tier = ask.tiers(spent_12_months=spent, earlier_orders=earlier, days_since_earlier_order=days)
        return (
            ask.grades(cause=cause, suspected_malicious=suspected),
            tier,
            ask.remedies(suspected_malicious=suspected, order_value=value),
            ask.goodwill(suspected_malicious=suspected, tier=tier.then["tier"]),
        )

    return whole


def by_hand(rules: Rulebook) -> Callable[[Input], Whole]:
    """What somebody would write without tables: the same rows, reasons and outputs as constants."""
    v = rules.version
    row = {name: {r.id: (r.id, r.why, r.then) for r in rules.tables[name].rows} for name in _TABLES}
    g, t, m, w = (row[name] for name in _TABLES)
    g_malicious, g_late, g_quality = g["malicious"], g["logistics-delay"], g["quality"]
    g_damaged, g_wrong, g_size = g["damaged-lost"], g["wrong-missing"], g["size-mismatch"]
    g_service, g_price, g_other = g["service-attitude"], g["price"], g["other"]
    t_high, t_new, t_dormant, t_regular = t["high-value"], t["new"], t["dormant"], t["regular"]
    m_malicious, m_small, m_medium = m["malicious"], m["small-order"], m["medium-order"]
    m_large, m_unknown = m["large-order"], m["unknown-order"]
    w_malicious, w_vip, w_again = w["malicious"], w["vip-gift"], w["buy-again"]
    w_card, w_none = w["card-and-gift"], w["none"]

    def grade(cause: str, suspected: bool) -> Decision:
        if suspected:
            name, why, then = g_malicious
        elif cause == "logistics_delay":
            name, why, then = g_late
        elif cause == "quality":
            name, why, then = g_quality
        elif cause == "damaged_lost":
            name, why, then = g_damaged
        elif cause == "wrong_missing":
            name, why, then = g_wrong
        elif cause == "size_mismatch":
            name, why, then = g_size
        elif cause == "service_attitude":
            name, why, then = g_service
        elif cause == "price":
            name, why, then = g_price
        else:
            name, why, then = g_other
        return Decision("grades", name, why, then, {"cause": cause, "suspected_malicious": suspected}, v)

    def tier(spent: int, earlier: int, days: int | None) -> Decision:
        if spent >= 100_000:
            name, why, then = t_high
        elif earlier == 0:
            name, why, then = t_new
        elif days is not None and days >= 180:
            name, why, then = t_dormant
        else:
            name, why, then = t_regular
        facts = {"spent_12_months": spent, "earlier_orders": earlier, "days_since_earlier_order": days}
        return Decision("tiers", name, why, then, facts, v)

    def remedy(suspected: bool, value: int | None) -> Decision:
        if suspected:
            name, why, then = m_malicious
        elif value is None:
            name, why, then = m_unknown
        elif value <= 10_000:
            name, why, then = m_small
        elif value <= 30_000:
            name, why, then = m_medium
        else:
            name, why, then = m_large
        facts = {"suspected_malicious": suspected, "order_value": value}
        return Decision("remedies", name, why, then, facts, v)

    def goodwill(suspected: bool, tier: Any) -> Decision:
        if suspected:
            name, why, then = w_malicious
        elif tier == "high_value":
            name, why, then = w_vip
        elif tier == "new":
            name, why, then = w_again
        elif tier == "dormant":
            name, why, then = w_card
        else:
            name, why, then = w_none
        return Decision("goodwill", name, why, then, {"suspected_malicious": suspected, "tier": tier}, v)

    def whole(given: Input) -> Whole:
        cause, suspected, spent, earlier, days, value = given
        customer = tier(spent, earlier, days)
        return (
            grade(cause, suspected),
            customer,
            remedy(suspected, value),
            goodwill(suspected, customer.then["tier"]),
        )

    return whole


_TABLES = ("grades", "tiers", "remedies", "goodwill")


def measure() -> Iterator[dict[str, Any]]:
    rules, given = Rulebook(SHIPPED), inputs()
    candidates = {"tables": by_tables(rules), "by_hand": by_hand(rules)}
    answers = {name: [whole(one) for one in given] for name, whole in candidates.items()}
    assert answers["tables"] == answers["by_hand"]
    took = best(candidates, given)
    tables, hand = took["tables"], took["by_hand"]
    yield {"what": "by hand", "us": round(hand, 2), "decisions": 4 * INPUTS}
    yield {"what": "tables", "us": round(tables, 2), "to_by_hand": round(tables / hand, 2)}
    rows = [[decision.row for decision in whole] for whole in answers["tables"]]
    yield from _engines(given, rows)
    yield from _import()
    yield from _many()


def best(
    candidates: Mapping[str, Callable[[Input], Any]], given: list[Input], rounds: int = ROUNDS
) -> dict[str, float]:
    """Return microseconds of CPU per whole decision; rounds alternate, so a busy machine slows them all."""
    took = dict.fromkeys(candidates, float("inf"))
    for _ in range(rounds):
        for name, whole in candidates.items():
            started = time.process_time()
            for one in given:
                whole(one)
            took[name] = min(took[name], 1e6 * (time.process_time() - started) / len(given))
    return took


def _engines(given: list[Input], rows: Any) -> Iterator[dict[str, Any]]:
    python = os.environ.get("WINBACK_ENGINES", "")
    if not Path(python).is_file():
        yield {"what": "other engines", "skipped": "WINBACK_ENGINES is not the python of a venv with them"}
        return
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"inputs": given, "rows": rows}, file)
        file.flush()
        module = [python, "-m", "tests.bench.engines", file.name]
        told = subprocess.run(module, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    yield from map(json.loads, told.splitlines())


def _import() -> Iterator[dict[str, Any]]:
    """Import time beyond pydantic's, in a process of its own each time.

    Taken inside of that process: how long Python and pydantic take to start differs by more than the
    rulebook takes at all. The first round compiles the modules, as the deployed code is.
    """
    took: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = bytecode(folder)
        for number in range(_IMPORTS + 1):
            command = [sys.executable, "-c", _IMPORTING]
            told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True).stdout
            for name, seconds in json.loads(told).items() if number else ():
                took.setdefault(name, []).append(1000 * seconds)
    yield {
        "what": "import beyond pydantic",
        "processes": _IMPORTS,
        **{
            f"{name}_ms": {"least": round(min(all_), 1), "median": round(median(all_), 1)}
            for name, all_ in took.items()
        },
    }


_IMPORTING = """
import json, time
from typing import Annotated
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, PlainSerializer

class Model(BaseModel):
    number: Annotated[int, Field(ge=0)]

start = time.process_time()
from functions.rulebook import load
imported = time.process_time()
rules = load()
rules.ask.tiers(spent_12_months=0, earlier_orders=0, days_since_earlier_order=None)
decided = time.process_time()
rules.tables
read = time.process_time()
took = {"import": imported, "and_first_decision": decided, "and_all_tables": read}
print(json.dumps({name: moment - start for name, moment in took.items()}))
"""


def _many() -> Iterator[dict[str, Any]]:
    lines, asked = [], {}
    for count in (1, 10, 200):
        files = {f"table{number:03}.toml": _fifty_rows(number) for number in range(count)}
        gc.collect()  # what others left behind
        started = time.process_time()
        rules = Rulebook(files)
        rules.ask.table000(value=4321, kind="b")
        first = time.process_time() - started
        tables = rules.tables
        read = time.process_time() - started
        for name in tables:
            rules.decide(name, {"value": 4321, "kind": "b"})
        everything = time.process_time() - started
        what = f"{count} tables of 50 rows"
        asked[what] = partial(_one, rules)
        lines.append(
            {
                "what": what,
                "until_first_decision_s": round(first, 3),
                "all_read_s": round(read, 3),
                "all_read_and_compiled_s": round(everything, 3),
            }
        )
    took = best(asked, inputs())
    yield from (line | {"us_per_decision": round(took[str(line["what"])], 2)} for line in lines)


def _one(rules: Rulebook, given: Input) -> Decision:
    return rules.ask.table000(value=given[2], kind="b")


def _fifty_rows(number: int) -> str:
    rows = [
        f'[[row]]\nid = "r{n}"\nwhy = "step {n} of table {number}"\nsource = "bench"\n'
        f'when = {{ value = "({20 * n}.00..{20 * (n + 1)}.00]", kind = ["a", "b"] }}\n'
        f'then = {{ give = "{n}.00" }}\n'
        for n in range(49)
    ]
    kinds = 'facts = { value = "fen", kind = ["a", "b", "c"] }'
    head = f'about = "table {number}"\n{kinds}\noutputs = {{ give = "fen" }}\n'
    last = '[[row]]\nid = "rest"\nwhy = "the rest"\nsource = "bench"\nthen = { give = "0.00" }\n'
    return head + "".join(rows) + last


if __name__ == "__main__":
    for line in measure():
        print(json.dumps(line), flush=True)
