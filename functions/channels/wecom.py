"""WeCom (企业微信): a group's robot. Its address is its password; there is no signature.

https://developer.work.weixin.qq.com/document/path/91770
"""

import json
from datetime import datetime

from functions.channels.address import Address, code_of, post
from functions.channels.errors import Overloaded, Refused, Unavailable
from functions.domain.alerts import Alert

_TOO_MANY, _BUSY = 45009, -1


def send(to: Address, alert: Alert, now: datetime) -> None:
    """Raises ChannelError."""
    message = {"msgtype": "text", "text": {"content": alert.sms}}
    code = code_of(post(to.url, json.dumps(message).encode(), {}), "errcode")
    if code == _TOO_MANY:
        raise Overloaded(f"errcode {code}")
    if code == _BUSY:
        raise Unavailable(f"errcode {code}")
    if code:
        raise Refused(f"errcode {code}")
