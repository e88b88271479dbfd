"""Orders: a file of reviews and orders as a stream in time.

Columns as Olist names them are read directly, other shapes by the mappings of infra/local/mappings.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.domain.money import fen
from functions.domain.profiles import Order
from functions.domain.reviews import Review
from infra.local.stream import read

HISTORY = "olist_history_before_window.csv.gz"
_NO_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_NEEDED = ("order_id", "customer_unique_id", "order_purchase_timestamp", "payment_value", "review_score")


@dataclass(frozen=True, slots=True)
class Told:
    """An order when it was placed (no review), or its review when it was written."""

    at: datetime
    order: Order | None  # None where it is not known
    review: Review | None


def orders(path: Path, limit: int | None = None) -> list[Told]:
    """Return what the file tells, in order of time; earlier orders from the history beside it.

    Raises ValueError, StreamError for a file of no known shape. Payments are taken for yuan; reviews without
    a time are taken for written on one day.
    """
    if not _olists(path):
        return sorted(_mapped(path, limit), key=lambda entry: (entry.at, entry.review is not None))
    told = [entry for row in _rows(path, limit) for entry in _told(row)]
    history = path.with_name(HISTORY)
    if history.exists() and history != path:
        told += [entry for row in _rows(history, None) for entry in _told(row) if entry.review is None]
    return sorted(told, key=lambda entry: (entry.at, entry.review is not None))


def _olists(path: Path) -> bool:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="") as lines:
        return set(_NEEDED) <= set(next(csv.reader(lines), []))


def _mapped(path: Path, limit: int | None) -> Iterator[Told]:
    known: dict[str, Order] = {}
    for number, entry in enumerate(read(path, limit).entries):
        at = entry.at or _NO_DAY + timedelta(seconds=number)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        for bought in entry.orders:
            order = Order(
                shop_id="replay",
                order_id=bought.order_id,
                customer_id=bought.customer_id,
                placed_at=at - bought.placed,
                total=bought.total,
                returned=bought.returned,
            )
            known[order.order_id] = order
            yield Told(order.placed_at, order, None)
        if (said := entry.written) is not None:
            review = Review(
                shop_id="replay",
                platform="file",
                review_id=said.review_id,
                order_id=said.order_id,
                customer_id=said.customer_id,
                rating=said.rating,
                text=said.text,
                price=said.price,
                posted_at=at,
                first_seen_at=at,
            )
            yield Told(at, known.get(said.order_id or ""), review)


def _rows(path: Path, limit: int | None) -> Iterator[dict[str, str]]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            if limit is not None and number >= limit:
                return
            yield row


def _told(row: dict[str, str]) -> Iterator[Told]:
    if not row["payment_value"]:
        return
    placed = _moment(row["order_purchase_timestamp"])
    order = Order(
        shop_id="replay",
        order_id=row["order_id"],
        customer_id=row["customer_unique_id"],
        placed_at=placed,
        total=fen(row["payment_value"]),
    )
    yield Told(placed, order, None)
    if row["review_score"] and row["review_answer_timestamp"]:
        at = max(placed, _moment(row["review_answer_timestamp"]))
        text = "\n".join(filter(None, (row["review_comment_title"], row["review_comment_message"])))
        review = Review(
            shop_id="replay",
            platform="file",
            review_id=row["order_id"],
            order_id=row["order_id"],
            customer_id=row["customer_unique_id"],
            stars=int(row["review_score"]),
            text=text,
            posted_at=at,
            first_seen_at=at,
        )
        yield Told(at, order, review)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
