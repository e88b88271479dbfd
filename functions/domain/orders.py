"""Orders: refunds and new parcels that the shop's own system is asked for, through a signed webhook.

The signature is that of https://www.standardwebhooks.com: HMAC-SHA256 over `id.timestamp.body`, base64.
`webhook-id` is the benefit's key, the same however often the order is sent; `idempotency-key` repeats it
for systems that look there.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.cases import Case
from functions.domain.ledger import State, Step
from functions.domain.money import Fen
from functions.domain.times import Time

KEY_PREFIX = "whsec_"
FIRST_PAUSE_S = 15
LONGEST_PAUSE_S = 900


class Order(BaseModel):
    """What the shop's system is asked for, once under its `id`. It names no person."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: Literal["refund", "reship"]
    shop_id: str
    case_id: str
    step: Step
    order_id: str
    amount_fen: Fen = Field(description="The refund; for a new parcel the value of the goods")
    currency: Literal["CNY"] = "CNY"
    granted_at: Time


def order(case: Case, stands: State) -> Order:
    """Return the order for a benefit. Raises ValueError for one that is none or whose order is unknown."""
    return Order.model_validate(
        {
            "id": stands.key,
            "kind": stands.benefit,
            "shop_id": stands.shop_id,
            "case_id": stands.case_id,
            "step": stands.step,
            "order_id": case.review.order_id,
            "amount_fen": stands.cost,
            "granted_at": stands.since,
        }
    )


def headers(key: str, body: bytes, secret: str, now: datetime) -> Mapping[str, str]:
    """Return the headers of a signed webhook."""
    moment = str(int(now.timestamp()))
    signed = b".".join((key.encode(), moment.encode(), body))
    digest = hmac.digest(_raw(secret), signed, sha256)
    return {
        "content-type": "application/json",
        "idempotency-key": key,
        "webhook-id": key,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }


def _raw(secret: str) -> bytes:
    """Behind the prefix of Standard Webhooks stands base64; any other secret is used as it is."""
    if secret.startswith(KEY_PREFIX):
        return b64decode(secret.removeprefix(KEY_PREFIX), validate=True)
    return secret.encode()


def pause_s(tries: int) -> int:
    """Return the seconds to wait after so many failed tries: twice as long each time, with an end."""
    return int(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** max(0, tries - 1)))
