"""Ledger: what customers were given, as lines that are only ever added (docs/decisions/0013-the-ledger.md).

A benefit is one per case and step, under the key `<case_id>:<step>`. Its lines are numbered from 1; the
next one can only be written where the place is free, and only if it may follow. What was done is never
changed, it is compensated by another line. Amounts are fen: what the shop commits with a line, negative
where a line takes that back, so that the sum of the lines is what is committed now.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.money import Fen
from functions.domain.times import Time

Step = Literal["remedy", "coupon", "goodwill", "care", "repurchase", "extra"]
STEPS: tuple[Step, ...] = get_args(Step)
Benefit = Literal["refund", "reship", "coupon", "gift", "card"]
Kind = Literal[
    "proposed",  # somebody has to approve it, or the performer is to grant it
    "approved",
    "refused",
    "held",  # granted, and can be recalled without a trace in the customer's world
    "effective",
    "recalled",
    "delivered",  # the shop's system took the order, or a person sent the parcel
    "redeemed",  # the coupon was used, once and for ever
    "expired",  # nobody decided about the proposal in time
    "correction",  # compensates a benefit that was effective
]
RULES = "rules"  # who decided, where no person did

_MAY_FOLLOW: dict[Kind | None, set[Kind]] = {
    None: {"proposed", "held", "effective"},
    "proposed": {"proposed", "held", "effective", "approved", "refused", "recalled", "expired"},
    "approved": {"held", "effective", "recalled"},
    "held": {"effective", "recalled"},
    "effective": {"delivered", "redeemed", "correction"},
    "delivered": {"correction"},
    # The order was on its way when it was corrected, and arrived all the same.
    "correction": {"delivered"},
    "refused": set(),
    "recalled": set(),
    "redeemed": set(),
    "expired": set(),
}
_COMMITTED: set[Kind] = {"held", "effective", "delivered", "redeemed"}
_SUFFIX: dict[Kind, str] = {"recalled": "recall"}


class NotPossible(ValueError):
    """The benefit is in a state in which this cannot be done any more, or not yet."""


class NoSuchBenefit(LookupError):
    """Nothing was ever given or proposed under this key."""


class NotAllowed(ValueError):
    """Not by this person: nobody approves what they granted themselves."""


class Line(BaseModel):
    """One line. It names no person but those of the shop: erasing a customer leaves the ledger as it is."""

    model_config = ConfigDict(frozen=True)

    shop_id: str
    case_id: str
    step: Step
    number: int = Field(ge=1, description="1 is the benefit's first line")
    kind: Kind
    at: Time
    by: str = Field(description="A person of the shop, or `rules`")
    benefit: Benefit | None = Field(None, description="None while a person has to choose")
    row: str = Field(description="table.row that granted it: its budget")
    cost: Fen = Field(0, description="fen: refund and reship the order's value, a coupon its face value")
    amount: int = Field(0, description="fen, what this line adds to what is committed")
    day: str = Field(description="The day in the shop's time zone whose budget it counts for")
    note: str | None = Field(None, description="Why, where it needs saying")
    until: Time | None = Field(None, description="held: until then it can be recalled")
    hand: bool = Field(False, description="A person carries it out, from the pick list")
    code: str | None = Field(None, description="The coupon's")
    valid_until: Time | None = None
    stackable: bool | None = None
    used_for: str | None = Field(None, description="redeemed: digest of the order it was used for")

    @property
    def key(self) -> str:
        """`<case_id>:<step>`, and for each later line what it is."""
        suffix = "" if self.number == 1 else f":{_SUFFIX.get(self.kind, self.kind)}"
        return f"{self.case_id}:{self.step}{suffix}"


class State(BaseModel):
    """How a benefit stands: all its lines folded into one."""

    model_config = ConfigDict(frozen=True)

    shop_id: str
    case_id: str
    step: Step
    number: int
    standing: Kind
    since: Time = Field(description="When it came to stand so")
    proposed_at: Time = Field(description="When it was first proposed or granted")
    granted_by: str
    approved_by: str | None = None
    benefit: Benefit | None = None
    row: str
    cost: Fen
    committed: int = Field(description="fen, the sum of the lines")
    day: str
    reason: str | None = Field(None, description="proposed: why somebody has to approve")
    until: Time | None = None
    hand: bool = False
    code: str | None = None
    valid_until: Time | None = None
    stackable: bool | None = None
    used_for: str | None = None
    delivered_at: Time | None = None

    @property
    def key(self) -> str:
        return f"{self.case_id}:{self.step}"

    @property
    def awaits_approval(self) -> bool:
        return self.standing == "proposed" and self.reason is not None

    @property
    def awaits_hands(self) -> bool:
        return self.standing == "effective" and self.hand


class Grant(BaseModel):
    """A benefit that somebody wants to give; `benefit` is None where a person has to choose one."""

    model_config = ConfigDict(frozen=True)

    shop_id: str
    case_id: str
    step: Step
    benefit: Benefit | None
    row: str
    cost: Fen
    by: str = RULES


def parts(key: str) -> tuple[str, Step]:
    """Return case and step of a benefit's key. Raises NoSuchBenefit."""
    case_id, _, named = key.partition(":")
    for step in STEPS:
        if step == named:
            return case_id, step
    raise NoSuchBenefit(f"There is no benefit {key}.")


def there(stands: State | None) -> State:
    """Return how the benefit stands. Raises NoSuchBenefit where it has no line."""
    if stands is None:
        raise NoSuchBenefit("There is no such benefit.")
    return stands


def state(lines: Iterable[Line]) -> State | None:
    """Return how one benefit stands after its lines, None where there are none.

    Raises ValueError for lines of several benefits, with a gap, or that may not follow each other.
    """
    stands: State | None = None
    for line in sorted(lines, key=lambda line: line.number):
        stands = after(stands, line)
    return stands


def states(lines: Iterable[Line]) -> dict[Step, State]:
    """Return how each benefit of one case stands."""
    by_step: dict[Step, list[Line]] = {}
    for line in lines:
        by_step.setdefault(line.step, []).append(line)
    folded = {step: state(its) for step, its in by_step.items()}
    return {step: one for step, one in folded.items() if one is not None}


def after(stands: State | None, line: Line) -> State:
    """Return how the benefit stands after one more line. Raises ValueError where it may not follow."""
    _follows(stands, line)
    update: dict[str, Any] = {
        **{name: getattr(line, name) for name in ("benefit", "row", "cost", "day", "until", "hand")},
        **{name: getattr(line, name) for name in ("code", "valid_until", "stackable", "used_for")},
        "number": line.number,
        "standing": line.kind,
        "since": line.at,
        "reason": line.note if line.kind == "proposed" else None,
    }
    if line.kind == "approved":
        update["approved_by"] = line.by
    if line.kind == "proposed":
        update["granted_by"] = line.by
    if line.kind == "delivered":
        update["delivered_at"] = line.at
    if stands is not None:
        return stands.model_copy(update=update | {"committed": stands.committed + line.amount})
    about = {name: getattr(line, name) for name in ("shop_id", "case_id", "step")}
    first = {"committed": line.amount, "proposed_at": line.at, "granted_by": line.by}
    return State.model_validate(about | first | update)


def _follows(stands: State | None, line: Line) -> None:
    """Check that the line is the next one. The state machine above is the whole of the law."""
    if stands is None:
        if line.number != 1 or line.kind not in _MAY_FOLLOW[None]:
            raise ValueError(f"{line.key}: {line.kind} cannot be line {line.number} of a new benefit")
        return
    if (line.shop_id, line.case_id, line.step, line.number) != (
        *(stands.shop_id, stands.case_id, stands.step),
        stands.number + 1,
    ):
        raise ValueError(f"{line.key} {line.number} does not continue {stands.key} {stands.number}")
    if not may(stands, line.kind):
        raise ValueError(f"{stands.key} is {stands.standing}: it cannot become {line.kind}")


def may(stands: State, kind: Kind) -> bool:
    """Say whether a line of this kind may follow."""
    if kind == "redeemed":
        return stands.standing == "effective" and stands.code is not None
    if kind == "delivered":
        once = stands.delivered_at is None and stands.code is None
        arrived = stands.standing != "correction" or not stands.hand  # what was taken back is not packed
        return kind in _MAY_FOLLOW[stands.standing] and once and arrived
    return kind in _MAY_FOLLOW[stands.standing]


def first(grant: Grant, kind: Kind, now: datetime, day: str, **more: Any) -> Line:
    """Return the first line of a benefit."""
    given = grant.model_dump(include={"shop_id", "case_id", "step", "benefit", "row", "cost", "by"})
    amount = grant.cost if kind in _COMMITTED else 0
    return Line.model_validate(
        given | {"number": 1, "kind": kind, "at": now, "day": day, "amount": amount} | more
    )


def then(stands: State, kind: Kind, by: str, now: datetime, **more: Any) -> Line:
    """Return the next line of a benefit. Raises NotPossible where it may not follow."""
    if not may(stands, kind):
        raise NotPossible(f"{stands.key} is {stands.standing} since {stands.since:%Y-%m-%d %H:%M} UTC")
    kept = {"shop_id", "case_id", "step", "benefit", "row", "cost", "day", "hand", "code", "valid_until"}
    given = stands.model_dump(include=kept | {"stackable"}) | more
    committed = given["cost"] if kind in _COMMITTED else 0
    given |= {"number": stands.number + 1, "kind": kind, "at": now, "by": by}
    return Line.model_validate(given | {"amount": committed - stands.committed})


def approval(stands: State, by: str, same: bool, now: datetime) -> Line:
    """Return the line with which a person approves. `same` says whether it is who granted it.

    Raises NotPossible where nothing waits for an approval, NotAllowed for one's own grant.
    """
    if not stands.awaits_approval:
        raise NotPossible(f"{stands.key} is {stands.standing}: there is nothing to approve")
    if stands.benefit is None:
        raise NotPossible(f"{stands.key}: say what is to be given first (POST /cases/{{case_id}}/benefits)")
    if same:
        raise NotAllowed(f"{stands.key} was granted by the same person: another one has to approve it")
    return then(stands, "approved", by, now)


def delivery(stands: State | None, by: str, now: datetime) -> Line | None:
    """Return the line of what was sent or carried out, None where it is written already.

    Raises NotPossible where there is nothing to send, NoSuchBenefit.
    """
    stands = there(stands)
    return None if stands.standing == "delivered" else then(stands, "delivered", by, now)


def recall(stands: State, by: str, note: str | None, now: datetime) -> Line:
    """Return the line that takes a benefit back: a recall before it takes effect, a correction after.

    Raises NotPossible where it is gone for good: a coupon that was used, a benefit never given.
    """
    kind: Kind = "recalled" if may(stands, "recalled") else "correction"
    return then(stands, kind, by, now, note=note)
