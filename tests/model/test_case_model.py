"""A case under whatever may happen to it, in any order: thousands of random lives, watched at every step.

The case changes only by the pure functions that the deployed functions call, messages and money only by the
performers that are deployed; around them stands a small world (tests/model/world.py): somebody's clock that
may be a little late, a stream that delivers twice or not yet, performers that die between an effect and its
record, people and customers who come in between, other cases that use up budgets and caps, silences, a
workflow. A life is a string of bytes, three for each thing that happens: drawing costs less than living, and
the shortest life that goes wrong is found all the same.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.domain.agenda import advance, next_moment
from functions.domain.alerts import CHAIN, alert, kind_of
from functions.domain.benefits import chosen, terms
from functions.domain.calendars import Hours
from functions.domain.cases import (
    Case,
    Effect,
    Event,
    acknowledge,
    changed,
    new_version,
    open_case,
    reopen,
    resolve,
)
from functions.domain.desks import Bundle, Desk, Drop, Hold, Send, place
from functions.domain.follow_ups import before_care
from functions.domain.gate import forbidden
from functions.domain.history import FREE, Entry, free_key
from functions.domain.ledger import Grant, NotPossible, Step, approval, first, recall, then
from functions.domain.messages import objections, wrote
from functions.domain.outbox import Done, Held, due, recorded
from functions.domain.pace import REAL
from functions.domain.profiles import Channel, Consent
from functions.domain.silences import Matchers, Silence
from functions.domain.verdicts import judge
from functions.domain.waits import pause, resume
from functions.effects import messages, money
from functions.store.errors import OverBudget
from tests.builders import SHOP, order, profile, review
from tests.domain.test_calendars import is_open
from tests.model.world import RULES, World, elsewhere, performers, performing, told

SEQUENCES, STEPS = 2000, 24
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
VERDICTS = {text: judge(review(text=text), RULES) for text in TEXTS}
VALUES = (5990, 19900, 35000)  # a refund, a new parcel, a supervisor's word
# How many minutes each shop was open since START, for every minute: the independent calculation.
OPEN = [
    [0, *accumulate(hours is None or is_open(hours, START + n * MINUTE) for n in range(SPAN))]
    for hours in SHOPS
]
STEPS_OF_MONEY = ("remedy", "coupon", "goodwill", "care", "repurchase")
CHANNELS: tuple[Channel, ...] = ("sms", "chat", "email")
# What happens, as often as it stands here.
ACTS = (
    *("time",) * 6,
    *("machine",) * 7,
    *("person",) * 2,
    *("customer",) * 2,
    *("money",) * 3,
    "writes",
    "others",
    "meanwhile",
)


class Performed(NamedTuple):
    """What a performer did and has not recorded yet."""

    came_to: dict[str, Done | Held]


class Life:
    """One case, from its opening to the end of what happens to it."""

    def __init__(self, text: str, shop: int, value: int, at: datetime, *, solved: bool) -> None:
        self.shop = shop
        self.silences: tuple[Silence, ...] = ()
        self.in_hand: list[Performed] = []
        self.told = Counter[str]()  # alert keys that went out
        self.performed, self.recorded, self.unrecorded = Counter[str](), Counter[str](), Counter[str]()
        self.started = set[int]()  # the runs whose follow-up goes on
        self.strangers = 0  # other cases
        seen = review(text=text, posted_at=at, first_seen_at=at)
        bought = order(total=value, placed_at=at - 3 * DAY * MINUTE)
        agreed = Consent(granted=True, at=at, source="order form")
        known = profile(consent=dict.fromkeys(CHANNELS, agreed) if value == VALUES[0] else {})
        case = open_case(seen, VERDICTS[text], known, bought, RULES, at, REAL, SHOPS[shop])
        self.world = World(case, known, bought, at)
        performing(self.world)
        self.offer = case.remedy, case.coupon, case.goodwill
        self.before = case
        if solved:
            self.deliver(0)
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

    def live(self, what: str, b: int, c: int) -> None:
        """Let one thing happen; `b` and `c` say which."""
        act: Callable[[int, int], None] = getattr(self, what)
        with suppress(NotPossible):  # whoever asks for it is told that it cannot be
            act(b, c)
        self.watch()

    # What happens

    def time(self, b: int, c: int) -> None:
        """The case clock ticks at the end; what time brings never depends on when it ticked before."""
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
        self._tick()

    def machine(self, b: int, c: int) -> None:
        """The stream brings the case as it stands. What is done then may be recorded later, or never."""
        what = ("deliver", "deliver", "deliver", "perform", "record", "crash", "follow_up", "follow_up")[
            b % 8
        ]
        if what == "deliver":
            self.deliver(c)
        elif what == "perform":
            self._perform()
        elif what == "follow_up" and self.case.status == "resolved":
            self._follow_up(c)
        elif self.in_hand and what in ("record", "crash"):
            one = self.in_hand.pop(c % len(self.in_hand))
            self._record(one) if what == "record" else self._lose(one)

    def person(self, b: int, c: int) -> None:
        """A person works on the case. Their clock may be up to two minutes behind."""
        case, at = self.case, max(self.now - max(0, c % 9 - 6) * MINUTE, self.case.opened_at)
        match ("take", "solve", "solve", "wait", "go on", "reopen")[b % 6]:
            case "take" if case.status != "closed":
                self.case = acknowledge(case, "lin", at)
            case "wait" if case.waiting:
                self.case = pause(case, "a photo", "lin", at)
            case "go on":
                self.case = resume(case, "lin", at)
            case "solve" if case.status != "closed":
                outcome = "solved" if c % 8 else "refused"
                self.case = resolve(case, "lin", "quality", cast("Any", outcome), None, at)
            case "reopen":
                self.case = reopen(case, "lin", "broke again", RULES, at)

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
        found = RULES.check(text)
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

    def meanwhile(self, b: int, c: int) -> None:
        """The next thing that a performer writes finds that something else has happened first."""
        what = ("customer", "person", "money", "writes")[b % 4]

        def happens() -> None:
            with suppress(NotPossible):
                getattr(self, what)(c, b >> 2)

        self.world.meanwhile = happens
        self.deliver(c)
        self.world.meanwhile = None

    # What must hold, always

    def watch(self) -> None:
        case = self.case
        if case.waiting and not case.paused:
            assert (case.warn_at, case.due_at) == self._reckoned(), "another deadline than reckoned"
        self.no_effect_is_performed_again_once_recorded()
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

    def no_effect_is_performed_again_once_recorded(self) -> None:
        for key, times in self.recorded.items():
            assert times == 1, f"{key} is recorded twice"
            assert self.performed[key] <= 1 + self.unrecorded[key] + self._pending(key), f"{key} again"

    def end(self) -> None:
        """At last all is delivered and, once nobody works on it, time goes on: nothing is left or lost."""
        for _ in range(ROUNDS):
            while self.in_hand:
                self._record(self.in_hand.pop())
            self._perform()
            if f"start:{self.case.run}" in self.case.outbox:
                self._follow_up(0)
            if self.in_hand:
                continue
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
        assert self.started == ({self.case.run} if self.case.status == "resolved" else set())
        died = sum(n for key, n in self.unrecorded.items() if key.startswith(("message:", "order:")))
        for key, times in self.world.handed_over.items():
            assert times <= 1 + died, f"{key} left {times} times, {died} died"

    def reached(self) -> set[str]:
        """Return what kinds of things came about."""
        return {event.kind for event in self.case.events.values()} | set(self.world.seen)

    # How

    def deliver(self, c: int) -> None:
        self._perform()
        if self.in_hand:
            self._record(self.in_hand.pop(c % len(self.in_hand)))

    def _consent(self, way: Channel, *, granted: bool) -> None:
        given = Consent(granted=granted, at=self.now, source="form")
        told(self.world, consent=self.world.profile.consent | {way: given})

    def _tick(self) -> None:
        before, self.case = self.case, advance(self.case, RULES, REAL, self.now)
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
        self.silences += (
            Silence(
                silence_id=str(len(self.silences)),
                matchers=Matchers(),
                by="wang",
                reason="sale",
                starts=self.now,
                ends=self.now + minutes * MINUTE,
            ),
        )

    def _perform(self) -> None:
        """A start whose time has come is not recorded: the workflow takes it out, and it comes last."""
        case, here = self.case, due(self.case)
        came_to = {key: self._effect(case, key, one) for key, one in here.items() if one.kind != "start"}
        if f"start:{case.run}" in here:
            if planned := before_care(case, RULES, REAL, self.now):
                came_to[f"start:{case.run}"] = planned
            else:
                self.started.add(case.run)  # under one name a run
        if came_to:
            self.in_hand.append(Performed(came_to))

    def _follow_up(self, c: int) -> None:
        """The workflow's next step, as infra/workflows/follow_up.asl.json has it: one conditional update."""
        if self.case.run not in self.started:  # what comes before it happens
            self.time(2, 0)
            self.deliver(c)
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
            self.started.discard(case.run)
        kept = {key: effect for key, effect in case.outbox.items() if key != start}
        event = Event(at=self.now, kind=kinds[step])
        self.case = changed(case, update | {"outbox": kept | asked}, {noted[step]: event})

    def _effect(self, case: Case, key: str, effect: Effect) -> Done | Held:
        match effect.kind:
            case "alert":
                outcome = self._alert(case, key, effect)
            case "message":
                outcome = messages.perform(case, key, effect, self.now)
            case "grant":
                outcome = self._grant(case, key, effect)
            case "order":
                outcome = money.order(case, key, effect, self.now)
            case _:
                outcome = Done(Event(at=self.now, kind=f"{effect.kind} performed"))
                if effect.kind == "stop":
                    self.started.discard(int(key.removeprefix("stop:")))
        if isinstance(outcome, Done):
            self.performed[key] += 1
        return outcome

    def _grant(self, case: Case, key: str, effect: Effect) -> Done | Held:
        its = self.world.lines[case.case_id, effect.name or ""]
        before = len(its)
        outcome = money.grant(case, key, effect, self.now)
        given = len(its) > before == 0
        assert not given or case.outcome == "solved", f"{key} of a case that is {case.outcome}"
        return outcome

    def _alert(self, case: Case, key: str, effect: Effect) -> Done | Held:
        kind = kind_of(effect)
        desk = Desk(shop_id=case.shop_id, silences=self.silences)
        match place(case, effect, desk, RULES, self.now):
            case Send(tellings=tellings):
                assert case.waiting, "an alert of a case that nobody works on"
                assert kind not in CHAIN or case.status == "open", "an alert after the acknowledgement"
                for telling in tellings:
                    one = alert(case, effect, "link", RULES, kind=telling.kind, roles=telling.roles)
                    self.told[one.key] += 1
                    assert self.told[one.key] <= 1 + self.unrecorded[key] + self._pending(key), one.key
                return Done(Event(at=self.now, kind="alerted", note=kind))
            case Hold() as held:
                assert held.again > self.now
                return Held(held.again, Event(at=self.now, kind="alert held", note=held.why))
            case Drop(why=why) | Bundle(why=why):
                return Done(Event(at=self.now, kind="alert dropped", note=why))

    def _pending(self, key: str) -> int:
        """How many performers did the same and have not recorded it."""
        return sum(isinstance(other.came_to.get(key), Done) for other in self.in_hand)

    def _record(self, performed: Performed) -> None:
        before = self.case.outbox
        self.case = recorded(self.case, performed.came_to)
        for key, outcome in performed.came_to.items():
            if isinstance(outcome, Done):
                (self.recorded if key in before else self.unrecorded)[key] += 1

    def _lose(self, performed: Performed) -> None:
        for key, outcome in performed.came_to.items():
            self.unrecorded[key] += isinstance(outcome, Done)

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


def lived(life: bytes) -> Life:
    """Live a life to its end: three bytes for how it begins, three for each thing that happens."""
    a, b, c = life[:3]
    at = START + (b * 256 + c) % DAY * MINUTE
    one = Life(TEXTS[a % 2], a // 2 % 3, VALUES[a // 6 % 3], at, solved=a // 18 % 3 > 0)
    for place_ in range(3, len(life) - 2, 3):
        what, b, c = life[place_ : place_ + 3]
        one.live(ACTS[what % len(ACTS)], b, c)
    one.end()
    return one


@pytest.fixture(autouse=True, scope="module")
def _performers() -> Iterator[None]:
    with performers():
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
    } <= reached.keys(), reached
