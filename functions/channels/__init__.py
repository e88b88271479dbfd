"""Notification channels: one file each, registered here under the kind that a shop's channel names.

A channel sends one alert, or raises: Refused where no other try would help, Overloaded where it says that
it gets too much, Unavailable for the rest. What they say never holds an address: robots' addresses are
passwords. The alerts topic is a channel too, for whoever subscribes to it: SNS's taking of an alert
("alerted" in the timeline) is all the receipt it gives.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from functions.channels import dingtalk, feishu, webhook, wecom
from functions.channels.address import Address, unsafe
from functions.channels.errors import ChannelError, Overloaded, Refused, Unavailable
from functions.domain.alerts import Alert
from functions.domain.channels import Kind

__all__ = ["CHANNELS", "Address", "ChannelError", "Overloaded", "Refused", "Unavailable", "unsafe"]

Sender = Callable[[Address, Alert, datetime], None]

CHANNELS: Mapping[Kind, Sender] = {
    "feishu": feishu.send,
    "wecom": wecom.send,
    "dingtalk": dingtalk.send,
    "webhook": webhook.send,
}
