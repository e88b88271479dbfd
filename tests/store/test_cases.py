from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from functions.domain.cases import Case, Effect, Event, acknowledge, resolve
from functions.domain.outbox import Done, recorded
from functions.runtime.clients import client
from functions.runtime.errors import Unknown
from functions.store import calls, cases, customers
from functions.store.errors import AlreadyOpen, StaleWrite, Throttled
from tests.builders import CUSTOMER, NOW, SHOP, case, profile
from tests.cloud import Cloud
from tests.crash import effects

pytestmark = pytest.mark.usefixtures("aws")

EVENT = Event(at=NOW, kind="alerted")


def opened(**given: Any) -> Case:
    return cases.open_case(case(**given), None)


def stored(aws: Cloud) -> dict[str, Any]:
    (item,) = aws.items("cases")
    return item


# Opening


def test_a_case_and_its_customers_profile_are_written_together() -> None:
    saved = cases.open_case(case(), profile(bad_reviews=("a",)))
    assert cases.read(saved.case_id) == saved
    kept = customers.profile(SHOP, CUSTOMER)
    assert kept is not None
    assert (kept.bad_reviews, kept.version, saved.version) == (("a",), 1, 1)


def test_a_case_opens_once_and_the_second_opening_changes_nothing(aws: Cloud) -> None:
    cases.open_case(case(), profile())
    before = aws.items("cases"), aws.items("customers")
    with pytest.raises(AlreadyOpen):
        cases.open_case(case(tier="regular"), profile(version=1))
    assert (aws.items("cases"), aws.items("customers")) == before


def test_a_case_that_is_already_open_says_so_even_when_the_profile_is_stale_too() -> None:
    cases.open_case(case(), profile())
    with pytest.raises(AlreadyOpen):
        cases.open_case(case(), profile())


def test_a_case_does_not_open_on_a_profile_that_changed_meanwhile(aws: Cloud) -> None:
    customers.save(profile())
    with pytest.raises(StaleWrite):
        cases.open_case(case(), profile())
    assert aws.items("cases") == []


def test_a_case_of_an_unknown_customer_opens_without_a_profile(aws: Cloud) -> None:
    opened(customer_id=None)
    assert len(aws.items("cases")) == 1
    assert aws.items("customers") == []


@pytest.fixture
def no_waiting() -> Iterator[None]:
    with patch("functions.store.calls.time.sleep"):
        yield


def cancelled(*codes: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(response, "TransactWriteItems")


def failing(times: int, error: ClientError, call: Callable[..., Any]) -> Callable[..., Any]:
    left = [error] * times

    def calling(**parameters: Any) -> Any:
        if left:
            raise left.pop()
        return call(**parameters)

    return calling


@pytest.mark.usefixtures("no_waiting")
def test_an_opening_waits_for_another_transaction_on_the_same_profile() -> None:
    dynamodb = client("dynamodb")
    busy = failing(2, cancelled("None", "TransactionConflict"), dynamodb.transact_write_items)
    with patch.object(dynamodb, "transact_write_items", busy):
        saved = cases.open_case(case(), profile())
    assert cases.read(saved.case_id) == saved


@pytest.mark.usefixtures("no_waiting")
def test_an_opening_gives_up_when_other_transactions_do_not_end() -> None:
    dynamodb = client("dynamodb")
    busy = failing(99, cancelled("None", "TransactionConflict"), dynamodb.transact_write_items)
    with patch.object(dynamodb, "transact_write_items", busy), pytest.raises(StaleWrite):
        cases.open_case(case(), profile())


def test_a_transaction_refused_for_any_other_reason_is_an_error() -> None:
    dynamodb = client("dynamodb")
    broken = failing(1, cancelled("None", "ItemCollectionSizeLimitExceeded"), dynamodb.transact_write_items)
    with patch.object(dynamodb, "transact_write_items", broken), pytest.raises(ClientError):
        cases.open_case(case(), profile())


# Reading


def test_a_case_that_does_not_exist_is_none() -> None:
    assert cases.read("WB-NONE") is None


def test_many_cases_are_read_at_once_and_unknown_ones_are_left_out() -> None:
    written = [opened(review_id=str(number)) for number in range(9)]
    ids = [one.case_id for one in written]
    with patch.object(calls, "_BATCH", 4):
        assert cases.read_many([*ids, "WB-NONE", *ids[:3]]) == {one.case_id: one for one in written}


def test_reading_nothing_asks_nobody() -> None:
    with patch.object(client("dynamodb"), "batch_get_item", side_effect=AssertionError):
        assert cases.read_many([]) == {}


def part_of(times: int, call: Callable[..., Any]) -> Callable[..., Any]:
    """Answer `times` times only the first key, as DynamoDB does when it is short of capacity."""
    left = iter(range(times))

    def calling(**parameters: Any) -> Any:
        ((table, wanted),) = parameters["RequestItems"].items()
        if next(left, None) is None:
            return call(**parameters)
        answer = call(RequestItems={table: wanted | {"Keys": wanted["Keys"][:1]}})
        return answer | {"UnprocessedKeys": {table: wanted | {"Keys": wanted["Keys"][1:]}}}

    return calling


@pytest.mark.usefixtures("no_waiting")
def test_what_a_batch_leaves_unread_is_asked_for_again() -> None:
    ids = [opened(review_id=str(number)).case_id for number in range(5)]
    dynamodb = client("dynamodb")
    with patch.object(dynamodb, "batch_get_item", part_of(2, dynamodb.batch_get_item)):
        assert set(cases.read_many(ids)) == set(ids)


@pytest.mark.usefixtures("no_waiting")
def test_a_batch_that_stays_unread_is_an_error_and_not_a_missing_case() -> None:
    ids = [opened(review_id=str(number)).case_id for number in range(9)]
    dynamodb = client("dynamodb")
    with (
        patch.object(dynamodb, "batch_get_item", part_of(99, dynamodb.batch_get_item)),
        pytest.raises(Throttled),
    ):
        cases.read_many(ids)


# Saving


def test_a_case_changed_meanwhile_is_not_overwritten() -> None:
    first = opened()
    cases.save(acknowledge(first, "Wang", NOW))
    with pytest.raises(StaleWrite, match=first.case_id):
        cases.save(acknowledge(first, "Li", NOW))
    kept = cases.read(first.case_id)
    assert kept is not None
    assert kept.events["acknowledged"].by == "Wang"


def test_a_case_leaves_the_due_list_when_it_is_resolved(aws: Cloud) -> None:
    saved = opened()
    assert stored(aws)["due_shop"] == SHOP
    cases.save(resolve(saved, "Wang", "quality", "solved", None, NOW))
    assert "due_shop" not in stored(aws)


def test_a_case_is_pending_exactly_while_its_outbox_holds_something(aws: Cloud) -> None:
    saved = opened()
    assert stored(aws)["pending"] is True
    cases.save(saved.model_copy(update={"outbox": {}}))
    assert "pending" not in stored(aws)


def test_a_case_is_on_the_agenda_while_time_may_bring_something(aws: Cloud) -> None:
    # The time to react runs once the alert has been told.
    saved = opened(outbox={}, escalate_at=NOW + timedelta(minutes=15))
    assert stored(aws)["agenda_at"] == "2026-03-02T08:15:00.000000Z"
    assert cases.on_agenda(NOW + timedelta(minutes=14)) == {}
    assert cases.on_agenda(NOW + timedelta(minutes=15)) == {saved.case_id: NOW + timedelta(minutes=15)}
    cases.save(resolve(saved, "Wang", "quality", "solved", None, NOW))
    assert "agenda_at" not in stored(aws)


def test_every_case_due_is_found_wherever_its_number_puts_it() -> None:
    many = {opened(review_id=f"r{n}", outbox={}, escalate_at=NOW).case_id for n in range(30)}
    assert cases.on_agenda(NOW).keys() == many


def test_a_held_effect_does_not_make_a_case_pending(aws: Cloud) -> None:
    held = Effect(kind="message", at=NOW, name="care", after=NOW + timedelta(hours=1))
    opened(outbox={"message:care": held}, status="closed")
    assert "pending" not in stored(aws)
    assert stored(aws)["agenda_at"] == "2026-03-02T09:00:00.000000Z"


# Changes and effects


def done(*keys: str) -> Callable[[Case], Case]:
    return lambda stands: recorded(stands, {key: Done(EVENT) for key in keys})


TWO = {"alert:0": Effect(kind="alert", at=NOW, level=0), "stop:1": Effect(kind="stop", at=NOW)}


def test_a_performed_effect_leaves_the_outbox_and_a_line_in_the_timeline(aws: Cloud) -> None:
    saved = opened(outbox=TWO)
    kept = cases.change(saved.case_id, done("alert:0"), known=saved)
    assert kept == cases.read(saved.case_id)
    assert kept == saved.model_copy(
        update={
            "outbox": {"stop:1": TWO["stop:1"]},
            "events": saved.events | {"alert:0": EVENT},
            "alerted_at": NOW,
            "version": 2,
        }
    )
    assert stored(aws)["pending"] is True


def test_two_who_perform_at_once_lose_nothing_of_each_other(aws: Cloud) -> None:
    saved = opened(outbox=TWO)
    cases.change(saved.case_id, done("alert:0"), known=saved)
    cases.change(saved.case_id, done("stop:1"), known=saved)  # as seen by one who does not know of the other
    assert "pending" not in stored(aws)
    assert stored(aws)["outbox"] == {}
    assert {"alert:0", "stop:1"} <= stored(aws)["events"].keys()


def test_all_effects_performed_at_once_are_one_write(aws: Cloud) -> None:
    saved = opened(outbox=TWO)
    assert effects(lambda: cases.change(saved.case_id, done(*saved.outbox), known=saved)) == [
        "dynamodb.PutItem"
    ]
    assert "pending" not in stored(aws)


def test_what_changes_nothing_is_not_written() -> None:
    saved = cases.change(opened().case_id, done("alert:0"))
    assert effects(lambda: cases.change(saved.case_id, done("alert:0"))) == []


def test_an_effect_added_while_the_last_one_is_performed_stays_pending(aws: Cloud) -> None:
    """The reader saw one effect and means to end the waiting; meanwhile somebody adds another one."""
    saved = opened(outbox={"alert:0": Effect(kind="alert", at=NOW, level=0)})
    added = saved.outbox | {"alert:breach": Effect(kind="alert", at=NOW, name="breach")}
    cases.save(saved.model_copy(update={"outbox": added}))
    cases.change(saved.case_id, done("alert:0"), known=saved)
    assert stored(aws)["pending"] is True
    assert set(stored(aws)["outbox"]) == {"alert:breach"}


def test_a_change_of_a_case_that_does_not_exist_says_so() -> None:
    with pytest.raises(Unknown, match="WB-NONE"):
        cases.change("WB-NONE", done("alert:0"))


def test_a_change_gives_up_when_others_are_always_faster() -> None:
    saved = opened()

    def racing(stands: Case) -> Case:
        cases.save(stands)
        return stands.model_copy()

    with pytest.raises(StaleWrite):
        cases.change(saved.case_id, racing)


def test_a_save_from_before_an_effect_was_performed_cannot_bring_it_back() -> None:
    saved = opened()
    cases.change(saved.case_id, done("alert:0"))
    with pytest.raises(StaleWrite):
        cases.save(acknowledge(saved, "Wang", NOW))
