"""The ledger table: lines that are only ever added, and what is counted and listed beside them.

| book | line | what |
|---|---|---|
| `<shop>#<case>` | `<step>#<number>` | a line of a benefit, also by its day in the index by_day |
| `<shop>#<day>` | `budgets` | committed on that day: the sums of its lines' amounts, by row and as `shop` |
| `<shop>#order#<digest>` | `remedy` | which case the order was remedied under |
| `<shop>#approvals`, `<shop>#picks` | `<since>#<key>` | a benefit that waits for a person |

A line, the counters that it moves and the lists that it enters or leaves are one transaction, on the
condition that the line's place is free and the budget holds. So a repeated grant changes nothing.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from functions.domain.benefits import SHOP, Terms, asking
from functions.domain.cases import Case, Event, changed
from functions.domain.ledger import Benefit, Line, State, Step, after, there
from functions.domain.ledger import state as folded
from functions.domain.money import yuan
from functions.domain.times import iso
from functions.runtime.clients import client
from functions.runtime.errors import Unknown
from functions.runtime.settings import setting
from functions.store import cases
from functions.store.calls import Write, pages, transact
from functions.store.errors import BadToken, OrderRemedied, OverBudget, StaleWrite, stale_write
from functions.store.items import attributes, from_item, plain, to_item

if TYPE_CHECKING:
    from functions.store.items import Item

Decide = Callable[[Case, State | None], Line | None]
List = Literal["approvals", "picks"]
_BUDGETS = "budgets"  # `<benefit>#<row>` -> fen, and `shop` -> fen
_ATTEMPTS = 5
_DIGEST = 16  # hex digits
_AWAITED = {"approvals": "awaits_approval", "picks": "awaits_hands"}


class Page(NamedTuple):
    lines: list[Line]
    next: str | None


class Used(NamedTuple):
    """What is committed, fen, and whose limit it has in rules/budgets.toml."""

    amount: int
    of: Benefit | Literal["shop"]


class Waiting(NamedTuple):
    benefits: list[State]
    next: str | None


def lines(shop_id: str, case_id: str, step: Step | None = None) -> list[Line]:
    """Return the lines of a case, or of one of its benefits, read consistently."""
    prefix = f"{step}#" if step else ""
    return [from_item(Line, item) for item in pages(**_query(f"{shop_id}#{case_id}", prefix), **_NOW)]


def state(shop_id: str, case_id: str, step: Step) -> State | None:
    """Return how a benefit stands, None where it has no line yet."""
    return folded(lines(shop_id, case_id, step))


def append(
    stands: State | None,
    line: Line,
    *,
    within: Terms | None = None,
    order_id: str | None = None,
    also: Iterable[tuple[Any, Exception]] = (),
) -> State:
    """Add a line to a benefit that stands so, with all that belongs to it; return how it stands then.

    `within` makes the budgets of these terms a condition; `order_id` that no other case's remedy took the
    order. `also` are further writes, each with what its failed condition means. Raises StaleWrite when
    somebody wrote the next line first, OverBudget, OrderRemedied.
    """
    stood = after(stands, line)
    put: Any = {
        "TableName": _table(),
        "Item": line_item(line),
        "ConditionExpression": "attribute_not_exists(book)",
    }
    claim = [_claim(line, order_id)] if order_id is not None else []
    beside = [*_counted(line, within), *claim, *_listed(stands, stood), *also]
    if beside:
        transact(({"Put": put}, StaleWrite(stood.key)), *beside)
    else:
        with stale_write(stood.key):
            client("dynamodb").put_item(**put)
    return stood


def decide(case_id: str, step: Step, how: Decide, *, note: str | None, ask: bool = False) -> State:
    """Add the line that somebody decides on, together with a line of the case's timeline.

    `how` gets case and benefit as they stand, perhaps several times; None changes nothing. `ask` has the
    grant looked at again. Raises Unknown, StaleWrite when others are always faster.
    """
    for _ in range(_ATTEMPTS):
        case = cases.read(case_id)
        if case is None:
            raise Unknown(f"There is no case {case_id}.")
        stands = state(case.shop_id, case_id, step)
        line = how(case, stands)
        if line is None:
            return there(stands)
        what = f"{line.benefit or 'undecided'} {yuan(line.cost)}"
        event = Event(
            at=line.at, kind=f"{step} {line.kind}", by=line.by, note=": ".join(filter(None, (what, note)))
        )
        outbox = asking(case, step, line.number, line.at) if ask else case.outbox
        told = changed(case, {"outbox": outbox}, {f"benefit:{step}:{line.number}": event})
        try:
            return append(stands, line, also=[cases.saving(told)])
        except StaleWrite as error:
            stale = error
    raise stale


def used(shop_id: str, day: str) -> dict[str, Used]:
    """Return what is committed on a day: by row, and as `shop` altogether."""
    found: dict[str, Used] = {}
    for item in pages(**_query(f"{shop_id}#{day}", _BUDGETS), **_NOW):
        for name, amount in plain(item).items():
            of, _, row = name.partition("#")
            if row or of == SHOP:
                found[row or SHOP] = Used(amount, cast("Benefit", of))
    return found


def of_day(shop_id: str, day: str, *, limit: int = 50, start: str | None = None) -> Page:
    """Return a page of the lines that count for a day, the oldest first. Raises BadToken."""
    query = {
        "TableName": _table(),
        "IndexName": "by_day",
        "KeyConditionExpression": "day_book = :book",
        "ExpressionAttributeValues": attributes({":book": f"{shop_id}#{day}"}),
    }
    items, token = _page(query, f"{shop_id}#{day}", limit, start)
    return Page([from_item(Line, item) for item in items], token)


def waiting(shop_id: str, noun: List, *, limit: int = 50, start: str | None = None) -> Waiting:
    """Return a page of the benefits that wait for a person, the longest waiting first. Raises BadToken."""
    book = f"{shop_id}#{noun}"
    items, token = _page(_query(book, "") | _NOW, book, limit, start)
    return Waiting([from_item(State, item) for item in items], token)


def order_digest(order_id: str) -> str:
    """Return what stands for an order in the ledger, which keeps no number that leads to a person."""
    return sha256(order_id.encode()).hexdigest()[:24]


def _counted(line: Line, within: Terms | None) -> list[Write]:
    """The budgets of the line's day, moved by its amount; within their limits where there are any."""
    if not line.amount:
        return []
    counters = {line.row: f"{line.benefit}#{line.row}", SHOP: SHOP}
    limits = {line.row: within.per_day, SHOP: within.shop_per_day} if within else {}
    rooms = {row: most - line.amount for row, most in limits.items() if most is not None}
    if full := next((row for row, room in rooms.items() if room < 0), None):
        raise OverBudget(full)
    names = {row: f"#counter{place}" for place, row in enumerate(counters)}
    conditions = [
        f"(attribute_not_exists({names[row]}) OR {names[row]} <= :room{place})"
        for place, row in enumerate(rooms)
    ]
    update: dict[str, Any] = {
        "TableName": _table(),
        "Key": attributes({"book": f"{line.shop_id}#{line.day}", "line": _BUDGETS}),
        "UpdateExpression": "ADD " + ", ".join(f"{name} :amount" for name in names.values()),
        "ExpressionAttributeNames": {names[row]: counter for row, counter in counters.items()},
        "ExpressionAttributeValues": attributes(
            {":amount": line.amount} | {f":room{place}": room for place, room in enumerate(rooms.values())}
        ),
    }
    if conditions:
        update["ConditionExpression"] = " AND ".join(conditions)
        update["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"

    def refused(item: "Item") -> Exception:
        used = plain(item)
        return OverBudget(
            next((row for row, room in rooms.items() if used.get(counters[row], 0) > room), SHOP)
        )

    return [({"Update": update}, refused)]


def _claim(line: Line, order_id: str) -> tuple[Any, Exception]:
    """A remedy takes its order for its case, for good: several reviews of one order are remedied once."""
    book = f"{line.shop_id}#order#{order_digest(order_id)}"
    put = {
        "TableName": _table(),
        "Item": attributes({"book": book, "line": "remedy", "case_id": line.case_id}),
        "ConditionExpression": "attribute_not_exists(book) OR case_id = :mine",
        "ExpressionAttributeValues": attributes({":mine": line.case_id}),
    }
    return {"Put": put}, OrderRemedied()


def _listed(before: State | None, now: State) -> list[tuple[Any, Exception]]:
    writes: list[Any] = []
    for noun, awaited in _AWAITED.items():
        if getattr(now, awaited):
            item = to_item(now) | attributes(_place(now, noun))
            writes.append({"Put": {"TableName": _table(), "Item": item}})
        elif before is not None and getattr(before, awaited):
            key = attributes(_place(before, noun))
            writes.append({"Delete": {"TableName": _table(), "Key": key}})
    return [(write, StaleWrite(now.key)) for write in writes]  # they have no condition of their own


def _place(stands: State, noun: str) -> dict[str, str]:
    since = stands.proposed_at if noun == "approvals" else stands.since
    return {"book": f"{stands.shop_id}#{noun}", "line": f"{iso(since)}#{stands.key}"}


def line_item(line: Line) -> "Item":
    return to_item(
        line,
        book=f"{line.shop_id}#{line.case_id}",
        line=f"{line.step}#{line.number:02d}",
        day_book=f"{line.shop_id}#{line.day}",
    )


_NOW = {"ConsistentRead": True}


def _query(book: str, prefix: str) -> dict[str, Any]:
    condition, values = "book = :book", {":book": book}
    if prefix:
        condition, values = condition + " AND begins_with(line, :prefix)", values | {":prefix": prefix}
    return {
        "TableName": _table(),
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": attributes(values),
    }


def _page(
    query: dict[str, Any], subject: str, limit: int, start: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    if start is not None:
        query["ExclusiveStartKey"] = attributes(_position(start, subject))
    answer = client("dynamodb").query(**query, Limit=limit)
    end = answer.get("LastEvaluatedKey")
    return list(answer["Items"]), _token(plain(end), subject) if end else None


def _token(place: dict[str, str], subject: str) -> str:
    """Return where a page ended; a digest ties it to its list. It is no secret, see functions/store/cases."""
    text = json.dumps(place)
    return urlsafe_b64encode(f"{_digest(text, subject)}{text}".encode()).decode().rstrip("=")


def _position(token: str, subject: str) -> dict[str, str]:
    try:
        text = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except ValueError:
        text = ""
    digest, place = text[:_DIGEST], text[_DIGEST:]
    if not place or digest != _digest(place, subject):
        raise BadToken("`next` does not belong to this list: pass it on unchanged")
    found: dict[str, str] = json.loads(place)
    return found


def _digest(place: str, subject: str) -> str:
    return sha256(f"{subject}{place}".encode()).hexdigest()[:_DIGEST]


def _table() -> str:
    return setting("WINBACK_LEDGER_TABLE")
