"""Appeals: asking a platform to take a malicious review away (rules/appeals.toml).

No platform has an interface for it, so it is a person's task with a deadline: here it is opened, filed,
answered or let expire, and what it still lacks is said.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.cases import Case, Effect, Event, changed
from functions.domain.decisions import Decision, Rules
from functions.domain.exhibits import Appeal, Kind
from functions.domain.pace import Pace
from functions.domain.times import iso

Answer = Literal["accepted", "rejected"]
_WARNED = "appeal not filed yet"
PLATFORMS = ("taobao", "douyin", "jd", "kuaishou")


class NoAppeal(ValueError):
    """The case has no appeal that this could be said of."""


class Item(BaseModel):
    """One line of the checklist."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    needed: bool = Field(description="Whether the appeal is incomplete without it; else it only helps")
    there: int = Field(description="How many exhibits of this kind were collected")


class Checklist(BaseModel):
    """What the case's platform asks for, and what of it is there."""

    model_config = ConfigDict(frozen=True)

    platform: str
    option: str = Field(description="What to choose in the platform's form")
    link: str = Field(description="Where it is filed; empty where we know no address")
    clause: str
    items: tuple[Item, ...]

    @property
    def missing(self) -> tuple[Kind, ...]:
        return tuple(item.kind for item in self.items if item.needed and not item.there)


def checklist(case: Case, rules: Rules) -> Checklist:
    """Return what the platform asks for, with what is there of it."""
    asked = _asked(case, rules)
    counts: list[str] = [exhibit.kind for exhibit in case.dossier.exhibits]
    items = (
        {"kind": kind, "needed": needed, "there": counts.count(kind)}
        for needed, kinds in ((True, asked.names("needs")), (False, asked.names("helps")))
        for kind in kinds
    )
    return Checklist.model_validate(
        {
            "platform": asked.facts["platform"],
            **{name: asked.text(name) for name in ("option", "link", "clause")},
            "items": tuple(items),
        }
    )


def opened(case: Case, rules: Rules, pace: Pace, now: datetime) -> Appeal:
    """Return the appeal that a confirmation opens."""
    asked = _asked(case, rules)
    within, before = asked.number("file_within"), asked.number("warn_before")
    warn_at = now + pace.wait(within - before)
    return Appeal(
        platform=str(asked.facts["platform"]),
        option=asked.text("option"),
        link=asked.text("link"),
        clause=asked.text("clause"),
        opened_at=now,
        warn_at=warn_at,
        file_by=warn_at + pace.wait(before),
    )


def file(case: Case, by: str, reference: str | None, rules: Rules, pace: Pace, now: datetime) -> Case:
    """Return the case with its appeal filed. Filing again changes nothing. Raises NoAppeal."""
    appeal = _of(case)
    if appeal.status == "filed":
        return case
    if appeal.status not in ("open", "expired"):
        raise NoAppeal(f"the appeal of {case.case_id} is {appeal.status}; there is nothing to file")
    late = " after our deadline" if now > appeal.file_by else ""
    filed = appeal.model_copy(
        update={
            "status": "filed",
            "filed_at": now,
            "filed_by": by,
            "reference": reference,
            "answer_by": now + pace.wait(_asked(case, rules).number("answer_within")),
        }
    )
    return _with(case, filed, "appeal filed", by, f"{appeal.platform}: {appeal.option}{late}", now)


def answered(case: Case, answer: Answer, by: str, note: str | None, now: datetime) -> Case:
    """Return the case with the platform's answer. The same answer again changes nothing. Raises NoAppeal."""
    appeal = _of(case)
    if appeal.status == answer:
        return case
    if appeal.status not in ("filed", "expired") or appeal.filed_at is None:
        raise NoAppeal(f"the appeal of {case.case_id} is {appeal.status}; only a filed one is answered")
    done = {"status": answer, "decided_at": now, "decided_by": by, "note": note}
    return _with(case, appeal.model_copy(update=done), f"appeal {answer}", by, note, now)


def next_moment(case: Case) -> datetime | None:
    """Return when the passing of time next brings something to the appeal; None where nothing is ahead."""
    appeal = case.dossier.appeal
    if appeal is None or appeal.status not in ("open", "filed"):
        return None
    if appeal.status == "filed":
        return appeal.answer_by
    return appeal.file_by if _WARNED in case.events else appeal.warn_at


def advance(case: Case, now: datetime) -> Case:
    """Return the case with its appeal warned of or expired by now; the same case where nothing is due.

    This goes on whatever becomes of the case itself: it may be resolved long before the platform answers.
    """
    appeal, moment = case.dossier.appeal, next_moment(case)
    if appeal is None or moment is None or now < moment:
        return case
    if appeal.status == "open" and _WARNED not in case.events:
        outbox = case.outbox | {"alert:appeal": Effect(kind="alert", at=now, name="appeal")}
        event = Event(at=now, kind="appeal not filed yet", note=f"to be filed by {iso(appeal.file_by)}")
        return advance(changed(case, {"outbox": outbox}, {_WARNED: event}), now)
    why = "nobody filed it in time" if appeal.status == "open" else "the platform did not answer in time"
    gone = appeal.model_copy(update={"status": "expired", "decided_at": now})
    return _with(case, gone, "appeal expired", None, why, now)


def withdrawn(case: Case, now: datetime) -> Appeal | None:
    """Return the appeal after a person rejected the suspicion: what was not answered yet is withdrawn."""
    appeal = case.dossier.appeal
    if appeal is None or appeal.status in ("accepted", "rejected"):
        return appeal
    return appeal.model_copy(update={"status": "withdrawn", "decided_at": now})


def _asked(case: Case, rules: Rules) -> Decision:
    platform = case.review.platform if case.review.platform in PLATFORMS else "other"
    return rules.ask.appeals(platform=platform)


def _of(case: Case) -> Appeal:
    if case.dossier.appeal is None:
        raise NoAppeal(f"{case.case_id} has no appeal: a person has to confirm the malice first")
    return case.dossier.appeal


def _with(case: Case, appeal: Appeal, kind: str, by: str | None, note: str | None, now: datetime) -> Case:
    dossier = case.dossier.model_copy(update={"appeal": appeal})
    return changed(case, {"dossier": dossier}, {kind: Event(at=now, kind=kind, by=by, note=note)})
