"""Feishu (Lark): a group's custom bot.

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot: the signature is the HMAC-SHA256 of an
empty message under timestamp, line feed and secret; the timestamp in seconds, at most an hour old.
"""

import hmac
import json
from base64 import b64encode
from datetime import datetime
from hashlib import sha256

from functions.channels.address import Address, code_of, post
from functions.channels.errors import Overloaded, Refused
from functions.domain.alerts import Alert

_TOO_MANY = (11232, 99991400)


def send(to: Address, alert: Alert, now: datetime) -> None:
    """Raises ChannelError."""
    message: dict[str, object] = {"msg_type": "text", "content": {"text": alert.sms}}
    if to.key:
        timestamp = str(int(now.timestamp()))
        message |= {"timestamp": timestamp, "sign": signature(timestamp, to.key)}
    code = code_of(post(to.url, json.dumps(message).encode(), {}), "code")
    if code in _TOO_MANY:
        raise Overloaded(f"code {code}")
    if code:
        raise Refused(f"code {code}")


def signature(timestamp: str, secret: str) -> str:
    return b64encode(hmac.digest(f"{timestamp}\n{secret}".encode(), b"", sha256)).decode()
