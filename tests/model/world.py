"""The world around one case: what the store keeps of it, its customer and its shop's money, in memory.

functions/case_events, case_clock and the performers of functions/effects run here as they are deployed. What
they read and write stands in this world, under the conditions of functions/store: a case, a claim or a line
that was decided from something that has changed since is refused. What must hold of each alert, message, line
and workflow is checked as it happens, by its own reckoning.

At any place, before or right after something is written, a run can be `disturbed` (tests/crash.py): something
else happens completely, or the process dies.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from functions.domain.agenda import next_moment
from functions.domain.alerts import CHAIN
from functions.domain.benefits import Terms, asking
from functions.domain.cases import Case, Event, changed
from functions.domain.desks import Desk
from functions.domain.history import Entry, Message
from functions.domain.ledger import Line, State, Step, after, state
from functions.domain.messages import Customer
from functions.domain.pace import REAL
from functions.domain.profiles import Order, Profile
from functions.domain.silences import Silence
from functions.rulebook import load
from functions.store.errors import OrderRemedied, OverBudget, StaleWrite
from tests.crash import Places

RULES = load()
MONTH = timedelta(days=30)
# rules/budgets.toml, fen: of a case, of a row and day
LIMITS = {
    "refund": (10_000, 150_000),
    "reship": (30_000, 200_000),
    "coupon": (2_000, 50_000),
    "gift": (3_000, 30_000),
    "card": (1_500, 15_000),
}
SHOP_LIMIT = 300_000
# rules/contact.toml, rules/messages.toml, rules/reachability.toml as a person would say them
OPENS, CLOSES, APART, GAP, HOLD = 9, 20, timedelta(hours=24), timedelta(hours=72), timedelta(seconds=90)
MOST_A_MONTH, NUMBER_LASTS = 2, timedelta(days=15)
# rules/follow_up.toml: after the resolution, and after the guidance may go out
GUIDANCE, CARE = timedelta(hours=2), timedelta(days=3)


@dataclass
class Run:
    """One run of a deployed function: what it found as it began, what it read since, what it handed over."""

    case: Case
    customer: Customer | None = None
    stands: State | None = None
    handed_over: list[str] = field(default_factory=list)


class AlreadyThere(Exception):
    """A workflow of this name was started before."""


class NotThere(Exception):
    """No workflow of this name was ever started."""


class World:
    def __init__(self, case: Case, profile: Profile, order: Order | None, now: datetime) -> None:
        self.now = now
        self._case = case
        self.profile = profile.model_copy(update={"version": 1})
        self.order = order
        self.history: dict[str, Entry] = {}
        self.opted_out_elsewhere = False
        self.remedied = False  # the order, under another case
        self.lines: dict[tuple[str, str], list[Line]] = defaultdict(list)
        self.counted = Counter[tuple[str, str]]()
        self.silences: tuple[Silence, ...] = ()
        self.started, self.going, self.stopped = set[int](), set[int](), set[int]()  # workflows, by run
        self.planned = set[int]()  # the runs whose follow-up was seen before the care was due
        self.run: Run | None = None
        self.inside = 0  # how many things that began before it wait for what happens now
        self._places = Places()
        self.handed_over = Counter[str]()  # alerts, messages and orders, by key
        self.again = Counter[str]()  # how often they may leave once more
        self.first_handed: dict[str, Message] = {}
        self.seen: list[str] = []  # of what kind of thing there was a case

    @property
    def case(self) -> Case:
        return self._case

    @case.setter
    def case(self, case: Case) -> None:
        if case is not self._case:
            self._case = case.model_copy(update={"version": self._case.version + 1})

    # What may come in between

    @contextmanager
    def running(self) -> Iterator[None]:
        """A function runs. What it handed over may leave again if it dies or another run was underway."""
        self.run = run = Run(self.case)
        whole = False
        try:
            yield
            whole = True
        finally:
            self.run = None
            if not whole or self.inside:
                self.again.update(run.handed_over)
            case = run.case
            if whole and f"start:{case.run}" in case.outbox and self.now < _care_at(case):
                self.planned.add(case.run)

    @contextmanager
    def disturbed(self, place: int, by: Callable[[], None]) -> Iterator[None]:
        """At this place of what runs let `by` happen, in the end where the run is shorter."""

        def happens(where: str | None) -> None:
            if where is None:
                return by()
            self.seen.append(f"disturbed {where}")
            run, self.run = self.run, None
            self.inside += 1
            try:
                by()
            finally:
                self.inside -= 1
                self.run = run

        with self._places.disturbed(place, happens):
            yield

    # The store, as the functions see it

    def read_many(self, _: Sequence[str]) -> dict[str, Case]:
        return {self.case.case_id: self.case}

    def save_case(self, case: Case) -> Case:
        with self._places.writing("a case"):
            if case.version != self.case.version:
                raise StaleWrite(case.case_id)
            self.case = case
            return self.case  # as it was written, whatever happens next

    def on_agenda(self, now: datetime) -> dict[str, datetime]:
        moment = next_moment(self.case, REAL)
        return {self.case.case_id: moment} if moment is not None and moment <= now else {}

    def desk(self, shop_id: str) -> Desk:
        return Desk(shop_id=shop_id, silences=self.silences)

    def hide(self, *_: Any) -> None:
        with self._places.writing("a desk"):
            pass

    def customer(self, _: Case) -> Customer:
        history = sorted(self.history.values(), key=lambda entry: entry.at)
        found = Customer(self.profile, self.order, history, self.opted_out_elsewhere)
        if self.run is not None:
            self.run.customer = found
        return found

    def claim(self, case: Case, _: Customer, profile: Profile, entry: Entry) -> None:
        with self._places.writing("a claim"):
            self._claim(case, profile, entry)

    def _claim(self, case: Case, profile: Profile, entry: Entry) -> None:
        before = self.history.get(entry.key)
        if (
            case.version != self.case.version
            or profile.version != self.profile.version
            or (before is not None and before.state != "held")
            or (entry.promotional and self.opted_out_elsewhere)
        ):
            raise StaleWrite("a message of the customer")
        self._check_message(entry)
        self.history[entry.key] = entry
        self.profile = profile.model_copy(update={"version": profile.version + 1})

    def save(self, profile: Profile) -> Profile:
        with self._places.writing("a customer"):
            if profile.version != self.profile.version:
                raise StaleWrite("a customer")
            self.profile = profile.model_copy(update={"version": profile.version + 1})
            return self.profile

    def state(self, _: str, case_id: str, step: str) -> State | None:
        found = state(self.lines[case_id, step])
        if self.run is not None:
            self.run.stands = found
        return found

    def append(
        self,
        stands: State | None,
        line: Line,
        *,
        within: Terms | None = None,
        order_id: str | None = None,
        also: Sequence[Case] = (),
    ) -> State:
        with self._places.writing("a line"):
            if any(case.version != self.case.version for case in also):
                raise StaleWrite(self.case.case_id)
            return self._append(stands, line, within, order_id)

    def _append(self, stands: State | None, line: Line, within: Terms | None, order_id: str | None) -> State:
        its = self.lines[line.case_id, line.step]
        if len(its) + 1 != line.number:
            raise StaleWrite(line.key)
        limits = {line.row: within.per_day, "shop": within.shop_per_day} if within else {}
        for row, most in limits.items():
            if most is not None and line.amount and self.counted[line.day, row] + line.amount > most:
                self.seen.append("over the budget")
                raise OverBudget(row)
        if order_id is not None and self.remedied:
            raise OrderRemedied
        self._check_line(line, its)
        its.append(line)
        for row in (line.row, "shop"):
            self.counted[line.day, row] += line.amount
        self.seen.append(line.kind)
        return after(stands, line)

    def decide(self, step: Step, how: Callable[[Case, State | None], Line | None], *, ask: bool) -> None:
        """A person's word: the line and the case's line of it are one write."""
        stands = self.state("", self.case.case_id, step)
        line = how(self.case, stands)
        if line is None:
            return
        self.append(stands, line)
        outbox = asking(self.case, step, line.number, line.at) if ask else self.case.outbox
        event = Event(at=line.at, kind=f"{step} {line.kind}", by=line.by)
        self.case = changed(self.case, {"outbox": outbox}, {f"benefit:{step}:{line.number}": event})

    def publish(self, Message: str, **_: Any) -> None:  # noqa: N803  # as boto3 names it
        with self._places.writing("a message"):
            self._check_hand_over(_message(Message))

    def publish_batch(self, PublishBatchRequestEntries: Sequence[Any], **_: Any) -> Any:  # noqa: N803
        with self._places.writing("an alert"):
            for entry in PublishBatchRequestEntries:
                self._check_alert(json.loads(json.loads(entry["Message"])["sqs"]))
        return {"Successful": PublishBatchRequestEntries}

    def send(self, _: str, messages: Sequence[Any]) -> None:
        """An order for the shop's own system. The order sender drops one that was taken back meanwhile."""
        with self._places.writing("an order"):
            order = json.loads(messages[0].body)
            last = self._run.stands
            assert last is not None, order["id"]
            assert last.standing == "effective", f"{order['id']} was ordered though it is {last.standing}"
            assert (order["id"], order["amount_fen"]) == (f"{self.case.case_id}:{last.step}", last.cost)
            self._hand_over(order["id"])

    def start_execution(self, name: str, input: str, **_: Any) -> None:  # noqa: A002
        with self._places.writing("a start"):
            run = int(name.rpartition("-")[2])
            if run in self.started:
                raise AlreadyThere(name)
            self._check_start(run, json.loads(input))
            self.started.add(run)
            if run not in self.stopped:  # else its first step finds that the case moved on
                self.going.add(run)

    def stop_execution(self, executionArn: str, **_: Any) -> None:  # noqa: N803
        with self._places.writing("a stop"):
            run = int(executionArn.rpartition("-")[2])
            self.stopped.add(run)
            if run not in self.started:
                raise NotThere(executionArn)
            self.going.discard(run)

    # What must hold, reckoned independently

    def _check_alert(self, told: dict[str, Any]) -> None:
        """What comes after it began is too late to stop an alert."""
        case = self._run.case
        assert case.waiting, "an alert of a case that nobody works on"
        assert told["kind"] not in CHAIN or case.status == "open", "an alert after the acknowledgement"
        self._hand_over(told["key"])

    def _check_start(self, run: int, given: dict[str, Any]) -> None:
        """The time for the care has come, and the guidance came before, unless the stream was days late."""
        case = self.case if self.case.run == run else self._run.case
        assert (case.run, given["run"]) == (run, run), "a workflow of another run"
        assert self.now >= _care_at(case), "a workflow before its time"
        guidance = case.keyed("message:guidance")
        assert run not in self.planned or guidance in case.events | case.outbox, "no guidance before the care"

    def _check_message(self, entry: Entry) -> None:
        """Right before a message counts as sent, for the first time."""
        case, now = self.case, self.now
        sent = [one for one in self.history.values() if one.sent_at is not None and one.key != entry.key]
        self.seen.append(f"{entry.step} sent")
        assert self.profile.opted_out_at is None, f"{entry.key} after an opt-out"
        if entry.step != "free":
            assert case.resolved_at is not None, f"{entry.key} of a case that nobody resolved"
            assert not case.waiting, f"{entry.key} of a case that is open again"
            assert case.outcome == "solved", f"{entry.key} of a case that is {case.outcome}"
            assert entry.key == f"{case.case_id}:{case.keyed(entry.step)}", f"{entry.key} of an earlier run"
            received = max((one.at for one in self.history.values() if one.state == "received"), default=None)
            if received is not None and received > case.resolved_at:
                answers = [o.at for o in self.history.values() if o.step == "free" and o.state != "recalled"]
                assert any(at > received for at in answers), f"{entry.key} while the customer waits"
        assert now >= entry.at + HOLD, f"{entry.key} could not be taken back"
        if entry.channel == "sms":
            delivered = self.order.delivered_at if self.order is not None else None
            assert now < (delivered or case.review.posted_at) + NUMBER_LASTS, f"{entry.key} to a dead number"
        if entry.promotional:
            consent = self.profile.consent.get(entry.channel)
            assert consent is not None, f"{entry.key} without consent on {entry.channel}"
            assert consent.granted, f"{entry.key} against a withdrawn consent"
            assert not self.opted_out_elsewhere, f"{entry.key} after an opt-out in another shop"
            zone = ZoneInfo(case.hours.zone if case.hours else "Asia/Shanghai")
            assert OPENS <= now.astimezone(zone).hour < CLOSES, f"{entry.key} at night"
            lately = [one for one in sent if one.promotional and _sent(one) > now - MONTH]
            assert len(lately) < MOST_A_MONTH, f"{entry.key} too often"
            assert all(_sent(one) <= now - APART for one in lately), f"{entry.key} on the same day"
        said = set(entry.says)
        assert not {"guidance", "benefit"} <= said, f"{entry.key} buys the review"
        if "guidance" in said:
            mine = [one for one in sent if one.case_id == case.case_id and "guidance" in one.says]
            assert mine == [], f"{entry.key} is a second guidance"
            near = [o for o in sent if "benefit" in o.says and o.promotional and _sent(o) > now - GAP]
            assert near == [], f"{entry.key} right after a benefit"
        if "benefit" in said and entry.promotional:
            near = [one for one in sent if "guidance" in one.says and _sent(one) > now - GAP]
            assert near == [], f"{entry.key} right after the guidance"
        if "券码" in entry.text:
            self._check_coupon(entry)

    def _check_line(self, line: Line, its: Sequence[Line]) -> None:
        """What nobody approved stays within the limits of its case, its row and the shop."""
        if self.run is not None and not its and line.case_id == self.case.case_id:
            outcome = self.run.case.outcome
            assert outcome == "solved", f"{line.key} of a case that is {outcome}"
        if line.amount <= 0 or any(one.kind == "approved" for one in its) or line.benefit is None:
            return
        if line.kind == "delivered":  # it arrived in spite of its correction
            return
        per_case, per_day = LIMITS[line.benefit]
        assert line.case_id != self.case.case_id or line.cost <= per_case, f"{line.key} is above its limit"
        for row, most in ((line.row, per_day), ("shop", SHOP_LIMIT)):
            assert self.counted[line.day, row] + line.amount <= most, f"{line.key} is above {row}'s budget"

    def _check_coupon(self, entry: Entry) -> None:
        its = self.lines[self.case.case_id, entry.step]
        last = its[-1]
        assert last.kind == "effective", f"{entry.key} names a coupon that is {last.kind}"
        assert last.code is not None, entry.key
        assert f"券码{last.code}" in entry.text, f"{entry.key} names another code"
        assert f"{last.cost // 100}.{last.cost % 100:02d}元" in entry.text, (
            f"{entry.key} names another amount"
        )
        assert last.valid_until is not None, entry.key
        assert last.valid_until > self.now, f"{entry.key} names a coupon that has lapsed"
        self.seen.append("coupon named")

    def _check_hand_over(self, message: Message) -> None:
        """Each time a text leaves; the same key may leave again only as the same text, never after a no."""
        entry = self.history[message.key]
        known = self._run.customer  # what changes after it was counted comes too late to stop it
        assert known is not None, message.key
        assert entry.state == "sent", f"{message.key} was handed over, but not counted"
        assert known.profile.opted_out_at is None, f"{message.key} was handed over after an opt-out"
        assert not (entry.promotional and known.opted_out), f"{message.key}: opted out elsewhere"
        assert self.first_handed.setdefault(message.key, message) == message, "another text, same key"
        self._hand_over(message.key)

    def _hand_over(self, key: str) -> None:
        assert key not in self._run.handed_over, f"{key} twice in one run"
        self._run.handed_over.append(key)
        self.handed_over[key] += 1

    @property
    def _run(self) -> Run:
        assert self.run is not None, "nothing runs"
        return self.run

    def check_money(self) -> None:
        """The lines are what was counted, and each benefit's sum is nothing or its cost."""
        sums = Counter[tuple[str, str]]()
        for its in self.lines.values():
            if not its:
                continue
            kinds = Counter(line.kind for line in its)
            assert max(kinds["effective"], kinds["redeemed"], kinds["delivered"]) <= 1, its[0].key
            committed = sum(line.amount for line in its)
            assert committed in (0, its[-1].cost), f"{its[0].key} is {committed}"
            over = {"refused", "recalled", "expired", "correction", "proposed", "approved"}
            assert (committed == 0) == (its[-1].kind in over or not its[-1].cost), its[0].key
            for line in its:
                for row in (line.row, "shop"):
                    sums[line.day, row] += line.amount
        assert {place: n for place, n in sums.items() if n} == {p: n for p, n in self.counted.items() if n}


def elsewhere(world: World, entry: Entry) -> None:
    """Another case of the same customer had a message sent."""
    world.history[entry.key] = entry
    world.profile = world.profile.model_copy(update={"version": world.profile.version + 1})


def told(world: World, **update: Any) -> None:
    """The customer's file changes."""
    version = world.profile.version + 1
    world.profile = world.profile.model_copy(update=update | {"version": version})


def _care_at(case: Case) -> datetime:
    assert case.resolved_at is not None, "a follow-up of a case that nobody resolved"
    return case.resolved_at + GUIDANCE + HOLD + CARE


def _sent(entry: Entry) -> datetime:
    assert entry.sent_at is not None
    return entry.sent_at


def _message(body: str) -> Message:
    return Message.model_validate_json(body)
