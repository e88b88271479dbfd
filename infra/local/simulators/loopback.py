"""An HTTP server on loopback whose answers are made by one function."""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Answer(NamedTuple):
    outcome: str
    body: bytes
    status: int = 200


class Loopback:
    """Serves GET and POST on 127.0.0.1 at `paths`; `answer` gets query and form parameters, decoded."""

    def __init__(
        self, paths: tuple[str, ...], port: int, answer: Callable[[Mapping[str, str]], Answer]
    ) -> None:
        class Call(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body leave in two packets; without this the second waits 40 ms for an ACK.
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                self._reply(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

            def do_GET(self) -> None:
                self._reply("")

            def _reply(self, form: str) -> None:
                address = urlsplit(self.path)
                if address.path not in paths:
                    self.send_error(404)
                    return
                answered = answer(dict(parse_qsl(address.query) + parse_qsl(form)))
                self.send_response(answered.status)
                self.send_header("Content-Type", "application/json;charset=UTF-8")
                self.send_header("Content-Length", str(len(answered.body)))
                self.end_headers()
                self.wfile.write(answered.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Say nothing: the simulators count."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Call)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
