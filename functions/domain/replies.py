"""Replies for all to read: one for each review, by a person, never changed afterwards."""

from datetime import datetime

from functions.domain.cases import Case, Effect, Event, changed
from functions.domain.decisions import Rules
from functions.domain.profiles import Profile
from functions.domain.reachability import Addressee, window

STEP = "public_reply"
KEY = f"message:{STEP}"
GOING = f"{KEY}:going"


def objection(case: Case, rules: Rules, now: datetime) -> str | None:
    """Return why nobody can reply to the review in public now, None where nothing is against it."""
    if "erased" in case.events:
        return "the person was erased"
    nobody = Profile(shop_id=case.shop_id, customer_id="nobody")  # all can read it
    found = window(Addressee(case.review, nobody, None), "public_reply", False, rules)
    if found.at(now):
        return None
    return found.why if found.open else f"{found.why} Copy the draft there."


def written(case: Case, text: str, by: str, now: datetime) -> Case:
    """Return the case with the reply in its outbox. Once there was one, nothing changes."""
    if KEY in case.outbox or KEY in case.events:
        return case
    effect = Effect(kind="message", at=now, name=STEP, text=text)
    event = Event(at=now, kind="public reply written", by=by)
    return changed(case, {"outbox": case.outbox | {KEY: effect}}, {f"{KEY}:written": event})


def going(case: Case, now: datetime) -> Case:
    """Return the case with the reply on its way: from now on it cannot be taken back."""
    if KEY not in case.outbox or GOING in case.events:
        return case
    return changed(case, {}, {GOING: Event(at=now, kind="public reply going out")})


def taken_back(case: Case, by: str, now: datetime) -> Case:
    """Return the case without the reply, where it is not on its way; the same case else."""
    if KEY not in case.outbox or GOING in case.events:
        return case
    outbox = {key: effect for key, effect in case.outbox.items() if key != KEY}
    return changed(case, {"outbox": outbox}, {KEY: Event(at=now, kind="message taken back", by=by)})
