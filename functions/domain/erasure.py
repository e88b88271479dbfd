"""Erasure: a case without the person. What was decided and given stays; who it was and their words go."""

from datetime import datetime

from functions.domain.cases import Case, Event, changed
from functions.domain.exhibits import Erased


def forget_person(case: Case, files: Erased, now: datetime) -> Case:
    """Return the case without the person: who wrote, what was written, notes about it.

    `files` is what became of its files. Forgetting again changes nothing.
    """
    details = [signal.detail for signal in case.signals]
    known = case.review.customer_id, case.review.order_id, case.review.text, case.evidence, *details
    if "erased" in case.events and not any(known):
        return case
    review = case.review.without_person()
    events = {key: event.model_copy(update={"note": None}) for key, event in case.events.items()}
    return changed(
        case.model_copy(update={"events": events}),
        {
            "review": review,
            "evidence": (),
            "signals": tuple(signal.model_copy(update={"detail": ""}) for signal in case.signals),
            "malice": case.malice and case.malice.model_copy(update={"note": None}),
            "pauses": tuple(pause.model_copy(update={"why": ""}) for pause in case.pauses),
            "dossier": case.dossier.without_person(files.locked),
        },
        {"erased": Event(at=now, kind="person erased", note=files.told)},
    )
