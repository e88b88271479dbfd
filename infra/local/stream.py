"""Streams: reviews and orders from a CSV file, whatever its columns are called.

A mapping in `mappings/` names the columns of one known shape; sample.toml explains how to write one.
"""

import csv
import gzip
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from functions.domain.money import fen

MAPPINGS = Path(__file__).with_name("mappings")
SAMPLE = Path(__file__).with_name("samples") / "reviews.csv"


class StreamError(Exception):
    """The file cannot be played; the message says why and what would mend it."""


@dataclass(frozen=True)
class Purchase:
    """An order, its times as distances to the review that it is told before."""

    order_id: str
    customer_id: str
    total: int
    placed: timedelta
    promised: timedelta | None = None
    delivered: timedelta | None = None
    returned: bool = False
    consent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """What one row of the file says that a customer wrote."""

    review_id: str
    rating: str
    text: str
    order_id: str | None
    customer_id: str | None
    product_id: str
    product_title: str
    price: int | None


@dataclass
class Entry:
    """One row: a review (None where the order has none) and the orders to tell before it."""

    written: Written | None
    orders: list[Purchase] = field(default_factory=list)
    at: datetime | None = None


@dataclass
class Stream:
    path: Path
    about: str
    notes: list[str]
    entries: list[Entry]
    mistakes: list[str]  # "reviews.csv row 17: rating is '6', not one of ..."

    @property
    def reviews(self) -> list[Written]:
        return [entry.written for entry in self.entries if entry.written]


def read(path: Path, limit: int | None = None) -> Stream:
    """Return the first `limit` rows as a stream, in the order in which the reviews were written.

    A row that makes no sense is left out and named in `mistakes`. Raises StreamError when the file cannot be
    read or its header is of no known shape.
    """
    mapping = _mapping_for(path)
    stream = Stream(path, mapping["about"], list(mapping["notes"]), [], [])
    in_rows = [source for source in mapping.get("orders", []) if "file" not in source]
    timed: list[tuple[datetime | None, Entry]] = []
    for number, row in _rows(path, limit):
        try:
            at = _moment(row, mapping["review"].get("at"))
            written = _written(row, mapping)
            orders = [_purchase(row, source, at) for source in in_rows]
        except ValueError as mistake:
            stream.mistakes.append(f"{path.name} row {number}: {mistake}")
            continue
        timed.append((at, Entry(written, orders, at)))
    if all(at for at, _ in timed):
        timed.sort(key=lambda pair: (pair[0] is not None, pair[0]))
    for source in mapping.get("orders", []):
        if "file" in source:
            _add_orders(stream, timed, source)
    stream.entries = [entry for _, entry in timed]
    if not stream.entries:
        raise StreamError(f"{path} has no row that can be played. " + "; ".join(stream.mistakes[:3]))
    return stream


def _add_orders(stream: Stream, timed: list[tuple[datetime | None, Entry]], source: dict[str, str]) -> None:
    """Tell the orders of a file beside the reviews before their customer's first review."""
    path = stream.path.with_name(source["file"])
    if not path.exists():
        stream.notes.append(
            f"{path.name} is not beside {stream.path.name}: customers have no earlier orders."
        )
        return
    first: dict[str, tuple[datetime | None, Entry]] = {}
    for at, entry in timed:
        customer = entry.written.customer_id if entry.written else None
        first.setdefault(customer or "", (at, entry))
    for number, row in _rows(path):
        if row.get(source["customer_id"], "") not in first:
            continue
        at, entry = first[row[source["customer_id"]]]
        try:
            entry.orders.append(_purchase(row, source, at))
        except ValueError as mistake:
            stream.mistakes.append(f"{path.name} row {number}: {mistake}")


def _rows(path: Path, limit: int | None = None) -> Iterator[tuple[int, dict[str, str]]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines), start=1):
                if limit is not None and number > limit:
                    return
                yield number, {key: (value or "").strip() for key, value in row.items() if key}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StreamError(f"{path} cannot be read: {error}") from error


def _mapping_for(path: Path) -> dict[str, Any]:
    try:
        with (gzip.open if path.suffix == ".gz" else open)(
            path, "rt", encoding="utf-8-sig", newline=""
        ) as lines:
            header = set(next(csv.reader(lines), []))
    except (OSError, UnicodeDecodeError) as error:
        raise StreamError(f"{path} cannot be read: {error}") from error
    known = []
    for file in sorted(MAPPINGS.glob("*.toml")):
        mapping = tomllib.loads(file.read_text(encoding="utf-8"))
        in_rows = [source for source in mapping.get("orders", []) if "file" not in source]
        columns = {name for table in (mapping["review"], *in_rows) for name in _columns(table)}
        if columns <= header:
            return mapping
        known.append(f"  {file.name}: {mapping['about']} - {', '.join(sorted(columns))}")
    raise StreamError(
        f"{path.name} has none of the known shapes. Its columns: {', '.join(sorted(header)) or 'none'}.\n"
        f"Known shapes and the columns that they need:\n" + "\n".join(known) + "\n"
        f"To play another one, copy {MAPPINGS / 'sample.toml'} and name the columns of your file in it."
    )


def _columns(table: dict[str, Any]) -> Iterator[str]:
    for value in table.values():
        yield from value if isinstance(value, list) else [value]


def _written(row: dict[str, str], mapping: dict[str, Any]) -> Written | None:
    columns, ratings = mapping["review"], mapping["ratings"]
    said = row[columns["rating"]]
    if said not in ratings:
        raise ValueError(f"{columns['rating']} is {said!r}, not one of {', '.join(ratings)}")
    if ratings[said] == "none":
        return None
    if not row[columns["id"]]:
        raise ValueError(f"{columns['id']} is empty")
    price = row.get(columns.get("price", ""))
    return Written(
        review_id=row[columns["id"]],
        rating=ratings[said],
        text="\n".join(filter(None, (row[name] for name in columns["text"]))),
        order_id=row.get(columns.get("order_id", "")) or None,
        customer_id=row.get(columns.get("customer_id", "")) or None,
        product_id=row[columns["product_id"]],
        product_title=row[columns["product_title"]],
        price=_amount(row, columns["price"]) if price else None,
    )


def _purchase(row: dict[str, str], source: dict[str, str], at: datetime | None) -> Purchase:
    for name in (source["order_id"], source["customer_id"]):
        if not row.get(name):
            raise ValueError(f"{name} is empty")
    placed = _before(row, source["placed"], at)
    if placed is None:
        raise ValueError(f"{source['placed']} is empty")
    returned = row.get(source.get("returned", ""), "") or "no"
    if returned not in ("yes", "no"):
        raise ValueError(f"{source['returned']} is {returned!r}, not yes or no")
    return Purchase(
        order_id=row[source["order_id"]],
        customer_id=row[source["customer_id"]],
        total=_amount(row, source["total"]),
        placed=max(placed, timedelta(0)),
        promised=_before(row, source.get("promised"), at),
        delivered=_before(row, source.get("delivered"), at),
        returned=returned == "yes",
        consent=tuple(row.get(source.get("consent", ""), "").split()),
    )


def _amount(row: dict[str, str], column: str) -> int:
    try:
        return fen(row[column])
    except ValueError as error:
        raise ValueError(f"{column} is {row[column]!r}, not an amount such as 59.90") from error


def _moment(row: dict[str, str], column: str | None) -> datetime | None:
    if not column or not row[column]:
        return None
    try:
        return datetime.fromisoformat(row[column])
    except ValueError as error:
        raise ValueError(f"{column} is {row[column]!r}, not a time such as 2020-08-24 11:29") from error


def _before(row: dict[str, str], column: str | None, at: datetime | None) -> timedelta | None:
    """Return how long before the review it was: the cell is a number of days, or a timestamp."""
    if not column or not row[column]:
        return None
    try:
        return timedelta(days=float(row[column]))
    except ValueError:
        moment = _moment(row, column)
    return at - moment if at and moment else timedelta(0)
