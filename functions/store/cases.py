"""The cases table. What its indexes and its stream's filter need is derived here, at each write:

`shop_id` and `opened_at` (index by_shop), `due_shop` and `due_at` (index due; `due_shop` only while the
case waits for somebody), `agenda` and `agenda_at` (index agenda; only while the passing of time may bring
something), `suspected_shop` (index suspected; only of a case that was ever suspected), and `pending`, there
exactly while the outbox holds something that nothing holds back.

A case is written some twenty times, so what is not NAMED is packed. `events` stands beside it for the lines
that the workflow adds, until the next writer packs them with the others.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from zlib import crc32

from functions.domain.agenda import next_moment
from functions.domain.cases import WAITING, Case, Status
from functions.domain.outbox import due
from functions.domain.profiles import Profile
from functions.domain.times import iso, parse
from functions.runtime.clients import client
from functions.runtime.errors import Unknown
from functions.runtime.settings import setting
from functions.store import customers
from functions.store.calls import batch_get, pages, transact
from functions.store.errors import AlreadyOpen, BadToken, StaleWrite, stale_write
from functions.store.items import attributes, from_item, to_item
from functions.store.pace import pace

if TYPE_CHECKING:
    from functions.store.items import Item

Sort = Literal["due", "opened"]
_INDEXES: dict[Sort, tuple[str, str, str]] = {
    "due": ("due", "due_shop", "due_at"),
    "opened": ("by_shop", "shop_id", "opened_at"),
}
# Fields that indexes, filters, conditions and the workflow's updates know by name.
NAMED = frozenset(
    {"case_id", "status", "run", "grade", "opened_at", "due_at", "closed_at", "outbox", "version"}
)
_ATTEMPTS = 5
_SHARDS = 4  # partitions of the index agenda, lest one take every write
_DIGEST = 16  # hex digits
_STRIDE = 500  # index entries read at once when a filter may drop most of them
_STRIDES = 20  # after that many a page ends even if it is not full, lest the request time out


class Page(NamedTuple):
    cases: list[Case]
    next: str | None


def read(case_id: str) -> Case | None:
    # Not GetItem: whoever reads one case also reads many, and needs no second right for it.
    return read_many([case_id]).get(case_id)


def existing(case_id: str) -> Case:
    """Return the case. Raises Unknown where there is none."""
    case = read(case_id)
    if case is None:
        raise Unknown(f"There is no case {case_id}.")
    return case


def read_many(case_ids: Iterable[str]) -> dict[str, Case]:
    """Return the cases that exist, by id."""
    items = batch_get(_table(), [_key(case_id) for case_id in dict.fromkeys(case_ids)])
    found = (from_item(Case, item) for item in items)
    return {case.case_id: case for case in found}


def open_case(case: Case, profile: Profile | None) -> Case:
    """Write a new case together with its customer's profile (None where the customer is unknown).

    Raises AlreadyOpen when the review has its case, StaleWrite when the profile was changed.
    """
    put = {
        "TableName": _table(),
        "Item": _item(case),
        "ConditionExpression": "attribute_not_exists(case_id)",
    }
    remembered = [customers.saving(profile)] if profile is not None else []
    transact(({"Put": put}, AlreadyOpen(case.case_id)), *remembered)
    return case.model_copy(update={"version": case.version + 1})


def save(case: Case) -> Case:
    """Save the case unless it was changed since it was read. Raises StaleWrite."""
    with stale_write(case.case_id):
        client("dynamodb").put_item(TableName=_table(), Item=_item(case), **_as_read(case))
    return case.model_copy(update={"version": case.version + 1})


def saving(case: Case) -> tuple[Any, StaleWrite]:
    """Return the saving of the case as a part of a transaction."""
    return {"Put": {"TableName": _table(), "Item": _item(case), **_as_read(case)}}, StaleWrite(case.case_id)


def unchanged(case: Case) -> tuple[Any, StaleWrite]:
    """Return, as a part of a transaction, the check that nobody changed the case since it was read."""
    check = {"TableName": _table(), "Key": attributes({"case_id": case.case_id}), **_as_read(case)}
    return {"ConditionCheck": check}, StaleWrite(case.case_id)


def change(case_id: str, how: Callable[[Case], Case], known: Case | None = None) -> Case:
    """Apply a change on top of whatever others write meanwhile; return the case as it then is.

    `how` may be called several times. What leaves the case as it is writes nothing. `known` saves a read
    where the case was just read. Raises Unknown when there is no such case, StaleWrite when others are
    always faster.
    """
    for _ in range(_ATTEMPTS):
        case = known or existing(case_id)
        changed = how(case)
        if changed is case:
            return case
        try:
            return save(changed)
        except StaleWrite as error:
            stale, known = error, None
    raise stale


def on_agenda(now: datetime) -> dict[str, datetime]:
    """Return the cases that something is due on by now, and since when."""
    found: dict[str, datetime] = {}
    pages = client("dynamodb").get_paginator("query")
    for shard in range(_SHARDS):
        for page in pages.paginate(
            TableName=_table(),
            IndexName="agenda",
            KeyConditionExpression="agenda = :shard AND agenda_at <= :now",
            ExpressionAttributeValues=attributes({":shard": str(shard), ":now": iso(now)}),
        ):
            found |= {item["case_id"]["S"]: parse(item["agenda_at"]["S"]) for item in page["Items"]}
    return found


def ever_suspected(shop_id: str) -> list[Case]:
    """Return the shop's cases that anybody or any table ever suspected of malice."""
    found = pages(
        TableName=_table(),
        IndexName="suspected",
        KeyConditionExpression="suspected_shop = :shop",
        ExpressionAttributeValues=attributes({":shop": shop_id}),
    )
    return list(read_many(item["case_id"]["S"] for item in found).values())


def by_shop(
    shop_id: str,
    *,
    status: Status | None = None,
    grade: str | None = None,
    sort: Sort = "opened",
    limit: int = 50,
    start: str | None = None,
) -> Page:
    """Return a page of the shop's cases: the newest first, or those that wait, the next due first.

    `start` is the `next` of the page before. A page that has a `next` may hold fewer than `limit` cases
    where a filter drops very many. Raises BadToken.
    """
    index, partition, order = _INDEXES[sort]
    filters = {name: value for name, value in (("status", status), ("grade", grade)) if value is not None}
    subject = json.dumps([shop_id, sort, sorted(filters.items())])
    query: dict[str, Any] = {
        "TableName": _table(),
        "IndexName": index,
        "KeyConditionExpression": "#shop = :shop",
        "ExpressionAttributeNames": {"#shop": partition} | {f"#{name}": name for name in filters},
        "ExpressionAttributeValues": attributes(
            {":shop": shop_id} | {f":{name}": value for name, value in filters.items()}
        ),
        "ScanIndexForward": sort == "due",
        "Limit": _STRIDE if filters else limit + 1,
    }
    if filters:
        query["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in filters)
    if start is not None:
        query["ExclusiveStartKey"] = attributes(_position(start, subject, (partition, order), shop_id))
    items: list[Item] = []
    for _ in range(_STRIDES):
        answer = client("dynamodb").query(**query)
        items += answer["Items"]
        if len(items) > limit:
            return _page(items[:limit], items[limit - 1], order, subject)
        if "LastEvaluatedKey" not in answer:
            return _page(items, None, order, subject)
        query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    return _page(items, query["ExclusiveStartKey"], order, subject)


def _as_read(case: Case) -> dict[str, Any]:
    return {
        "ConditionExpression": "#version = :read",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": attributes({":read": case.version}),
    }


def _item(case: Case) -> "Item":
    saved = case.model_copy(update={"version": case.version + 1})
    derived: dict[str, str | bool] = {"shop_id": case.shop_id}
    if case.status in WAITING:
        derived["due_shop"] = case.shop_id
    if case.malice is not None:
        derived["suspected_shop"] = case.shop_id
    if due(case):
        derived["pending"] = True
    if moment := next_moment(case, pace()):
        derived["agenda"] = str(crc32(case.case_id.encode()) % _SHARDS)
        derived["agenda_at"] = iso(moment)
    return to_item(saved, named=NAMED, **derived, events={})


def _page(entries: "list[Item]", end: "Item | None", order: str, subject: str) -> Page:
    """The index holds keys and filters only; the cases themselves are read in one call."""
    token = _token(end[order]["S"], end["case_id"]["S"], subject) if end is not None else None
    ids = [entry["case_id"]["S"] for entry in entries]
    found = read_many(ids)
    return Page([found[case_id] for case_id in ids if case_id in found], token)


def _token(at: str, case_id: str, subject: str) -> str:
    """Return where a page ended. The digest ties it to the list it belongs to and reveals damage.

    It is no secret: whoever forges one only moves to another place in a list they may read anyway.
    """
    place = json.dumps([at, case_id])
    return urlsafe_b64encode(f"{_digest(place, subject)}{place}".encode()).decode().rstrip("=")


def _position(token: str, subject: str, keys: tuple[str, str], shop_id: str) -> dict[str, str]:
    try:
        text = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except ValueError:
        text = ""
    digest, place = text[:_DIGEST], text[_DIGEST:]
    if not place or digest != _digest(place, subject):
        raise BadToken("`next` does not belong to this list: pass it on unchanged, with the same filters")
    at, case_id = json.loads(place)
    partition, order = keys
    return {partition: shop_id, order: at, "case_id": case_id}


def _digest(place: str, subject: str) -> str:
    return sha256(f"{subject}{place}".encode()).hexdigest()[:_DIGEST]


def _key(case_id: str) -> "Item":
    return attributes({"case_id": case_id})


def _table() -> str:
    return setting("WINBACK_CASES_TABLE")
