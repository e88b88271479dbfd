"""Alerts: whom to tell of a case, in what words (rules/alerts.toml, rules/templates/alert-*.toml)."""

from datetime import datetime, timedelta, timezone

from pydantic import BaseModel, ConfigDict

from functions.domain.cases import Case, Effect
from functions.domain.decisions import Decision, Rules
from functions.domain.reviews import Review

# China has one time zone and no summer time, so no zone database is needed in the functions.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")

# Two concatenated UCS-2 segments of 67 characters each (3GPP TS 23.038 and 23.040).
SMS_LENGTH = 134
LINK_LENGTH = 85  # the API's own address in any region, and the case number

GRADES = {
    "logistics_delay": "物流慢",
    "damaged_lost": "破损丢件",
    "quality": "质量",
    "wrong_missing": "错发漏发",
    "size_mismatch": "尺码不符",
    "service_attitude": "服务态度",
    "price": "价格",
    "malicious": "疑似恶意",
    "other": "其他",
}
_UNSURE = "（请核对原因）"
_RATINGS = {"bad": "差评", "neutral": "中评", "good": "好评含不满", None: "不满"}


class Alert(BaseModel):
    """A message to the shop's own people. `key` is the same however often it is sent."""

    model_config = ConfigDict(frozen=True)

    key: str
    case_id: str
    shop_id: str
    grade: str
    kind: str
    roles: tuple[str, ...]
    due_at: datetime
    sms: str


def route(kind: str, level: int, grade: str, rules: Rules) -> Decision:
    """Return the decision with `roles`, `template` and `wait` (s until the next level, 0 at the end)."""
    return rules.decide("alerts", {"kind": kind, "level": level, "grade": grade})


def alert(case: Case, effect: Effect, link: str, rules: Rules) -> Alert:
    """Return the alert of an outbox effect. It holds no personal data: no name, no review text.

    Its SMS fits SMS_LENGTH with links of up to LINK_LENGTH characters, which infra/stages.py checks.
    """
    level = effect.level or 0
    kind = effect.name or ("escalation" if level else "first")
    decision = route(kind, level, case.grade, rules)
    values = {
        "grade": GRADES[case.grade] + (_UNSURE if case.needs_check else ""),
        "how_bad": how_bad(case.review),
        "due": case.due_at.astimezone(CHINA).strftime("%H:%M"),  # within 24 hours, so the day is plain
        "case_id": case.case_id,
        "link": link,
    }
    room = SMS_LENGTH + 1 - _units(rules.render(decision.text("template"), values | {"product": "#"}))
    product = _cut(case.review.product_title or "商品", room)
    return Alert(
        key=case.keyed(f"{case.case_id}:{kind}:{level}"),
        case_id=case.case_id,
        shop_id=case.shop_id,
        grade=case.grade,
        kind=kind,
        roles=tuple(decision.names("roles")),
        due_at=case.due_at,
        sms=rules.render(decision.text("template"), values | {"product": product}),
    )


def how_bad(review: Review) -> str:
    return f"{review.stars}星" if review.stars is not None else _RATINGS[review.rating]


def _units(text: str) -> int:
    """UCS-2 units: a character outside the basic plane takes two."""
    return len(text.encode("utf-16-be")) // 2


def _cut(text: str, room: int) -> str:
    """Return the text in at most `room` units, one at least: a link too long is no reason not to alert."""
    if _units(text) <= room:
        return text
    while text and _units(text) > room - 1:
        text = text[:-1]
    return text + "…"
