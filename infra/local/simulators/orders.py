"""A shop's own order system, simulated: it takes signed orders for refunds and new parcels, on loopback.

Checks what https://www.standardwebhooks.com asks a receiver to check: the signature over id, time and body,
and that the time is not long ago. An order that comes again under its key is answered again and carried
out once. It shares no code with the sender, so that a misreading of the protocol shows.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

PATH = "/orders"
TOLERANCE_S = 300


class OrderSystemSimulator:
    """On 127.0.0.1; a context manager, or `start` and `stop`.

    `taken` holds each order once, under its key; `counts` counts the answers by status. `failing` is the
    number of the next calls that are answered with 503; `forgetful` the number of those that are taken,
    but whose answer never arrives.
    """

    def __init__(self, secret: str, port: int = 0, clock: Callable[[], float] = time.time) -> None:
        self.secret, self.clock = secret, clock
        self.taken: dict[str, dict[str, Any]] = {}
        self.counts: Counter[int] = Counter()
        self.failing = self.forgetful = 0
        self._lock = threading.Lock()
        simulator = self

        class Call(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, answer = simulator.answer(self.path, headers, body)
                if status == 0:
                    self.close_connection = True
                    return
                said = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Say nothing: the simulators count."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Call)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{PATH}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        """Return status and answer of a call; status 0 where the answer is lost on its way."""
        with self._lock:
            status, said = self._judged(path, headers, body)
            self.counts[status] += 1
            return status, said

    def _judged(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        if path != PATH:
            return 404, {"error": "no such address"}
        if self.failing:
            self.failing -= 1
            return 503, {"error": "try again"}
        if wrong := self._wrong(headers, body):
            return 401, {"error": wrong}
        key, order = headers["webhook-id"], json.loads(body)
        if headers.get("idempotency-key") != key or order["id"] != key:
            return 400, {"error": "the order has another key than the message"}
        if self.taken.setdefault(key, order) != order:
            return 409, {"error": "another order came under this key"}
        if self.forgetful:
            self.forgetful -= 1
            return 0, {}
        return 200, {"order": key, "state": "accepted"}

    def _wrong(self, headers: dict[str, str], body: bytes) -> str | None:
        key, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not key or not sent.isdecimal():
            return "no id or no time"
        if abs(self.clock() - int(sent)) > TOLERANCE_S:
            return "sent too long ago"
        signed = key.encode() + b"." + sent.encode() + b"." + body
        _, _, encoded = self.secret.rpartition("whsec_")
        secret = self.secret.encode() if encoded == self.secret else base64.b64decode(encoded)
        mac = hmac.new(secret, signed, hashlib.sha256).digest()
        expected = "v1," + base64.b64encode(mac).decode()
        given = headers.get("webhook-signature", "").split(" ")
        if not any(hmac.compare_digest(expected.encode(), each.encode()) for each in given):
            return "the signature is not right"
        return None
