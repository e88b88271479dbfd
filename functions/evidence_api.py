"""Evidence API: legal hands in exhibits, asks for packs and fetches them.

Trigger: the HTTP API, signed requests only. Writes exhibits onto cases; files go from the caller straight
into the evidence bucket, under a link that fits that one file. Asks pack_builder for packs through a queue.
"""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field

from functions.domain.appeals import Checklist, checklist
from functions.domain.cases import Case
from functions.domain.dossiers import collected
from functions.domain.exhibits import Announced, Exhibit, NotTaken, fits
from functions.domain.times import Time
from functions.evidence.pack import name
from functions.runtime import queues
from functions.runtime.api import caller, documented, resolver
from functions.runtime.clock import now
from functions.runtime.errors import Unknown
from functions.runtime.observability import observed
from functions.runtime.settings import setting
from functions.store import cases, evidence, rulebooks
from functions.store.errors import StaleWrite
from functions.store.evidence import VALID_S, Differs, NotThere

app = resolver(
    {
        StaleWrite: HTTPStatus.CONFLICT,
        NotTaken: HTTPStatus.BAD_REQUEST,
        NotThere: HTTPStatus.CONFLICT,
        Differs: HTTPStatus.CONFLICT,
    }
)


class Place(BaseModel):
    """Where to PUT the file, with exactly these headers. Nothing counts before its completion."""

    exhibit_id: str
    url: str
    headers: dict[str, str]
    valid_s: int = VALID_S


class Kept(Exhibit):
    """An exhibit on record."""

    model_config = ConfigDict(frozen=True)

    number: str = Field(serialization_alias="exhibit_id")


class Collection(BaseModel):
    """The record of what was collected, and what the platform's appeal still lacks."""

    exhibits: list[Kept]
    checklist: Checklist
    missing: list[str]


class PackLink(BaseModel):
    """The newest pack. Its head also stands in the case's timeline: compare it with the pack's own."""

    current: bool = Field(description="Whether nothing was added since; else ask for a new one")
    built_at: Time
    head: str
    sha256: str
    size: int
    url: str
    valid_s: int = VALID_S
    missing: list[str] = Field(description="Kinds of exhibits that the platform's appeal still lacks")


class PackAsked(BaseModel):
    ready: bool = Field(description="Whether the pack of the case as it stands is there already")


_REFUSALS = documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.BAD_REQUEST)


@app.post(
    "/evidence/<case_id>",
    summary="Announce an exhibit",
    description="Answers where to upload it. Writes nothing.",
    responses=_REFUSALS,
)
def announce(case_id: str, announced: Annotated[Announced, Body()]) -> Place:
    fits(announced, _others(_about_somebody(case_id), announced), rulebooks.current())
    place = evidence.upload(case_id, announced)
    return Place(exhibit_id=announced.exhibit_id, url=place.url, headers=place.headers)


@app.post(
    "/evidence/<case_id>/<exhibit_id>/complete",
    summary="Record an uploaded exhibit",
    description="With the body of its announcement. Checks the file in the store. Once more changes nothing.",
    responses=_REFUSALS,
)
def complete(case_id: str, exhibit_id: str, announced: Annotated[Announced, Body()]) -> Collection:
    if exhibit_id != announced.exhibit_id:
        raise Unknown(f"The body announces exhibit {announced.exhibit_id}, not {exhibit_id}.")
    rules, moment = rulebooks.current(), now()
    case = _about_somebody(case_id)
    fits(announced, _others(case, announced), rules)
    found = evidence.stored(case_id, announced)
    exhibit = Exhibit(
        **announced.model_dump(),
        version=found.version,
        stored_at=found.at,
        recorded_by=caller(app, announced.collected_by),
        recorded_at=moment,
    )
    return _collection(cases.change(case_id, lambda stands: collected(stands, exhibit, rules), known=case))


@app.get(
    "/evidence/<case_id>",
    summary="List exhibits and what is missing",
    responses=documented(HTTPStatus.NOT_FOUND),
)
def read_evidence(case_id: str) -> Collection:
    return _collection(cases.existing(case_id))


@app.post(
    "/evidence/<case_id>/pack",
    summary="Have a pack of evidence built",
    description="It takes a moment; fetch it with GET. Once more changes nothing.",
    responses=documented(HTTPStatus.NOT_FOUND),
)
def ask_for_pack(case_id: str) -> PackAsked:
    case = cases.existing(case_id)
    if _current(case):
        return PackAsked(ready=True)
    queues.send(setting("WINBACK_PACKS_QUEUE_URL"), [queues.Message(case.case_id)])
    return PackAsked(ready=False)


@app.get(
    "/evidence/<case_id>/pack",
    summary="Fetch the newest pack of evidence",
    responses=documented(HTTPStatus.NOT_FOUND),
)
def fetch_pack(case_id: str) -> PackLink:
    case = cases.existing(case_id)
    if not case.dossier.packs:
        raise Unknown(f"{case_id} has no pack yet: POST asks for one.")
    pack = case.dossier.packs[-1]
    return PackLink(
        current=_current(case),
        built_at=pack.at,
        head=pack.head,
        sha256=pack.sha256,
        size=pack.size,
        url=evidence.pack_url(case_id, pack.digest),
        missing=list(checklist(case, rulebooks.current()).missing),
    )


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)


def _about_somebody(case_id: str) -> Case:
    """Return the case. Raises NotTaken where its person was erased."""
    case = cases.existing(case_id)
    if "erased" in case.events:
        raise NotTaken("the person was erased: nothing is collected about them any more")
    return case


def _others(case: Case, announced: Announced) -> tuple[Exhibit, ...]:
    return tuple(each for each in case.dossier.exhibits if each.exhibit_id != announced.exhibit_id)


def _current(case: Case) -> bool:
    packs = case.dossier.packs
    return bool(packs) and packs[-1].digest == name(case, rulebooks.current())


def _collection(case: Case) -> Collection:
    asked = checklist(case, rulebooks.current())
    kept = [Kept(**dict(each), number=each.exhibit_id) for each in case.dossier.exhibits]
    return Collection(exhibits=kept, checklist=asked, missing=list(asked.missing))
