"""Orders: a file of orders with their reviews (columns as Olist names them), as a stream in time."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from functions.domain.money import fen
from functions.domain.profiles import Order
from functions.domain.reviews import Review

HISTORY = "olist_history_before_window.csv.gz"
_NEEDED = ("order_id", "customer_unique_id", "order_purchase_timestamp", "payment_value", "review_score")


@dataclass(frozen=True, slots=True)
class Told:
    """An order when it was placed (no review), or its review when it was written."""

    at: datetime
    order: Order
    review: Review | None


def orders(path: Path, limit: int | None = None) -> list[Told]:
    """Return what the file tells, in order of time; earlier orders from the history beside it.

    Raises ValueError for a file of another shape. Payments are taken for yuan.
    """
    told = [entry for row in _rows(path, limit) for entry in _told(row)]
    history = path.with_name(HISTORY)
    if history.exists() and history != path:
        told += [entry for row in _rows(history, None) for entry in _told(row) if entry.review is None]
    return sorted(told, key=lambda entry: (entry.at, entry.review is not None))


def _rows(path: Path, limit: int | None) -> Iterator[dict[str, str]]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        if missing := [name for name in _NEEDED if name not in (reader.fieldnames or ())]:
            raise ValueError(f"{path.name} lacks the columns {', '.join(missing)}")
        for number, row in enumerate(reader):
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
