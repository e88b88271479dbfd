"""Handling: who is at work on a case, handing it over, and acts that come through a link."""

from datetime import datetime

from functions.domain.cases import Case, CaseClosed, Event, acknowledge, changed
from functions.domain.links import Link

_HANDED = ("acknowledged", "taken over", "reopened")


class LinkUsed(ValueError):
    """The link did already what it is for; it does so once."""


def worker(case: Case) -> str | None:
    """Return who acknowledged the case or took it over last, None while nobody did."""
    handed = [event for event in case.timeline if event.kind in _HANDED]
    return handed[-1].by if handed else None


def take_over(case: Case, by: str, now: datetime) -> Case:
    """Return the case with `by` at work on it instead of whoever was. Taking it over again changes nothing.

    A case that nobody has yet is acknowledged. Raises CaseClosed where there is nothing left to work on.
    """
    if not case.waiting:
        raise CaseClosed(f"{case.case_id} is {case.status}")
    if case.status == "open":
        return acknowledge(case, by, now)
    before = worker(case)
    if before == by:
        return case
    number = sum(event.kind == "taken over" for event in case.events.values()) + 1
    event = Event(at=now, kind="taken over", by=by, note=f"from {before}" if before else None)
    return changed(case, {}, {f"taken_over:{number}": event})


def use(case: Case, link: Link, now: datetime) -> Case:
    """Return the case with the act's link used up; saved together with what the act changes.

    Raises LinkUsed the second time. Links that have expired need not be remembered: reading refuses them.
    """
    if link.case_id != case.case_id:
        raise ValueError(f"a link to {link.case_id} does nothing to {case.case_id}")
    nonce = link.nonce.hex()
    if nonce in case.used_links:
        raise LinkUsed(f"{case.case_id}: this link was used")
    kept = {used: until for used, until in case.used_links.items() if until > now}
    return case.model_copy(update={"used_links": kept | {nonce: link.expires_at}})
