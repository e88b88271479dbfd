"""AWS calls and DynamoDB capacity per good and per bad review, from the queue to the sent alert.

Capacity is computed from the items that pass by, after DynamoDB's published rules, because moto does not
count it: a write unit for each started KB, twice that in a transaction; one for each index entry that is
new or changes (they hold keys, status and grade only); a read unit for each started 4 KB, and at least one
for each key asked for.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from functions import case_events, rule_evaluator
from functions.domain.cases import case_id
from tests.bench.small_stack import Call, recorded, small_stack
from tests.builders import review
from tests.cloud import Cloud
from tests.events import CONTEXT, reviews_event, stream_event

BATCH = 10
INDEXED = ("due_shop", "opened_at")  # attributes that make an item stand in an index of the cases table


def measure() -> Iterator[dict[str, Any]]:
    """Yield the calls of a full batch of ten, per review."""
    good = [
        review(review_id=f"g{n}", customer_id=f"c{n}", stars=5, text="很好，物流快") for n in range(BATCH)
    ]
    bad = [review(review_id=f"b{n}", customer_id=f"c{n}") for n in range(BATCH)]
    with small_stack() as cloud:
        evaluated = recorded(lambda: rule_evaluator.handler(reviews_event(*good), CONTEXT))
        yield _line("good", evaluated, cloud)
        evaluated = recorded(lambda: rule_evaluator.handler(reviews_event(*bad), CONTEXT))
        yield _line("bad, decided", evaluated, cloud)
        changed = stream_event(*(case_id(one.key) for one in bad))
        alerted = recorded(lambda: case_events.handler(changed, CONTEXT))
        yield _line("bad, alerted and started", alerted, cloud)


def _line(what: str, made: list[Call], cloud: Cloud) -> dict[str, Any]:
    names = Counter(name for name, _, _ in made)
    sizes = sizes_of(cloud)
    return {
        "review": what,
        "calls_per_review": {name: count / BATCH for name, count in sorted(names.items())},
        "write_units_per_review": sum(write_units(call, sizes) for call in made) / BATCH,
        "read_units_per_review": sum(read_units(call) for call in made) / BATCH,
        "case_bytes": max(sizes.values(), default=0),
    }


def sizes_of(cloud: Cloud) -> dict[str, int]:
    """Return the bytes of each case."""
    return {item["case_id"]: _bytes(item) for item in cloud.items("cases")}


def write_units(call: Call, sizes: Mapping[str, int]) -> int:
    """Return the write units of a call; `sizes` are the bytes of each case."""
    name, parameters, _ = call
    match name:
        case "dynamodb.TransactWriteItems":
            puts = [write["Put"] for write in parameters["TransactItems"]]
            return sum(2 * _units(put["Item"]) + _index_units(put["Item"]) for put in puts)
        case "dynamodb.PutItem":
            return _units(parameters["Item"]) + _index_units(parameters["Item"])
        case "dynamodb.UpdateItem":
            return ceil(sizes[parameters["Key"]["case_id"]["S"]] / 1024)  # changes no index entry
    return 0


def read_units(call: Call) -> int:
    """Return the read units of a call."""
    name, parameters, answer = call
    if name != "dynamodb.BatchGetItem":
        return 0
    units = 0
    for table, wanted in parameters["RequestItems"].items():
        found = answer["Responses"].get(table, [])
        units += sum(ceil(_wire_bytes(item) / 4096) for item in found) + len(wanted["Keys"]) - len(found)
    return units


def _units(item: Mapping[str, Any]) -> int:
    return ceil(_wire_bytes(item) / 1024)


def _index_units(item: Mapping[str, Any]) -> int:
    return sum(key in item for key in INDEXED)


def _wire_bytes(item: Mapping[str, Any]) -> int:
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    """Size of an attribute value, after
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return len(inner.encode())
        case "N":
            return ceil(len(inner.lstrip("-")) / 2) + 1
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(one) for name, one in inner.items())
        case "L":
            return 3 + sum(1 + _value_bytes(one) for one in inner)
    return 1


def _bytes(item: Mapping[str, Any]) -> int:
    from functions.store.items import attributes

    return _wire_bytes(attributes(item))
