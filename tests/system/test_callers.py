"""Who may call the API: whoever signs with the keys of a role that may call that route, nobody else."""

from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from functions.domain.cases import case_id
from functions.domain.times import iso
from infra.constructs.api import CASES_ROUTES, PROFILE_ROUTES
from infra.constructs.desk import ROUTES as DESK_ROUTES
from infra.constructs.money import COUPONS_ROUTES, MONEY_ROUTES
from infra.local.api import Api, RefusedError
from infra.local.emulator import REGION
from tests.system.running import Shop, System, now
from tests.system.stage import arranged

pytestmark = pytest.mark.system

_BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/cases/{case_id}/acknowledge"): {"by": "li"},
    ("POST", "/cases/{case_id}/resolve"): {"by": "li", "cause": "quality", "outcome": "solved"},
    ("POST", "/cases/{case_id}/reopen"): {"by": "li", "why": "broke again"},
    ("POST", "/cases/{case_id}/wait"): {"by": "li", "why": "a photo"},
    ("POST", "/cases/{case_id}/resume"): {"by": "li"},
    ("POST", "/decisions"): {
        "review": {"shop_id": "any", "text": "坏了", "rating": "bad", "posted_at": "2026-03-02T08:00:00Z"}
    },
    ("PATCH", "/shops/{shop_id}/customers/{customer_id}"): {"needs": ["quiet"]},
    ("PUT", "/shops/{shop_id}/rota"): {"by": "li", "shifts": []},
    ("POST", "/shops/{shop_id}/silences"): arranged(),
}
ROUTES = [
    *((*route, "supervisor", "shop_system") for route in CASES_ROUTES),
    *((*route, "shop_system", "supervisor") for route in PROFILE_ROUTES),
    # The others need something on the desk; tests/infra holds the policy against all routes.
    *(
        (*route, "supervisor", "shop_system")
        for route in DESK_ROUTES
        if route in _BODIES or route[0] == "GET"
    ),
    *((*route, "supervisor", "shop_system") for route in MONEY_ROUTES if route[0] == "GET"),
    *((*route, "shop_system", "supervisor") for route in COUPONS_ROUTES if route[0] == "GET"),
]


def order() -> dict[str, Any]:
    return {"order_id": "o", "customer_id": "somebody", "placed_at": iso(now()), "total": 5990}


def status(api: Api, method: str, path: str, body: Any) -> int:
    try:
        api.call(method, path, body)
    except RefusedError as error:
        return error.status
    return HTTPStatus.OK


@pytest.mark.parametrize(("method", "route", "allowed", "other"), ROUTES)
def test_a_route_answers_its_own_callers_only(
    system: System, shop: Shop, method: str, route: str, allowed: str, other: str
) -> None:
    number = case_id(shop.complain(ouid="somebody"))
    shop.settle()
    path = route.format(case_id=number, shop_id=shop.shop_id, customer_id="somebody")
    path += f"?shop={shop.shop_id}" if path == "/cases" else ""
    body = {"orders": [order()]} if route.endswith("/orders") else _BODIES.get((method, route))
    mine: Api = getattr(system, allowed)
    theirs: Api = getattr(system, other)
    forged = Api(mine.url, dict(mine.keys or {}, aws_secret_access_key="guessed"))
    for refused in (Api(mine.url, None), theirs, forged):
        assert status(refused, method, path, body) == HTTPStatus.FORBIDDEN
    assert status(mine, method, path, body) == HTTPStatus.OK


def test_a_request_that_was_changed_after_it_was_signed_is_refused(system: System, shop: Shop) -> None:
    assert sent(system.supervisor, f"/cases?shop={shop.shop_id}", shop.shop_id) == HTTPStatus.OK
    assert sent(system.supervisor, f"/cases?shop={shop.shop_id}", "another") == HTTPStatus.FORBIDDEN


def sent(api: Api, path: str, shop_id: str) -> int:
    """Sign a GET of the path, then send it with another shop in it."""
    keys = api.keys or {}
    request = AWSRequest("GET", api.url + path)
    signer = Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"], keys["aws_session_token"])
    SigV4Auth(signer, "execute-api", REGION).add_auth(request)
    address = f"{api.url}/cases?shop={shop_id}"
    try:
        with urlopen(Request(address, headers=dict(request.headers.items())), timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code
