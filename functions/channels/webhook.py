"""Webhook: the alert as JSON to the shop's own system, signed as Standard Webhooks says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: `webhook-id` is
the alert's key, the same however often it is sent, so that a receiver can drop repetitions.
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus

from functions.channels.address import Address, post
from functions.channels.errors import Refused
from functions.domain.alerts import Alert

_PREFIX = "whsec_"


def send(to: Address, alert: Alert, now: datetime) -> None:
    """Raises ChannelError."""
    if not to.key:
        raise Refused("the secret holds no key")
    body, timestamp = alert.model_dump_json().encode(), str(int(now.timestamp()))
    answer = post(
        to.url,
        body,
        {
            "webhook-id": alert.key,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{signature(alert.key, timestamp, body, to.key)}",
        },
    )
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise Refused(f"HTTP {answer.status}")


def signature(key: str, timestamp: str, body: bytes, secret: str) -> str:
    """Raises Refused for a secret that is not whsec_ and base64."""
    try:
        raw = b64decode(secret.removeprefix(_PREFIX), validate=True)
    except Error:
        raise Refused("the key is not whsec_ and base64") from None
    return b64encode(hmac.digest(raw, f"{key}.{timestamp}.".encode() + body, sha256)).decode()
