"""Messages: what was said to and by each customer, in the customers table beside their profile.

Erased and exported with the person. A message is claimed before it is handed over: one transaction counts
it, moves the profile's version and checks that nothing it was decided from has changed. So two messages
decided at the same moment cannot both be the last one the cap allows, and none goes out after an opt-out.

An opt-out also holds for the owner's other shops. It is kept apart from the person, under a digest of
platform and customer, so that it outlives the erasure of what it protects from.
"""

from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from functions.domain.cases import Case
from functions.domain.history import Entry
from functions.domain.messages import Customer
from functions.domain.profiles import Profile, customer_key
from functions.domain.times import iso
from functions.runtime.clients import client
from functions.runtime.settings import setting
from functions.store import cases, customers
from functions.store.calls import pages, transact
from functions.store.errors import StaleWrite
from functions.store.items import attributes, from_item, to_item

if TYPE_CHECKING:
    from functions.store.items import Item

_MESSAGE = "message#"
_WHAT = "a message of the customer"  # never whose: errors are logged


def customer(case: Case) -> Customer | None:
    """Return what a message to the case's customer is decided from; None where nobody is known."""
    shop_id, customer_id = case.shop_id, case.review.customer_id
    if customer_id is None:
        return None
    profile, order, opted_out = customers.profile_order_and_mark(
        (shop_id, customer_id, case.review.order_id), _opt_out_key(case.review.platform, customer_id)
    )
    if not profile.version:
        return None
    return Customer(profile, order, history(shop_id, customer_id), opted_out)


def history(shop_id: str, customer_id: str) -> list[Entry]:
    """Return the customer's messages, the oldest first."""
    found = pages(
        TableName=_table(),
        KeyConditionExpression="#customer = :customer AND begins_with(#item, :message)",
        ExpressionAttributeNames={"#customer": "customer", "#item": "item"},
        ExpressionAttributeValues=attributes(
            {":customer": customer_key(shop_id, customer_id), ":message": _MESSAGE}
        ),
        ConsistentRead=True,
    )
    return [from_item(Entry, item) for item in found]


def claim(case: Case, known: Customer, profile: Profile, entry: Entry) -> None:
    """Count the message as sent. Raises StaleWrite where the case, the customer or the message changed.

    `profile` is the customer's, perhaps with what the step itself changes.
    """
    customer_id = known.profile.customer_id
    still = {
        "TableName": _table(),
        "Key": _opt_out_key(case.review.platform, customer_id),
        "ConditionExpression": "attribute_not_exists(customer)",
    }
    checks = [({"ConditionCheck": still}, StaleWrite(_WHAT))] if entry.promotional else []
    transact(
        (_put(case.shop_id, customer_id, entry, before="held"), StaleWrite(_WHAT)),
        customers.saving(profile),
        cases.unchanged(case),
        *checks,
    )


def hold(case: Case, entry: Entry) -> Case:
    """Write a person's message and its entry in the outbox. Raises StaleWrite."""
    customer_id = case.review.customer_id or ""
    transact((_put(case.shop_id, customer_id, entry), StaleWrite(_WHAT)), cases.saving(case))
    return case.model_copy(update={"version": case.version + 1})


def recall(case: Case, entry: Entry) -> Case:
    """Take a held message back, together with its entry in the outbox. Raises StaleWrite."""
    customer_id = case.review.customer_id or ""
    taken = entry.model_copy(update={"state": "recalled"})
    transact((_put(case.shop_id, customer_id, taken, before="held"), StaleWrite(_WHAT)), cases.saving(case))
    return case.model_copy(update={"version": case.version + 1})


def receive(shop_id: str, customer_id: str, entry: Entry) -> bool:
    """Keep what a customer wrote; False where it was kept before."""
    try:
        transact((_put(shop_id, customer_id, entry), StaleWrite(_WHAT)))
    except StaleWrite:
        return False
    return True


def opt_out(platform: str, customer_id: str, now: datetime) -> None:
    """End promotion in all shops of the owner on the platform."""
    item = _opt_out_key(platform, customer_id) | attributes({"at": iso(now)})
    client("dynamodb").put_item(TableName=_table(), Item=item)


def opt_in(platform: str, customer_id: str) -> None:
    client("dynamodb").delete_item(TableName=_table(), Key=_opt_out_key(platform, customer_id))


def _put(shop_id: str, customer_id: str, entry: Entry, before: str | None = None) -> Any:
    """Return the write of an entry that is new, or whose state is the one it was before."""
    item = to_item(
        entry,
        customer=customer_key(shop_id, customer_id),
        item=f"{_MESSAGE}{iso(entry.at)}#{entry.key}",
    )
    put: dict[str, Any] = {
        "TableName": _table(),
        "Item": item,
        "ConditionExpression": "attribute_not_exists(customer)",
    }
    if before is not None:
        put["ConditionExpression"] += " OR #state = :before"
        put["ExpressionAttributeNames"] = {"#state": "state"}
        put["ExpressionAttributeValues"] = attributes({":before": before})
    return {"Put": put}


def _opt_out_key(platform: str, customer_id: str) -> "Item":
    digest = sha256(f"{platform}#{customer_id}".encode()).hexdigest()[:32]
    return attributes({"customer": f"opted-out#{digest}", "item": "opt-out"})


def _table() -> str:
    return setting("WINBACK_CUSTOMERS_TABLE")
