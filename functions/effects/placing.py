"""Place alerts: ask the desk of their shop what is to happen to each, and note there what came of it.

What has to be counted in one place (who belongs to an incident, who tells of many, what a silence hides)
is written to the desk before anything is sent, each in one write that repeating does not change.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple

from functions import rulebook
from functions.domain.alerts import kind_of
from functions.domain.cases import Case, Effect
from functions.domain.desks import Desk, Hold, Placement, Send, place
from functions.domain.incidents import Incident
from functions.runtime.observability import count, logger
from functions.store import desk
from functions.store.errors import StaleWrite, Unreadable
from functions.store.pace import pace

_HANDS = 8  # alerts placed at once, below botocore's pool of 10 connections a client
_ATTEMPTS = 5
_ALONE = ("breach", "appeal")  # kinds that no incident has a say in


class Wanted(NamedTuple):
    case: Case
    key: str
    effect: Effect

    @property
    def name(self) -> tuple[str, str]:
        return self.case.case_id, self.key


def placements(wanted: Sequence[Wanted], now: datetime) -> list[Placement | Exception]:
    """Return what is to happen to each alert, an error where that could not be found out."""
    with ThreadPoolExecutor(_HANDS) as hands:
        shops = dict.fromkeys(each.case.shop_id for each in wanted)
        desks = dict(zip(shops, hands.map(_desk, shops), strict=True))
        return list(hands.map(lambda each: _placed(each, desks[each.case.shop_id], now), wanted))


def _desk(shop_id: str) -> Desk | Exception:
    try:
        return desk.read(shop_id)
    except Unreadable as error:  # a mistake on the desk must not keep the shop's alerts back
        logger.error("desk unreadable", extra={"shop_id": shop_id, "error": str(error)})
        count("UnreadableDesks")
        return Desk(shop_id=shop_id)
    except Exception as error:  # each of the shop's alerts says so, those of other shops go on
        return error


def _placed(wanted: Wanted, arranged: Desk | Exception, now: datetime) -> Placement | Exception:
    if isinstance(arranged, Exception):
        return arranged
    try:
        return _place(wanted, arranged, now)
    except Exception as error:  # this alert says so, the others go on
        return error


def _place(wanted: Wanted, arranged: Desk, now: datetime) -> Placement:
    """Place an alert, again where somebody else was faster to tell of the same thing."""
    case, effect = wanted.case, wanted.effect
    rules, tempo = rulebook.load(), pace()
    for _ in range(_ATTEMPTS):
        arranged = arranged.model_copy(update={"incidents": _incidents(case, effect, now)})
        outcome = place(case, effect, arranged, rules, now, tempo)
        if isinstance(outcome, Hold) and outcome.quiet is not None:
            desk.hide(case, outcome.quiet)
        if not isinstance(outcome, Send):
            return outcome
        if all(desk.claim(case.shop_id, claim, now) for claim in outcome.claims):
            return outcome
        arranged = desk.read(case.shop_id)
    raise StaleWrite(f"the desk of {case.shop_id}")


def _incidents(case: Case, effect: Effect, now: datetime) -> tuple[Incident, ...]:
    kind = kind_of(effect)
    if kind == "first":
        return desk.join(case, now)
    return () if kind in _ALONE else desk.incidents_of(case)
