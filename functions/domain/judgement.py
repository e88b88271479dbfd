"""Judgement: what a person says of a suspicion, and what that makes of the case.

Suspected, the case is legal's within the hour and gets no remedy. Confirmed, an appeal is opened. Rejected,
it is a normal case again, decided anew by its cause with a deadline that runs from now. After a
rejection no table suspects it again; only a person may.
"""

from datetime import datetime

from functions.domain.appeals import opened, withdrawn
from functions.domain.cases import Case, Effect, Event, changed
from functions.domain.deadlines import due
from functions.domain.decisions import Decision, Rules
from functions.domain.malice import Malice, Signal, suspicion, with_signal
from functions.domain.pace import Pace
from functions.domain.remedies import goodwill, remedy
from functions.domain.times import iso


class NotJudged(ValueError):
    """A person's word does not fit how the case stands; the text says what to do first."""


def add_signal(case: Case, found: Signal, rules: Rules, pace: Pace, now: datetime) -> Case:
    """Return the case with one more signal, suspected if that is enough. The same one again changes nothing.

    A closed or resolved case only remembers it.
    """
    known = with_signal(case.signals, found)
    if known == case.signals:
        return case
    event = Event(at=now, kind="signal of malice", by=found.by, note=f"{found.name} ({found.source})")
    case = changed(case, {"signals": known}, {f"signal:{len(known)}": event})
    decision = suspicion(known, False, rules)
    if case.malice is not None or not case.waiting or decision.then["suspected"] is not True:
        return case
    return _suspected(case, Malice(status="suspected", at=now), decision, rules, pace, now)


def raise_suspicion(case: Case, by: str, note: str, rules: Rules, pace: Pace, now: datetime) -> Case:
    """Return the case as suspected by a person. Raises NotJudged without any signal."""
    _waiting(case)
    if case.malice is not None and case.malice.status != "rejected":
        return case
    decision = suspicion(case.signals, True, rules)
    if decision.then["suspected"] is not True:
        raise NotJudged(f"{case.case_id} shows no signal of malice. {decision.why} Hand in the chat first.")
    return _suspected(case, Malice(status="suspected", by=by, at=now, note=note), decision, rules, pace, now)


def confirm_malice(case: Case, by: str, note: str, rules: Rules, pace: Pace, now: datetime) -> Case:
    """Return the case as malicious: legal's, without remedy or follow-up, an appeal to file.

    Confirming again changes nothing. Raises NotJudged for a case that is not suspected.
    """
    _waiting(case)
    if case.malice is None or case.malice.status == "rejected":
        raise NotJudged(f"{case.case_id} is not suspected; raise the suspicion first")
    if case.malice.status == "confirmed":
        return case
    dossier = case.dossier.model_copy(update={"appeal": opened(case, rules, pace, now)})
    word = Malice(status="confirmed", by=by, at=now, note=note)
    event = Event(at=now, kind="malice confirmed", by=by, note=note)
    update = {"malice": word, "dossier": dossier}
    return changed(case, update, {case.keyed("malice confirmed"): event})


def reject_malice(case: Case, by: str, note: str, rules: Rules, pace: Pace, now: datetime) -> Case:
    """Return the case as a normal one: graded by its cause, due from now on, with its remedy.

    Rejecting again changes nothing. Raises NotJudged for a case that nobody suspects.
    """
    if case.malice is not None and case.malice.status == "rejected":
        return case
    _waiting(case)
    if case.malice is None:
        raise NotJudged(f"{case.case_id} is not suspected; there is nothing to reject")
    dossier = case.dossier.model_copy(update={"appeal": withdrawn(case, now)})
    word = Malice(status="rejected", by=by, at=now, note=note)
    event = Event(at=now, kind="malice rejected", by=by, note=note)
    case = changed(case, {"malice": word, "dossier": dossier}, {case.keyed("malice rejected"): event})
    return _regraded(case, False, (), rules, pace, now)


def _suspected(case: Case, word: Malice, decision: Decision, rules: Rules, pace: Pace, now: datetime) -> Case:
    event = Event(at=now, kind="malice suspected", by=word.by, note=word.note or decision.why)
    case = changed(case, {"malice": word}, {case.keyed("malice suspected"): event})
    return _regraded(case, True, (decision,), rules, pace, now)


def _regraded(
    case: Case, suspected: bool, decisions: tuple[Decision, ...], rules: Rules, pace: Pace, now: datetime
) -> Case:
    """Decide again what depends on the suspicion and begin a new run: whoever owns the case now is alerted,
    with a chain and a deadline from now on. Alerts of the run before that did not go out never will.
    """
    grade = rules.ask.grades(cause=case.cause, suspected_malicious=suspected)
    offer = remedy(_order_value(case), suspected, rules)
    extra = goodwill(case.tier, suspected, rules)
    warn_at, due_at = due(grade, now, rules, case.hours)
    first = rules.ask.alerts(kind="first", level=0, grade=grade.text("grade"))
    note = f"{grade.text('grade')} for {grade.text('owner')}, due {iso(due_at)}, {offer.text('remedy')}"
    again = case.model_copy(update={"run": case.run + 1})
    kept = {key: each for key, each in case.outbox.items() if each.kind != "alert"}
    told = {again.keyed("alert:0"): Effect(kind="alert", at=now, level=0)}
    return changed(
        again,
        {
            "status": "open",
            "acknowledged_at": None,
            "pauses": tuple(pause.model_copy(update={"until": pause.until or now}) for pause in case.pauses),
            "suspected_malicious": suspected,
            "grade": grade.text("grade"),
            "owner": grade.text("owner"),
            "remedy": offer.text("remedy"),
            "coupon": offer.number("coupon"),
            "goodwill": extra.text("goodwill"),
            "follow_up": grade.then["follow_up"] is True,
            "decisions": (*case.decisions, *decisions, grade, offer, extra),
            "warn_at": warn_at,
            "due_at": due_at,
            "level": 0,
            "escalate_at": now + pace.wait(first.number("wait")),
            "outbox": kept | told,
        },
        {again.keyed("reopened"): Event(at=now, kind="graded again", note=note)},
    )


def _order_value(case: Case) -> int | None:
    """Return what the remedy was decided on (fen): a later look would see another order."""
    values = [decision.facts["order_value"] for decision in case.decisions if decision.table == "remedies"]
    value = values[-1] if values else case.review.price
    return value if isinstance(value, int) else None


def _waiting(case: Case) -> None:
    if not case.waiting:
        raise NotJudged(f"{case.case_id} is {case.status}; only a case that waits can be judged")
