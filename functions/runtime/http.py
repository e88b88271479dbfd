"""HTTP to platforms: form posts over one pool of kept-alive connections, never waiting long."""

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
    try:
        response = _pool().request(
            "POST",
            url,
            body=urlencode(form),
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
            timeout=_TIMEOUT,
            retries=False,
        )
    except urllib3.exceptions.HTTPError as error:
        # The error's text may hold the address; it never holds the form with its secrets.
        raise Unreachable(f"{type(error).__name__}: {error}") from error
    return Answer(response.status, response.headers, response.data)


@cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=4)
