"""From the published review to the closed case, in the deployed system."""

from collections import Counter

import pytest

from functions.domain.cases import case_id
from functions.domain.times import iso
from tests.system.running import (
    COMPLAINT,
    SOON_S,
    Shop,
    System,
    eventually,
    kinds,
    nothing_lost_nothing_twice,
    now,
)

pytestmark = pytest.mark.system

EVERY_STEP = ["guidance", "care", "silver", "repurchase"]


def opened(shop: Shop, **row: object) -> str:
    """Return the number of a new case that somebody was told of."""
    number = case_id(shop.complain(**row))
    shop.poll_until(lambda: (case := shop.system.case(number)) and case.alerted_at)
    return number


def resolve(system: System, number: str) -> None:
    system.supervisor.post(
        f"/cases/{number}/resolve",
        {"by": "supervisor.li", "cause": "logistics_delay", "outcome": "solved", "note": "已补偿"},
    )


def closed(system: System, number: str) -> bool:
    case = system.known(number)
    return case.status == "closed" and not case.outbox and system.workflow(number) != "RUNNING"


def steps(system: System, number: str) -> list[str]:
    """Return the steps of the messages that were handed over for the case's customer."""
    return [each.attributes["step"] for each in system.messages.heard() if each.body["case_id"] == number]


def timeline(system: System, number: str) -> list[str]:
    return [event.kind for event in system.known(number).timeline]


def test_every_bad_review_has_one_case_and_one_first_alert_and_the_good_ones_nothing(
    system: System, shop: Shop
) -> None:
    before = system.trouble()
    for _ in range(24):
        shop.write()
    for _ in range(6):
        shop.write("bad", "质量太差")
        shop.write("neutral", "一般")
    for _ in range(4):
        shop.write("good", COMPLAINT)
    shop.settle()
    nothing_lost_nothing_twice(shop)
    for case in shop.cases():
        customer = system.shop_system.get(f"/shops/{shop.shop_id}/customers/{case.review.customer_id}")
        assert customer["bad_reviews"] == [case.review.key]
    assert system.trouble() == before


def test_an_edited_review_is_noted_on_its_case_and_opens_no_other(system: System, shop: Shop) -> None:
    key = shop.complain()
    shop.settle()
    shop.write("neutral", "改一下:态度还行", oid=int(key.rpartition("#")[2]))
    shop.poll_until(lambda: "review edited" in timeline(system, case_id(key)))
    shop.settle()
    nothing_lost_nothing_twice(shop)
    assert len(system.known(case_id(key)).versions) == 2


def test_a_case_that_is_taken_and_solved_is_followed_up_to_the_silver_membership(
    system: System, shop: Shop
) -> None:
    customer = f"/shops/{shop.shop_id}/customers/consenting"
    order = {"order_id": "1", "customer_id": "consenting", "placed_at": iso(now()), "total": 5990}
    assert system.shop_system.post(f"/shops/{shop.shop_id}/orders", {"orders": [order]})["accepted"] == 1
    consent = {"sms": {"granted": True, "source": "order form"}}
    system.shop_system.call("PATCH", customer, {"consent": consent})
    number = opened(shop, ouid="consenting")
    system.supervisor.post(f"/cases/{number}/acknowledge", {"by": "supervisor.li"})
    resolve(system, number)
    eventually(lambda: closed(system, number), within_s=2 * SOON_S)  # the clock's first minute may be to come
    eventually(lambda: system.all_done(number), within_s=2 * SOON_S)
    assert steps(system, number) == EVERY_STEP
    told = timeline(system, number)
    order_of = [told.index(kind) for kind in ("posted", "seen", "opened", "acknowledged", "resolved")]
    order_of += [told.index(f"{step} sent") for step in EVERY_STEP]
    assert order_of == sorted(order_of)
    assert "closed" in told
    assert "escalated" not in told
    assert kinds(system.alerts.heard(case_id=number)) == ["first"]
    assert system.workflow(number) == "SUCCEEDED"
    assert system.shop_system.get(customer)["silver_since"]


def test_without_consent_only_the_guidance_is_sent(system: System, shop: Shop) -> None:
    number = opened(shop)
    resolve(system, number)
    eventually(lambda: closed(system, number), within_s=2 * SOON_S)
    eventually(lambda: system.all_done(number), within_s=2 * SOON_S)
    assert steps(system, number) == ["guidance"]
    assert {"guidance sent", "care not sent", "silver not sent"} <= set(timeline(system, number))


def test_a_case_that_nobody_takes_goes_up_the_chain_is_warned_breached_and_expires(
    system: System, shop: Shop
) -> None:
    number = opened(shop)
    eventually(lambda: closed(system, number), 180)  # the clock looks every 15 s, six times
    # At this pace, where minutes are seconds, the warning may come among the escalations, or wait behind one
    # until the breach.
    wanted = {
        "first": ["agent", "supervisor"],
        "escalation": ["manager"],
        "breach": ["supervisor", "manager"],
    }
    chain = ["first", "escalation", "escalation"]

    def everything_was_heard() -> bool:
        told = Counter(kinds(system.alerts.heard(case_id=number)))
        return wanted.keys() <= told.keys() and told >= Counter(chain)

    eventually(everything_was_heard)
    heard = system.alerts.heard(case_id=number)
    assert [kind for kind in kinds(heard) if kind in chain] == chain
    assert {each.attributes["kind"]: each.body["roles"] for each in heard}.items() >= wanted.items()
    assert {"warned", "breached"} <= system.known(number).events.keys()
    case = system.known(number)
    assert (case.outcome, case.acknowledged_at, case.resolved_at) == ("expired", None, None)
    assert steps(system, number) == []
    assert system.workflow(number) is None


def test_an_acknowledgement_after_the_chain_ended_stops_neither_warning_nor_breach(
    system: System, shop: Shop, slow_deadlines: None
) -> None:
    number = opened(shop)
    eventually(lambda: "escalated:2" in system.known(number).events, pause_s=0.1)
    system.supervisor.post(f"/cases/{number}/acknowledge", {"by": "supervisor.li"})
    assert "warned" not in system.known(number).events
    eventually(lambda: "breach" in kinds(system.alerts.heard(case_id=number)), within_s=2 * SOON_S)
    heard = [kind for kind in kinds(system.alerts.heard(case_id=number)) if kind != "repeat"]
    assert heard == ["first", "escalation", "escalation", "warning", "breach"]
    resolve(system, number)
    eventually(lambda: "guidance sent" in timeline(system, number), within_s=3 * SOON_S)


def test_an_acknowledgement_in_time_ends_the_chain(system: System, shop: Shop, slow_deadlines: None) -> None:
    number = opened(shop)
    system.supervisor.post(f"/cases/{number}/acknowledge", {"by": "supervisor.li"})
    eventually(lambda: "warning" in kinds(system.alerts.heard(case_id=number)), 2 * SOON_S)
    assert kinds(system.alerts.heard(case_id=number)) == ["first", "warning"]


def test_a_case_of_suspected_malice_is_closed_without_any_message(system: System, shop: Shop) -> None:
    orders = [
        {
            "order_id": str(each),
            "customer_id": "blackmailer",
            "placed_at": iso(now()),
            "total": 5990,
            "returned": each != 1,
        }
        for each in range(1, 5)
    ]
    taken = system.shop_system.post(f"/shops/{shop.shop_id}/orders", {"orders": orders})
    assert taken["accepted"] == len(orders)
    number = opened(shop, ouid="blackmailer", content="不给钱就差评,返现删评")
    case = system.known(number)
    assert (case.suspected_malicious, case.grade, case.owner) == (True, "malicious", "legal")
    resolve(system, number)
    eventually(lambda: closed(system, number))
    assert steps(system, number) == []
    assert not any("sent" in kind for kind in timeline(system, number))
    assert system.workflow(number) is None


def test_a_reopened_case_is_followed_up_anew(system: System, shop: Shop) -> None:
    number = opened(shop)
    resolve(system, number)
    eventually(lambda: "follow-up started" in timeline(system, number))
    system.supervisor.post(f"/cases/{number}/reopen", {"by": "supervisor.li", "why": "又坏了"})
    eventually(lambda: system.workflow(number) == "ABORTED")
    eventually(lambda: "follow-up stopped" in timeline(system, number))
    assert (system.known(number).status, system.known(number).run) == ("acknowledged", 2)
    resolve(system, number)
    eventually(lambda: system.known(number).status == "closed", within_s=2 * SOON_S)
    eventually(lambda: system.workflow(number, run=2) == "SUCCEEDED")
