"""Alerts: whom to tell of a case, in what words (rules/alerts.toml, rules/templates/alert-*.toml)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from functions.domain.calendars import zone
from functions.domain.cases import Case, Effect
from functions.domain.decisions import Decision, Rules
from functions.domain.reviews import Review
from functions.domain.times import CHINA

# Two concatenated UCS-2 segments of 67 characters each (3GPP TS 23.038 and 23.040).
SMS_LENGTH = 134
LINK_LENGTH = 101  # the API's own address in any region where SNS sends SMS, /p/ and the token

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
_DAYS = "一二三四五六日"
CHAIN = ("first", "escalation", "repeat")  # the kinds that an acknowledgement ends
_UNSURE = "（请核对原因）"
_RATINGS = {"bad": "差评", "neutral": "中评", "good": "好评不满", None: "不满"}


class Alert(BaseModel):
    """A message to the shop's own people. `key` is the same however often it is sent."""

    model_config = ConfigDict(frozen=True)

    key: str
    case_id: str
    shop_id: str
    grade: str
    kind: str
    roles: tuple[str, ...]
    people: tuple[str, ...] = ()
    due_at: datetime
    sms: str


def route(kind: str, level: int, grade: str, rules: Rules) -> Decision:
    """Return the decision with `roles`, `template` and `wait` (s until the next level, 0 at the end)."""
    return rules.ask.alerts(kind=kind, level=level, grade=grade)


def kind_of(effect: Effect) -> str:
    """Return the kind of an outbox effect's alert, as rules/alerts.toml names it."""
    return effect.name or ("escalation" if effect.level else "first")


def alert(
    case: Case,
    effect: Effect,
    link: str,
    rules: Rules,
    *,
    kind: str | None = None,
    roles: Sequence[str] | None = None,
    people: Sequence[str] = (),
    count: int = 1,
) -> Alert:
    """Return the alert of an outbox effect. It holds no personal data: no name, no review text.

    `kind` where it is told as something else than the effect is (the `count` cases of an incident), `roles`
    and `people` where the rota says who gets it. Its SMS fits SMS_LENGTH with links of up to LINK_LENGTH
    characters, which infra/stages.py checks.
    """
    level, own = effect.level or 0, kind_of(effect)
    kind = kind or own
    decision = route(kind, level, case.grade, rules)
    values = {
        "grade": GRADES[case.grade] + (_UNSURE if case.needs_check else ""),
        "how_bad": how_bad(case.review),
        "due": _when(case, effect.at, with_day=True),
        "link": link,
        "count": str(count),
    }
    room = _room(decision.text("template"), values, rules)
    if room < 1:  # a long link: better the time without its day, and no doubt, than a third segment
        values |= {"due": _when(case, effect.at, with_day=False), "grade": GRADES[case.grade]}
        room = _room(decision.text("template"), values, rules)
    product = _cut(case.review.product_title or "商品", room)
    return Alert(
        key=case.keyed(
            f"{case.case_id}:{kind}:{level}" if kind == own else f"{case.case_id}:{kind}:{own}:{level}"
        ),
        case_id=case.case_id,
        shop_id=case.shop_id,
        grade=case.grade,
        kind=kind,
        roles=tuple(decision.names("roles") if roles is None else roles),
        people=tuple(people),
        due_at=case.due_at,
        sms=rules.render(decision.text("template"), values | {"product": product}),
    )


def how_bad(review: Review) -> str:
    return f"{review.stars}星" if review.stars is not None else _RATINGS[review.rating]


def _when(case: Case, told_at: datetime, *, with_day: bool) -> str:
    """Return the deadline on the shop's clock, with its day where that is not plain."""
    local = case.due_at.astimezone(zone(case.hours.zone) if case.hours else CHINA)
    within_a_day = timedelta() <= case.due_at - told_at < timedelta(days=1)
    day = "" if within_a_day or not with_day else f"周{_DAYS[local.weekday()]}"
    return f"{day}{local:%H:%M}"


def _room(template: str, values: Mapping[str, str], rules: Rules) -> int:
    """Return how many units of an SMS are left for the product's name."""
    return SMS_LENGTH + 1 - _units(rules.render(template, {**values, "product": "#"}))


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
