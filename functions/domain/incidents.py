"""Incidents: many bad reviews at once on one product, or from one customer, are one thing to alert of.

A case joins with the time it was opened, which never changes: joining again changes nothing, and whether
a case stands alone, opens an incident or joins one is the same however often and however late it is asked.
Whether an incident is over is worked out from the last joining, so no clock has to close it.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from pydantic import BaseModel, ConfigDict

from functions.domain.cases import Case
from functions.domain.decisions import Decision, Rules
from functions.domain.times import Time, iso, parse

Of = Literal["product", "customer"]
As = Literal["single", "opens", "joins"]
HOUR = timedelta(hours=1)
_PREFIX, _HIDDEN_LENGTH = "incident", 16
_KEPT = 50  # old members that are not worth a write to remove


class Incident(BaseModel):
    """What happens on a product or from a customer; an incident proper once `opened_at` is set.

    `led_by` is the case whose alert opened it, `told_by` the one whose alert told of it last, at `told_at`.
    `hour` is how long an hour lasts: less at a compressed pace, where a year's reviews come in minutes.
    """

    model_config = ConfigDict(frozen=True)

    item: str
    members: frozenset[str] = frozenset()
    opened_at: Time | None = None
    led_by: str | None = None
    told_at: Time | None = None
    told_by: str | None = None
    hour: timedelta = HOUR

    @property
    def of(self) -> Of:
        return "product" if self.item.split("#")[1] == "product" else "customer"

    @property
    def joined(self) -> list[datetime]:
        return sorted(parse(member.partition("|")[0]) for member in self.members)

    def count(self, now: datetime) -> int:
        """Return how many joined within the hour before `now`."""
        return sum(now - self.hour < joined <= now for joined in self.joined)

    @property
    def size(self) -> int:
        """Return how many belong to it since it was opened, with those of the hour before."""
        since = self.opened_at - self.hour if self.opened_at is not None else None
        return sum(since is None or joined > since for joined in self.joined)

    def has(self, case: Case) -> bool:
        return member(case) in self.members


def items(case: Case) -> tuple[str, ...]:
    """Return the incidents that the case may belong to. Who the customer is cannot be read from it."""
    review, found = case.review, []
    if review.product_id is not None:
        found.append(f"{_PREFIX}#product#{review.product_id}")
    if review.customer_id is not None:
        person = sha256(f"{case.shop_id}#{review.customer_id}".encode()).hexdigest()[:_HIDDEN_LENGTH]
        found.append(f"{_PREFIX}#customer#{person}")
    return tuple(found)


def member(case: Case) -> str:
    return f"{iso(case.opened_at)}|{case.case_id}"


def stale(incident: Incident, now: datetime) -> frozenset[str]:
    """Return the members that count for nothing any more, where they are many enough to be removed."""
    before = iso(min(incident.opened_at or now, now - HOUR))
    old = frozenset(each for each in incident.members if each < before)
    return old if len(old) > _KEPT else frozenset()


def stands(incident: Incident, case: Case, rules: Rules) -> Decision:
    """Return how the case stands to the incident: `as` it is alerted."""
    mine = case.opened_at
    before = [at for at in incident.joined if at < mine]
    latest = max([*before, *([incident.opened_at] if incident.opened_at else [])], default=mine)
    return _decide(incident, around(incident, case), max(timedelta(0), mine - latest), rules)


def around(incident: Incident, case: Case) -> int:
    """Return how many joined within an hour that the case is in.

    It ends with the last one that joined within an hour after the case, so that of cases that come at the
    same moment the last to join sees them all.
    """
    mine = case.opened_at
    return incident.count(max((at for at in incident.joined if at <= mine + incident.hour), default=mine))


def going_on(incident: Incident, rules: Rules, now: datetime) -> Decision | None:
    """Return how an incident goes on: it was opened, and its last case is not long ago. None else."""
    if incident.opened_at is None:
        return None
    quiet_for = max(timedelta(0), now - max([*incident.joined, incident.opened_at]))
    decision = _decide(incident, incident.count(now), quiet_for, rules)
    return decision if decision.text("as") == "joins" else None


def _decide(incident: Incident, last_hour: int, quiet_for: timedelta, rules: Rules) -> Decision:
    return rules.ask.incidents(
        of=incident.of,
        last_hour=last_hour,
        opened=incident.opened_at is not None,
        quiet_for=int(quiet_for * (HOUR / incident.hour) / timedelta(seconds=1)),
    )
