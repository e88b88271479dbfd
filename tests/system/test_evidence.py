"""Malice, evidence and appeals on the running system: links, uploads, the pack and what becomes of a case."""

from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from functions.domain.cases import case_id
from functions.domain.times import iso
from functions.evidence.verify import verify
from infra.cli.main import main
from infra.constructs.evidence import EVIDENCE_ROUTES, MALICE_ROUTES
from infra.local.api import Api, RefusedError
from tests.exhibits import PICTURE, announced
from tests.system.running import Shop, System, eventually, now

pytestmark = pytest.mark.system

BLACKMAIL = "质量差，返现删评，不给钱就差评"


def suspected(system: System, shop: Shop) -> str:
    """Open a case of a customer who returns most orders and trades the review; return its number."""
    orders = [
        {
            "order_id": f"{shop.shop_id}-{number}",
            "customer_id": "returner",
            "placed_at": iso(now()),
            "total": 5990,
            "returned": number < 3,
        }
        for number in range(4)
    ]
    system.shop_system.post(f"/shops/{shop.shop_id}/orders", {"orders": orders})
    number = case_id(shop.write("bad", BLACKMAIL, ouid="returner"))
    shop.settle()
    return number


def sent(url: str, data: bytes, headers: dict[str, str]) -> int:
    try:
        with urlopen(Request(url, data, headers, method="PUT"), timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code


@pytest.mark.parametrize(("method", "route"), MALICE_ROUTES + EVIDENCE_ROUTES)
def test_a_route_answers_legal_only(system: System, method: str, route: str) -> None:
    path = route.format(case_id="WB-NONE", exhibit_id="none", shop_id="none")
    others = [Api(system.legal.url, None), system.shop_system]
    if (method, route) != ("GET", "/cases/{case_id}/malice"):  # a part of the case, which supervisors read
        others.append(system.supervisor)
    for refused in others:
        assert status(refused, method, path) == HTTPStatus.FORBIDDEN
    assert status(system.legal, method, path) != HTTPStatus.FORBIDDEN


def status(api: Api, method: str, path: str) -> int:
    try:
        api.call(method, path, {} if method == "POST" else None)
    except RefusedError as error:
        return error.status
    return HTTPStatus.OK


def test_evidence_is_collected_packed_verified_and_the_appeal_counted(
    system: System, shop: Shop, slow_deadlines: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, legal = suspected(system, shop), system.legal
    standing = legal.get(f"/cases/{number}/malice")
    assert (standing["malice"]["status"], standing["owner"], standing["remedy"]) == (
        "suspected",
        "legal",
        "none",
    )
    file = announced()
    place: Any = legal.post(f"/evidence/{number}", file)
    assert sent(place["url"], PICTURE[:-1] + b"!", place["headers"]) >= HTTPStatus.BAD_REQUEST
    tampered = place["url"].replace(place["exhibit_id"], "0" * 16)
    assert sent(tampered, PICTURE, place["headers"]) == HTTPStatus.FORBIDDEN
    assert sent(place["url"], PICTURE, place["headers"]) == HTTPStatus.OK
    done = legal.post(f"/evidence/{number}/{place['exhibit_id']}/complete", file)
    assert (done["missing"], done["exhibits"][0]["sha256"]) == ([], sha256(PICTURE).hexdigest())

    said = {"by": "周律", "malice": "confirmed", "note": "评价与退货记录"}
    assert legal.post(f"/cases/{number}/malice", said)["appeal"]["status"] == "open"
    assert legal.post(f"/evidence/{number}/pack") == {"ready": False}
    eventually(lambda: system.known(number).dossier.packs)
    link = legal.get(f"/evidence/{number}/pack")
    pack = tmp_path / "pack.zip"
    with urlopen(link["url"], timeout=30) as answer:
        pack.write_bytes(answer.read())
    assert sha256(pack.read_bytes()).hexdigest() == link["sha256"]
    assert verify(pack, link["head"]).findings == []

    for name, value in system.target.environment().items():
        monkeypatch.setenv(name, value)
    own = tmp_path / "own.zip"
    assert main(["evidence", "pack", number, "--out", str(own), "--stage", "local"]) == 0
    assert own.read_bytes() == pack.read_bytes()

    legal.post(f"/cases/{number}/appeal/filing", {"by": "周律", "reference": "TB-1"})
    legal.post(f"/cases/{number}/appeal/outcome", {"by": "周律", "outcome": "accepted"})
    measured = legal.get(f"/shops/{shop.shop_id}/signals")["signals"]
    told = {each["signal"]: (each["confirmed"], each["accepted"]) for each in measured}
    assert told["blackmail_in_review"] == told["abnormal_returns"] == (1, 1)


def test_a_rejected_suspicion_becomes_a_normal_case_that_is_alerted_and_followed_up(
    system: System, shop: Shop, slow_deadlines: None
) -> None:
    number = suspected(system, shop)
    said = {"by": "周律", "malice": "rejected", "note": "质量问题属实"}
    standing = system.legal.post(f"/cases/{number}/malice", said)
    assert (standing["grade"], standing["owner"], standing["remedy"]) == ("quality", "supervisor", "refund")
    eventually(lambda: len(system.alerts.heard(case_id=number, kind="first", grade="quality")) == 1)
    eventually(lambda: "alert:0@2" in system.known(number).events)
    said = {"by": "li", "cause": "quality", "outcome": "solved"}
    system.supervisor.post(f"/cases/{number}/resolve", said)
    assert (system.known(number).status, system.known(number).follow_up) == ("resolved", True)
    eventually(lambda: "message:guidance@2" in system.known(number).outbox)
    assert system.known(number).outbox["start:2"].after is not None
