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

SignalName = Literal["blackmail_in_review", "blackmail_in_chat", "abnormal_returns", "bulk_from_one_source"]
SIGNALS: tuple[SignalName, ...] = get_args(SignalName)
Counter = Literal["kept_orders", "concrete_fault", "customer_photos", "shop_offered"]
COUNTERS: tuple[Counter, ...] = get_args(Counter)


class Signal(BaseModel):
    """One thing that speaks for malice. `detail` may quote a customer, so it stays inside the case."""

    model_config = ConfigDict(frozen=True)

    name: SignalName
    source: str = Field(description="Where it was seen, or who handed it in")
    detail: str = Field(description="What was seen there")
    counter: tuple[str, ...] = Field((), description="What speaks against it")
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
    returned = min(100, 100 * profile.returns // profile.orders) if profile.orders else 0
    window = timedelta(seconds=within("count", rules))
    close = sum(abs(review.posted_at - at) < window for at in profile.bad_review_times)
    seen: list[tuple[SignalName, int, int, str, str]] = [
        ("blackmail_in_review", len(reading.blackmail), 0, "the review's text", _quoted(reading.blackmail)),
        (
            "abnormal_returns", profile.orders, returned, "the customer's orders",
            f"{profile.returns} of {profile.orders} orders were returned",
        ),
        (
            "bulk_from_one_source", close + 1, 0, "the customer's reviews",
            f"{close + 1} bad reviews by one customer within {window}",
        ),
    ]  # fmt: skip
    speaking = [each for each in seen if _speaks(each[0], each[1], each[2], rules)]
    if not speaking:
        return ()
    fault = reading.evidence if reading.worded and reading.cause not in ("malicious", "other") else ()
    against = counter_evidence(
        {"kept_orders": profile.orders - profile.returns, "concrete_fault": len(fault)}, rules
    )
    return tuple(
        Signal(name=name, source=source, detail=detail, counter=against, at=now)
        for name, _, _, source, detail in speaking
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
        source=f"a chat handed in by {by}",
        detail=_quoted(found),
        counter=counter_evidence({"shop_offered": len(offered)}, rules),
        at=now,
    )


def bulk_signal(reviews: int, by: str, rules: Rules, now: datetime) -> Signal | None:
    """Return the signal in so many bad reviews from one imported source."""
    if not _speaks("bulk_from_one_source", reviews, 0, rules):
        return None
    window = timedelta(seconds=within("count", rules))
    return Signal(
        name="bulk_from_one_source",
        source=f"sources imported by {by}",
        detail=f"{reviews} bad reviews from one source within {window}",
        at=now,
    )


def suspicion(found: Iterable[Signal], raised: bool, rules: Rules) -> Decision:
    """Return the decision with `suspected`. Two signals of one name are one: they are not independent."""
    names = {signal.name for signal in found}
    return rules.decide("malice", {"signals": len(names), "raised": raised})


def with_signal(known: tuple[Signal, ...], found: Signal) -> tuple[Signal, ...]:
    """Return the signals with one more; what was seen there before is kept, once."""
    same = [each for each in known if (each.name, each.detail) == (found.name, found.detail)]
    return known if same else (*known, found)


def counter_evidence(counts: Mapping[Counter, int], rules: Rules) -> tuple[str, ...]:
    """Return in words what of these facts speaks against malice."""
    decided = (
        (rules.decide("counter_evidence", {"fact": fact, "count": n}), n) for fact, n in counts.items()
    )
    return tuple(f"{decision.why} ({n})" for decision, n in decided if decision.then["speaks"] is True)


def within(of: Literal["count", "keep"], rules: Rules) -> int:
    """Return how far back sources count together, or how long they are kept, in seconds."""
    return rules.decide("sources", {"of": of}).number("within")


def _speaks(name: SignalName, count: int, percent: int, rules: Rules) -> bool:
    facts = {"signal": name, "count": count, "percent": percent}
    return rules.decide("signals", facts).then["speaks"] is True


def _blackmail(texts: Iterable[str], rules: Rules) -> list[str]:
    return [phrase for text in texts for phrase in rules.read(text).blackmail]


def _quoted(phrases: Iterable[str]) -> str:
    return ", ".join(f"“{phrase}”" for phrase in dict.fromkeys(phrases))
