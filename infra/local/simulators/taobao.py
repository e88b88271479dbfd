"""Taobao Open Platform, simulated: `taobao.traderates.get` as documented, over HTTP on loopback.

Checks what TOP checks: signature (md5, hmac, hmac-sha256), clock skew, app key, session, arguments,
page limits; cuts a window silently at 1,500 rows. It shares no code with the connector, so that a
misreading of the protocol shows.
"""

import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from infra.local.simulators.faults import Fault
from infra.local.simulators.loopback import Answer, Loopback
from infra.local.simulators.taobao_rows import CHINA, WALL, Row

PATHS = ("/router/rest", "/top/router/rest")
METHOD, REPLY = "taobao.traderates.get", "taobao.traderate.explain.add"
MOST_ROWS, MOST_PAGES, LARGEST_PAGE = 1500, 200, 150
HISTORY = timedelta(days=180)
SKEW = timedelta(minutes=10)
REPLIES_FOR, LONGEST_REPLY = timedelta(days=30), 500


def utc_now() -> datetime:
    return datetime.now(UTC)


class _Refused(Exception):
    def __init__(self, code: int, msg: str, sub_code: str = "", sub_msg: str = "") -> None:
        super().__init__(msg)
        named = {"code": code, "msg": msg, "sub_code": sub_code, "sub_msg": sub_msg, "request_id": "sim"}
        self.code = code
        self.body = {"error_response": {name: value for name, value in named.items() if value}}


class TaobaoSimulator:
    """A TOP gateway on 127.0.0.1 for one app and one shop; a context manager, or `start` and `stop`.

    `session`, `app_secret` and `faults` may be changed while it runs. `counts` counts calls by
    (method, outcome), the outcome being "ok", "http_500", "malformed_json" or "error:<code>".
    """

    def __init__(
        self,
        *,
        port: int = 0,
        app_key: str = "12345678",
        app_secret: str = "helloworld",  # noqa: S107 - the documentation's own example
        session: str = "6100e23test",
        faults: Iterable[Fault] = (),
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        end_included: bool = True,
    ) -> None:
        self.app_key, self.app_secret, self.session = app_key, app_secret, session
        self.faults = tuple(faults)
        self.counts: Counter[tuple[str, str]] = Counter()
        self._clock, self._sleep, self._end_included = clock, sleep, end_included
        self._started, self._calls, self._banned_until = clock(), 0, clock()
        self._rows: dict[int, Row] = {}
        self.replies: dict[int, str] = {}
        self._lock = threading.Lock()
        self._server = Loopback(PATHS, port, self.answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}{PATHS[0]}"

    @property
    def secret(self) -> str:
        """The JSON that a shop's secret must hold to be let in."""
        return json.dumps({"app_key": self.app_key, "app_secret": self.app_secret, "session": self.session})

    def publish(self, row: Mapping[str, Any] | Row) -> Row:
        """Add a review, or replace the one with its oid: an edit. See `Row.of` for the fields."""
        published = row if isinstance(row, Row) else Row.of(row, self._clock())
        with self._lock:
            self._rows[published.oid] = published
        return published

    def withdraw(self, oid: int) -> None:
        """Take a review away, as moderation does."""
        with self._lock:
            del self._rows[oid]

    def start(self) -> Self:
        self._server.start()
        return self

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def answer(self, params: Mapping[str, str]) -> Answer:
        """Return the answer to one call with these decoded parameters."""
        now = self._clock()
        with self._lock:
            self._calls += 1
            elapsed = (now - self._started).total_seconds()
            striking: dict[str, Fault] = {f.kind: f for f in self.faults if f.strikes(self._calls, elapsed)}
        if slow := striking.get("slow"):
            self._sleep(slow.seconds or 0)
        try:
            answer = self._judged(params, striking, now)
        except _Refused as refused:
            answer = Answer(f"error:{refused.code}", json.dumps(refused.body).encode())
        with self._lock:
            self.counts[params.get("method", ""), answer.outcome] += 1
        return answer

    def _judged(self, params: Mapping[str, str], striking: Mapping[str, Fault], now: datetime) -> Answer:
        if "http_500" in striking:
            return Answer("http_500", b"<html>Internal Server Error</html>", 500)
        self._admit(params, now)
        self._ban(striking.get("rate_limit"), now)
        if "session_expired" in striking:
            raise _Refused(27, "Invalid session", "invalid-sessionkey")
        if "isp_error" in striking:
            raise _Refused(15, "Remote service error", "isp.remote-service-timeout", "try again")
        if params["method"] == REPLY:
            content = self._reply(params, now)
            return Answer("ok", json.dumps({"traderate_explain_add_response": content}).encode())
        late = striking.get("late_rows")
        content = self._traderates(params, now, timedelta(seconds=(late and late.seconds) or 0))
        rows = content.get("trade_rates", {}).get("trade_rate", [])
        if "duplicate_rows" in striking:
            rows += rows[:]
        body = json.dumps({"traderates_get_response": content}, ensure_ascii=False).encode()
        if "malformed_json" in striking:
            return Answer("malformed_json", body[: len(body) // 2])
        return Answer("ok", body)

    def _admit(self, params: Mapping[str, str], now: datetime) -> None:
        if "method" not in params:
            raise _Refused(21, "Missing Method")
        if params["method"] not in (METHOD, REPLY):
            raise _Refused(22, "Invalid Method")
        if "app_key" not in params:
            raise _Refused(28, "Missing App Key")
        if params["app_key"] != self.app_key:
            raise _Refused(29, "Invalid App Key")
        if "timestamp" not in params:
            raise _Refused(30, "Missing Timestamp")
        sent = _wall_time(params["timestamp"])
        if sent is None or abs(now - sent) > SKEW:
            raise _Refused(31, "Invalid Timestamp")
        if "sign" not in params:
            raise _Refused(24, "Missing Signature")
        if not hmac.compare_digest(params["sign"].encode(), _signature(params, self.app_secret).encode()):
            raise _Refused(25, "Invalid Signature")
        if "session" not in params:
            raise _Refused(26, "Missing Session")
        if params["session"] != self.session:
            raise _Refused(27, "Invalid session", "invalid-sessionkey")

    def _ban(self, fault: Fault | None, now: datetime) -> None:
        with self._lock:
            if fault and now >= self._banned_until:
                self._banned_until = now + timedelta(seconds=fault.ban_s or 1)
            left = (self._banned_until - now).total_seconds()
        if left > 0:
            raise _Refused(
                7,
                "App Call Limited",
                "accesscontrol.limited-by-api-access-count",
                f"This ban will last for {int(left) or 1} more seconds",
            )

    def _reply(self, params: Mapping[str, str], now: datetime) -> dict[str, Any]:
        """Take one reply a review, within 30 days. TOP does not publish its sub codes: these are invented."""
        for name in ("oid", "reply"):
            if name not in params:
                raise _Refused(40, f"Missing required arguments:{name}")
        if len(params["reply"]) > LONGEST_REPLY:
            raise _Refused(41, "Invalid arguments:reply")
        oid = _number(params, "oid", 0, 10**20)
        with self._lock:
            row = self._rows.get(oid)
            if row is None:
                raise _Refused(15, "Remote service error", "isv.traderate-not-exist")
            if now - row.created > REPLIES_FOR:
                raise _Refused(15, "Remote service error", "isv.traderate-explain-expired")
            if oid in self.replies:
                raise _Refused(15, "Remote service error", "isv.traderate-explain-exists")
            self.replies[oid] = params["reply"]
        return {"is_success": True, "request_id": "sim"}

    def _traderates(self, params: Mapping[str, str], now: datetime, late: timedelta) -> dict[str, Any]:
        for name in ("fields", "rate_type", "role"):
            if name not in params:
                raise _Refused(40, f"Missing required arguments:{name}")
        page = _number(params, "page_no", 1, MOST_PAGES)
        size = _number(params, "page_size", 40, LARGEST_PAGE)
        start, end = _bound(params, "start_date"), _bound(params, "end_date")
        if params["rate_type"] not in ("get", "give") or params["role"] not in ("buyer", "seller"):
            raise _Refused(41, "Invalid arguments:rate_type,role")
        if params.get("result", "good") not in ("good", "neutral", "bad"):
            raise _Refused(41, "Invalid arguments:result")
        with self._lock:
            rows = list(self._rows.values())
        found = [
            row
            for row in rows
            if row.visible_at + late <= now
            and row.created >= max(start or now - HISTORY, now - HISTORY)
            and (end is None or row.created < end or (row.created == end and self._end_included))
            and params.get("result", row.result) == row.result
            and (params["rate_type"], params["role"]) == ("get", "buyer")
        ]
        found = sorted(found, key=lambda row: (row.created, row.oid), reverse=True)[:MOST_ROWS]
        shown = [row.wire(params["fields"].split(",")) for row in found[(page - 1) * size : page * size]]
        content: dict[str, Any] = {"trade_rates": {"trade_rate": shown}} if shown else {}
        if params.get("use_has_next") == "true":
            content["has_next"] = page * size < len(found)
        else:
            content["total_results"] = len(found)
        return content | {"request_id": "sim"}


def _signature(params: Mapping[str, str], secret: str) -> str:
    text = "".join(f"{name}{value}" for name, value in sorted(params.items()) if name != "sign" and value)
    key, method = secret.encode(), params.get("sign_method", "")
    if method == "md5":
        return hashlib.md5(key + text.encode() + key, usedforsecurity=False).hexdigest().upper()
    if method in ("hmac", "hmac-sha256"):
        algorithm = "md5" if method == "hmac" else "sha256"
        return hmac.new(key, text.encode(), algorithm).hexdigest().upper()
    return ""


def _number(params: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = params.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise _Refused(41, f"Invalid arguments:{name}")
    return int(text)


def _bound(params: Mapping[str, str], name: str) -> datetime | None:
    if name not in params:
        return None
    moment = _wall_time(params[name])
    if moment is None:
        raise _Refused(41, f"Invalid arguments:{name}")
    return moment


def _wall_time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, WALL).replace(tzinfo=CHINA)
    except ValueError:
        return None
