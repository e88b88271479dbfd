"""The ledger table: one transaction a line, on the condition that its place is free and the budget holds."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from functions.domain.benefits import Terms
from functions.domain.ledger import Grant, Line, State, first, recall, then
from functions.runtime.clients import client
from functions.store import cases, ledger
from functions.store.errors import BadToken, OrderRemedied, OverBudget, StaleWrite
from tests.builders import NOW, SHOP, case
from tests.cloud import Cloud
from tests.crash import effects

pytestmark = pytest.mark.usefixtures("aws")

DAY = "2026-03-02"
TERMS = Terms(per_day=10_000, shop_per_day=15_000, per_case=10_000, hold_s=120)


def grant(number: int = 1, **given: Any) -> Grant:
    return Grant(
        **{
            "shop_id": SHOP,
            "case_id": f"WB-{number:012d}",
            "step": "remedy",
            "benefit": "refund",
            "row": "remedies.small-order",
            "cost": 4000,
            **given,
        }
    )


def held(number: int = 1, **given: Any) -> Line:
    until = NOW + timedelta(minutes=2)
    return first(grant(number, **given), "held", NOW + timedelta(seconds=number), DAY, until=until)


def used(shop_id: str = SHOP, day: str = DAY) -> dict[str, int]:
    return {row: counted.amount for row, counted in ledger.used(shop_id, day).items()}


def proposed(number: int = 1) -> Line:
    return first(grant(number), "proposed", NOW + timedelta(seconds=number), DAY, note="too much")


def test_a_line_and_the_days_counters_are_written_together() -> None:
    stands = ledger.append(None, held(), within=TERMS)
    assert ledger.state(SHOP, stands.case_id, "remedy") == stands
    assert used() == {"remedies.small-order": 4000, "shop": 4000}


def test_a_grant_that_is_repeated_changes_nothing(aws: Cloud) -> None:
    ledger.append(None, held(), within=TERMS)
    before = aws.items("ledger")
    with pytest.raises(StaleWrite):
        ledger.append(None, held(), within=TERMS)
    assert aws.items("ledger") == before


def test_of_a_recall_and_a_release_at_the_same_time_one_is_written() -> None:
    stands = ledger.append(None, held(), within=TERMS)
    ledger.append(stands, recall(stands, "lin", None, NOW))
    with pytest.raises(StaleWrite):
        ledger.append(stands, then(stands, "effective", "rules", NOW))
    assert [line.kind for line in ledger.lines(SHOP, stands.case_id)] == ["held", "recalled"]
    assert used() == {"remedies.small-order": 0, "shop": 0}


def test_the_budget_of_a_row_is_never_overspent(aws: Cloud) -> None:
    for number in (1, 2):
        ledger.append(None, held(number), within=TERMS)
    before = aws.items("ledger")
    with pytest.raises(OverBudget, match=r"remedies\.small-order"):
        ledger.append(None, held(3), within=TERMS)
    assert aws.items("ledger") == before
    ledger.append(None, held(4, cost=2000), within=TERMS)
    assert used()["remedies.small-order"] == TERMS.per_day


def test_the_budget_of_the_shop_holds_over_all_rows() -> None:
    for number, row in enumerate(("a", "b", "c")):
        ledger.append(None, held(number, row=row, cost=5000), within=TERMS)
    with pytest.raises(OverBudget, match="shop"):
        ledger.append(None, held(9, row="d", cost=1), within=TERMS)


def test_an_amount_above_the_whole_budget_is_refused_on_a_fresh_day() -> None:
    with pytest.raises(OverBudget):
        ledger.append(None, held(cost=10_001), within=TERMS)
    assert used() == {}


def test_days_shops_and_rows_are_counted_apart() -> None:
    ledger.append(None, held(1), within=TERMS)
    ledger.append(None, held(2, shop_id="shop-2"), within=TERMS)
    ledger.append(None, held(3).model_copy(update={"day": "2026-03-03"}), within=TERMS)
    assert used("shop-2") == used() == used(day="2026-03-03")
    assert used()["shop"] == 4000


def test_what_a_person_approved_counts_and_is_not_limited() -> None:
    ledger.append(None, held(1, cost=9000), within=TERMS)
    stands = ledger.append(None, proposed(2))
    stands = ledger.append(stands, then(stands, "approved", "wang", NOW))
    ledger.append(stands, then(stands, "held", "rules", NOW))
    assert used()["shop"] == 13_000


def test_an_order_is_remedied_under_one_case_however_many_reviews_it_got(aws: Cloud) -> None:
    """PrestaShop #29493: the same purchase was made good twice."""
    stands = ledger.append(None, held(1), within=TERMS, order_id="o1")
    before = aws.items("ledger")
    with pytest.raises(OrderRemedied):
        ledger.append(None, held(2), within=TERMS, order_id="o1")
    assert aws.items("ledger") == before
    assert "o1" not in [value for item in before for value in map(str, item.values())]
    # The own case may come again: a proposal that was approved.
    ledger.append(stands, then(stands, "effective", "rules", NOW), order_id="o1")


def test_an_approval_is_listed_as_long_as_it_waits() -> None:
    later = ledger.append(None, proposed(2))
    sooner = ledger.append(None, proposed(1))
    assert ledger.waiting(SHOP, "approvals").benefits == [sooner, later]
    ledger.append(sooner, then(sooner, "refused", "wang", NOW))
    assert ledger.waiting(SHOP, "approvals").benefits == [later]


def test_a_pick_is_listed_until_it_was_sent_once() -> None:
    line = first(grant(benefit="gift", step="goodwill"), "effective", NOW, DAY, hand=True)
    stands = ledger.append(None, line, within=TERMS)
    assert ledger.waiting(SHOP, "picks").benefits == [stands]
    ledger.append(stands, then(stands, "delivered", "lin", NOW))
    assert ledger.waiting(SHOP, "picks").benefits == []
    with pytest.raises(StaleWrite):
        ledger.append(stands, then(stands, "delivered", "chen", NOW))


def pages(read: Callable[..., Any]) -> list[Any]:
    found, start = [], None
    while True:
        answer = read(limit=2, start=start)
        found += answer[0]
        start = answer.next
        if start is None:
            return found


def test_lists_come_in_pages() -> None:
    for number in range(1, 6):
        ledger.append(None, proposed(number))
    one = pages(lambda **page: ledger.of_day(SHOP, DAY, **page))
    assert one == [proposed(number) for number in range(1, 6)]
    two = pages(lambda **page: ledger.waiting(SHOP, "approvals", **page))
    assert [stands.case_id for stands in two] == [line.case_id for line in one]


def test_a_token_of_another_list_is_refused() -> None:
    for number in (1, 2):
        ledger.append(None, proposed(number))
    token = ledger.of_day(SHOP, DAY, limit=1).next
    assert token is not None
    for wrong in ("", "x", "eyJhIjoxfQ", token[:-2], token + "AAAA"):
        with pytest.raises(BadToken):
            ledger.of_day(SHOP, DAY, start=wrong)
    with pytest.raises(BadToken):
        ledger.of_day(SHOP, "2026-03-03", start=token)


def test_a_line_is_written_together_with_the_change_of_its_case(aws: Cloud) -> None:
    opened = cases.open_case(case(), None)
    stands = ledger.append(None, proposed())
    cases.save(opened)  # somebody else
    before = aws.items("ledger")
    with pytest.raises(StaleWrite, match=opened.case_id):
        ledger.append(stands, then(stands, "approved", "wang", NOW), also=[cases.saving(opened)])
    assert aws.items("ledger") == before


def test_a_line_that_moves_no_money_is_one_plain_write() -> None:
    stands = ledger.append(None, held(), within=TERMS)
    assert effects(lambda: ledger.append(stands, then(stands, "effective", "rules", NOW))) == [
        "dynamodb.PutItem"
    ]


@pytest.mark.parametrize("amount", [4000, 0])
def test_an_answer_that_got_lost_leads_to_the_line_that_was_written(amount: int) -> None:
    """botocore repeats a call whose answer was lost; its own line is then in the way."""
    dynamodb = client("dynamodb")
    stands: State | None = ledger.append(None, held(), within=TERMS) if not amount else None
    line = then(stands, "effective", "rules", NOW) if stands else held()
    name = "put_item" if stands else "transact_write_items"
    call = getattr(dynamodb, name)

    def twice(**parameters: Any) -> Any:
        call(**parameters)
        return call(**parameters)

    with patch.object(dynamodb, name, twice), pytest.raises(StaleWrite):
        ledger.append(stands, line, within=TERMS)
    after = ledger.state(SHOP, line.case_id, "remedy")
    assert after is not None
    assert (after.standing, after.committed) == (line.kind, 4000)
    assert used()["shop"] == 4000
