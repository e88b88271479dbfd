"""Addresses: where a channel is and with which key, as its secret holds them; and posting to it."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from functions.channels.errors import Overloaded, Refused, Unavailable
from functions.domain.channels import Kind
from functions.runtime.http import Answer, Unreachable
from functions.runtime.http import post as send

_HOSTS: Mapping[Kind, tuple[str, ...]] = {
    "feishu": ("open.feishu.cn", "open.larksuite.com"),
    "wecom": ("qyapi.weixin.qq.com",),
    "dingtalk": ("oapi.dingtalk.com",),
}


class Address(NamedTuple):
    """`key` signs; empty where the robot asks for no signature."""

    url: str
    key: str = ""

    @classmethod
    def of(cls, secret: str) -> Self:
        """Read a channel's secret, {"url": …, "key": …}. Raises Refused, which never quotes it."""
        try:
            held = json.loads(secret)
            return cls(str(held["url"]), str(held.get("key") or ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused("the secret is not an object with url and key") from None


def unsafe(kind: Kind, url: str) -> str | None:
    """Return why we do not post there, None where nothing is against it.

    A robot's address is its platform's; a webhook's is a public name, so that nobody can have us ask
    machines inside a network for something.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "it is no address"
    if parts.scheme != "https":
        return "it is not https"
    if parts.username or parts.password or port not in (None, 443):
        return "it names a user or a port"
    if hosts := _HOSTS.get(kind):
        return None if host in hosts else f"a {kind} robot lives at {' or '.join(hosts)}"
    return "it is no public name" if _inside(host) else None


def _inside(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))
    return True


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """POST JSON and return the answer. Raises Overloaded, Unavailable or Refused by its status."""
    try:
        answer = send(url, body, {"content-type": "application/json; charset=utf-8"} | dict(headers))
    except Unreachable as error:
        reason = str(error).partition(":")[0]  # what follows may hold the address
        raise Unavailable(f"not reached: {reason}") from None
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Overloaded("HTTP 429")
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status == HTTPStatus.REQUEST_TIMEOUT:
        raise Unavailable(f"HTTP {answer.status}")
    return answer


def code_of(answer: Answer, name: str) -> int:
    """Return the platform's own code: robots answer HTTP 200 to nearly everything. Raises Unavailable."""
    try:
        body: Any = json.loads(answer.body)
        return int(body[name])
    except (ValueError, KeyError, TypeError):
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise Refused(f"HTTP {answer.status}") from None
        raise Unavailable(f"HTTP {answer.status} without a {name}") from None
