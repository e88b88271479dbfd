"""A pack: originals, records, a redacted copy and a page to read, under one manifest with its chain.

The same case makes the same bytes: nothing in a pack says when or by whom it was built, and the timeline
ends where the last exhibit or judgement was recorded.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from functions.domain.appeals import checklist
from functions.domain.cases import Case
from functions.domain.decisions import Rules
from functions.domain.exhibits import MEGABYTE, Exhibit
from functions.domain.redaction import redacted, redacted_all
from functions.evidence.archive import Archive, Sink
from functions.evidence.chain import FORMAT, canonical, digest, linked
from functions.evidence.page import page

MANIFEST, PAGE, COLLECTION = "manifest.json", "index.html", "records/collection.json"
_LATER = ("pack:", "appeal")  # events of what is done with a pack
_TEXTS = ("text/plain", "text/csv", "application/json")
_REDACTED_UP_TO = 5 * MEGABYTE  # a longer text is left to a person, so that memory stays bounded
_PERSONAL = ("customer_id", "order_id", "review_id", "recorded_by", "collected_by", "by", "file_name")

Originals = Callable[[Exhibit], Iterable[bytes]]


class Altered(Exception):
    """An exhibit in the store is not the one that was recorded."""


class Built(NamedTuple):
    """`head` ends the chain; `sha256` and `size` are the zip's."""

    head: str
    sha256: str
    size: int


def inputs(case: Case, rules: Rules) -> dict[str, Any]:
    """Return all that goes into a pack but the exhibits' bytes, which their hashes stand for."""
    told = case.model_dump(
        mode="json",
        include={
            "case_id",
            "review",
            "versions",
            "cause",
            "evidence",
            "signals",
            "malice",
            "confirmed_cause",
        },
    )
    marks = [exhibit.recorded_at for exhibit in case.dossier.exhibits]
    marks += [case.malice.at] if case.malice else []
    until = max(marks, default=case.opened_at)
    told_of = {key: event for key, event in case.events.items() if not key.startswith(_LATER)}
    events = sorted(told_of.items(), key=lambda each: (each[1].at, each[0]))
    return {
        "case": told,
        "timeline": [event.model_dump(mode="json") for _, event in events if event.at <= until],
        "collection": [exhibit.model_dump(mode="json") for exhibit in case.dossier.exhibits],
        "checklist": checklist(case, rules).model_dump(mode="json")
        | {"missing": list(checklist(case, rules).missing)},
    }


def name(case: Case, rules: Rules) -> str:
    """Return the digest that names the pack of the case as it stands (32 hex digits)."""
    return digest({"format": FORMAT, **inputs(case, rules)})[:32]


def path_of(number: int, exhibit: Exhibit) -> str:
    return f"originals/{number:03}-{exhibit.kind}{exhibit.suffix}"


def build(case: Case, rules: Rules, originals: Originals, sink: Sink) -> Built:
    """Write the case's pack. `originals` yields an exhibit's bytes. Raises Altered."""
    given = inputs(case, rules)
    heading = {"format": FORMAT, "case_id": case.case_id, "shop_id": case.shop_id, "pack": name(case, rules)}
    chained = _Chain(digest(heading))
    with Archive(sink) as archive:
        for number, exhibit in enumerate(case.dossier.exhibits, 1):
            path = path_of(number, exhibit)
            chained.add("original", path, exhibit.size, _copied(archive, path, case, exhibit, originals))
        for role, path, data in _records(case, given, originals):
            chained.add(role, path, len(data), archive.add(path, len(data), [data]))
        view = page(case, given, chained.entries, path_of, _by_hand(case)).encode()
        chained.add("page", PAGE, len(view), archive.add(PAGE, len(view), [view]))
        manifest = canonical({**heading, "entries": chained.entries, "head": chained.head})
        archive.add(MANIFEST, len(manifest), [manifest])
    return Built(chained.head, archive.sha256, archive.size)


def _copied(archive: Archive, path: str, case: Case, exhibit: Exhibit, originals: Originals) -> str:
    """Copy an exhibit into the pack; return its SHA-256, which is the recorded one. Raises Altered."""
    try:
        found = archive.add(path, exhibit.size, originals(exhibit))
    except ValueError as error:
        raise Altered(f"{case.case_id}: exhibit {exhibit.exhibit_id}: {error}") from error
    if found != exhibit.sha256:
        raise Altered(f"{case.case_id}: exhibit {exhibit.exhibit_id} has the SHA-256 {found}")
    return found


class _Chain:
    def __init__(self, start: str) -> None:
        self.head = start
        self.entries: list[dict[str, Any]] = []

    def add(self, role: str, path: str, size: int, sha256: str) -> None:
        entry = {"n": len(self.entries) + 1, "role": role, "path": path, "size": size, "sha256": sha256}
        self.entries.append(linked(self.head, entry))
        self.head = self.entries[-1]["hash"]


def _records(case: Case, given: dict[str, Any], originals: Originals) -> Iterator[tuple[str, str, bytes]]:
    yield "record", "records/case.json", canonical({"case": given["case"], "timeline": given["timeline"]})
    yield "record", COLLECTION, canonical(given["collection"])
    yield "record", "records/checklist.json", canonical(given["checklist"])
    known = [exhibit.collected_by for exhibit in case.dossier.exhibits]
    known += [case.review.customer_id] if case.review.customer_id else []
    clean = redacted_all(
        {"case": given["case"], "timeline": given["timeline"], "collection": given["collection"]},
        known,
        _PERSONAL,
    )
    yield "redacted", "redacted/case.json", canonical(clean)
    for number, exhibit in enumerate(case.dossier.exhibits, 1):
        if _is_text(exhibit):
            text = b"".join(originals(exhibit)).decode("utf-8", "replace")
            yield "redacted", f"redacted/{number:03}-{exhibit.kind}.txt", redacted(text, known).encode()
    yield "redacted", "redacted/by-hand.json", canonical(_by_hand(case))


def _by_hand(case: Case) -> list[str]:
    """Return the originals that no program can redact: a person has to, before they leave the house."""
    return [
        path_of(number, exhibit)
        for number, exhibit in enumerate(case.dossier.exhibits, 1)
        if not _is_text(exhibit)
    ]


def _is_text(exhibit: Exhibit) -> bool:
    return exhibit.media in _TEXTS and exhibit.size <= _REDACTED_UP_TO
