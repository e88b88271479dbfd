"""Put a person's reply under the review, for all to read.

The case first says that it is going out, so that whoever takes it back is told the truth; then the platform
is asked. If the process dies in between, it is asked again: one that takes a single reply declines then.
"""

from datetime import datetime, timedelta

from functions.domain.cases import Case, Effect, Event
from functions.domain.outbox import Done, Held
from functions.domain.replies import GOING, KEY, going, objection
from functions.domain.times import iso
from functions.runtime.credentials import secret
from functions.runtime.observability import count
from functions.store import cases, rulebooks, shops
from functions.store.pace import pace

_AGAIN = timedelta(minutes=5)


def perform(case: Case, effect: Effect, now: datetime) -> Done | Held:
    from functions.platforms import REPLIERS  # seldom needed, and slow to import
    from functions.platforms.errors import ConfigurationError, Declined, PlatformError

    rules = rulebooks.current()
    if why := objection(case, rules, now):
        return _not_sent(why, now)
    until = effect.at + pace().wait(rules.ask.contact(promotional=False).number("hold"))
    if now < until:
        return Held(until, _event("held", f"can be taken back until then, until {iso(until)}", now))
    shop, reply = shops.get(case.shop_id), REPLIERS.get(case.review.platform)
    if shop is None or reply is None:
        return _not_sent("there is no way to the platform", now)
    asked_before = GOING in case.events
    case = cases.change(case.case_id, lambda stands: going(stands, now), known=case)
    if KEY not in case.outbox or GOING not in case.events:
        return _not_sent("taken back", now)
    try:
        reply(shop, secret(shop.secret, now), case.review.review_id, effect.text or "", now)
    except Declined as error:
        if asked_before:
            return Done(_event("sent", f"perhaps: asked twice, the second time declined: {error}", now))
        return _not_sent(str(error), now)
    except ConfigurationError as error:
        return _not_sent(str(error), now)
    except PlatformError as error:
        return Held(now + (error.retry_after or _AGAIN), _event("held", error.reason, now))
    count("PublicReplies")
    return Done(_event("sent", None, now))


def _not_sent(why: str, now: datetime) -> Done:
    return Done(_event("not sent", why, now))


def _event(what: str, note: str | None, now: datetime) -> Event:
    return Event(at=now, kind=f"public reply {what}", note=note)
