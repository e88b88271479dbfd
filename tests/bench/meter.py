"""What calls cost: DynamoDB capacity and requests, counted while they are made.

Capacity is computed from the items before and after each call, after DynamoDB's published rules, because
moto does not count it: a write unit for each started KB of the larger of both, twice that in a transaction,
condition checks included; the same for each index entry that is new, goes or changes, and one for the old and
one for the new where its key changes; a read unit for each started 4 KB that is read consistently, half of it
otherwise, and at least one for each key asked for. A write whose condition fails is paid for too.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html

Where the rules leave it open it counts the dearer way: index entries within a transaction are doubled.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from functions.runtime.clients import client
from tests.cloud import Cloud

Item = Mapping[str, Any]
_WRITES = {"Put", "Update", "Delete"}
_WRITING = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}


class Meter:
    """`calls` by service.operation, `keys` that batched reads ask for; `writes` and `reads` in units."""

    def __init__(self, cloud: Cloud) -> None:
        self.calls: Counter[str] = Counter()
        self.writes = 0.0
        self.keys = 0
        self.read: Counter[str] = Counter()  # read units by operation
        self.written: Counter[str] = Counter()  # write units by operation and table
        self._tables = {
            properties["TableName"]: properties for _, properties in cloud._of("AWS::DynamoDB::Table")
        }
        self._before: dict[tuple[str, str], Item | None] = {}
        self._original = BaseClient._make_api_call  # type: ignore[attr-defined]
        self._counts = True

    @property
    def reads(self) -> float:
        return sum(self.read.values())

    @contextmanager
    def running(self) -> Iterator["Meter"]:
        meter = self

        def counting(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
            service = self.meta.service_model.service_name
            if not meter._counts:
                return meter._original(self, operation, parameters)
            meter.calls[f"{service}.{operation}"] += 1
            try:
                answer = meter._original(self, operation, parameters)
            except ClientError:
                if service == "dynamodb" and operation in _WRITING:
                    meter._count(operation, parameters, {})  # a refused write is paid for too
                raise
            if service == "dynamodb":
                meter._count(operation, parameters, answer)
            return answer

        with patch.object(BaseClient, "_make_api_call", counting):
            yield self

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Count nothing for a while: it is the bench itself that looks."""
        self._counts = False
        try:
            yield
        finally:
            self._counts = True

    def _count(self, operation: str, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        match operation:
            case "PutItem" | "UpdateItem" | "DeleteItem":
                self._add(operation, asked["TableName"], self._written(asked))
            case "TransactWriteItems":
                for action in asked["TransactItems"]:
                    ((kind, write),) = action.items()
                    units = self._written(write) if kind in _WRITES else self._checked(write)
                    self._add(f"Transact{kind}", write["TableName"], 2 * units)
            case "GetItem":
                self._has_read(operation, _read([answer["Item"]] if "Item" in answer else [], asked, 1))
            case "BatchGetItem":
                for table, wanted in asked["RequestItems"].items():
                    self.keys += len(wanted["Keys"])
                    found = answer["Responses"].get(table, [])
                    self._has_read(operation, _read(found, wanted, len(wanted["Keys"])))
            case "Query" | "Scan":
                size = sum(map(bytes_of, answer["Items"]))
                units = max(1, ceil(size / 4096)) / (1 if asked.get("ConsistentRead") else 2)
                self._has_read(operation, units)

    def _has_read(self, operation: str, units: float) -> None:
        self.read[operation] += units  # type: ignore[assignment]

    def _add(self, operation: str, table: str, units: float) -> None:
        self.writes += units
        self.written[f"{operation} {table.rpartition('-')[2]}"] += round(units)

    def _written(self, write: dict[str, Any]) -> float:
        table = self._tables[write["TableName"]]
        item = write.get("Item") or write["Key"]
        key = {each["AttributeName"]: item[each["AttributeName"]] for each in table["KeySchema"]}
        place = write["TableName"], json.dumps(key, sort_keys=True)
        before, after = self._before.get(place), self._stands(write["TableName"], key)
        self._before[place] = after
        units: float = max(1, _kb(before), _kb(after))
        for index in table.get("GlobalSecondaryIndexes", []):
            units += _entry_units(_entry(index, table, before), _entry(index, table, after), index)
        return units

    def _checked(self, check: dict[str, Any]) -> int:
        return max(1, _kb(self._stands(check["TableName"], check["Key"])))

    def _stands(self, table: str, key: Item) -> Item | None:
        found = self._original(
            client("dynamodb"), "GetItem", {"TableName": table, "Key": key, "ConsistentRead": True}
        )
        item: Item | None = found.get("Item")
        return item


def _entry(index: dict[str, Any], table: dict[str, Any], item: Item | None) -> dict[str, Any] | None:
    """Return the item's entry in an index, None where it has none."""
    keys = [each["AttributeName"] for each in index["KeySchema"]]
    if item is None or not all(key in item for key in keys):
        return None
    projection = index["Projection"]
    if projection["ProjectionType"] == "ALL":
        return dict(item)
    names = {*keys, *(each["AttributeName"] for each in table["KeySchema"])}
    names |= set(projection.get("NonKeyAttributes", []))
    return {name: item[name] for name in names if name in item}


def _entry_units(before: Item | None, after: Item | None, index: dict[str, Any]) -> int:
    if before == after:
        return 0
    keys = [each["AttributeName"] for each in index["KeySchema"]]
    moved = before is not None and after is not None and any(before[key] != after[key] for key in keys)
    return _kb(before) + _kb(after) if moved else max(_kb(before), _kb(after))


def _read(found: list[Any], asked: dict[str, Any], keys: int) -> float:
    units = sum(ceil(bytes_of(item) / 4096) for item in found) + keys - len(found)
    return units / (1 if asked.get("ConsistentRead") else 2)


def _kb(item: Item | None) -> int:
    return 0 if item is None else ceil(bytes_of(item) / 1024)


def bytes_of(item: Item) -> int:
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
        case "B":
            return len(inner)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(one) for name, one in inner.items())
        case "L":
            return 3 + sum(1 + _value_bytes(one) for one in inner)
        case "SS" | "NS" | "BS":
            return sum(len(str(one).encode()) for one in inner)
    return 1
