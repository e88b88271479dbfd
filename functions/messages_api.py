"""Messages API: colleagues write to customers, customers answer or want no more.

Trigger: the HTTP API, signed requests only. Writes cases and the customers' message histories; what is to be
sent goes through the case's outbox, where it can be taken back for a while. A text that the gate refuses is
counted and noted on the case, never kept.
"""

from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import BaseModel, ConfigDict, Field

from functions.domain import replies
from functions.domain.cases import Case, Effect, Event, case_id, changed
from functions.domain.drafts import Draft, drafts
from functions.domain.gate import Found, forbidden
from functions.domain.history import FREE, Entry, echoes, free_key, opts_out
from functions.domain.messages import key, objections, wrote
from functions.domain.profiles import Channel, Profile
from functions.domain.reachability import Reach
from functions.domain.times import Time
from functions.domain.waits import resume
from functions.domain.wording import wall_clock
from functions.routes.refusals import Blocked, NotNow, blocked, note_blocked
from functions.runtime.api import caller, documented, resolver
from functions.runtime.clock import now
from functions.runtime.observability import count, observed
from functions.store import cases, customers, ledger, messages, rulebooks, shops
from functions.store.errors import StaleWrite
from functions.store.pace import pace

app = resolver({StaleWrite: HTTPStatus.CONFLICT, NotNow: HTTPStatus.CONFLICT})
_ATTEMPTS = 5
_CUSTOMER = "/shops/<shop_id>/customers/<customer_id>"
Shop = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^#]+$")]
Customer = Annotated[str, Path(min_length=1, max_length=200)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Number = Annotated[str, Field(min_length=1, max_length=100)]


class Drafts(BaseModel):
    drafts: list[Draft]
    reach: list[Reach]


class Writing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = Field(min_length=1, max_length=80, description="Who writes, as colleagues know them")
    text: Text
    channel: Literal["chat", "sms", "email"] = "chat"
    message_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        description="The writer's own number of this message: sent twice, it is one message",
    )


class Written(BaseModel):
    """A message on its way. Until then it can be taken back."""

    key: str
    until: Time


class Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = Field(min_length=1, max_length=80, description="Who replies, as colleagues know them")
    text: Annotated[str, Field(min_length=1, max_length=500)]


class Dry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Text


class Verdict(BaseModel):
    ok: bool
    found: list[Found] = Field(description="What the text says; `never` marks what keeps it from going out")


class Inbound(BaseModel):
    """What a customer wrote, as the platform or the text message provider hands it on."""

    model_config = ConfigDict(extra="forbid")

    message_id: Number = Field(description="The platform's number of it: handed on twice, it is one message")
    text: Text
    channel: Channel = "chat"


class Noted(BaseModel):
    result: Literal["received", "own message", "opted out"]
    cases: list[str] = Field([], description="The customer's cases that it was noted on")


class Left(BaseModel):
    opted_out_at: Time


@app.get(
    "/cases/<case_id>/drafts",
    summary="Draft an answer",
    description="Sorry, solve, smile: filled from the case, to be edited and sent by a person.",
    responses=documented(HTTPStatus.NOT_FOUND),
)
def read_drafts(case_id: str) -> Drafts:
    case = cases.existing(case_id)
    coupon = ledger.state(case.shop_id, case.case_id, "coupon")
    return Drafts(
        drafts=drafts(case, coupon, rulebooks.current(), wall_clock(case), now()), reach=list(case.reach)
    )


@app.post("/messages/check", summary="Check a text; nothing is written or sent", responses=documented())
def check_text(dry: Annotated[Dry, Body()]) -> Verdict:
    found = rulebooks.current().check(dry.text)
    return Verdict(ok=not forbidden(found), found=found)


@app.post(
    "/cases/<case_id>/messages",
    summary="Write to a case's customer",
    description="Passes the gate, then waits a while in which it can be taken back, then goes out.",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def write_message(case_id: str, given: Annotated[Writing, Body()]) -> Written:
    by, moment, rules = caller(app, given.by), now(), rulebooks.current()
    found = rules.check(given.text)
    if forbidden(found):
        note_blocked(case_id, by, found, moment)
        raise Blocked(forbidden(found))
    outbox_key = f"message:{FREE}-{given.message_id}" if given.message_id else free_key(moment)
    for _ in range(_ATTEMPTS):
        case = cases.existing(case_id)
        known = messages.customer(case)
        if known is None:
            raise NotNow("The customer is unknown.")
        entry = wrote(case, outbox_key, given.text, given.channel, by, moment, found)
        if any(one.key == entry.key for one in known.history):
            return _written(case, outbox_key, moment)
        if against := objections(case, entry, known, rules, pace(), moment):
            raise NotNow(f"It cannot be sent: {', '.join(against)}.")
        effect = Effect(kind="message", at=moment, name=FREE)
        event = Event(at=moment, kind="message written", by=by)
        asked = changed(
            case, {"outbox": case.outbox | {outbox_key: effect}}, {f"{outbox_key}:written": event}
        )
        try:
            return _written(messages.hold(asked, entry), outbox_key, moment)
        except StaleWrite as error:
            stale = error
    raise stale


@app.post(
    "/cases/<case_id>/reply",
    summary="Reply to the review in public",
    description="Once for each review. Passes the gate, offers nothing and asks for nothing, then waits a "
    "while in which it can be taken back as the message `public_reply`, then goes to the platform.",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def write_reply(case_id: str, given: Annotated[Reply, Body()]) -> Written:
    by, moment, rules = caller(app, given.by), now(), rulebooks.current()
    found = rules.check(given.text)
    if forbidden(found):
        note_blocked(case_id, by, found, moment)
        raise Blocked(forbidden(found))
    if said := sorted({one.intent for one in found}):
        raise NotNow(f"For all to read nothing is offered and nothing asked for: {', '.join(said)}.")
    case = cases.existing(case_id)
    if against := replies.objection(case, rules, moment):
        raise NotNow(f"It cannot be sent: {against}")
    case = cases.change(case_id, lambda stands: replies.written(stands, given.text, by, moment), known=case)
    effect = case.outbox.get(replies.KEY)
    if effect is None or effect.text != given.text:
        raise NotNow("There is a reply to this review already.")
    return _written(case, replies.KEY, moment)


@app.delete(
    "/cases/<case_id>/messages/<name>",
    summary="Take a message back",
    description="While it is held. `name` is the key of the answer to writing it, or the step's name.",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def recall_message(case_id: str, name: Annotated[str, Path(max_length=80)]) -> Written:
    by, moment, outbox_key = caller(app, "somebody"), now(), f"message:{name}"
    if outbox_key == replies.KEY:
        case = cases.change(case_id, lambda stands: replies.taken_back(stands, by, moment))
        if case.events.get(replies.KEY) is None or case.events[replies.KEY].kind != "message taken back":
            raise NotNow("It is going out, went out, or never was.")
        return Written(key=name, until=moment)
    for _ in range(_ATTEMPTS):
        case = cases.existing(case_id)
        effect = case.outbox.get(outbox_key)
        known = messages.customer(case)
        if effect is None or known is None:
            raise NotNow("It went out, was taken back, or never was.")
        mine = next((one for one in known.history if one.key == key(case, outbox_key)), None)
        if mine is not None and mine.state != "held":
            raise NotNow("It is going out.")
        entry = mine or Entry(
            key=key(case, outbox_key),
            at=effect.at,
            state="held",
            step=effect.name or "",
            channel="chat",
            text="",
            case_id=case_id,
        )
        outbox = {other: each for other, each in case.outbox.items() if other != outbox_key}
        event = Event(at=moment, kind="message taken back", by=by)
        taken = changed(case, {"outbox": outbox}, {outbox_key: event})
        try:
            messages.recall(taken, entry)
        except StaleWrite as error:
            stale = error
        else:
            return Written(key=name, until=moment)
    raise stale


@app.post(
    f"{_CUSTOMER}/opt-out",
    summary="End messages to a customer",
    description="At once, and promotion in all shops of the owner on the same platform. Never refused.",
    responses=documented(HTTPStatus.CONFLICT),
)
def opt_out(shop_id: Shop, customer_id: Customer) -> Left:
    return Left(opted_out_at=_opt_out(shop_id, customer_id, now()))


@app.post(
    f"{_CUSTOMER}/reply",
    summary="Take in what a customer wrote",
    description="T, TD or 退订 ends all messages. Anything else is noted on the customer's cases, and no "
    "automatic message goes out before somebody answered. Handed on twice changes nothing.",
    responses=documented(HTTPStatus.CONFLICT),
)
def take_reply(shop_id: Shop, customer_id: Customer, inbound: Annotated[Inbound, Body()]) -> Noted:
    moment = now()
    known = messages.history(shop_id, customer_id)
    if echoes(inbound.text, known):
        return Noted(result="own message")
    if opts_out(inbound.text):
        _opt_out(shop_id, customer_id, moment)
        return Noted(result="opted out")
    number = sha256(inbound.message_id.encode()).hexdigest()[:16]
    if not any(one.key == f"reply:{number}" for one in known):
        entry = Entry(
            key=f"reply:{number}",
            at=moment,
            state="received",
            step="reply",
            channel=inbound.channel,
            text=inbound.text,
        )
        messages.receive(shop_id, customer_id, entry)
    return Noted(result="received", cases=_noted(shop_id, customer_id, number, inbound.channel, moment))


app.exception_handler(Blocked)(blocked)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)


def _written(case: Case, outbox_key: str, moment: datetime) -> Written:
    hold = rulebooks.current().ask.contact(promotional=False).number("hold")
    effect = case.outbox.get(outbox_key)
    since = effect.at if effect is not None else moment
    return Written(key=outbox_key.removeprefix("message:"), until=since + pace().wait(hold))


def _opt_out(shop_id: str, customer_id: str, moment: datetime) -> datetime:
    """End messages in this shop, and promotion wherever the owner knows the same customer."""
    shop = shops.get(shop_id)
    if shop is not None:
        messages.opt_out(shop.platform, customer_id, moment)
    for _ in range(_ATTEMPTS):
        profile = customers.profile(shop_id, customer_id) or Profile(shop_id=shop_id, customer_id=customer_id)
        if profile.opted_out_at is not None:
            return profile.opted_out_at
        try:
            customers.save(profile.model_copy(update={"opted_out_at": moment}))
        except StaleWrite as error:
            stale = error
        else:
            count("OptOuts")
            return moment
    raise stale


def _noted(shop_id: str, customer_id: str, number: str, way: str, moment: datetime) -> list[str]:
    """Note on each case that is not closed that its customer wrote: whatever waited for that goes on.

    The words stay with the customer.
    """
    profile = customers.profile(shop_id, customer_id)
    known = cases.read_many(map(case_id, profile.bad_reviews if profile else ())).values()
    event = Event(at=moment, kind="customer wrote", note=f"by {way}")

    def note(case: Case) -> Case:
        if f"replied:{number}" in case.events:
            return case
        return changed(resume(case, None, moment), {}, {f"replied:{number}": event})

    open_ones = [case for case in known if case.status != "closed"]
    return [cases.change(case.case_id, note, known=case).case_id for case in open_ones]
