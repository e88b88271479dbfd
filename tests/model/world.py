"""The world around one case: what the store keeps of its customer and its shop's money, in memory.

The performers of functions/effects run here as they are deployed. What they read and write stands in this
world, under the conditions of functions/store: a claim or a line that was decided from something that has
changed since is refused. What must hold of each message and each line is checked as it happens, by its own
reckoning. `meanwhile` is done once, between what the next writer read and what it writes.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from functions.domain.benefits import Terms, asking
from functions.domain.cases import Case, Event, changed
from functions.domain.history import Entry, Message
from functions.domain.ledger import Line, State, Step, after, state
from functions.domain.messages import Customer
from functions.domain.order_systems import OrderSystem
from functions.domain.pace import REAL
from functions.domain.profiles import Order, Profile
from functions.effects import messages as message_effects
from functions.effects import money as money_effects
from functions.rulebook import load
from functions.runtime import queues
from functions.store.errors import OrderRemedied, OverBudget, StaleWrite
from tests.builders import SHOP

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
        self.meanwhile: Callable[[], None] | None = None
        self.handed_over = Counter[str]()  # messages and orders, by key
        self.first_handed: dict[str, Message] = {}
        self.seen: list[str] = []  # of what kind of thing there was a case

    @property
    def case(self) -> Case:
        return self._case

    @case.setter
    def case(self, case: Case) -> None:
        if case is not self._case:
            self._case = case.model_copy(update={"version": self._case.version + 1})

    # The store, as the performers see it

    def customer(self, _: Case) -> Customer:
        history = sorted(self.history.values(), key=lambda entry: entry.at)
        return Customer(self.profile, self.order, history, self.opted_out_elsewhere)

    def claim(self, case: Case, _: Customer, profile: Profile, entry: Entry) -> None:
        self._interrupted()
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
        if profile.version != self.profile.version:
            raise StaleWrite("a customer")
        self.profile = profile.model_copy(update={"version": profile.version + 1})
        return self.profile

    def read_many(self, _: Sequence[str]) -> dict[str, Case]:
        return {self.case.case_id: self.case}

    def state(self, _: str, case_id: str, step: str) -> State | None:
        return state(self.lines[case_id, step])

    def append(
        self,
        stands: State | None,
        line: Line,
        *,
        within: Terms | None = None,
        order_id: str | None = None,
    ) -> State:
        self._interrupted()
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
        self._check_hand_over(_message(Message))

    def send(self, _: str, messages: Sequence[Any]) -> None:
        """An order for the shop's own system."""
        order = json.loads(messages[0].body)
        last = self.lines[self.case.case_id, order["step"]][-1]
        assert last.kind == "effective", f"{order['id']} was ordered though it is {last.kind}"
        assert (order["id"], order["amount_fen"]) == (f"{self.case.case_id}:{last.step}", last.cost)
        self.handed_over[order["id"]] += 1

    # What must hold, reckoned independently

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
        assert entry.state == "sent", f"{message.key} was handed over, but not counted"
        assert self.profile.opted_out_at is None, f"{message.key} was handed over after an opt-out"
        assert not (entry.promotional and self.opted_out_elsewhere), f"{message.key}: opted out elsewhere"
        assert self.first_handed.setdefault(message.key, message) == message, "another text, same key"
        self.handed_over[message.key] += 1

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

    def _interrupted(self) -> None:
        if self.meanwhile is not None:
            what, self.meanwhile = self.meanwhile, None
            what()


class Stub:
    """What stands for a module of the store."""

    def __init__(self, **does: Any) -> None:
        self.__dict__.update(does)


_current: list[World] = []


def performing(world: World) -> None:
    """Let the performers see this world from now on."""
    _current[:] = [world]


def _here(name: str) -> Any:
    return lambda *given, **more: getattr(_current[0], name)(*given, **more)


@contextmanager
def performers() -> Iterator[None]:
    """Put the world in the place of the store, for functions/effects/messages and money."""
    ledger = Stub(state=_here("state"), append=_here("append"))
    shared: dict[str, Any] = {
        "rulebooks": Stub(current=lambda: RULES),
        "pace": lambda: REAL,
        "setting": lambda name: name,
        "count": lambda *_: None,
    }
    messages = shared | {
        "messages": Stub(customer=_here("customer"), claim=_here("claim")),
        "customers": Stub(save=_here("save")),
        "cases": Stub(read_many=_here("read_many")),
        "ledger": ledger,
        "client": lambda _: Stub(publish=_here("publish")),
    }
    shop = OrderSystem(shop_id=SHOP, orders_url="https://orders.example", orders_secret="s")
    orders = Stub(send=_here("send"), Message=queues.Message)
    money = shared | {"ledger": ledger, "shops": Stub(order_system=lambda *_: shop), "queues": orders}
    with patch.multiple(message_effects, **messages), patch.multiple(money_effects, **money):
        yield


def elsewhere(world: World, entry: Entry) -> None:
    """Another case of the same customer had a message sent."""
    world.history[entry.key] = entry
    world.profile = world.profile.model_copy(update={"version": world.profile.version + 1})


def told(world: World, **update: Any) -> None:
    """The customer's file changes."""
    version = world.profile.version + 1
    world.profile = world.profile.model_copy(update=update | {"version": version})


def _sent(entry: Entry) -> datetime:
    assert entry.sent_at is not None
    return entry.sent_at


def _message(body: str) -> Message:
    return Message.model_validate_json(body)
