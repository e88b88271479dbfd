"""The profile API on the template's tables."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions import profile_api
from functions.domain.cases import Case
from functions.domain.exhibits import Dossier, Exhibit, Pack
from functions.domain.history import Entry
from functions.domain.profiles import Profile
from functions.runtime.clients import client
from functions.runtime.settings import setting
from functions.store import cases, customers, messages
from functions.store.errors import StaleWrite
from functions.store.items import attributes
from tests.builders import CUSTOMER, NOW, SHOP, case, order, profile
from tests.cloud import REGION, Cloud
from tests.crash import dying_after, effects
from tests.exhibits import PICTURE, exhibit
from tests.requests import ask

pytestmark = pytest.mark.usefixtures("aws")

PATH = f"/shops/{SHOP}/customers/{CUSTOMER}"
ORDERS = f"/shops/{SHOP}/orders"
ANNOTATION = {
    "preferences": {"size": "L"},
    "needs": ["quiet packing"],
    "consent": {"sms": {"granted": True, "source": "order form"}},
    "opted_out": False,
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_api, "now", lambda: NOW)


def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    return ask(profile_api.handler, method, path, body=body)


def given_order(**given: Any) -> dict[str, Any]:
    return order(**given).model_dump(mode="json", exclude={"shop_id"}, exclude_none=True)


def kept() -> Profile:
    found = customers.profile(SHOP, CUSTOMER)
    assert found is not None
    return found


def a_customer_with_cases_and_orders() -> None:
    about = ("taobao#shop-1#1", "taobao#shop-1#2")
    customers.take([order(order_id=str(number)) for number in range(3)], NOW)
    for number, review_key in enumerate(about, start=1):
        known = kept()
        remembered = known.model_copy(update={"bad_reviews": (*known.bad_reviews, review_key)})
        cases.open_case(case(review_id=str(number), text="call me at 13800000000"), remembered)


# Reading and annotating


def test_a_customer_is_read() -> None:
    customers.take([order()], NOW)
    status, body = call("GET", PATH)
    assert (status, body) == (200, kept().model_dump(mode="json"))


@pytest.mark.parametrize("path", [PATH, f"{PATH}/export"])
def test_an_unknown_customer_is_not_found(path: str) -> None:
    assert call("GET", path) == (
        404,
        {"statusCode": 404, "message": "There is no such customer.", "fields": []},
    )


def test_a_customer_is_annotated_with_the_proof_of_their_consent() -> None:
    customers.save(profile(preferences={"colour": "red"}))
    status, body = call("PATCH", PATH, ANNOTATION)
    assert (status, body) == (200, kept().model_dump(mode="json"))
    assert kept().preferences == {"colour": "red", "size": "L"}
    assert kept().needs == ("quiet packing",)
    assert body["consent"]["sms"] == {
        "granted": True,
        "at": "2026-03-02T08:00:00.000000Z",
        "source": "order form",
    }


def test_what_an_annotation_leaves_out_stays_and_null_takes_a_preference_away() -> None:
    call("PATCH", PATH, ANNOTATION)
    call("PATCH", PATH, {"preferences": {"size": None}})
    assert (kept().preferences, kept().needs, kept().consent["sms"].granted) == ({}, ("quiet packing",), True)


def test_an_opt_out_is_kept_even_of_a_customer_nobody_knows() -> None:
    assert call("PATCH", PATH, {"opted_out": True})[0] == 200
    assert kept().opted_out_at == NOW


def test_an_opt_out_keeps_its_first_time_and_can_be_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    call("PATCH", PATH, {"opted_out": True})
    monkeypatch.setattr(profile_api, "now", lambda: NOW + timedelta(days=1))
    call("PATCH", PATH, {"opted_out": True})
    assert kept().opted_out_at == NOW
    call("PATCH", PATH, {"opted_out": False})
    assert kept().opted_out_at is None


def test_the_same_annotation_again_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    call("PATCH", PATH, ANNOTATION)
    monkeypatch.setattr(profile_api, "now", lambda: NOW + timedelta(days=1))
    assert effects(lambda: call("PATCH", PATH, ANNOTATION)) == []


def test_dying_after_an_annotation_and_a_retry_ends_the_same(aws: Cloud) -> None:
    names = effects(lambda: call("PATCH", PATH, ANNOTATION))
    expected = aws.items("customers")
    for n in range(1, len(names) + 1):
        aws.empty()
        with dying_after(n):
            call("PATCH", PATH, ANNOTATION)
        assert call("PATCH", PATH, ANNOTATION)[0] == 200
        assert aws.items("customers") == expected


def test_an_annotation_goes_on_top_of_what_others_wrote_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    save, others = customers.save, [profile(bad_reviews=("a",))]

    def save_late(changed: Profile) -> Profile:
        if others:
            save(others.pop())
        return save(changed)

    monkeypatch.setattr(customers, "save", save_late)
    assert call("PATCH", PATH, ANNOTATION)[0] == 200
    assert (kept().bad_reviews, kept().preferences) == (("a",), {"size": "L"})


def test_a_customer_whom_others_keep_changing_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(changed: Profile) -> Profile:
        raise StaleWrite("the customer's profile")

    monkeypatch.setattr(customers, "save", stale)
    status, body = call("PATCH", PATH, ANNOTATION)
    assert status == 409
    assert CUSTOMER not in body["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"consent": {"sms": {"granted": True}}}, "body.consent.sms.source"),
        ({"consent": {"fax": {"granted": True, "source": "form"}}}, "body.consent.fax.[key]"),
        ({"needs": [""]}, "body.needs.0"),
        ({"preferences": {"size": 3}}, "body.preferences.size"),
        ({"opt_out": True}, "body.opt_out"),
    ],
)
def test_a_wrong_annotation_is_refused_naming_the_field(body: dict[str, Any], field: str) -> None:
    status, answer = call("PATCH", PATH, body)
    assert status == 422
    assert [wrong["field"] for wrong in answer["fields"]] == [field]


def test_a_shops_name_cannot_reach_into_another_shops_customers() -> None:
    """Keys are shop#customer: "shop-1#customer" of "1" would be "shop-1" with "customer#1"."""
    assert call("GET", "/shops/shop-1#customer/customers/1")[0] in (404, 422)


# Orders


def test_orders_are_taken_and_good_ones_survive_bad_ones() -> None:
    status, body = call(
        "POST",
        ORDERS,
        {
            "orders": [
                given_order(),
                given_order(order_id="order-2") | {"total": "12.5"},
                given_order(),
                given_order(order_id="order-3", customer_id="other"),
                "no order",
                given_order(placed_at="1999-12-31T00:00:00Z"),
            ]
        },
    )
    assert status == 200
    assert (body["accepted"], body["unchanged"], body["errors"]) == (2, 1, 3)
    assert [taken["result"] for taken in body["orders"]] == [
        "accepted",
        "error",
        "unchanged",
        "accepted",
        "error",
        "error",
    ]
    assert [taken["index"] for taken in body["orders"]] == list(range(6))
    assert body["orders"][1]["problems"][0]["field"] == "total"
    assert body["orders"][5]["problems"][0]["field"] == "placed_at"
    assert kept().orders == 1


def test_orders_sent_again_change_nothing(aws: Cloud) -> None:
    batch = {"orders": [given_order(order_id=str(number)) for number in range(5)]}
    call("POST", ORDERS, batch)
    before = aws.items("customers")
    _, body = call("POST", ORDERS, batch)
    assert body["unchanged"] == 5
    assert aws.items("customers") == before


def test_orders_cost_one_write_for_each_customer() -> None:
    batch = [given_order(order_id=str(number), customer_id=f"c{number % 2}") for number in range(6)]
    assert effects(lambda: call("POST", ORDERS, {"orders": batch})) == ["dynamodb.TransactWriteItems"] * 2


def test_a_hundred_orders_of_one_customer_are_taken() -> None:
    batch = [given_order(order_id=str(number)) for number in range(100)]
    _, body = call("POST", ORDERS, {"orders": batch})
    assert (body["accepted"], kept().orders) == (100, 100)


def test_dying_between_orders_and_a_retry_ends_the_same(aws: Cloud) -> None:
    batch = {"orders": [given_order(order_id=str(n), customer_id=f"c{n}") for n in range(3)]}
    names = effects(lambda: call("POST", ORDERS, batch))
    expected = aws.items("customers")
    assert len(names) == 3
    for n in range(1, len(names) + 1):
        aws.empty()
        with dying_after(n):
            call("POST", ORDERS, batch)
        assert call("POST", ORDERS, batch)[1]["errors"] == 0
        assert aws.items("customers") == expected


def test_an_order_that_others_keep_away_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    take = customers.take

    def busy(orders: Any, now: Any) -> list[bool]:
        if orders[0].customer_id == CUSTOMER:
            raise StaleWrite("the customer's profile")
        return take(orders, now)

    monkeypatch.setattr(customers, "take", busy)
    batch = [given_order(), given_order(customer_id="other")]
    _, body = call("POST", ORDERS, {"orders": batch})
    assert [taken["result"] for taken in body["orders"]] == ["error", "accepted"]


@pytest.mark.parametrize("orders", [[], [{}] * 101, None])
def test_a_batch_of_orders_has_one_to_a_hundred(orders: Any) -> None:
    status, body = call("POST", ORDERS, {"orders": orders})
    assert (status, body["fields"][0]["field"]) == (422, "body.orders")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batch=st.lists(
        st.dictionaries(
            st.sampled_from(["order_id", "customer_id", "placed_at", "total", "returned", "x"]),
            st.none()
            | st.booleans()
            | st.integers()
            | st.text(max_size=5)
            | st.sampled_from(["0001-01-01T00:00:00+14:00", "2026-01-01T00:00:00Z"]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_is_sent_as_an_order_is_answered_order_by_order(batch: list[dict[str, Any]]) -> None:
    status, body = call("POST", ORDERS, {"orders": batch})
    assert status == 200
    assert [taken["index"] for taken in body["orders"]] == list(range(len(batch)))


# Export and erasure


def test_an_export_holds_the_profile_the_orders_and_the_cases() -> None:
    a_customer_with_cases_and_orders()
    status, body = call("GET", f"{PATH}/export")
    assert status == 200
    assert body["profile"] == kept().model_dump(mode="json")
    assert [placed["order_id"] for placed in body["orders"]] == ["0", "1", "2"]
    assert [about["review"]["text"] for about in body["cases"]] == ["call me at 13800000000"] * 2
    assert body["cases"][0]["decisions"]


def test_an_erased_customer_is_gone_and_their_cases_go_on_without_them(aws: Cloud) -> None:
    a_customer_with_cases_and_orders()
    assert call("DELETE", PATH) == (200, {"profile": True, "orders": 3, "cases": 2})
    assert aws.items("customers") == []
    assert CUSTOMER not in str(aws.items("cases"))
    assert "13800000000" not in str(aws.items("cases"))
    left = cases.read_many(item["case_id"] for item in aws.items("cases")).values()
    assert [(case.remedy, len(case.decisions)) for case in left] == [("refund", 1)] * 2


def test_erasing_again_or_somebody_unknown_changes_nothing(aws: Cloud) -> None:
    a_customer_with_cases_and_orders()
    call("DELETE", PATH)
    before = aws.items("cases")
    assert call("DELETE", PATH) == (200, {"profile": False, "orders": 0, "cases": 0})
    assert aws.items("cases") == before


def test_dying_anywhere_in_an_erasure_and_a_retry_ends_the_same(aws: Cloud) -> None:
    a_customer_with_cases_and_orders()
    names = effects(lambda: call("DELETE", PATH))
    expected = aws.items("customers"), aws.items("cases")
    assert names == ["dynamodb.PutItem", "dynamodb.PutItem", "dynamodb.TransactWriteItems"]
    for n in range(1, len(names) + 1):
        aws.empty()
        a_customer_with_cases_and_orders()
        with dying_after(n):
            call("DELETE", PATH)
        assert call("DELETE", PATH)[0] == 200
        assert (aws.items("customers"), aws.items("cases")) == expected, names[n - 1]


# The person's files


def with_files(retained_until: datetime | None = None) -> tuple[Case, Exhibit]:
    """A case of the customer with an exhibit, an older version of it, one never recorded, and a pack."""
    a_customer_with_cases_and_orders()
    known = cases.read(case(review_id="1").case_id)
    assert known is not None
    bucket = setting("WINBACK_EVIDENCE_BUCKET")
    lock: Any = {}
    if retained_until is not None:
        lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": retained_until}
    filed = exhibit()
    for name in (filed.exhibit_id, filed.exhibit_id, "announced-only"):
        key = f"exhibits/{known.case_id}/{name}"
        stored = client("s3").put_object(Bucket=bucket, Key=key, Body=PICTURE, **lock)
    client("s3").put_object(Bucket=bucket, Key=f"packs/{known.case_id}/d1.zip", Body=b"zip", **lock)
    client("s3").put_object(Bucket=bucket, Key="exhibits/WB-OTHER/e", Body=b"another person's")
    filed = filed.model_copy(update={"version": stored["VersionId"]})
    pack = Pack(digest="d1", head="h", sha256="s", size=3, at=NOW)
    dossier = Dossier(exhibits=(filed,), packs=(pack,))
    return cases.save(known.model_copy(update={"dossier": dossier})), filed


def files() -> list[str]:
    """What versions of which files the bucket holds."""
    found = client("s3").list_object_versions(Bucket=setting("WINBACK_EVIDENCE_BUCKET"))
    return sorted(one["Key"].partition("/")[2] for one in found.get("Versions", ()))


def test_an_erased_persons_files_leave_the_bucket_in_every_version(aws: Cloud) -> None:
    before, _ = with_files()
    assert len(files()) == 5
    assert call("DELETE", PATH)[0] == 200
    assert files() == ["WB-OTHER/e"]
    assert (
        client("s3").list_object_versions(Bucket=setting("WINBACK_EVIDENCE_BUCKET")).get("DeleteMarkers")
        is None
    )
    left = cases.read(before.case_id)
    assert left is not None
    assert left.dossier == Dossier()
    assert left.events["erased"].note == "4 files removed"


def test_what_is_locked_as_evidence_stays_and_the_case_says_until_when(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    client("s3").create_bucket(
        Bucket="locked",
        CreateBucketConfiguration={"LocationConstraint": REGION},
        ObjectLockEnabledForBucket=True,
    )
    monkeypatch.setenv("WINBACK_EVIDENCE_BUCKET", "locked")
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def retained(self: Any, operation: str, parameters: Any) -> Any:
        """moto does not answer GetObjectRetention, but tells the same of a file's head."""
        if operation != "GetObjectRetention":
            return original(self, operation, parameters)
        head = original(self, "HeadObject", parameters)
        return {"Retention": {"RetainUntilDate": head["ObjectLockRetainUntilDate"]}}

    monkeypatch.setattr(BaseClient, "_make_api_call", retained)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1095)
    before, filed = with_files(until)
    for _ in range(2):
        assert call("DELETE", PATH)[0] == 200
    assert len(files()) == 5
    left = cases.read(before.case_id)
    assert left is not None
    assert left.events["erased"].note == (
        f"3 files are locked as evidence for claims until {until:%Y-%m-%d}; "
        "only legal may read them, their names and notes are removed"
    )
    (kept_file,) = left.dossier.exhibits
    assert (kept_file.exhibit_id, kept_file.version) == (filed.exhibit_id, filed.version)
    assert (kept_file.file_name, kept_file.note) == ("erased", "erased")
    assert [pack.digest for pack in left.dossier.packs] == ["d1"]


def test_a_file_that_something_else_keeps_fails_the_erasure(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The profile stays, so that the erasure is found and done again."""
    with_files()
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def refusing(self: Any, operation: str, parameters: Any) -> Any:
        if operation == "DeleteObject":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no right"}}, operation)
        return original(self, operation, parameters)

    with patch.object(BaseClient, "_make_api_call", refusing), pytest.raises(ClientError, match="no right"):
        call("DELETE", PATH)
    assert kept().bad_reviews
    assert call("DELETE", PATH)[0] == 200
    assert files() == ["WB-OTHER/e"]


def test_dying_anywhere_in_an_erasure_of_files_and_a_retry_ends_the_same(aws: Cloud) -> None:
    with_files()
    names = effects(lambda: call("DELETE", PATH))
    assert names.count("s3.DeleteObject") == 4
    for n in range(1, len(names) + 1):
        aws.empty()
        with_files()
        with dying_after(n):
            call("DELETE", PATH)
        assert call("DELETE", PATH)[0] == 200
        assert files() == ["WB-OTHER/e"], names[n - 1]
        assert CUSTOMER not in str(aws.items("cases"))


def test_an_erasure_does_not_undo_what_happens_to_a_case_meanwhile(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_customer_with_cases_and_orders()
    save, late = cases.save, [cases.read(case(review_id="1").case_id)]

    def save_late(changed: Any) -> Any:
        if late and (known := late.pop()):
            save(known.model_copy(update={"status": "acknowledged"}))
        return save(changed)

    monkeypatch.setattr(cases, "save", save_late)
    assert call("DELETE", PATH) == (200, {"profile": True, "orders": 3, "cases": 2})
    assert "13800000000" not in str(aws.items("cases"))
    assert [item["status"] for item in aws.items("cases")].count("acknowledged") == 1


def test_an_erasure_takes_along_an_order_that_comes_meanwhile(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_customer_with_cases_and_orders()
    erase, late = customers.erase, [order(order_id="late")]

    def erase_late(known: Profile) -> int:
        if late:
            customers.take([late.pop()], NOW)
        return erase(known)

    monkeypatch.setattr(customers, "erase", erase_late)
    assert call("DELETE", PATH) == (200, {"profile": True, "orders": 4, "cases": 2})
    assert aws.items("customers") == []


def test_logs_name_no_person(caplog: pytest.LogCaptureFixture) -> None:
    a_customer_with_cases_and_orders()
    call("PATCH", PATH, ANNOTATION)
    call("DELETE", PATH)
    logged = [vars(record) for record in caplog.records if record.name == "winback"]
    assert [line["message"] for line in logged] == ["customer erased"]
    assert CUSTOMER not in str(logged)


# Messages


def a_message(customer_id: str = CUSTOMER) -> None:
    entry = Entry(
        key="reply:1", at=NOW, state="received", step="reply", channel="chat", text="my number is 13800000000"
    )
    messages.receive(SHOP, customer_id, entry)


def test_an_export_holds_the_messages_both_ways() -> None:
    a_customer_with_cases_and_orders()
    a_message()
    _, body = call("GET", f"{PATH}/export")
    assert [line["text"] for line in body["messages"]] == ["my number is 13800000000"]


def test_an_erasure_takes_the_messages_too_and_counts_orders_only(aws: Cloud) -> None:
    a_customer_with_cases_and_orders()
    a_message()
    a_message("another")
    _, body = call("DELETE", PATH)
    assert body["orders"] == 3
    assert [item["customer"] for item in aws.items("customers")] == [f"{SHOP}#another"]


def test_an_opt_out_counts_in_all_shops_of_the_owner_until_the_customer_says_otherwise(aws: Cloud) -> None:
    def opted_out() -> bool:
        return any(item["item"] == "opt-out" for item in aws.items("customers"))

    item = {"shop_id": SHOP, "platform": "taobao", "secret": "s", "active": True}
    client("dynamodb").put_item(TableName="winback-local-shops", Item=attributes(item))
    assert call("PATCH", PATH, {"opted_out": True})[0] == 200
    assert opted_out()
    assert call("PATCH", PATH, {"needs": ["quiet packing"]})[0] == 200
    assert opted_out()
    assert call("PATCH", PATH, {"opted_out": False})[0] == 200
    assert not opted_out()
