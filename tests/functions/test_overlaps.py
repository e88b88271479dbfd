"""Two things at the same moment, on the template's tables: it ends as if one had come after the other.

The conditions of the writes are what this rests on. One thing stops at a place, before or right after any of
its writing calls, the other happens completely, the first goes on; then all is delivered once more. Whatever
was only read before counts for nothing: what had written nothing yet ends as if it had come after.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions import cases_api, messages_api
from functions.domain.cases import Effect
from functions.domain.ledger import RULES, Kind, first, then
from functions.domain.profiles import Consent
from functions.effects import alerts
from functions.store import cases, ledger
from tests.builders import CUSTOMER, NOW, SHOP, profile
from tests.cloud import ENDPOINT, Cloud
from tests.crash import disturbed, effects
from tests.domain.test_ledger import grant, solved
from tests.money import DAY, SECRET, World
from tests.requests import ask

AGO = NOW - timedelta(hours=3)
RESOLVED = {"status": "resolved", "outcome": "solved", "resolved_at": AGO, "acknowledged_at": AGO}
TEXT = "非常抱歉，已为您补发，今天寄出。"


def due(key: str, kind: Any, **given: Any) -> dict[str, Any]:
    return {"outbox": {key: Effect(kind=kind, at=AGO, **given)}}


# Cases on which one thing is due, each with what happens at that moment: this, and in its midst one of those.
STANDS: dict[str, dict[str, Any]] = {
    "alert": due("alert:0", "alert", level=0),
    "escalation": {"outbox": {}, "escalate_at": NOW},
    "grant": RESOLVED | due("grant:remedy", "grant", name="remedy"),
    "proposed": RESOLVED | due("grant:remedy", "grant", name="remedy"),
    "held": RESOLVED | due("grant:remedy", "grant", name="remedy"),
    "effective": RESOLVED | due("order:remedy", "order", name="remedy"),
    "guidance": RESOLVED | due("message:guidance", "message", name="guidance"),
    "start": RESOLVED | due("start:1", "start"),
}
MEET = {
    ("alert", "deliver"): ("take", "solve"),
    ("alert", "take"): ("solve",),
    ("escalation", "tick"): ("take", "tick"),
    ("grant", "deliver"): ("deliver", "reopen"),
    ("proposed", "deliver"): ("approve",),
    ("held", "deliver"): ("recall",),
    ("held", "recall"): ("deliver",),
    ("effective", "deliver"): ("recall",),
    ("guidance", "deliver"): ("opt out", "take back", "reopen", "deliver"),
    ("guidance", "take back"): ("deliver", "write"),
    ("guidance", "write"): ("take back",),
    ("guidance", "opt out"): ("deliver",),
    ("start", "deliver"): ("reopen",),
}
# These leave without being written anywhere before: who receives them looks again, or a person does.
UNCLAIMED = {("alert", "deliver"), ("effective", "deliver")}


class Moment:
    """A case, and all that may happen to it now."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.things: dict[str, Callable[[], object]] = {
            "deliver": lambda: world.perform(self.case),
            "tick": world.tick,
            "take": lambda: self._case("acknowledge", by="lin"),
            "solve": lambda: self._case("resolve", by="wang", cause="quality", outcome="solved"),
            "reopen": lambda: self._case("reopen", by="lin", why="broke again"),
            "approve": lambda: world.say("approve", self.case),
            "recall": lambda: world.say("recall", self.case),
            "write": lambda: self._messages(
                "POST", f"/cases/{self.case.case_id}/messages", by="lin", text=TEXT
            ),
            "take back": lambda: self._messages("DELETE", f"/cases/{self.case.case_id}/messages/guidance"),
            "opt out": lambda: self._messages("POST", f"/shops/{SHOP}/customers/{CUSTOMER}/opt-out"),
        }

    def begin(self, stands: str) -> None:
        self.world.aws.clear()
        self.world.orders.taken.clear()
        self.world.configure(orders_url=self.world.orders.url, orders_secret=SECRET)
        agreed = Consent(granted=True, at=AGO, source="order form")
        self.case = solved(**{"outcome": None, "resolved_at": None, "status": "open"} | STANDS[stands])
        known = profile(bad_reviews=(self.case.review.key,), consent={"sms": agreed})
        self.case = cases.open_case(self.case, known)
        if stands not in ("proposed", "held", "effective"):
            return
        given = grant(case_id=self.case.case_id, row="remedies.small-order")
        kind: Kind = "proposed" if stands == "proposed" else "held"
        stood = ledger.append(None, first(given, kind, AGO, DAY, note="above the limit"))
        if stands == "effective":
            ledger.append(stood, then(stood, "effective", RULES, NOW))

    def end(self) -> Any:
        """Return what it came to, once all is delivered. A message may leave twice, under its key."""
        self.world.settle()
        aws = self.world.aws
        return (
            self.world.case(self.case).model_dump(exclude={"version"}),
            [item | {"version": 0} for item in aws.items("customers")],
            aws.items("ledger"),
            {sent.text for topic in ("alerts", "messages") for sent in aws.published(topic)},
            sorted(self.world.orders.taken),
        )

    def _case(self, what: str, **said: Any) -> object:
        return ask(cases_api.handler, "POST", f"/cases/{self.case.case_id}/{what}", body=said)

    def _messages(self, method: str, path: str, **said: Any) -> object:
        return ask(messages_api.handler, method, path, body=said or None)


@pytest.fixture
def moment(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Moment]:
    for module in (cases_api, messages_api, alerts):
        monkeypatch.setattr(module, "now", lambda: NOW)
    monkeypatch.setattr("secrets.choice", lambda letters: letters[0])
    with World(aws).running() as world:
        yield Moment(world)


@pytest.mark.skipif(ENDPOINT is not None, reason="there are only tables on DynamoDB Local")
def test_two_things_at_the_same_moment_end_as_one_after_the_other(moment: Moment) -> None:
    for (stands, one), others in MEET.items():
        for other in others:
            moment.begin(stands)
            names = effects(moment.things[one])
            moment.things[other]()
            in_turn = [moment.end()]
            moment.begin(stands)
            moment.things[other]()
            moment.things[one]()
            in_turn.append(moment.end())
            for place in range(2 * len(names)):
                moment.begin(stands)
                with disturbed(place, moment.things[other]):
                    moment.things[one]()
                free = in_turn if place or (stands, one) in UNCLAIMED else in_turn[1:]
                assert moment.end() in free, f"{stands}: {one}, at {place} of {names} {other}"
