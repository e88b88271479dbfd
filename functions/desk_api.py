"""Desk API: who is on duty, what is silenced and what that hides, which incidents are going on.

Trigger: the HTTP API, signed requests only. Writes the desk; alerts that wait are judged anew within minutes,
so a silence that is lifted or a rota that is changed needs to tell nobody.
"""

from base64 import b32encode
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from functions.domain.arrangements import (
    Given,
    GoingOn,
    MadeSilence,
    NewMaintenance,
    NewOverride,
    NewRota,
    NewSilence,
    Silenced,
    View,
)
from functions.domain.cases import Case
from functions.domain.desks import Desk
from functions.domain.duty import (
    ROLES,
    Override,
    Overview,
    Rota,
    crew,
    overview,
)
from functions.domain.incidents import Incident, going_on
from functions.domain.silences import Maintenance, Silence
from functions.domain.times import Time
from functions.runtime.api import caller, documented, resolver
from functions.runtime.clock import now
from functions.runtime.errors import Unknown
from functions.runtime.observability import observed
from functions.store import cases, desk, rulebooks
from functions.store.errors import StaleWrite

Kind = TypeVar("Kind", Silence, Maintenance, Override)


class Over(Exception):
    """The arrangement has ended; it does not come back."""


app = resolver({StaleWrite: HTTPStatus.CONFLICT, Over: HTTPStatus.CONFLICT})
_MATCHED = 100  # open cases that a new silence is held against
Shop = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^#]+$")]


@app.get("/shops/<shop_id>/desk", summary="Read a shop's desk", responses=documented())
def read_desk(shop_id: Shop) -> View:
    moment, found = now(), desk.read(shop_id)
    waiting = _waiting(found)
    ahead = [each for each in found.silences if each.ends > moment]
    return View(
        on_duty=overview(found.duty, ROLES, moment),
        rota=found.duty.rota,
        overrides=[each for each in found.duty.overrides if each.ends > moment],
        silences=[_silenced(each, found, waiting) for each in ahead],
        maintenance=[each for each in found.maintenance if each.ends > moment],
        incidents=[
            _going_on(each)
            for each in desk.incidents(shop_id)
            if going_on(each, rulebooks.current(), moment) is not None
        ],
        waiting=len(waiting),
    )


@app.post(
    "/shops/<shop_id>/silences",
    summary="Silence alerts for a while",
    description="The same request once more is the same silence.",
    responses=documented(HTTPStatus.CONFLICT),
)
def add_silence(shop_id: Shop, said: Annotated[NewSilence, Body()]) -> MadeSilence:
    if said.matchers.whole_shop != said.whole_shop:
        raise _wrong("matchers", "name what to silence, or leave them empty and set whole_shop")
    starts, ends = _period("silence", said.starts, said.ends)
    made = desk.add(
        shop_id,
        Silence(
            silence_id=_number("S", shop_id, said),
            matchers=said.matchers,
            by=caller(app, said.by),
            reason=said.reason,
            starts=starts,
            ends=ends,
            time_zone=said.time_zone,
        ),
    )
    assert isinstance(made, Silence)
    _not_over(made)
    return MadeSilence(**dict(made), matches=sum(_matched(made, each) for each in _open_cases(shop_id)))


@app.delete(
    "/shops/<shop_id>/silences/<silence_id>",
    summary="End a silence now",
    description="What it hid is told within minutes.",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def end_silence(shop_id: Shop, silence_id: str) -> Silence:
    found = desk.read(shop_id)
    ended = _ended(shop_id, silence_id, {each.silence_id: each for each in found.silences})
    for hidden in found.hidden:
        if hidden.item == f"quiet#{silence_id}":
            desk.end_hiding(shop_id, hidden, ended.ends)
    return ended


@app.post(
    "/shops/<shop_id>/maintenance",
    summary="Plan a quiet time, once or every week",
    responses=documented(HTTPStatus.CONFLICT),
)
def add_maintenance(shop_id: Shop, said: Annotated[NewMaintenance, Body()]) -> Maintenance:
    starts, ends = _period("maintenance" if said.weekly else "silence", said.starts, said.ends)
    made = desk.add(
        shop_id,
        Maintenance(
            maintenance_id=_number("M", shop_id, said),
            weekly=said.weekly,
            time_zone=said.time_zone,
            by=caller(app, said.by),
            reason=said.reason,
            starts=starts,
            ends=ends,
        ),
    )
    assert isinstance(made, Maintenance)
    _not_over(made)
    return made


@app.delete(
    "/shops/<shop_id>/maintenance/<maintenance_id>",
    summary="End a quiet time now",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def end_maintenance(shop_id: Shop, maintenance_id: str) -> Maintenance:
    found = desk.read(shop_id)
    ended = _ended(shop_id, maintenance_id, {each.maintenance_id: each for each in found.maintenance})
    for hidden in found.hidden:
        if hidden.item.startswith(f"quiet#{maintenance_id}#") and hidden.ends > ended.ends:
            desk.end_hiding(shop_id, hidden, ended.ends)
    return ended


@app.put("/shops/<shop_id>/rota", summary="Set the rota", responses=documented())
def set_rota(shop_id: Shop, said: Annotated[NewRota, Body()]) -> list[Overview]:
    moment = now()
    shifts = tuple(said.shifts)
    rota = Rota(time_zone=said.time_zone, shifts=shifts, by=caller(app, said.by), at=moment)
    desk.put_rota(shop_id, rota)
    return overview(desk.read(shop_id).duty, ROLES, moment)


@app.post(
    "/shops/<shop_id>/overrides",
    summary="Change the rota for a while",
    responses=documented(HTTPStatus.CONFLICT),
)
def add_override(shop_id: Shop, said: Annotated[NewOverride, Body()]) -> Override:
    starts, ends = _period("override", said.starts, said.ends)
    known = crew(desk.read(shop_id).duty, said.role)
    if not known:
        raise _wrong("role", f"the rota has no shifts for {said.role}: it is always there anyway")
    if said.instead_of is not None and said.instead_of not in known:
        raise _wrong("instead_of", f"the rota knows no such {said.role}; it has {', '.join(known)}")
    made = desk.add(
        shop_id,
        Override(
            override_id=_number("O", shop_id, said),
            role=said.role,
            people=tuple(said.people),
            instead_of=said.instead_of,
            starts=starts,
            ends=ends,
            by=caller(app, said.by),
            reason=said.reason,
            at=now(),
        ),
    )
    assert isinstance(made, Override)
    _not_over(made)
    return made


@app.delete(
    "/shops/<shop_id>/overrides/<override_id>",
    summary="Go back to the rota now",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def end_override(shop_id: Shop, override_id: str) -> Override:
    found = desk.read(shop_id).duty.overrides
    return _ended(shop_id, override_id, {each.override_id: each for each in found})


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)


def _waiting(found: Desk) -> frozenset[str]:
    """Return the hidden cases of which an alert waits, as they stand: nothing is counted that may drift."""
    hidden = {case_id for each in found.hidden for case_id in each.cases}
    return frozenset(
        case.case_id
        for case in cases.read_many(hidden).values()
        if any(effect.kind == "alert" and effect.after is not None for effect in case.outbox.values())
    )


def _silenced(silence: Silence, found: Desk, waiting: frozenset[str]) -> Silenced:
    records = [each.cases for each in found.hidden if each.item == f"quiet#{silence.silence_id}"]
    matched = frozenset[str]().union(*records)
    return Silenced(**dict(silence), hides=len(matched & waiting), matched=len(matched))


def _going_on(incident: Incident) -> GoingOn:
    return GoingOn(
        item=incident.item,
        opened_at=incident.opened_at,
        led_by=incident.led_by,
        told_at=incident.told_at,
        reviews=incident.size,
    )


def _open_cases(shop_id: str) -> Sequence[Case]:
    return cases.by_shop(shop_id, sort="due", limit=_MATCHED).cases


def _matched(silence: Silence, case: Case) -> bool:
    return any(silence.matchers.match(case, kind) for kind in silence.matchers.kinds or ("first",))


def _period(what: str, starts: Time | None, ends: Time) -> tuple[Time, Time]:
    """Return from when until when. A period must lie ahead and be no longer than rules/quiet.toml allows."""
    moment = now()
    begins = starts or moment
    if ends <= max(begins, moment):
        raise _wrong("ends", "it must come after the beginning and after now")
    rule = rulebooks.current().ask.quiet(what=what, hidden=0)
    longest = timedelta(seconds=rule.number("longest"))
    if ends - begins > longest:
        raise _wrong("ends", f"a {what} lasts {longest.days} days at most; make another one then")
    return begins, ends


def _ended(shop_id: str, number: str, known: Mapping[str, Kind]) -> Kind:
    """End an arrangement now; return it as it then is."""
    if number not in known:
        raise Unknown(f"The desk of {shop_id} has no {number}.")
    moment = now()
    _not_over(known[number])
    desk.end(shop_id, known[number], moment)
    return known[number].model_copy(update={"ends": moment})


def _not_over(arranged: Silence | Maintenance | Override) -> None:
    if arranged.ends <= now():
        raise Over("It has ended and does not come back; make a new one.")


def _number(letter: str, shop_id: str, said: Given) -> str:
    """Return a number that the same request gets again, so that a repeated one makes no second thing."""
    digest = sha256(f"{shop_id} {said.model_dump_json()}".encode()).digest()
    return f"{letter}-{b32encode(digest)[:10].decode()}"


def _wrong(field: str, mend: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", field), "msg": mend, "type": "value_error"}])
