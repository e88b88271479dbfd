"""Dossiers: what legal collects about a case, as it is recorded there."""

from datetime import datetime

from functions.domain.cases import Case, Event, changed
from functions.domain.decisions import Rules
from functions.domain.exhibits import Exhibit, Pack
from functions.domain.malice import counter_evidence


def collected(case: Case, exhibit: Exhibit, rules: Rules) -> Case:
    """Return the case with the exhibit on record, once. A customer's picture counts against the signals."""
    known = case.dossier.exhibits
    if any(each.exhibit_id == exhibit.exhibit_id for each in known):
        return case
    exhibits = (*known, exhibit)
    photos = sum(each.kind == "customer_photo" for each in exhibits)
    against = counter_evidence({"customer_photos": photos}, rules)
    signals = tuple(
        signal.model_copy(
            update={"counter": (*(c for c in signal.counter if c.fact != "customer_photos"), *against)}
        )
        for signal in case.signals
    )
    note = f"{exhibit.kind}, {exhibit.size} bytes, SHA-256 {exhibit.sha256}"
    return changed(
        case,
        {"dossier": case.dossier.model_copy(update={"exhibits": exhibits}), "signals": signals},
        {
            f"exhibit:{exhibit.exhibit_id}": Event(
                at=exhibit.recorded_at, kind="exhibit recorded", by=exhibit.recorded_by, note=note
            )
        },
    )


def packed(case: Case, pack: Pack, now: datetime) -> Case:
    """Return the case with the pack on record, once. Packs are held against the head in its event."""
    if any(each.digest == pack.digest for each in case.dossier.packs):
        return case
    packs = (*case.dossier.packs, pack)
    event = Event(at=now, kind="evidence packed", note=f"{pack.size} bytes, head {pack.head}")
    return changed(
        case,
        {"dossier": case.dossier.model_copy(update={"packs": packs})},
        {f"pack:{pack.digest}": event},
    )
