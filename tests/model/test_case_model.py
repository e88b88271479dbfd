"""A case under whatever may happen to it, in any order: thousands of random lives, watched at every step.

The case changes only by the pure functions that the deployed functions call; around them stands a small
world: somebody's clock that may be a little late, a stream that delivers twice or not yet, performers that
die between an effect and its record, a workflow, silences. What must hold is checked after each step.
"""

from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from functions.domain.agenda import advance, next_moment
from functions.domain.alerts import CHAIN, alert, kind_of
from functions.domain.calendars import Hours
from functions.domain.cases import Case, Effect, Event, acknowledge, new_version, open_case, reopen, resolve
from functions.domain.desks import Bundle, Desk, Drop, Hold, Send, place
from functions.domain.outbox import Done, Held, due, recorded
from functions.domain.pace import REAL
from functions.domain.silences import Matchers, Silence
from functions.domain.verdicts import judge
from functions.domain.waits import pause, resume
from functions.rulebook import load
from tests.builders import order, profile, review
from tests.domain.test_calendars import is_open

SEQUENCES, STEPS = 2000, 10
RULES = load()
MINUTE, DAY = timedelta(minutes=1), 24 * 60
START = datetime(2026, 5, 8, 9, 0, tzinfo=UTC)  # Friday 17:00 in China, before a make-up Saturday
SPAN = 90 * DAY  # minutes; no life is longer
END = START + 50 * DAY * MINUTE
TEXTS = ("物流太慢了", "质量差，用一次就坏了", "已解决，很满意", "少发了一件")

_OFFICE = {"week": {"mon-fri": ["09:00-12:00", "13:30-18:00"]}, "holidays": "CN"}
_NIGHTS = {"zone": "Europe/Berlin", "week": {"mon-sun": ["00:00-02:30", "20:00-24:00"]}}
SHOPS = (None, Hours.model_validate(_OFFICE), Hours.model_validate(_NIGHTS))
VERDICTS = {text: judge(review(text=text), RULES) for text in TEXTS}
# How many minutes each shop was open since START, for every minute: the independent calculation.
OPEN = [
    [0, *accumulate(hours is None or is_open(hours, START + n * MINUTE) for n in range(SPAN))]
    for hours in SHOPS
]


class Performed(NamedTuple):
    """What a performer did and has not recorded yet."""

    seen: Case
    came_to: dict[str, Done | Held]


class Life(RuleBasedStateMachine):
    lives, reached = 0, Counter[str]()

    def __init__(self) -> None:
        super().__init__()
        Life.lives += 1
        self.now = START
        self.silences: tuple[Silence, ...] = ()
        self.in_hand: list[Performed] = []
        self.told = Counter[str]()  # alert keys that went out
        self.performed, self.recorded, self.unrecorded = Counter[str](), Counter[str](), Counter[str]()
        self.started = set[int]()  # the runs whose follow-up goes on

    @initialize(shop=st.integers(0, len(SHOPS) - 1), text=st.sampled_from(TEXTS[:2]), at=st.integers(0, DAY))
    def open(self, shop: int, text: str, at: int) -> None:
        self.now += at * MINUTE
        self.shop = shop
        seen = review(text=text, posted_at=self.now, first_seen_at=self.now)
        self.case = open_case(seen, VERDICTS[text], profile(), order(), RULES, self.now, REAL, SHOPS[shop])
        self.offer = self.case.remedy, self.case.coupon, self.case.goodwill
        self.before = self.case

    # Three rules, not one for each thing that can happen: thousands of lives are drawn, and drawing costs.

    @rule(what=st.sampled_from(("hear", "take", "wait", "go_on", "solve", "reopen")), late=st.integers(0, 8))
    def somebody_acts(self, what: str, late: int) -> None:
        """A person or a customer. Their clocks may be up to two minutes behind."""
        case, at = self.case, max(self.now - max(0, late - 6) * MINUTE, self.case.opened_at)
        match what:
            case "hear":
                self.case = new_version(case, review(text=TEXTS[late % len(TEXTS)], posted_at=START), at)
            case "take" if case.status != "closed":
                self.case = acknowledge(case, "lin", at)
            case "wait" if case.waiting:
                self.case = pause(case, "a photo", "lin", at)
            case "go_on":
                self.case = resume(case, "lin", at)
            case "solve" if case.status != "closed":
                self.case = resolve(case, "lin", "quality", "solved", None, at)
            case "reopen":
                self.case = reopen(case, "lin", "broke again", RULES, at)

    @rule(how=st.sampled_from(("a bit", "long", "to the next moment", "to the next moment", "silently")),
          minutes=st.integers(1, 3 * DAY))  # fmt: skip
    def time_passes(self, how: str, minutes: int) -> None:
        """The case clock ticks at the end; what time brings never depends on when it ticked before."""
        moment = next_moment(self.case, REAL)
        if how == "silently":
            self._be_silent(minutes % 600 + 1)
        elif how == "to the next moment" and moment is not None and moment < END:
            self.now = max(self.now, moment)
        else:
            self.now += (minutes if how == "long" else minutes % 40 + 1) * MINUTE
        self._tick()

    @rule(what=st.sampled_from(("deliver", "deliver", "perform", "record", "crash", "follow up")),
          which=st.integers(0, 3))  # fmt: skip
    def the_machine_works(self, what: str, which: int) -> None:
        """The stream brings the case as it stands. What is done then may be recorded later, or never."""
        if what in ("deliver", "perform"):
            self._perform()
        if what in ("deliver", "record") and self.in_hand:
            self._record(self.in_hand.pop(which % len(self.in_hand)))
        if what == "crash" and self.in_hand:
            self._lose(self.in_hand.pop(which % len(self.in_hand)))
        if what == "follow up" and self.case.status == "resolved" and self.case.run in self.started:
            self._follow_up()

    # What must hold, always

    @invariant()
    def deadlines_equal_an_independent_calculation(self) -> None:
        if self.case.waiting and not self.case.paused:
            assert (self.case.warn_at, self.case.due_at) == self._reckoned()

    @invariant()
    def no_effect_is_recorded_twice_or_performed_again_once_recorded(self) -> None:
        for key, times in self.recorded.items():
            assert times == 1, key
            assert self.performed[key] <= 1 + self.unrecorded[key] + self._pending(key), key

    @invariant()
    def what_time_brings_stops_with_the_case(self) -> None:
        if self.case.status != "open":
            assert self.case.escalate_at is None
        if not self.case.waiting:
            assert not self.case.paused

    @invariant()
    def the_timeline_only_grows_and_benefits_never_change(self) -> None:
        assert self.before.events.items() <= self.case.events.items()
        assert (self.case.remedy, self.case.coupon, self.case.goodwill) == self.offer
        assert len(set(self.case.versions)) == len(self.case.versions)
        self.before = self.case

    def teardown(self) -> None:
        """At last everything is delivered: nothing is left over, nothing was lost."""
        if not hasattr(self, "case"):
            return
        Life.reached.update({event.kind for event in self.case.events.values()})
        while self.in_hand:
            self._record(self.in_hand.pop())
        for _ in range(20):
            if not due(self.case):
                break
            self._perform()
            while self.in_hand:
                self._record(self.in_hand.pop())
            if f"start:{self.case.run}" in self.case.outbox:
                self._follow_up()
        assert not due(self.case)
        self.no_effect_is_recorded_twice_or_performed_again_once_recorded()
        assert self.started == ({self.case.run} if self.case.status == "resolved" else set())

    # How

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
        """Everything but the start is recorded. That is the workflow's to take out, and it comes last."""
        here = due(self.case)
        came_to = {key: self._effect(key, effect) for key, effect in here.items() if effect.kind != "start"}
        if came_to:
            self.in_hand.append(Performed(self.case, came_to))
        if any(effect.kind == "start" for effect in here.values()):
            self.started.add(self.case.run)  # under one name a run

    def _follow_up(self) -> None:
        """The workflow's next step: the next message; the first one takes the start out of the outbox."""
        steps = [step for step in ("guidance", "care", "silver") if not self._asked(f"message:{step}")]
        if not steps:
            return
        outbox, events, start = dict(self.case.outbox), dict(self.case.events), f"start:{self.case.run}"
        if outbox.pop(start, None):
            events[start] = Event(at=self.now, kind="follow-up started")
        outbox[self.case.keyed(f"message:{steps[0]}")] = Effect(kind="message", at=self.now, name=steps[0])
        self.case = self.case.model_copy(update={"outbox": outbox, "events": events})

    def _asked(self, name: str) -> bool:
        key = self.case.keyed(name)
        return key in self.case.outbox or key in self.case.events

    def _effect(self, key: str, effect: Effect) -> Done | Held:
        if effect.kind == "alert":
            outcome = self._alert(key, effect)
        else:
            outcome = Done(Event(at=self.now, kind=f"{effect.kind} performed"))
            if effect.kind == "stop":
                self.started.discard(int(key.removeprefix("stop:")))
        if isinstance(outcome, Done):
            self.performed[key] += 1
        return outcome

    def _alert(self, key: str, effect: Effect) -> Done | Held:
        kind = kind_of(effect)
        desk = Desk(shop_id=self.case.shop_id, silences=self.silences)
        match place(self.case, effect, desk, RULES, self.now):
            case Send(tellings=tellings):
                assert self.case.waiting, "an alert of a case that nobody works on"
                assert kind not in CHAIN or self.case.status == "open", "an alert after the acknowledgement"
                for telling in tellings:
                    told = alert(self.case, effect, "link", RULES, kind=telling.kind, roles=telling.roles)
                    self.told[told.key] += 1
                    assert self.told[told.key] <= 1 + self.unrecorded[key] + self._pending(key), told.key
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


def test_whatever_happens_to_a_case_in_whatever_order() -> None:
    lives = settings(
        max_examples=SEQUENCES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    Life.lives, Life.reached = 0, Counter()
    run_state_machine_as_test(Life, settings=lives)
    assert Life.lives >= SEQUENCES
    # Lives in which nothing happens prove nothing.
    assert {"warned", "breached", "closed", "reopened", "escalated", "waits no longer"} <= Life.reached.keys()
    assert {"alerted", "alert held", "alert dropped", "review edited"} <= Life.reached.keys()
