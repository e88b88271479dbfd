"""Exhibits: files collected as evidence for a case, with who collected them, when and from where; and what
becomes of them, the pack and the appeal.

What may be handed in says rules/exhibits.toml. A file is asked for first, with its size and SHA-256, so
that nothing else can be uploaded in its place; it counts once its bytes were found in the store.
"""

import re
from datetime import datetime
from hashlib import sha256
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.decisions import Rules
from functions.domain.times import Time

Kind = Literal[
    "chat_screenshot",
    "chat_export",
    "call_recording",
    "logistics_record",
    "quality_report",
    "unboxing_video",
    "customer_photo",
    "other",
]
EXHIBITS: tuple[Kind, ...] = get_args(Kind)
MEGABYTE = 1024 * 1024
MOST = 50  # of one case: its item has 400 KB for everything
MOST_MEGABYTES = 2048  # of one case: what pack_builder copies well within its time
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}$")


class NotTaken(ValueError):
    """The file cannot be taken as evidence; the text says why."""


class Announced(BaseModel):
    """A file that somebody wants to hand in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    file_name: str = Field(min_length=1, max_length=200, description="As its collector calls it")
    media: str = Field(min_length=3, max_length=100, description="Media type, such as image/png")
    size: int = Field(gt=0, description="Bytes")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the file's bytes, hexadecimal")
    note: str = Field(
        min_length=1,
        max_length=1000,
        description="Where it comes from and how; for a call, how notice was given",
    )
    collected_by: str = Field(min_length=1, max_length=80)
    collected_at: Time

    @property
    def exhibit_id(self) -> str:
        """The same file of the same kind is the same exhibit, however often it is handed in."""
        return sha256(f"{self.kind}\x1f{self.sha256}".encode()).hexdigest()[:16]

    @property
    def suffix(self) -> str:
        """The file name's ending in small letters; nothing else of the name ever becomes a path."""
        found = _SUFFIX.search(self.file_name)
        return found[0].lower() if found else ""


class Exhibit(Announced):
    """A file in the store. `version` names these very bytes there, whatever is written over them later."""

    version: str
    stored_at: Time = Field(description="The store's own clock")
    recorded_by: str
    recorded_at: Time


class Pack(BaseModel):
    """A pack of evidence that was built. `digest` names what went into it, `head` ends its chain."""

    model_config = ConfigDict(frozen=True)

    digest: str
    head: str
    sha256: str
    size: int
    at: Time


class Appeal(BaseModel):
    """The platform is asked to take a malicious review away: a person's task, with its outcome."""

    model_config = ConfigDict(frozen=True)

    status: Literal["open", "filed", "accepted", "rejected", "expired", "withdrawn"] = "open"
    platform: str
    option: str
    link: str
    clause: str
    opened_at: Time
    warn_at: Time
    file_by: Time = Field(description="Our own deadline; the platform's may be later")
    filed_at: Time | None = None
    filed_by: str | None = None
    reference: str | None = Field(None, description="The platform's number for it")
    answer_by: Time | None = Field(None, description="Without an answer it has expired then")
    decided_at: Time | None = None
    decided_by: str | None = None
    note: str | None = None


class Dossier(BaseModel):
    """What a case holds for legal."""

    model_config = ConfigDict(frozen=True)

    exhibits: tuple[Exhibit, ...] = ()
    packs: tuple[Pack, ...] = ()
    appeal: Appeal | None = None

    def without_person(self, locked: frozenset[str]) -> "Dossier":
        """Return it without what people wrote, and without the files but those that the store has locked."""
        bare = {"file_name": "erased", "note": "erased"}
        exhibits = tuple(
            exhibit.model_copy(update=bare) for exhibit in self.exhibits if exhibit.exhibit_id in locked
        )
        packs = tuple(pack for pack in self.packs if pack.digest in locked)
        appeal = self.appeal and self.appeal.model_copy(update={"note": None})
        return self.model_copy(update={"exhibits": exhibits, "packs": packs, "appeal": appeal})


class Erased(NamedTuple):
    """What became of a case's files when its person was erased.

    `locked` are the exhibits' numbers and the packs' digests that nobody may remove before `until`.
    """

    removed: int = 0
    locked: frozenset[str] = frozenset()
    until: datetime | None = None

    @property
    def told(self) -> str | None:
        """Return it for the timeline, None where there were no files."""
        found = [f"{self.removed} files removed"] if self.removed else []
        if self.until is not None:
            found.append(
                f"{len(self.locked)} files are locked as evidence for claims until {self.until:%Y-%m-%d}; "
                "only legal may read them, their names and notes are removed"
            )
        return "; ".join(found) or None


def fits(announced: Announced, known: tuple[Exhibit, ...], rules: Rules) -> None:
    """Raises NotTaken for a file that is too large, of the wrong kind, or one too many."""
    decision = rules.ask.exhibits(kind=announced.kind)
    media, most = decision.names("media"), decision.number("megabytes")
    if announced.media not in media:
        raise NotTaken(f"{announced.kind} is taken as {', '.join(media)}, not as {announced.media}")
    if announced.size > most * MEGABYTE:
        raise NotTaken(f"{announced.kind} may have {most} MB; this file has {announced.size} bytes")
    if len(known) >= MOST:
        raise NotTaken(f"the case has {MOST} exhibits already; put what belongs together into one file")
    if announced.size + sum(each.size for each in known) > MOST_MEGABYTES * MEGABYTE:
        raise NotTaken(f"the exhibits of one case may have {MOST_MEGABYTES} MB together")
