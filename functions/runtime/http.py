"""HTTP to platforms and shops: posts over one pool of kept-alive connections, never waiting long."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import urlencode

import urllib3

_TIMEOUT = urllib3.Timeout(connect=3, read=10)  # seconds


class Unreachable(Exception):
    """No complete HTTP answer came back: no connection, a time-out, or one that broke off."""


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


def post_form(url: str, form: Mapping[str, str]) -> Answer:
    """POST `form` as UTF-8 and return the answer, whatever its status; redirects are not followed."""
    form_type = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}
    return post(url, urlencode(form).encode(), form_type)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """POST `body` and return the answer, whatever its status; redirects are not followed."""
    try:
        response = _pool().request(
            "POST", url, body=body, headers=headers, timeout=_TIMEOUT, retries=False, redirect=False
        )
    except urllib3.exceptions.HTTPError as error:
        # The error's text may hold the address; it never holds the body with its secrets.
        raise Unreachable(f"{type(error).__name__}: {error}") from error
    return Answer(response.status, response.headers, response.data)


@cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=4)
