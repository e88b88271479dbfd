"""Robots of Feishu, WeCom and DingTalk and a shop's webhook, simulated over HTTP on loopback.

Each checks what the real one checks, as its documentation says: signature, age of the timestamp, shape of
the message, messages a minute (DingTalk blocks a robot for ten minutes after one too many). The code
shares nothing with functions/channels, so that a misreading of a protocol shows.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

KINDS = ("feishu", "wecom", "dingtalk", "webhook")
_HOUR, _MINUTE, _SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
_BLOCKED = timedelta(minutes=10)
_A_MINUTE = {"feishu": 100, "wecom": 20, "dingtalk": 20}
_FEISHU_A_SECOND = 5


class Heard(NamedTuple):
    at: datetime
    text: str
    key: str = ""


class Robots:
    """All four on one port, at /<kind>; a context manager.

    `heard` holds what each took, `refusals` the codes it gave. `broken` makes a kind answer with that HTTP
    status, `codes` with that code of its own, until it is taken out again. A clock makes time pass at will.
    """

    def __init__(self, *, port: int = 0, clock: Callable[[], datetime] | None = None) -> None:
        self.secret = "bot-secret"  # noqa: S105 - nothing but the simulators knows it
        self.webhook_key = "whsec_" + base64.b64encode(self.secret.encode()).decode()
        self.heard: dict[str, list[Heard]] = defaultdict(list)
        self.refusals: dict[str, list[int]] = defaultdict(list)
        self.broken: dict[str, int] = {}
        self.codes: dict[str, int] = {}
        self._clock = clock or (lambda: datetime.now(UTC))
        self._blocked_until: dict[str, datetime] = {}
        self._lock = threading.Lock()
        self._server = _server(self, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, kind: str) -> str:
        query = {"wecom": "?key=robot-1", "dingtalk": "?access_token=robot-1"}.get(kind, "")
        return f"http://127.0.0.1:{self._server.server_address[1]}/{kind}{query}"

    def channel_secret(self, kind: str) -> str:
        """The JSON that a channel's secret must hold to reach this robot."""
        key = {"wecom": "", "webhook": self.webhook_key}.get(kind, self.secret)
        return json.dumps({"url": self.url(kind), "key": key})

    def answer(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        kind, now = path.strip("/"), self._clock()
        with self._lock:
            if kind in self.broken:
                return self.broken[kind], {}
            code = self.codes.get(kind) or getattr(self, f"_{kind}")(query, headers, body, now)
            if code:
                self.refusals[kind].append(code)
        if kind == "webhook":
            return code or 200, {}
        name = "code" if kind == "feishu" else "errcode"
        return 200, {name: code, "msg": "success" if not code else "refused"}

    def _feishu(self, _q: Mapping[str, str], _h: Mapping[str, str], body: bytes, now: datetime) -> int:
        said = json.loads(body)
        stamp = str(said.get("timestamp", ""))
        wanted = hmac.new(f"{stamp}\n{self.secret}".encode(), digestmod=hashlib.sha256).digest()
        if not stamp.isdigit() or abs(now.timestamp() - int(stamp)) > _HOUR.total_seconds():
            return 19021
        if said.get("sign") != base64.b64encode(wanted).decode():
            return 19021
        if said.get("msg_type") != "text" or not said["content"]["text"]:
            return 9499
        if self._since("feishu", now - _SECOND) >= _FEISHU_A_SECOND or self._full("feishu", now):
            return 11232
        return self._take("feishu", said["content"]["text"], now)

    def _wecom(self, query: Mapping[str, str], _h: Mapping[str, str], body: bytes, now: datetime) -> int:
        said = json.loads(body)
        if query.get("key") != "robot-1":
            return 93000
        if said.get("msgtype") != "text" or not said["text"]["content"]:
            return 40008
        if self._full("wecom", now):
            return 45009
        return self._take("wecom", said["text"]["content"], now)

    def _dingtalk(self, query: Mapping[str, str], _h: Mapping[str, str], body: bytes, now: datetime) -> int:
        said, stamp = json.loads(body), query.get("timestamp", "")
        wanted = hmac.new(self.secret.encode(), f"{stamp}\n{self.secret}".encode(), hashlib.sha256).digest()
        if query.get("access_token") != "robot-1":
            return 300001
        if not stamp.isdigit() or abs(now.timestamp() * 1000 - int(stamp)) > _HOUR.total_seconds() * 1000:
            return 310000
        if query.get("sign") != base64.b64encode(wanted).decode():
            return 310000
        if said.get("msgtype") != "text" or not said["text"]["content"]:
            return 400105
        if self._full("dingtalk", now):
            self._blocked_until["dingtalk"] = now + _BLOCKED
        if now < self._blocked_until.get("dingtalk", now):
            return 130101
        return self._take("dingtalk", said["text"]["content"], now)

    def _webhook(self, _q: Mapping[str, str], headers: Mapping[str, str], body: bytes, now: datetime) -> int:
        key, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        signed = b".".join((key.encode(), stamp.encode(), body))
        wanted = base64.b64encode(hmac.new(self.secret.encode(), signed, hashlib.sha256).digest()).decode()
        if f"v1,{wanted}" not in headers.get("webhook-signature", "").split():
            return 401
        if abs(now.timestamp() - int(stamp)) > 5 * 60:
            return 400
        return self._take("webhook", json.loads(body)["sms"], now, key)

    def _since(self, kind: str, since: datetime) -> int:
        return sum(each.at > since for each in self.heard[kind])

    def _full(self, kind: str, now: datetime) -> bool:
        return self._since(kind, now - _MINUTE) >= _A_MINUTE[kind]

    def _take(self, kind: str, text: str, now: datetime, key: str = "") -> int:
        self.heard[kind].append(Heard(now, text, key))
        return 0


def _server(robots: Robots, port: int) -> ThreadingHTTPServer:
    class Call(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            address = urlsplit(self.path)
            if address.path.strip("/") not in KINDS:
                self.send_error(404)
                return
            query = {name: values[-1] for name, values in parse_qs(address.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, said = robots.answer(address.path, query, headers, body)
            answer = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing: the robots remember."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Call)
    server.daemon_threads = True
    return server
