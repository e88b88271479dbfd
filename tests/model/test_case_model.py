"""A case under whatever may happen to it, in any order: thousands of random lives, watched at every step.

What happens to it happens by the deployed functions (the stream's, the case clock's) and, where a person or
the workflow acts, by what theirs call; around them stands a small world (tests/model/world.py): somebody's
clock that may be a little late, a stream that delivers twice or not yet, runs that die or that overlap at any
place, people and customers who come in between, other cases that use up budgets and caps, silences, a
workflow. A life is a string of bytes, three for each thing that happens: drawing costs less than living, and
the shortest life that goes wrong is found all the same.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions import case_clock, case_events
from functions.domain.agenda import advance, next_moment
from functions.domain.alerts import CHAIN, kind_of
from functions.domain.benefits import chosen, terms
from functions.domain.calendars import Hours
from functions.domain.cases import (
    Case,
    CaseClosed,
    Effect,
    Event,
    acknowledge,
    changed,
    new_version,
    open_case,
    reopen,
    resolve,
)
from functions.domain.gate import forbidden
from functions.domain.history import FREE, Entry, free_key
from functions.domain.ledger import Grant, NotPossible, Step, approval, first, recall, then
from functions.domain.messages import objections, wrote
from functions.domain.outbox import due
from functions.domain.pace import REAL
from functions.domain.profiles import Channel, Consent
from functions.domain.silences import Matchers, Silence
from functions.domain.verdicts import judge
from functions.domain.waits import pause, resume
from functions.store import cases
from functions.store.errors import OverBudget
from tests.builders import SHOP, order, profile, review
from tests.crash import Died
from tests.domain.test_calendars import is_open
from tests.events import CONTEXT, stream_event
from tests.model.stand_ins import functions, living
from tests.model.world import RULES, World, elsewhere, told

SEQUENCES, STEPS = 2000, 24
# Before which write, or right after which, something else happens or the process dies: most runs are short.
PLACES = (0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 9)
MINUTE, DAY = timedelta(minutes=1), 24 * 60
START = datetime(2026, 5, 8, 9, 0, tzinfo=UTC)  # Friday 17:00 in China, before a make-up Saturday
SPAN = 150 * DAY  # minutes; no life is longer
END = START + 70 * DAY * MINUTE
ROUNDS = 400  # of looking at a case until nothing is left: a coupon may wait an hour at a time for a week
TEXTS = ("物流太慢了", "质量差，用一次就坏了", "已解决，很满意", "少发了一件")
WRITTEN = (
    "您好，问题已经转给仓库，今天给您答复",
    "已为您退款并补偿您10元优惠券，回T退订",
    "方便的话能否帮忙更新评价？怎么评价由您决定",
)

_OFFICE = {"week": {"mon-fri": ["09:00-12:00", "13:30-18:00"]}, "holidays": "CN"}
_NIGHTS = {"zone": "Europe/Berlin", "week": {"mon-sun": ["00:00-02:30", "20:00-24:00"]}}
SHOPS = (None, Hours.model_validate(_OFFICE), Hours.model_validate(_NIGHTS))
FOUND = {text: RULES.check(text) for text in WRITTEN}
VERDICTS = {text: judge(review(text=text), RULES) for text in TEXTS}
VALUES = (5990, 19900, 35000)  # a refund, a new parcel, a supervisor's word
# How many minutes each shop was open since START, for every minute: the independent calculation.
OPEN = [
    [0, *accumulate(hours is None or is_open(hours, START + n * MINUTE) for n in range(SPAN))]
    for hours in SHOPS
]
STEPS_OF_MONEY = ("remedy", "coupon", "goodwill", "care", "repurchase")
CHANNELS: tuple[Channel, ...] = ("sms", "chat", "email")
Thing = tuple[str, int, int]
# What happens, as often as it stands here.
ACTS = (
    *("time",) * 6,
    *("machine",) * 7,
    *("person",) * 2,
    *("customer",) * 2,
    *("money",) * 3,
    "writes",
    "others",
    *("meanwhile",) * 4,
)
# What is written, or leaves, with something else before or right after it.
WRITES = ("a case", "a desk", "a claim", "a line", "a message", "an alert", "an order", "a start", "a stop")


class Life:
    """One case, from its opening to the end of what happens to it."""

    def __init__(
        self, text: str, shop: int, value: int, at: datetime, things: Iterator[Thing], *, solved: bool
    ) -> None:
        self.shop = shop
        self.things = things  # that will happen to it
        self.strangers = 0  # other cases
        seen = review(text=text, posted_at=at, first_seen_at=at)
        bought = order(total=value, placed_at=at - 3 * DAY * MINUTE)
        agreed = Consent(granted=True, at=at, source="order form")
        known = profile(consent=dict.fromkeys(CHANNELS, agreed) if value == VALUES[0] else {})
        case = open_case(seen, VERDICTS[text], known, bought, RULES, at, REAL, SHOPS[shop])
        self.world = World(case, known, bought, at)
        living(self.world)
        self.offer = case.remedy, case.coupon, case.goodwill
        self.before = case
        if solved:
            self.deliver()
            self.case = resolve(self.case, "lin", "quality", "solved", None, at)

    @property
    def case(self) -> Case:
        return self.world.case

    @case.setter
    def case(self, case: Case) -> None:
        self.world.case = case

    @property
    def now(self) -> datetime:
        return self.world.now

    def live(self) -> bool:
        """Let the next thing happen, if there is one."""
        if (thing := next(self.things, None)) is None:
            return False
        what, b, c = thing
        act: Callable[[int, int], None] = getattr(self, what)
        with suppress(NotPossible, CaseClosed):  # whoever asks for it is told that it cannot be
            act(b, c)
        self.watch()
        return True

    # What happens

    def time(self, b: int, c: int) -> None:
        """The case clock ticks at the end; what time brings never depends on when it ticked before."""
        self._pass(b, c)
        self._tick()

    def _pass(self, b: int, c: int) -> None:
        """Time passes, unless something is underway: that takes no time."""
        if self.world.inside:
            return
        moment = next_moment(self.case, REAL)
        now = self.now
        if b % 8 == 7:
            self._be_silent(c * 2 + 1)
        elif b % 8 == 6:
            now += (c * DAY // 50 + 1) * MINUTE * (now < END)
        elif b % 8 >= 2 and moment is not None:
            now = max(now, moment)
        else:
            now += (c % 40 + 1) * MINUTE
        seconds = timedelta(seconds=now.second, microseconds=now.microsecond)
        self.world.now = now if not seconds else now - seconds + MINUTE  # whole minutes, as in OPEN

    def machine(self, b: int, c: int) -> None:
        """The stream brings the case as it stands, or the workflow goes on."""
        match ("deliver", "deliver", "deliver", "deliver", "crash", "crash", "follow up", "follow up")[b % 8]:
            case "deliver":
                self.deliver()
            case "crash":
                with suppress(Died), self.world.disturbed(PLACES[c % len(PLACES)], _die):
                    self.deliver()
            case "follow up" if self.case.status == "resolved":
                self._follow_up(c)

    def meanwhile(self, b: int, c: int) -> None:
        """The next thing or two happen, completely, in the midst of a run: before or right after a write."""
        match ("at once", "at once", "when it is due", "before the tick")[b >> 3 & 3]:
            case "when it is due":
                self.time(2, 0)
            case "before the tick":
                self._pass(2, 0)
        things = 1 + b // 128

        def happens() -> None:
            for _ in range(things):
                self.live()

        with self.world.disturbed(PLACES[c % len(PLACES)], happens):
            match ("deliver", "deliver", "deliver", "deliver", "deliver", "tick", "tick", "person")[b % 8]:
                case "deliver":
                    self.deliver()
                case "tick":
                    case_clock.look(self.now)
                case "person":
                    self.person(b >> 3, c)

    def person(self, b: int, c: int) -> None:
        """A person works on the case. Their clock may be up to two minutes behind."""
        at = max(self.now - max(0, c % 9 - 6) * MINUTE, self.case.opened_at)
        outcome = cast("Any", "solved" if c % 8 else "refused")
        say: dict[str, Callable[[Case], Case]] = {
            "take": lambda case: acknowledge(case, "lin", at),
            "wait": lambda case: pause(case, "a photo", "lin", at),
            "go on": lambda case: resume(case, "lin", at),
            "solve": lambda case: resolve(case, "lin", "quality", outcome, None, at),
            "reopen": lambda case: reopen(case, "lin", "broke again", RULES, at),
        }
        what = ("take", "solve", "solve", "wait", "go on", "reopen")[b % 6]
        cases.change(self.case.case_id, say[what])

    def customer(self, b: int, c: int) -> None:
        way = CHANNELS[c % 3]
        match ("edits", "agrees", "agrees", "refuses", "opts in", "opts out", "elsewhere", "writes")[b % 8]:
            case "edits":
                at = max(self.now - c % 3 * MINUTE, self.case.opened_at)
                self.case = new_version(self.case, review(text=TEXTS[c % 4], posted_at=START), at)
            case "agrees":
                self._consent(way, granted=True)
            case "refuses":
                self._consent(way, granted=False)
            case "opts out":
                told(self.world, opted_out_at=self.now)
            case "opts in":
                told(self.world, opted_out_at=None)
                self.world.opted_out_elsewhere = False
            case "elsewhere":
                self.world.opted_out_elsewhere = True
            case "writes":
                entry = Entry(
                    key=f"reply:{len(self.world.history)}",
                    at=self.now,
                    state="received",
                    step="reply",
                    channel=way,
                    text="…",
                )
                self.world.history[entry.key] = entry
                noted = {f"replied:{entry.key}": Event(at=self.now, kind="customer wrote")}
                self.case = changed(resume(self.case, None, self.now), {}, noted)

    def money(self, b: int, c: int) -> None:
        """A person decides about a benefit, or the shop's system reports."""
        step = cast("Step", STEPS_OF_MONEY[c % 5])
        say: dict[str, Callable[[Any], Any]] = {
            "approve": lambda stands: approval(stands, "wang", False, self.now),
            "refuse": lambda stands: then(stands, "refused", "wang", self.now),
            "recall": lambda stands: recall(stands, "wang", None, self.now),
            "delivered": lambda stands: then(stands, "delivered", "system", self.now),
            "redeemed": lambda stands: then(stands, "redeemed", "system", self.now, used_for="o"),
        }
        what = ("approve", "approve", "recall", "recall", "refuse", "delivered", "redeemed", "give")[b % 8]
        if what != "give":
            asks = what in ("approve", "refuse")
            self.world.decide(step, lambda _, stands: say[what](stands) if stands else None, ask=asks)
            return
        stands = self.world.state(SHOP, self.case.case_id, "remedy")
        offer = chosen(self.case, "remedy", "reship", None, "lin")
        if isinstance(offer, Grant) and stands is not None and stands.awaits_approval and not stands.benefit:
            more = offer.model_dump(include={"benefit", "row", "cost"})
            self.world.decide(
                "remedy",
                lambda _, stands: then(cast("Any", stands), "proposed", "lin", self.now, **more),
                ask=True,
            )

    def writes(self, b: int, c: int) -> None:
        """A person writes to the customer, or takes back what is held, a text of their own or a step's."""
        case, world = self.case, self.world
        if b % 4 == 3:
            self._take_back()
            return
        text = WRITTEN[c % 3]
        found = FOUND[text]
        assert not forbidden(found), text
        key = free_key(self.now + timedelta(microseconds=len(case.events)))
        entry = wrote(case, key, text, CHANNELS[b % 3], "lin", self.now, found)
        if objections(case, entry, world.customer(case), RULES, REAL, self.now):
            return
        world.history[entry.key] = entry
        effect = Effect(kind="message", at=self.now, name=FREE)
        event = Event(at=self.now, kind="message written", by="lin")
        self.case = changed(case, {"outbox": case.outbox | {key: effect}}, {f"{key}:written": event})

    def _take_back(self) -> None:
        case, world = self.case, self.world
        held = [(key, one) for key, one in case.outbox.items() if one.kind == "message"]
        for key, effect in held[:1]:
            name = f"{case.case_id}:{key.removeprefix('message:')}"
            mine = world.history.get(name)
            if mine is not None and mine.state != "held":
                return  # it is going out
            entry = mine or Entry(
                key=name,
                at=effect.at,
                state="held",
                step=effect.name or "",
                channel="chat",
                text="",
                case_id=case.case_id,
            )
            world.history[name] = entry.model_copy(update={"state": "recalled"})
            outbox = {other: each for other, each in case.outbox.items() if other != key}
            event = Event(at=self.now, kind="message taken back", by="lin")
            self.case = changed(case, {"outbox": outbox}, {key: event})

    def others(self, b: int, c: int) -> None:
        """Other cases of the customer and of the shop use up caps, budgets and the order."""
        self.strangers += 1
        number = self.strangers
        if b % 4 == 0:
            entry = Entry(
                key=f"WB-OTHER-{number}:care",
                at=self.now,
                state="sent",
                step="care",
                channel="sms",
                text="…",
                case_id=f"WB-OTHER-{number}",
                promotional=True,
                says=("benefit",),
                sent_at=self.now,
            )
            elsewhere(self.world, entry)
        elif b % 4 == 3:
            self.world.remedied = True
        else:
            cost = (9_000, 60_000, 149_000, 295_000)[c % 4]
            grant = Grant(
                shop_id=SHOP,
                case_id=f"WB-OTHER-{number}",
                step="remedy",
                benefit="refund",
                row="remedies.small-order",
                cost=cost,
            )
            day = self.now.astimezone(UTC) + timedelta(hours=8)
            on = terms("refund", RULES)
            with suppress(OverBudget):
                self.world.append(
                    None, first(grant, "effective", self.now, day.date().isoformat()), within=on
                )

    # What must hold, always

    def watch(self) -> None:
        case = self.case
        if case.waiting and not case.paused:
            assert (case.warn_at, case.due_at) == self._reckoned(), "another deadline than reckoned"
        if case.status != "open":
            assert case.escalate_at is None
        if not case.waiting:
            assert not case.paused
        chain = [key for key, one in case.outbox.items() if one.kind == "alert" and kind_of(one) in CHAIN]
        assert len(chain) <= 1, f"{chain[-1]} before the one before it was told"
        assert self.before.events.items() <= case.events.items(), "the timeline lost something"
        assert (case.remedy, case.coupon, case.goodwill) == self.offer, "the benefits changed"
        assert len(set(case.versions)) == len(case.versions)
        self.before = case
        self.world.check_money()
        looked_at = {one.name for one in due(case).values() if one.kind == "grant"}
        for (case_id, step), its in self.world.lines.items():
            approved = case_id == case.case_id and its and its[-1].kind == "approved"
            assert not approved or step in looked_at, f"{step} is approved and waits all the same"
        if not self.world.inside:
            for key, times in self.world.handed_over.items():
                assert times <= 1 + self.world.again[key], f"{key} left {times} times"

    def end(self) -> None:
        """At last all is delivered and, once nobody works on it, time goes on: nothing is left or lost."""
        for _ in range(ROUNDS):
            self.deliver()
            if f"start:{self.case.run}" in self.case.outbox:
                self._follow_up(0)
            if self.case.waiting or not self.case.outbox:
                break
            self.time(2, 0)
        assert self.case.waiting or not self.case.outbox, "it does not come to an end"
        if not self.case.waiting:
            for its in self.world.lines.values():
                assert not its or its[-1].kind not in ("proposed", "approved", "held"), (
                    f"{its[0].key} is lost"
                )
        self.watch()
        assert self.world.going == ({self.case.run} if self.case.status == "resolved" else set())
        if not self.case.waiting and self.case.run in self.world.planned:
            assert self.case.keyed("message:guidance") in self.case.events, "no guidance"

    def reached(self) -> set[str]:
        """Return what kinds of things came about."""
        return {event.kind for event in self.case.events.values()} | set(self.world.seen)

    # How

    def deliver(self) -> None:
        with self.world.running():
            case_events.handler(stream_event(self.case.case_id), CONTEXT)

    def _consent(self, way: Channel, *, granted: bool) -> None:
        given = Consent(granted=granted, at=self.now, source="form")
        told(self.world, consent=self.world.profile.consent | {way: given})

    def _tick(self) -> None:
        before = self.case
        case_clock.look(self.now)
        assert advance(self.case, RULES, REAL, self.now) == self.case, "a second tick changed something"
        following = next_moment(self.case, REAL)
        assert following is None or following > self.now, "the clock would spin"
        if self.case.waiting and not self.case.paused:
            # A pause that somebody's late clock put before a warning does not take the warning back.
            for name, at in zip(("warned", "breached"), self._reckoned(), strict=True):
                key = self.case.keyed(name)
                assert at > self.now or key in self.case.events, f"{name} is missing"
                assert at <= self.now or key in before.events or key not in self.case.events, "too early"

    def _be_silent(self, minutes: int) -> None:
        self.world.silences += (
            Silence(
                silence_id=str(len(self.world.silences)),
                matchers=Matchers(),
                by="wang",
                reason="sale",
                starts=self.now,
                ends=self.now + minutes * MINUTE,
            ),
        )

    def _follow_up(self, c: int) -> None:
        """The workflow's next step, as infra/workflows/follow_up.asl.json has it: one conditional update."""
        if self.case.run not in self.world.going:  # what comes before it happens
            self.time(2, 0)
            self.deliver()
            return
        if c % 4:  # its wait has passed
            self.time(6, 10 + c % 4 * 30)
        case = self.case
        start = f"start:{case.run}"
        noted = {"care": start, "silver": case.keyed("closed")}
        step = next((step for step, key in noted.items() if key not in case.events), None)
        if case.status != "resolved" or step is None:
            return
        given = {"care": "care", "silver": "repurchase"}[step]
        asked = {
            case.keyed(f"message:{step}"): Effect(kind="message", at=self.now, name=step),
            case.keyed(f"grant:{given}"): Effect(kind="grant", at=self.now, name=given),
        }
        kinds, update = {"care": "follow-up started", "silver": "closed"}, dict[str, Any]()
        if step == "silver":
            update = {"status": "closed", "closed_at": self.now}
            self.world.going.discard(case.run)
        kept = {key: effect for key, effect in case.outbox.items() if key != start}
        event = Event(at=self.now, kind=kinds[step])
        self.case = changed(case, update | {"outbox": kept | asked}, {noted[step]: event})

    def _reckoned(self) -> tuple[datetime, datetime]:
        """Warning and deadline, by counting the minutes in which the shop was open and nobody waited."""
        case = self.case
        grade = next(one for one in reversed(case.decisions) if one.table == "grades")
        started = self.case.review.first_seen_at
        if case.run > 1:
            started = case.events[f"reopened@{case.run}"].at
        within = grade.number("respond_within") // 60
        return self._after(started, within - grade.number("warn_before") // 60), self._after(started, within)

    def _after(self, started: datetime, minutes: int) -> datetime:
        counted, begin = OPEN[self.shop], self._minute(started)
        for each in self.case.pauses:
            assert each.until is not None
            until = self._minute(each.until)
            if until <= begin:
                continue
            since = max(begin, self._minute(each.since))
            if counted[since] - counted[begin] >= minutes:
                break
            minutes -= counted[since] - counted[begin]
            begin = until
        return START + bisect_left(counted, counted[begin] + minutes) * MINUTE

    def _minute(self, moment: datetime) -> int:
        return (moment - START) // MINUTE


def _die() -> None:
    raise Died


def lived(life: bytes) -> Life:
    """Live a life to its end: three bytes for how it begins, three for each thing that happens."""
    a, b, c = life[:3]
    at = START + (b * 256 + c) % DAY * MINUTE
    places = range(3, len(life) - 2, 3)
    things = ((ACTS[life[each] % len(ACTS)], life[each + 1], life[each + 2]) for each in places)
    one = Life(TEXTS[a % 2], a // 2 % 3, VALUES[a // 6 % 3], at, things, solved=a // 18 % 3 > 0)
    while one.live():
        pass
    one.end()
    return one


@pytest.fixture(autouse=True, scope="module")
def _functions() -> Iterator[None]:
    with functions():
        yield


def test_whatever_happens_to_a_case_in_whatever_order() -> None:
    lives, reached = 0, Counter[str]()

    @settings(
        max_examples=SEQUENCES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(st.binary(min_size=3 + 3 * STEPS, max_size=3 + 3 * STEPS))
    def live(life: bytes) -> None:
        nonlocal lives
        lives += 1
        reached.update(lived(life).reached())

    live()
    assert lives >= SEQUENCES
    # Lives in which nothing happens prove nothing.
    assert {
        *("warned", "breached", "closed", "reopened", "escalated", "waits no longer"),
        *("alerted", "alert held", "alert dropped", "review edited"),
        *("guidance sent", "care sent", "silver sent", "repurchase sent", "free sent", "coupon named"),
        *("care held", "care not sent", "message taken back", "over the budget"),
        *("held", "effective", "proposed", "approved", "refused", "recalled", "correction", "redeemed"),
        *("delivered", "expired", "remedy handed over", "remedy not granted"),
        *(f"disturbed {at} {what}" for at in ("before", "after") for what in WRITES),
    } <= reached.keys(), reached
