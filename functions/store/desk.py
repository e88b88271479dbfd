"""The desk table: what a shop's people have arranged, and the incidents of its products and customers.

One partition a shop. Incidents sort before all else, so that one query reads the arrangements without them:
`incident#…` < `maintenance#…` < `override#…` < `quiet#…` (what a quiet time hid) < `rota` < `silence#…`.
What is over is deleted by DynamoDB some time after `expires_at`; until then it counts for nothing.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pydantic import BaseModel

from functions.domain.cases import Case
from functions.domain.desks import Claim, Desk
from functions.domain.duty import Duty, Override, Rota
from functions.domain.incidents import Incident, items, member, stale
from functions.domain.silences import Hidden, Maintenance, Quiet, Silence
from functions.domain.times import iso
from functions.runtime.clients import client
from functions.runtime.settings import setting
from functions.store.calls import batch_get, pages
from functions.store.errors import stale_write
from functions.store.items import attributes, from_item, to_item

if TYPE_CHECKING:
    from functions.store.items import Item

_AFTER_INCIDENTS = "incident$"  # "$" follows "#"
_KEPT = timedelta(days=7)  # to look back at what is over
_MOST = 10_000  # cases that one quiet time counts; 17 bytes each, far below an item's 400 KB


def read(shop_id: str) -> Desk:
    """Return what the shop has arranged, without incidents; an empty desk where nothing is."""
    found: dict[type[BaseModel], list[Any]] = {
        kind: [] for kind in (Maintenance, Override, Hidden, Rota, Silence)
    }
    condition = {":shop": shop_id, ":item": _AFTER_INCIDENTS}
    for item in _pages("shop_id = :shop AND #item > :item", condition):
        kind = _KINDS[item["item"]["S"].partition("#")[0]]
        found[kind].append(from_item(kind, item))
    rota = found[Rota][0] if found[Rota] else None
    return Desk(
        shop_id=shop_id,
        duty=Duty(rota=rota, overrides=tuple(found[Override])),
        silences=tuple(found[Silence]),
        maintenance=tuple(found[Maintenance]),
        hidden=tuple(found[Hidden]),
    )


def incidents(shop_id: str) -> list[Incident]:
    """Return what happens on the shop's products and from its customers; not all of it is an incident."""
    condition = {":shop": shop_id, ":item": "incident#"}
    return [
        from_item(Incident, item)
        for item in _pages("shop_id = :shop AND begins_with(#item, :item)", condition)
    ]


def incidents_of(case: Case) -> tuple[Incident, ...]:
    """Return those that the case may belong to."""
    found = batch_get(_table(), [_key(case.shop_id, item) for item in items(case)])
    return tuple(from_item(Incident, item) for item in found)


def join(case: Case, now: datetime) -> tuple[Incident, ...]:
    """Have the case counted, once however often it joins; return the incidents with the case in them."""
    joined = []
    for item in items(case):
        answer = _update(
            case.shop_id,
            item,
            "ADD members :member SET expires_at = :expires",
            {":member": {member(case)}, ":expires": _epoch(now + _KEPT)},
            ReturnValues="ALL_NEW",
        )
        incident = from_item(Incident, answer["Attributes"])
        if old := stale(incident, now):
            _update(case.shop_id, item, "DELETE members :old", {":old": set(old)})
        joined.append(incident)
    return tuple(joined)


def claim(shop_id: str, wanted: Claim, now: datetime) -> bool:
    """Become the one who tells; True also where that was so before, False where somebody else is it."""
    expected = {":by": wanted.by}
    if wanted.item.startswith("incident#"):
        unchanged = "attribute_not_exists(told_at)" if wanted.told_at is None else "told_at = :read"
        changes, values = "told_at = :now, told_by = :by", {":now": iso(now)}
        if wanted.opens:
            changes += ", opened_at = :now, led_by = :lead"
            values[":lead"] = wanted.by.partition("/")[0]
        if wanted.told_at is not None:
            expected[":read"] = iso(wanted.told_at)
    else:
        unchanged, changes, values = "attribute_not_exists(told_by)", "told_by = :by", {}
    try:
        _update(
            shop_id,
            wanted.item,
            f"SET {changes}",
            values | expected,
            ConditionExpression=f"attribute_exists(shop_id) AND ({unchanged} OR told_by = :by)",
        )
    except ClientError as error:
        if not _refused(error):
            raise
        return False
    return True


def hide(case: Case, quiet: Quiet) -> None:
    """Count the case among those that the quiet time hides, once. The first one makes the record."""
    try:
        _update(
            case.shop_id,
            quiet.item,
            "ADD cases :case SET #ends = if_not_exists(#ends, :ends), note = :note, expires_at = :expires",
            {
                ":case": {case.case_id},
                ":ends": iso(quiet.ends),
                ":note": quiet.note,
                ":expires": _epoch(quiet.ends + _KEPT),
                ":most": _MOST,
            },
            ConditionExpression="attribute_not_exists(cases) OR size(cases) < :most",
            ExpressionAttributeNames={"#ends": "ends"},
        )
    except ClientError as error:
        if not _refused(error):
            raise  # a full record only stops counting: the alert waits all the same


def put_rota(shop_id: str, rota: Rota) -> None:
    client("dynamodb").put_item(TableName=_table(), Item=to_item(rota, shop_id=shop_id, item="rota"))


def add(shop_id: str, arranged: Silence | Maintenance | Override) -> Silence | Maintenance | Override:
    """Keep an arrangement, unless it is kept already: then return the one that is there."""
    key = _key(shop_id, item_of(arranged))
    try:
        client("dynamodb").put_item(
            TableName=_table(),
            Item={**to_item(arranged), **key, **attributes({"expires_at": _epoch(arranged.ends + _KEPT)})},
            ConditionExpression="attribute_not_exists(shop_id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if not _refused(error):
            raise
        response: Mapping[str, Any] = error.response
        return from_item(type(arranged), response["Item"])
    return arranged


def end(shop_id: str, arranged: Silence | Maintenance | Override, now: datetime) -> None:
    """End an arrangement before its time, never after it. Raises StaleWrite where it is over already."""
    with stale_write(item_of(arranged)):
        _update(
            shop_id,
            item_of(arranged),
            "SET #ends = :now, expires_at = :expires",
            {":now": iso(now), ":expires": _epoch(now + _KEPT)},
            ConditionExpression="attribute_exists(shop_id) AND #ends > :now",
            ExpressionAttributeNames={"#ends": "ends"},
        )


def end_hiding(shop_id: str, hidden: Hidden, now: datetime) -> None:
    """Have what was hidden by a silence that was lifted told from now on."""
    _update(
        shop_id,
        hidden.item,
        "SET #ends = :now, expires_at = :expires",
        {":now": iso(now), ":expires": _epoch(now + _KEPT)},
        ConditionExpression="attribute_exists(shop_id)",
        ExpressionAttributeNames={"#ends": "ends"},
    )


def item_of(arranged: Silence | Maintenance | Override) -> str:
    match arranged:
        case Silence():
            return f"silence#{arranged.silence_id}"
        case Maintenance():
            return f"maintenance#{arranged.maintenance_id}"
        case Override():
            return f"override#{arranged.override_id}"


_KINDS: dict[str, type[BaseModel]] = {
    "maintenance": Maintenance,
    "override": Override,
    "quiet": Hidden,
    "rota": Rota,
    "silence": Silence,
}


def _pages(condition: str, values: dict[str, str]) -> "Iterator[Item]":
    return pages(
        TableName=_table(),
        KeyConditionExpression=condition,
        ExpressionAttributeNames={"#item": "item"},
        ExpressionAttributeValues=attributes(values),
        ConsistentRead=True,
    )


def _update(shop_id: str, item: str, expression: str, values: dict[str, Any], **more: Any) -> Any:
    return client("dynamodb").update_item(
        TableName=_table(),
        Key=_key(shop_id, item),
        UpdateExpression=expression,
        ExpressionAttributeValues=attributes(values),
        **more,
    )


def _refused(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _epoch(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())


def _key(shop_id: str, item: str) -> "Item":
    return attributes({"shop_id": shop_id, "item": item})


def _table() -> str:
    return setting("WINBACK_DESK_TABLE")
