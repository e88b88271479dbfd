"""DingTalk (钉钉): a group's custom robot.

https://open.dingtalk.com/document/robots/custom-robot-access and .../customize-robot-security-settings:
timestamp in milliseconds, at most an hour old, and signature, the HMAC-SHA256 of timestamp, line feed and
secret under the secret, are added to the address.
"""

import hmac
import json
from base64 import b64encode
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlencode

from functions.channels.address import Address, code_of, post
from functions.channels.errors import Overloaded, Refused, Unavailable
from functions.domain.alerts import Alert

_TOO_MANY = (130101, 660026)
_BUSY = -1


def send(to: Address, alert: Alert, now: datetime) -> None:
    """Raises ChannelError."""
    message = {"msgtype": "text", "text": {"content": alert.sms}}
    url = to.url
    if to.key:
        timestamp = str(int(now.timestamp() * 1000))
        url += "&" + urlencode({"timestamp": timestamp, "sign": signature(timestamp, to.key)})
    code = code_of(post(url, json.dumps(message).encode(), {}), "errcode")
    if code in _TOO_MANY:
        raise Overloaded(f"errcode {code}")
    if code == _BUSY:
        raise Unavailable(f"errcode {code}")
    if code:
        raise Refused(f"errcode {code}")


def signature(timestamp: str, secret: str) -> str:
    return b64encode(hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), sha256)).decode()
