"""An alert on its way to people, in the deployed system: the channel that takes it, the page it opens."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.domain.cases import case_id
from infra.local.api import api_url
from infra.local.simulators.robots import Robots
from tests.system.running import Shop, System, eventually

pytestmark = pytest.mark.system


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def ask(system: System, token: str, form: dict[str, str] | None = None) -> tuple[int, str, dict[str, str]]:
    """Ask for a page as a phone does: unsigned. Return status, body and headers; follow nothing."""
    data = urlencode(form).encode() if form is not None else None
    request = urllib.request.Request(f"{api_url(system.target)}/p/{token}", data)
    try:
        answer = urllib.request.build_opener(_Stay).open(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return int(answer.status), answer.read().decode(), headers


def alerted(shop: Shop) -> tuple[str, str]:
    """Return the number of a new case and the token of its first alert's link."""
    number = case_id(shop.complain())

    def link() -> Any:
        heard = shop.system.alerts.heard(case_id=number, kind="first")
        return heard and re.search(r"/p/([\w-]{39})", heard[0].body["sms"])

    return number, shop.poll_until(link)[1]


def acts(page: str) -> dict[str, str]:
    found = re.findall(r'<button[^>]*formaction="([^"]+)"[^>]*>([^<]+)', page)
    return {said: unescape(token) for token, said in found}


def test_the_link_of_an_alert_opens_a_page_that_acts_once(system: System, shop: Shop) -> None:
    before = system.trouble()
    number, token = alerted(shop)
    status, page, headers = ask(system, token)
    assert status == 200
    assert "<mark>" in page
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert system.known(number).status == "open", "looking changes nothing"
    form = {"page": token, "by": "王芳"}
    act = acts(page)["认领"]
    status, _, headers = ask(system, act, form)
    assert (status, headers["location"]) == (303, f"{token}?done=acknowledge")
    assert system.known(number).status == "acknowledged"
    assert ask(system, act, form)[0] == 409, "replayed"
    other, other_token = alerted(shop)
    theirs = acts(ask(system, other_token)[1])["认领"]
    assert ask(system, theirs, form)[0] == 404, "another case's"
    assert ask(system, act[:-1] + ("A" if act[-1] != "A" else "B"), form)[0] == 404, "forged"
    assert ask(system, token, form)[0] == 404, "the page's own link does nothing"
    assert system.known(other).status == "open"
    solve = acts(ask(system, token)[1])["确认已解决"]
    assert ask(system, solve, form | {"cause": "quality", "outcome": "solved", "note": "换新"})[0] == 303
    eventually(lambda: system.known(number).confirmed_cause == "quality")
    assert system.trouble() == before


def test_an_alert_reaches_the_shops_channel_or_the_next_one(
    system: System, shop: Shop, winback: Callable[..., int], tmp_path: Any
) -> None:
    before = system.trouble()
    with Robots() as robots:
        key = tmp_path / "key"
        key.write_text("bot-secret")
        for kind in ("wecom", "feishu"):
            given = ["--url", robots.url(kind), "--key-file", str(key)]
            assert winback("shop", "channel", "add", shop.shop_id, "--kind", kind, *given) == 0
        robots.codes["wecom"] = 93000
        number, token = alerted(shop)
        heard = eventually(lambda: robots.heard["feishu"])
        assert token in heard[0].text
        eventually(lambda: len(receipts(system, number)) == 2)
        assert receipts(system, number) == {"wecom": "not delivered", "feishu": "delivered"}
        assert robots.refusals["feishu"] == []
    for kind in ("wecom", "feishu"):
        assert winback("shop", "channel", "remove", shop.shop_id, kind) == 0
    assert system.trouble() == before


def receipts(system: System, number: str) -> dict[str, str]:
    """Channel -> what became of the first alert there."""
    events = system.known(number).events
    ours = {key: event for key, event in events.items() if key.startswith("delivered:")}
    return {str(event.by): event.kind for key, event in ours.items() if key.endswith(":first:0")}
