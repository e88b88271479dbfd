"""The player: customers who order and then write, at a steady pace, into the simulated platform.

Orders reach the system as a shop's own software would send them, through the signed API, before the review.
"""

import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zlib import crc32

from functions.domain.money import yuan
from functions.domain.times import iso
from infra.local.api import Api, RefusedError
from infra.local.simulators.taobao import TaobaoSimulator
from infra.local.stream import Entry, Purchase, Stream, Written

_HANDS = 3
_ORDERS_A_CALL = 100


@dataclass
class Player:
    """Plays a stream into one simulator for each shop. `played` counts; `complaints` are the reviews that
    must have a case, `published` all of them, each as "platform#shop#review".
    """

    stream: Stream
    shops: Mapping[str, TaobaoSimulator]
    api: Api
    rate: float
    played: Counter[str] = field(default_factory=Counter)
    published: set[str] = field(default_factory=set)
    complaints: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def play(self) -> None:
        """Publish everything; returns when the last review is out."""
        started = time.monotonic()
        with ThreadPoolExecutor(_HANDS) as hands:
            for number, entry in enumerate(self.stream.entries):
                time.sleep(max(0.0, started + number / self.rate - time.monotonic()))
                hands.submit(self._live, entry)

    def _live(self, entry: Entry) -> None:
        shop_id = self._shop_of(entry)
        if entry.orders:
            self._order(shop_id, entry.orders)
        if entry.written:
            self._publish(shop_id, entry.written)

    def _order(self, shop_id: str, purchases: list[Purchase]) -> None:
        moment = datetime.now(UTC)
        try:
            for some in batched(purchases, _ORDERS_A_CALL):
                receipt = self.api.post(
                    f"/shops/{shop_id}/orders", {"orders": [told(purchase, moment) for purchase in some]}
                )
                self.played["orders"] += receipt["accepted"] + receipt["unchanged"]
                self.errors += [str(each) for each in receipt["orders"] if each["result"] == "error"]
            for customer, channels in _consents(purchases).items():
                said = {"granted": True, "source": "order form"}
                wish = {"consent": dict.fromkeys(sorted(channels), said)}
                self.api.call("PATCH", f"/shops/{shop_id}/customers/{customer}", wish)
        except (RefusedError, OSError) as error:
            self.errors.append(str(error))

    def _publish(self, shop_id: str, written: Written) -> None:
        row = platform_row(written)
        key = f"taobao#{shop_id}#{row['oid']}"
        self.shops[shop_id].publish(row)
        self.published.add(key)
        if written.rating != "good":
            self.complaints.add(key)
        self.played["reviews"] += 1

    def _shop_of(self, entry: Entry) -> str:
        """A customer stays with one shop."""
        names = sorted(self.shops)
        person = entry.written.customer_id or entry.written.review_id if entry.written else ""
        person = person or (entry.orders[0].customer_id if entry.orders else "")
        return names[crc32(person.encode()) % len(names)]


def batched(purchases: list[Purchase], size: int) -> list[list[Purchase]]:
    return [purchases[start : start + size] for start in range(0, len(purchases), size)]


def _consents(purchases: list[Purchase]) -> dict[str, set[str]]:
    """Return the channels that each customer agreed to."""
    found: dict[str, set[str]] = {}
    for purchase in purchases:
        if purchase.consent:
            found.setdefault(customer_number(purchase.customer_id), set()).update(purchase.consent)
    return found


def platform_row(written: Written) -> dict[str, object]:
    """Return the review as the simulator takes it; the moment of publication becomes its time."""
    return {
        "oid": number(written.review_id),
        "tid": number(written.order_id or written.review_id),
        "result": written.rating,
        "content": written.text,
        "item_title": written.product_title,
        "item_price": yuan(written.price) if written.price is not None else "",
        "num_iid": number(written.product_id),
        "ouid": customer_number(written.customer_id) if written.customer_id else "",
        "nick": "" if written.customer_id else "匿名",
    }


def told(purchase: Purchase, now: datetime) -> dict[str, object]:
    """Return the order as POST /shops/{shop_id}/orders takes it in its list."""

    def moment(before: timedelta | None) -> str | None:
        return None if before is None else iso(now - before)

    return {
        "order_id": str(number(purchase.order_id)),
        "customer_id": customer_number(purchase.customer_id),
        "placed_at": moment(purchase.placed),
        "total": purchase.total,
        "returned": purchase.returned,
        "promised_by": moment(purchase.promised),
        "delivered_at": moment(purchase.delivered),
    }


def number(name: str) -> int:
    """Return the file's id as Taobao's ids are: a number beyond 2^53, always the same for the same name."""
    if name.isdecimal() and len(name) <= 18:
        return int(name)
    return 2**60 + int.from_bytes(sha256(name.encode()).digest()[:7])


def customer_number(name: str) -> str:
    return name if len(name) <= 64 else sha256(name.encode()).hexdigest()
