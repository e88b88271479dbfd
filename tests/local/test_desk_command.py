"""The command `winback desk` against the desk API behind a small server."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from functions import desk_api
from infra.cli.main import main
from tests.cloud import Cloud
from tests.events import CONTEXT
from tests.requests import request


class Api(BaseHTTPRequestHandler):
    """Hands each signed request to the function, as the HTTP API does."""

    def answer(self) -> None:
        assert self.headers["Authorization"].startswith("AWS4-HMAC-SHA256")
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode() or None
        given: Any = desk_api.handler(request(self.command, self.path, body=body), CONTEXT)
        self.send_response(given["statusCode"])
        self.end_headers()
        self.wfile.write(given["body"].encode())

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def api(aws: Cloud) -> Iterator[tuple[str, ...]]:
    """Where the API is and which shop is meant, as arguments."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield "--api", f"http://127.0.0.1:{server.server_port}", "--shop", "shop-1"
        server.shutdown()


def test_a_silence_is_made_shown_and_ended(api: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ("--by", "wang", "--reason", "stock-taking", "--for", "2h", "--product", "p1")
    assert main(["desk", "silence", *wanted, *api]) == 0
    said = capsys.readouterr().out
    assert "it holds for 0 open cases now" in said
    number = said.split()[0]
    assert main(["desk", "show", *api]) == 0
    shown = capsys.readouterr().out
    assert number in shown
    assert "stock-taking" in shown
    assert main(["desk", "silence", "--end", number, "--by", "wang", *api]) == 0
    main(["desk", "show", *api])
    assert "Nothing is silenced." in capsys.readouterr().out


def test_a_rota_is_set_from_a_file(
    api: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rota.json"
    shift = {"role": "agent", "people": ["lin"], "starts": "00:00", "ends": "24:00"}
    path.write_text(json.dumps({"shifts": [shift]}))
    assert main(["desk", "rota", str(path), "--by", "wang", *api]) == 0
    assert "agent: lin" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("--by", "wang", "--for", "2h"), "needs --for and --reason"),
        (("--by", "wang", "--for", "2x", "--reason", "why"), "not a duration such as"),
        (("--by", "wang", "--for", "2h", "--reason", "why not"), "matchers: name what to silence"),
        (("--by", "wang", "--for", "30d", "--reason", "why not", "--product", "p"), "lasts 7 days at most"),
        (("--by", "wang", "--end", "S-NONE"), "has no S-NONE"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_way_to_mend_it(
    api: tuple[str, ...], words: tuple[str, ...], mend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["desk", "silence", *words, *api]) == 2
    assert mend in capsys.readouterr().err
