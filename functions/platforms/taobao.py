"""Taobao and Tmall: reviews through the Taobao Open Platform (TOP), method `taobao.traderates.get`, and the
seller's public reply to one, `taobao.traderate.explain.add`.

Wire format: https://developer.alibaba.com/docs/doc.htm?articleId=101617 (calls, signature),
articleId=102707 (errors). The method gives no review id, no stars and no images; the natural key is
the child order, `oid`. Times on the wire are GMT+8 with a resolution of one second.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ValidationError

from functions.domain.money import fen
from functions.domain.polling import Shop, Window
from functions.domain.reviews import Review
from functions.domain.times import CHINA
from functions.platforms.errors import (
    ConfigurationError,
    Declined,
    MalformedAnswer,
    PlatformError,
    RateLimited,
    SessionExpired,
    TemporarilyUnavailable,
)
from functions.runtime.http import Unreachable, post_form
from functions.runtime.observability import logger

GATEWAY = "https://gw.api.taobao.com/router/rest"
METHOD, REPLY = "taobao.traderates.get", "taobao.traderate.explain.add"
FIELDS = "tid,oid,role,nick,result,created,item_title,item_price,content,num_iid,ouid"
PAGE_SIZE = 150  # the documented maximum
MOST_ROWS = 1500  # a query yields no more rows than this, whatever its window holds
RESULTS = ("good", "neutral", "bad")

_SECOND = timedelta(seconds=1)
_UNNAMED_BAN = timedelta(seconds=10)

_MENDS = {
    9: "this code must send POST",
    11: "the app needs permission for this method",
    12: "the app needs permission for this method",
    13: "the app needs permission for this method",
    25: "app_secret in the shop's secret is wrong",
    28: "app_key is missing from the shop's secret",
    29: "app_key in the shop's secret is wrong",
    30: "this code must send a timestamp",
    31: "our clock is more than ten minutes off",
    40: "this code left out an argument",
    41: "this code sent an argument that TOP refuses",
    42: "the app may not call this method",
    53: "the app's security level is too low for this method",
}


class Credentials(BaseModel):
    """What the shop's secret must hold, as JSON."""

    app_key: str
    app_secret: str
    session: str


class _TooManyRows(Exception):
    """The window holds as many rows as a query can yield, so perhaps more."""


def read(shop: Shop, secret: str, window: Window, now: datetime) -> list[Review]:
    """Return every review that TOP shows for the window. Raises PlatformError."""
    # TOP does not say whether end_date is included: one second more makes both readings right.
    start, end = window.start.replace(microsecond=0), window.end.replace(microsecond=0) + _SECOND
    account = _Account(shop, _credentials(secret), now)
    rows = account.rows(start, end)
    reviews = [_review(row, shop, now) for row in rows]
    # Rows that arrive while pages are read push others onto the next page, where they show again.
    return list({(review.review_id, review.version): review for review in reviews}.values())


def reply(shop: Shop, secret: str, review_id: str, text: str, now: datetime) -> None:
    """Reply to a review for all to read, once: TOP offers no way to change it. Raises PlatformError.

    TOP takes replies of Tmall shops only, of 30 days at most, and none once the buyer has appended: Declined.
    """
    answer = _Account(shop, _credentials(secret), now).call(REPLY, {"oid": review_id, "reply": text})
    if answer.get("is_success") is not True:
        raise Declined("TOP did not take the reply and does not say why")


def sign(params: Mapping[str, str], secret: str) -> str:
    """Return the signature of the raw parameters by their `sign_method`: upper-case hex."""
    text = "".join(key + params[key] for key in sorted(params) if key and params[key] and key != "sign")
    match params["sign_method"]:
        case "md5":
            # The protocol's default; the secret on both ends stands in for a key.
            digest = hashlib.md5(f"{secret}{text}{secret}".encode(), usedforsecurity=False).hexdigest()
        case "hmac":
            digest = hmac.new(secret.encode(), text.encode(), "md5").hexdigest()
        case "hmac-sha256":
            digest = hmac.new(secret.encode(), text.encode(), "sha256").hexdigest()
        case unknown:
            raise ValueError(f"TOP has no sign_method {unknown!r}")
    return digest.upper()


class _Account:
    """One shop's view of TOP at one moment."""

    def __init__(self, shop: Shop, credentials: Credentials, now: datetime) -> None:
        self._url = shop.api_url or GATEWAY
        self._credentials = credentials
        self._now = now

    def rows(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Return all rows created from start to end, asking for less at a time where TOP would cut."""
        try:
            return self._query(start, end)
        except _TooManyRows:
            middle = start + (end - start) // 2 // _SECOND * _SECOND
            if middle > start:
                return self.rows(start, middle) + self.rows(middle, end)
        try:
            return [row for result in RESULTS for row in self._query(start, end, result)]
        except _TooManyRows as error:
            raise MalformedAnswer(
                f"{MOST_ROWS} or more reviews with the same rating in the second after {_wall(start)}: "
                "TOP offers no way to read them all; export this second by hand"
            ) from error

    def _query(self, start: datetime, end: datetime, result: str = "") -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for page in range(1, MOST_ROWS // PAGE_SIZE + 1):
            answer = self.call(
                METHOD,
                {
                    "fields": FIELDS,
                    "rate_type": "get",
                    "role": "buyer",
                    "result": result,
                    "start_date": _wall(start),
                    "end_date": _wall(end),
                    "page_no": str(page),
                    "page_size": str(PAGE_SIZE),
                    "use_has_next": "true",
                },
            )
            found = _rows(answer)
            rows += found
            if not found or not answer.get("has_next", len(found) >= PAGE_SIZE):
                break
        else:
            raise _TooManyRows
        if len(rows) >= MOST_ROWS:
            raise _TooManyRows
        return rows

    def call(self, method: str, arguments: Mapping[str, str]) -> dict[str, Any]:
        params = {key: value for key, value in arguments.items() if value} | {
            "method": method,
            "app_key": self._credentials.app_key,
            "session": self._credentials.session,
            "timestamp": _wall(self._now),
            "format": "json",
            "v": "2.0",
            "sign_method": "hmac-sha256",
        }
        params["sign"] = sign(params, self._credentials.app_secret)
        try:
            answer = post_form(self._url, params)
        except Unreachable as error:
            raise TemporarilyUnavailable(f"TOP cannot be reached ({error})") from error
        if answer.status != 200:
            raise _http_error(answer.status)
        return _content(answer.body, method, self._now)


def _credentials(secret: str) -> Credentials:
    try:
        return Credentials.model_validate_json(secret)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, item["loc"])) or "its JSON" for item in error.errors())
        # Not "from error": pydantic quotes the input, which is the secret.
        raise ConfigurationError(
            f"the shop's secret must hold app_key, app_secret, session: {wrong}"
        ) from None


def _http_error(status: int) -> PlatformError:
    if status >= 500 or status == 429:
        return TemporarilyUnavailable(f"TOP answers HTTP {status}")
    return ConfigurationError(f"TOP answers HTTP {status}: check the shop's api_url")


def _content(body: bytes, method: str, now: datetime) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        raise MalformedAnswer(f"TOP's answer is no JSON ({len(body)} bytes)") from None
    if not isinstance(answer, dict):
        raise MalformedAnswer("TOP's answer is no JSON object")
    if isinstance(problem := answer.get("error_response"), dict):
        raise error_of(problem, now)
    named = method.removeprefix("taobao.").replace(".", "_") + "_response"
    content = answer.get(named)
    if not isinstance(content, dict):
        raise MalformedAnswer(f"TOP's answer holds no {named} but {sorted(answer)}")
    return content


def error_of(problem: Mapping[str, Any], now: datetime) -> PlatformError:
    """Return the error that TOP's `error_response` stands for."""
    code, sub_code = problem.get("code"), str(problem.get("sub_code", ""))
    text = f"TOP code {code} {problem.get('msg', '')} {sub_code}".strip()
    if code == 7:
        if sub_code == "accesscontrol.limited-by-app-access-count":
            return RateLimited(f"{text}: the app's daily quota is used up", _until_midnight(now))
        return RateLimited(text, _ban(str(problem.get("sub_msg", ""))))
    if code in (26, 27):
        return SessionExpired(f"{text}: the shop must authorise the app again")
    if code == 10 or (code == 15 and not sub_code.startswith("isv.")):
        return TemporarilyUnavailable(text)
    if code == 15:
        return Declined(text)
    mend = _MENDS.get(code, "see TOP's error codes") if isinstance(code, int) else "see TOP's error codes"
    return ConfigurationError(f"{text}: {mend}")


def _ban(sub_msg: str) -> timedelta:
    named = re.search(r"(\d+)\s+(?:more\s+)?second", sub_msg)
    # One second more: the number is rounded, and our `now` is a little older than the answer.
    return timedelta(seconds=int(named[1])) + _SECOND if named else _UNNAMED_BAN


def _until_midnight(now: datetime) -> timedelta:
    here = now.astimezone(CHINA)
    return (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0) - here


def _rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    # A list is wrapped as {plural: {singular: [...]}}; an empty one may be left out at either level.
    wrapper = content.get("trade_rates") or {}
    rows = (wrapper.get("trade_rate") or []) if isinstance(wrapper, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise MalformedAnswer("TOP's trade_rates is not {trade_rate: [objects]}")
    return rows


def _review(row: Mapping[str, Any], shop: Shop, now: datetime) -> Review:
    try:
        created = datetime.strptime(row["created"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
        return Review(
            shop_id=shop.shop_id,
            platform="taobao",
            review_id=str(row["oid"]),
            order_id=_text(row.get("tid")),
            customer_id=_text(row.get("ouid")) or _own_nick(_text(row.get("nick"))),
            product_id=_text(row.get("num_iid")),
            product_title=row.get("item_title") or "",
            price=_price(row),
            rating=row["result"],
            text=row.get("content") or "",
            posted_at=created,
            first_seen_at=now,
        )
    except KeyError as error:
        raise MalformedAnswer(f"a review has no {error}") from error
    except ValidationError as error:
        wrong = sorted({str(item["loc"][0]) for item in error.errors()})
        raise MalformedAnswer(f"review {row['oid']}: unexpected {', '.join(wrong)}") from None
    except (TypeError, ValueError) as error:
        raise MalformedAnswer(f"review {row['oid']}: created is no time") from error


def _wall(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _text(value: object) -> str | None:
    return str(value) if value else None


def _own_nick(nick: str | None) -> str | None:
    """A masked nick ("t**1") or 匿名 is shared by strangers, who must not become one customer."""
    return nick if nick and "*" not in nick and nick != "匿名" else None


def _price(row: Mapping[str, Any]) -> int | None:
    """Return fen, or None for a price that is absent or odd: then a person decides the remedy.

    An odd price is no reason to keep a shop from all its reviews.
    """
    price = row.get("item_price")
    if not price:
        return None
    try:
        return fen(Decimal(str(price))) if Decimal(str(price)) >= 0 else None
    except (ArithmeticError, ValueError):
        logger.warning("A review's item_price is no amount", extra={"review_id": str(row["oid"])})
        return None
