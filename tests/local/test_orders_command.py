"""`winback shop add --orders-url`, `winback shop orders`: a shop's order system is found and signed for."""

import re
from pathlib import Path

import pytest

from functions import order_sender
from functions.domain.ledger import first
from functions.domain.order_systems import OrderSystem
from functions.domain.orders import order
from functions.runtime import credentials as secrets
from functions.runtime.clients import client
from functions.store import ledger, shops
from functions.store.cases import open_case
from infra.cli.main import main
from infra.local.simulators.orders import OrderSystemSimulator
from tests.builders import NOW
from tests.cloud import Cloud
from tests.domain.test_ledger import grant, solved
from tests.events import CONTEXT, queue_event

URL = "https://orders.example.com/orders"
KEY = "whsec_" + "c2hvcC1zZWNyZXQtb2YtMzItYnl0ZXMtb3ItbW9yZQ=="


def run(*words: str, stage: str = "local") -> int:
    return main(["shop", *words, "--stage", stage])


@pytest.fixture
def new(tmp_path: Path) -> tuple[str, ...]:
    path = tmp_path / "credentials.json"
    path.write_text('{"app_key": "1", "app_secret": "s3cret", "session": "6100"}')
    return "add", "tea", "--name", "茶", "--credentials", str(path)


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    return str(path)


def asked() -> OrderSystem:
    """What a function finds that has asked for no shop before."""
    shops.forget()
    return shops.order_system("tea", NOW)


def held(stage: str = "local") -> str:
    name = f"winback/{stage}/tea-orders"
    return str(client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


def test_a_shop_is_added_with_its_order_system_and_a_key_that_is_shown_once(
    aws: Cloud, new: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*new, "--orders-url", URL) == 0
    system = asked()
    assert (system.orders_url, system.orders_secret) == (URL, "winback/local/tea-orders")
    assert system.reachable
    assert held() in capsys.readouterr().out
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", held())
    assert run("list") == 0
    assert held() not in capsys.readouterr().out
    assert held() not in str(aws.items("shops"))


def test_without_an_address_a_person_carries_orders_out(aws: Cloud, new: tuple[str, ...]) -> None:
    assert run(*new) == 0
    assert not asked().reachable


def test_an_address_is_given_changed_and_taken_away_later(
    aws: Cloud, new: tuple[str, ...], key_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(*new)
    assert run("orders", "tea", "--url", URL, "--key-file", key_file) == 0
    assert held() == KEY
    assert KEY not in capsys.readouterr().out, "whoever wrote the file knows it"
    assert run("orders", "tea", "--url", f"{URL}/2") == 0
    assert asked().orders_url == f"{URL}/2"
    assert held() != KEY
    assert shops.get("tea") is not None, "polls go on with the shop"
    assert run("orders", "tea", "--none") == 0
    assert not asked().reachable


def test_a_shop_that_is_there_keeps_its_key_when_added_again(
    aws: Cloud, new: tuple[str, ...], key_file: str
) -> None:
    assert run(*new, "--orders-url", URL, "--orders-key-file", key_file) == 0
    assert run(*new, "--orders-url", URL) == 2
    assert held() == KEY


@pytest.mark.parametrize("text", ["", "shop-secret", "whsec_", "whsec_not base64"])
def test_what_is_no_key_is_refused_and_not_quoted(
    aws: Cloud, new: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    run(*new)
    path = tmp_path / "other"
    path.write_text(text)
    assert run("orders", "tea", "--url", URL, "--key-file", str(path)) == 2
    error = capsys.readouterr().err
    assert "whsec_ and base64" in error
    assert "shop-secret" not in error
    assert not asked().reachable


def test_an_address_inside_a_network_is_refused(aws: Cloud, new: tuple[str, ...]) -> None:
    for url in ("http://orders.example.com", "https://10.0.0.1/orders", "https://orders.internal"):
        assert run("orders", "tea", "--url", url, stage="dev") == 2


def test_an_unknown_shop_and_a_key_without_an_address_are_refused(
    aws: Cloud, new: tuple[str, ...], key_file: str
) -> None:
    assert run("orders", "tea", "--url", URL) == 2
    assert run(*new, "--orders-key-file", key_file) == 2
    assert shops.get("tea") is None


def test_a_receiver_that_reads_the_key_as_the_standard_has_it_takes_the_order(
    aws: Cloud, new: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_sender, "now", lambda: NOW)
    secrets.forget()
    with OrderSystemSimulator("", clock=NOW.timestamp) as system:
        run(*new, "--orders-url", system.url)
        system.secret = held()
        one = open_case(solved(shop_id="tea", outbox={}), None)
        line = first(grant(shop_id="tea", case_id=one.case_id), "effective", NOW, "2026-03-02")
        wanted = order(one, ledger.append(None, line))
        answer = order_sender.handler(queue_event(wanted.model_dump_json()), CONTEXT)
        assert answer == {"batchItemFailures": []}
        assert list(system.taken) == [f"{one.case_id}:remedy"]
