"""The desk table: each joining, claiming and hiding is one write that repeating does not change."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.cases import Case
from functions.domain.desks import Claim
from functions.domain.duty import Rota, Shift
from functions.domain.incidents import items, member
from functions.domain.silences import Hidden, Maintenance, Matchers, Quiet, Silence
from functions.store import desk
from functions.store.errors import StaleWrite
from tests.builders import NOW, SHOP, case, review
from tests.cloud import Cloud
from tests.crash import effects

HOUR = timedelta(hours=1)
QUIET = Quiet("quiet#S-1", NOW + HOUR, "silenced by wang")


def numbered(number: int) -> Case:
    at = NOW + timedelta(minutes=number)
    return case(review=review(review_id=f"r{number}", customer_id=f"c{number}"), opened_at=at)


def silence(**given: Any) -> Silence:
    return Silence.model_validate(
        {
            "silence_id": "S-1",
            "matchers": Matchers(grades=("price",)),
            "by": "wang",
            "reason": "stock-taking",
            "starts": NOW,
            "ends": NOW + HOUR,
            **given,
        }
    )


def hidden() -> Hidden:
    (found,) = desk.read(SHOP).hidden
    return found


def test_a_shop_without_arrangements_has_an_empty_desk(aws: Cloud) -> None:
    found = desk.read("nobody")
    assert (found.silences, found.duty.rota, found.hidden) == ((), None, ())


def test_what_is_arranged_is_read_in_one_query_without_incidents(aws: Cloud) -> None:
    desk.join(numbered(1), NOW)
    desk.put_rota(SHOP, Rota(shifts=(Shift(role="agent", people=("lin",), starts="09:00", ends="18:00"),),
                             by="wang", at=NOW))  # fmt: skip
    desk.add(SHOP, silence())
    window = Maintenance(maintenance_id="M-1", by="wang", reason="update", starts=NOW, ends=NOW + HOUR)
    desk.add(SHOP, window)
    desk.hide(numbered(1), QUIET)
    found = desk.read(SHOP)
    assert found.silences == (silence(),)
    assert found.maintenance == (window,)
    assert found.duty.rota is not None
    assert found.duty.rota.shifts[0].people == ("lin",)
    assert hidden().cases == {numbered(1).case_id}
    assert found.incidents == ()
    assert desk.read("another").silences == ()


def test_a_case_joins_once_however_often_and_whoever_else_joins(aws: Cloud) -> None:
    cases = [numbered(n) for n in range(6)]
    with ThreadPoolExecutor(6) as hands:
        list(hands.map(lambda one: desk.join(one, NOW), cases * 3))
    product, customer = desk.incidents_of(cases[0])
    assert product.members == {member(one) for one in cases}
    assert customer.members == {member(cases[0])}
    assert effects(lambda: desk.join(cases[0], NOW)) == ["dynamodb.UpdateItem"] * 2


def test_old_members_are_forgotten_when_there_are_many(aws: Cloud) -> None:
    for number in range(55):
        desk.join(numbered(number).model_copy(update={"opened_at": NOW + timedelta(seconds=number)}), NOW)
    late = numbered(1000)
    desk.join(late, late.opened_at)
    assert desk.incidents_of(late)[0].members == {member(late)}


def test_only_one_opens_an_incident_and_repeating_that_changes_nothing(aws: Cloud) -> None:
    one, two = numbered(1), numbered(2)
    for each in (one, two):
        desk.join(each, NOW)
    item = items(one)[0]
    assert desk.claim(SHOP, Claim(item, f"{one.case_id}/first/0/x", None, opens=True), NOW)
    assert not desk.claim(SHOP, Claim(item, f"{two.case_id}/first/0/x", None, opens=True), NOW)
    (found,) = [each for each in desk.incidents(SHOP) if each.item == item]
    assert (found.led_by, found.opened_at, found.told_at) == (one.case_id, NOW, NOW)
    later = NOW + HOUR
    assert desk.claim(SHOP, Claim(item, "summary", found.told_at), later)
    assert not desk.claim(SHOP, Claim(item, "another", found.told_at), later)
    (found,) = [each for each in desk.incidents(SHOP) if each.item == item]
    assert (found.told_by, found.told_at, found.opened_at) == ("summary", later, NOW)


def test_what_a_silence_hides_is_counted_once_a_case_and_told_by_one(aws: Cloud) -> None:
    for number in (1, 2, 2, 1):
        desk.hide(numbered(number), QUIET)
    assert len(hidden().cases) == 2
    assert desk.claim(SHOP, Claim("quiet#S-1", "one", None), NOW)
    assert desk.claim(SHOP, Claim("quiet#S-1", "one", None), NOW), "again after a crash"
    assert not desk.claim(SHOP, Claim("quiet#S-1", "two", None), NOW)


def test_a_record_that_ended_early_stays_ended(aws: Cloud) -> None:
    desk.hide(numbered(1), QUIET)
    desk.end_hiding(SHOP, hidden(), NOW)
    desk.hide(numbered(2), QUIET)
    assert (hidden().ends, len(hidden().cases)) == (NOW, 2)


def test_a_silence_added_twice_is_one(aws: Cloud) -> None:
    assert desk.add(SHOP, silence()) == silence()
    assert desk.add(SHOP, silence(starts=NOW + HOUR)) == silence()
    assert desk.read(SHOP).silences == (silence(),)


def test_a_silence_ends_before_its_time_but_never_after_it(aws: Cloud) -> None:
    desk.add(SHOP, silence())
    desk.end(SHOP, silence(), NOW + HOUR / 2)
    assert desk.read(SHOP).silences[0].ends == NOW + HOUR / 2
    with pytest.raises(StaleWrite):
        desk.end(SHOP, silence(), NOW + HOUR)
    with pytest.raises(StaleWrite):
        desk.end(SHOP, silence(silence_id="S-9"), NOW)


def test_what_is_over_is_deleted_a_week_later_and_counts_for_nothing_until_then(aws: Cloud) -> None:
    desk.add(SHOP, silence())
    (item,) = aws.items("desk")
    assert item["expires_at"] == int((NOW + HOUR + timedelta(days=7)).timestamp())
