"""Malice: what speaks for blackmail or an attack, and what against it (rules/signals.toml, malice.toml).

A signal names its source and carries the counter-evidence. A plain demand for a refund is no signal, and
no number of signals makes a case malicious: only a person does (functions/domain/judgement.py).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.decisions import Decision, Rules
from functions.domain.profiles import Profile
from functions.domain.reading import Reading
from functions.domain.reviews import Review
from functions.domain.times import Time

_QUOTES, _QUOTE_LENGTH = 5, 200
_MOST = 20  # signals of a case
SignalName = Literal["blackmail_in_review", "blackmail_in_chat", "abnormal_returns", "bulk_from_one_source"]
SIGNALS: tuple[SignalName, ...] = get_args(SignalName)
Counter = Literal["kept_orders", "concrete_fault", "customer_photos", "shop_offered"]
COUNTERS: tuple[Counter, ...] = get_args(Counter)


Source = Literal["review_text", "chat", "orders", "reviews", "shop_system"]


class Against(BaseModel):
    """A fact that speaks against malice, and why."""

    model_config = ConfigDict(frozen=True)

    fact: Counter
    count: int
    why: str


class Signal(BaseModel):
    """One thing that speaks for malice. `detail` quotes a customer, so it stays inside the case."""

    model_config = ConfigDict(frozen=True)

    name: SignalName
    source: Source = Field(description="Where it was seen")
    by: str | None = Field(None, description="Who handed in what it was seen in")
    count: int = Field(description="Phrases, orders of the account, or bad reviews of the source")
    percent: int = Field(0, description="Of those orders that were returned")
    detail: str = Field("", description="The words that show it")
    counter: tuple[Against, ...] = Field((), description="What speaks against it")
    at: Time


class Malice(BaseModel):
    """How a case stands between suspicion and a person's word. `by` is missing while only tables say so."""

    model_config = ConfigDict(frozen=True)

    status: Literal["suspected", "confirmed", "rejected"]
    by: str | None = None
    at: Time
    note: str | None = None


class Said(BaseModel):
    """One message of a chat between customer and shop."""

    model_config = ConfigDict(frozen=True)

    by: Literal["customer", "shop"]
    text: str = Field(min_length=1, max_length=2000)


def signals(
    review: Review, reading: Reading, profile: Profile, rules: Rules, now: datetime
) -> tuple[Signal, ...]:
    """Return what a new review and its customer's history show."""
    orders = max(0, profile.orders)
    returned = min(100, 100 * profile.returns // orders) if orders else 0
    window = _window(rules)
    close = sum(abs(review.posted_at - at) < window for at in profile.bad_review_times)
    phrases = len(reading.blackmail)
    seen: tuple[tuple[SignalName, Source, int, int, str], ...] = (
        ("blackmail_in_review", "review_text", phrases, 0, _quoted(reading.blackmail)),
        ("abnormal_returns", "orders", orders, returned, ""),
        ("bulk_from_one_source", "reviews", close + 1, 0, ""),
    )
    speaking = [
        (name, source, n, percent, detail)
        for name, source, n, percent, detail in seen
        if _speaks(name, n, percent, rules)
    ]
    if not speaking:
        return ()
    fault = reading.evidence if reading.worded and reading.cause not in ("malicious", "other") else ()
    kept = max(0, orders - profile.returns)
    against = counter_evidence({"kept_orders": kept, "concrete_fault": len(fault)}, rules)
    return tuple(
        Signal(name=name, source=source, count=n, percent=percent, detail=detail, counter=against, at=now)
        for name, source, n, percent, detail in speaking
    )


def chat_signal(chat: Iterable[Said], by: str, rules: Rules, now: datetime) -> Signal | None:
    """Return the signal in a chat that somebody handed in. Only the customer's own words can blackmail."""
    said = tuple(chat)
    found = _blackmail((each.text for each in said if each.by == "customer"), rules)
    if not _speaks("blackmail_in_chat", len(found), 0, rules):
        return None
    offered = _blackmail((each.text for each in said if each.by == "shop"), rules)
    return Signal(
        name="blackmail_in_chat",
        source="chat",
        by=by,
        count=len(found),
        detail=_quoted(found),
        counter=counter_evidence({"shop_offered": len(offered)}, rules),
        at=now,
    )


def bulk_signals(posted: Mapping[str, datetime], by: str, rules: Rules, now: datetime) -> dict[str, Signal]:
    """Return the signals among bad reviews of which somebody says that they came from one source, by case.

    What the source is stays with whoever knows it: Winback needs no address, not even as a hash.
    """
    window, found = _window(rules), dict[str, Signal]()
    for case_id, at in posted.items():
        close = sum(abs(at - other) < window for other in posted.values())
        if _speaks("bulk_from_one_source", close, 0, rules):
            found[case_id] = Signal(
                name="bulk_from_one_source", source="shop_system", by=by, count=close, at=now
            )
    return found


def suspicion(found: Iterable[Signal], raised: bool, rules: Rules) -> Decision:
    """Return the decision with `suspected`. Two signals of one name are one: they are not independent."""
    names = {signal.name for signal in found}
    return rules.ask.malice(signals=len(names), raised=raised)


def with_signal(known: tuple[Signal, ...], found: Signal) -> tuple[Signal, ...]:
    """Return the signals with one more; what was seen there before is kept, once."""
    same = any(
        (each.name, each.source, each.detail) == (found.name, found.source, found.detail) for each in known
    )
    return known if same or len(known) >= _MOST else (*known, found)


def counter_evidence(counts: Mapping[Counter, int], rules: Rules) -> tuple[Against, ...]:
    """Return which of these facts speak against malice."""
    decided = ((fact, n, rules.ask.counter_evidence(fact=fact, count=n)) for fact, n in counts.items())
    return tuple(
        Against(fact=fact, count=n, why=decision.why)
        for fact, n, decision in decided
        if decision.then["speaks"] is True
    )


def _window(rules: Rules) -> timedelta:
    return timedelta(seconds=rules.ask.sources(of="count").number("within"))


def _speaks(name: SignalName, count: int, percent: int, rules: Rules) -> bool:
    facts = {"signal": name, "count": count, "percent": percent}
    return rules.decide("signals", facts).then["speaks"] is True


def _blackmail(texts: Iterable[str], rules: Rules) -> list[str]:
    return [phrase for text in texts for phrase in rules.read(text).blackmail]


def _quoted(phrases: Iterable[str]) -> str:
    """A few of them: the case's item has to hold it, and the whole chat is an exhibit."""
    some = list(dict.fromkeys(phrases))[:_QUOTES]
    return ", ".join(f"“{phrase[:_QUOTE_LENGTH]}”" for phrase in some)
