"""Links: signed, expiring tokens that open one case's page or do one thing to one case, without a login.

A token is the case number, for people to read, and behind it, as unpadded base64url, 5 bytes of content
(version, purpose, number of the key, expiry), for an act also a nonce of 6, and the first 13 bytes of the
HMAC-SHA256 of all of it: 39 characters to show a page, so that it fits a text message, 47 to act. Keys are
numbered 0 to 7, so that a new one may sign while links of the old ones still work.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal, NamedTuple, get_args

Act = Literal["acknowledge", "take_over", "resolve"]
Purpose = Literal["show", "acknowledge", "take_over", "resolve"]
ACTS: tuple[Act, ...] = get_args(Act)
_PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

TOKEN_LENGTH = 39  # of a token that shows
NONCE = 6  # bytes
_CONTENT, _MAC = 5, 13  # bytes; 104 bits cannot be guessed
_VERSION = 1
_DOMAIN = b"winback link"  # so that no other use of the key makes a valid token
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_CASE = re.compile(r"WB-[A-Z2-7]{12}")
_TOKEN = re.compile(rf"({_CASE.pattern})([A-Za-z0-9_-]{{24}}|[A-Za-z0-9_-]{{32}})")


class BadLink(ValueError):
    """The token was not made by us, or not for this."""


class LinkExpired(BadLink):
    """The token was ours, but its time is over."""


class Keys(NamedTuple):
    """The keys by number, and which of them signs. Each has 16 bytes or more."""

    signs: int
    known: Mapping[int, bytes]


class Link(NamedTuple):
    """`expires_at` is rounded up to the minute. Only acts have a nonce; each is used once."""

    purpose: Purpose
    case_id: str
    expires_at: datetime
    nonce: bytes = b""


def token(link: Link, keys: Keys) -> str:
    """Return the link's token. Raises ValueError for a case number or a nonce that is none."""
    if _CASE.fullmatch(link.case_id) is None:
        raise ValueError(f"{link.case_id} is no case number")
    if len(link.nonce) != (0 if link.purpose == "show" else NONCE):
        raise ValueError(f"to {link.purpose}, a nonce of {len(link.nonce)} bytes is wrong")
    head = _VERSION << 6 | _PURPOSES.index(link.purpose) << 3 | keys.signs
    minutes = -((_EPOCH - link.expires_at) // _MINUTE)  # rounded up
    signed = (head << 32 | minutes).to_bytes(_CONTENT) + link.nonce
    mac = _mac(link.case_id, signed, keys.known[keys.signs])
    return link.case_id + urlsafe_b64encode(signed + mac).decode()


def read(text: str, keys: Keys, now: datetime) -> Link:
    """Return what a token is for. Raises LinkExpired, and BadLink for whatever we did not sign."""
    parts = _TOKEN.fullmatch(text)
    if parts is None:
        raise BadLink("not a token")
    case_id, given = parts[1], urlsafe_b64decode(parts[2])
    signed, mac = given[:-_MAC], given[-_MAC:]
    content = int.from_bytes(signed[:_CONTENT])
    version, purpose, signer = content >> 38, content >> 35 & 7, content >> 32 & 7
    key = keys.known.get(signer)
    if key is None or not hmac.compare_digest(mac, _mac(case_id, signed, key)):
        raise BadLink("not signed by us")
    if version != _VERSION or purpose >= len(_PURPOSES):
        raise BadLink("of another version")
    expires_at = _EPOCH + (content & 0xFFFFFFFF) * _MINUTE
    if now >= expires_at:
        raise LinkExpired("expired")
    return Link(_PURPOSES[purpose], case_id, expires_at, signed[_CONTENT:])


def _mac(case_id: str, signed: bytes, key: bytes) -> bytes:
    return hmac.digest(key, _DOMAIN + case_id.encode() + signed, sha256)[:_MAC]
