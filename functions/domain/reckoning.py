"""The reckoning of a deadline, day by day: "why is this due at 14:30?"."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Literal, NamedTuple

from functions.domain.alerts import GRADES
from functions.domain.calendars import ALL_DAY, Day, Hours, Span, day, open_on, zone
from functions.domain.deadlines import Clock, Pause, deadline, ran, running

Language = Literal["en", "zh"]


class Counted(NamedTuple):
    """A date, and the spans of it in which the clock ran, up to the deadline."""

    day: Day
    spans: list[Span]

    @property
    def total(self) -> timedelta:
        return sum((end - start for start, end in self.spans), timedelta())


def explain_deadline(clock: Clock, language: Language = "en", ended_at: datetime | None = None) -> list[str]:
    """Return why the deadline is when it is, a line a day and a line a pause, in the shop's own time.

    `ended_at` is when the case was resolved or closed.
    """
    words = _WORDS[language]
    place = zone((clock.hours or Hours()).zone)
    lines, left = [_first(clock, words, place)], clock.within
    waits = list(clock.pauses)
    for counted in reckon(clock):
        left -= counted.total
        lines.append(_day(counted, left, words, place))
        while waits and waits[0].since.astimezone(place).date() <= counted.day.date:
            lines.append(_pause(waits.pop(0), words, place))
    lines += [_pause(pause, words, place) for pause in waits]
    return [*lines, *_last(clock, ended_at, words, place)]


def reckon(clock: Clock) -> Iterator[Counted]:
    """Yield every date from the beginning to the deadline, or to a pause that has not ended."""
    hours = clock.hours or Hours()
    left, place = clock.within, zone(hours.zone)
    at = clock.started_at.astimezone(place).date()
    last = clock.pauses[-1].since.astimezone(place).date() if clock.waits else None
    while left > timedelta() and (last is None or at <= last):
        spans: list[Span] = []
        for start, end in _within(running(clock), open_on(hours, at)):
            if left:
                end = min(end, start + left)
                left -= end - start
                spans.append(Span(start, end))
        yield Counted(day(hours, at), spans)
        at += timedelta(days=1)


def _within(spans: Iterator[Span], wanted: list[Span]) -> Iterator[Span]:
    """Yield the parts of the spans that lie in the wanted ones."""
    for start, end in spans:
        if not wanted or start >= wanted[-1].end:
            return
        for first, last in wanted:
            if max(start, first) < min(end, last):
                yield Span(max(start, first), min(end, last))


class _Words(NamedTuple):
    days: tuple[str, ...]
    units: tuple[str, str, str]
    moment: str  # of date, weekday, time
    seen: str
    reopened: str
    hours: str
    round_the_clock: str
    open: str
    both: str
    closed: str
    sources: dict[str, str]
    counts: str
    left: str
    nothing: str
    paused: str
    still: str
    due: str
    stands: str
    in_time: str
    late: str


_WORDS = {
    "en": _Words(
        days=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        units=(" h", " min", " s"),
        moment="{1} {0}",
        seen="First visible {at} ({zone}). Grade {grade}: an answer within {within}, counted {of}.",
        reopened="Re-opened {at} ({zone}). Grade {grade}: an answer within {within}, counted {of}.",
        hours="in opening hours",
        round_the_clock="round the clock",
        open=", open {}",
        both=" and ",
        closed="closed",
        sources={
            "week": "",
            "days": " (a day with hours of its own)",
            "holiday": " is a holiday ({name})",
            "make_up": " is a working day (调休, made up for {name})",
            "unknown": " (the holidays of {year} are not known yet: taken as in any week)",
        },
        counts="{spans} counts {total}",
        left=", {} left",
        nothing="nothing counts",
        paused="The clock stood {since} to {until}, waiting for the customer: {why}.",
        still="The clock stands since {since}, waiting for the customer: {why}.",
        due="Warning at {warn}, due at {due}.",
        stands="{left} will be left when it runs on.",
        in_time="Ended {at}, with {left} left.",
        late="Ended {at}, after the deadline.",
    ),
    "zh": _Words(
        days=("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
        units=("小时", "分", "秒"),
        moment="{0} {1}",
        seen="首次可见：{at}（{zone}）。{grade}：须在{within}内响应，{of}。",
        reopened="重新打开：{at}（{zone}）。{grade}：须在{within}内响应，{of}。",
        hours="按营业时间计时",
        round_the_clock="全天计时",
        open="，营业 {}",
        both="、",
        closed="休息",
        sources={
            "week": "",
            "days": "（特别营业日）",
            "holiday": "放假（{name}）",
            "make_up": "为调休上班日（{name}）",
            "unknown": "（{year}年放假安排未知，按每周计划）",
        },
        counts="{spans} 计{total}",
        left="，还剩{}",
        nothing="不计时",
        paused="{since} 至 {until} 暂停计时，等待客户：{why}。",
        still="{since} 起暂停计时，等待客户：{why}。",
        due="预警 {warn}，截止 {due}。",
        stands="恢复计时后还剩{left}。",
        in_time="{at} 结束，还剩{left}。",
        late="{at} 结束，已超时。",
    ),
}


def _first(clock: Clock, words: _Words, place: tzinfo) -> str:
    name = clock.grade.text("grade")
    return (words.reopened if clock.reopened else words.seen).format(
        at=_moment(clock.started_at, words, place),
        zone=place,
        grade=GRADES[name] if words is _WORDS["zh"] else name.replace("_", " "),
        within=_lasting(clock.within, words),
        of=words.hours if clock.hours else words.round_the_clock,
    )


def _day(counted: Counted, left: timedelta, words: _Words, place: tzinfo) -> str:
    on = counted.day
    source = words.sources[on.source].format(name=on.name, year=on.date.year)
    what = words.moment.format(on.date, words.days[on.date.weekday()]) + source
    colon = "：" if words is _WORDS["zh"] else ": "
    stop = "。" if words is _WORDS["zh"] else "."
    if not on.shifts:
        return f"{what}{colon}{words.closed}{stop}"
    if on.shifts != ALL_DAY:
        what += words.open.format(words.both.join(shift.replace("-", "–") for shift in on.shifts))
    if not counted.spans:
        return f"{what}{colon}{words.nothing}{stop}"
    spans = words.both.join(
        f"{_wall(start, place)}–{_wall(end, place, True)}" for start, end in counted.spans
    )
    counts = words.counts.format(spans=spans, total=_lasting(counted.total, words))
    return f"{what}{colon}{counts}{words.left.format(_lasting(left, words)) if left else ''}{stop}"


def _pause(pause: Pause, words: _Words, place: tzinfo) -> str:
    since = _moment(pause.since, words, place)
    if pause.until is None:
        return words.still.format(since=since, why=pause.why)
    return words.paused.format(since=since, until=_moment(pause.until, words, place), why=pause.why)


def _last(clock: Clock, ended_at: datetime | None, words: _Words, place: tzinfo) -> Iterator[str]:
    warn_at, due_at = deadline(clock)
    if warn_at is not None and due_at is not None:
        yield words.due.format(warn=_moment(warn_at, words, place), due=_moment(due_at, words, place))
    elif ended_at is None:
        left = clock.within - ran(clock, clock.pauses[-1].since)
        yield words.stands.format(left=_lasting(left, words))
    if ended_at is not None:
        left = clock.within - ran(clock, ended_at)
        line = words.late if due_at is not None and due_at < ended_at else words.in_time
        yield line.format(at=_moment(ended_at, words, place), left=_lasting(left, words))


def _moment(at: datetime, words: _Words, place: tzinfo) -> str:
    local = at.astimezone(place)
    return f"{words.moment.format(local.date(), words.days[local.weekday()])} {_wall(at, place)}"


def _wall(at: datetime, place: tzinfo, closing: bool = False) -> str:
    """Return the time on the wall; seconds only where there are any."""
    local = at.astimezone(place)
    wall = local.strftime("%H:%M:%S" if local.second else "%H:%M")
    return "24:00" if closing and wall == "00:00" else wall


def _lasting(time: timedelta, words: _Words) -> str:
    hours, rest = divmod(round(time.total_seconds()), 3600)
    parts = zip((hours, *divmod(rest, 60)), words.units, strict=True)
    between = "" if words is _WORDS["zh"] else " "
    return between.join(f"{number}{unit}" for number, unit in parts if number) or f"0{words.units[1]}"
