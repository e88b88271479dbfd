"""Order sender: hand refunds and new parcels to the shops' own systems.

Trigger: the orders queue, one order at a time; what failed comes again after a pause that doubles.
Effects: a signed POST to the shop's address, repeated under the same key until it is taken; then a line in
the ledger and one in the case's timeline. An order whose benefit was taken back meanwhile is dropped.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from functions.domain.cases import Event, changed
from functions.domain.ledger import RULES, State, may, then
from functions.domain.order_systems import OrderSystem
from functions.domain.orders import Order, headers, pause_s
from functions.runtime.batches import Record, each
from functions.runtime.clients import client
from functions.runtime.clock import now
from functions.runtime.credentials import secret
from functions.runtime.http import post
from functions.runtime.observability import count, logger, observed
from functions.runtime.settings import setting
from functions.store import cases, ledger, shops
from functions.store.errors import StaleWrite

_ATTEMPTS = 5


class NotTaken(Exception):
    """The shop's system did not take the order."""


@observed
def handler(event: dict[str, Any], context: Any) -> Any:
    return each(event, send)


def send(record: Record) -> None:
    """Deliver one order. Raises NotTaken or whatever else went wrong, after asking for a later try."""
    order, moment = Order.model_validate_json(record["body"]), now()
    try:
        _deliver(order, moment)
    except Exception as error:
        tries = int(record["attributes"].get("ApproximateReceiveCount", "1"))
        client("sqs").change_message_visibility(
            QueueUrl=setting("WINBACK_ORDERS_QUEUE_URL"),
            ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=pause_s(tries),
        )
        why = str(error) if isinstance(error, NotTaken) else type(error).__name__
        _note(order, "failed", Event(at=moment, kind="order fails", note=why))
        count("OrdersNotTaken")
        raise


def _deliver(order: Order, moment: datetime) -> None:
    stands = ledger.state(order.shop_id, order.case_id, order.step)
    if stands is None or stands.standing not in ("effective", "delivered"):
        logger.info("order dropped", extra={"order": order.id, "standing": stands and stands.standing})
        return
    if stands.standing == "effective":
        _post(order, shops.order_system(order.shop_id, moment), moment)
        _receipt(order, stands, moment)
    event = Event(at=moment, kind=f"{order.kind} ordered", note="the shop's system took the order")
    _note(order, "taken", event)


def _post(order: Order, system: OrderSystem, moment: datetime) -> None:
    if not system.reachable:
        raise NotTaken("the shop has no address for orders any more")
    body = order.model_dump_json().encode()
    key = secret(system.orders_secret, moment)
    answer = post(system.orders_url, body, headers(order.id, body, key, moment))
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise NotTaken(f"the shop's system answered HTTP {answer.status}")


def _note(order: Order, what: str, event: Event) -> None:
    """Add a line to the case's timeline, once."""
    key = f"order:{order.step}:{what}"
    cases.change(order.case_id, lambda case: case if key in case.events else changed(case, {}, {key: event}))


def _receipt(order: Order, stands: State, moment: datetime) -> None:
    """Record that the order was taken, whatever was written to the ledger meanwhile."""
    for _ in range(_ATTEMPTS):
        if not may(stands, "delivered"):
            return  # by another try of the same order
        try:
            ledger.append(stands, then(stands, "delivered", RULES, moment))
        except StaleWrite as error:
            stale, again = error, ledger.state(order.shop_id, order.case_id, order.step)
            stands = again or stands
        else:
            count("OrdersTaken")
            return
    raise stale
