"""Deadlines: one pure function of what the case has recorded, and its reckoning line by line."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.calendars import Hours, open_spans
from functions.domain.deadlines import Clock, Pause, deadline, due, ended, ran, running
from functions.domain.decisions import Decision
from functions.domain.reckoning import explain_deadline, reckon
from functions.rulebook import load
from tests.builders import decision
from tests.domain.test_calendars import SLOWLY, hours_and_start, is_open

RULES = load()
CHINA = timezone(timedelta(hours=8))
MINUTE = timedelta(minutes=1)
OFFICE = Hours.model_validate({"week": {"mon-fri": ["09:00-12:00", "13:30-18:00"]}, "holidays": "CN"})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def grade(within: int = 7200, notice: int = 1800) -> Decision:
    return decision(then={"grade": "logistics_delay", "respond_within": within, "warn_before": notice})


def pause(since: str, until: str | None = None) -> Pause:
    return Pause(since=at(since), until=at(until) if until else None, why="照片", by="王芳")


def clock(started: str, *pauses: Pause, hours: Hours | None = OFFICE, **given: Any) -> Clock:
    return Clock(grade(**given), at(started), hours, pauses)


@st.composite
def clocks(draw: st.DrawFn) -> Clock:
    """A clock with up to three pauses in its first two days, the last of them perhaps still open."""
    hours, start = draw(hours_and_start())
    edges = sorted(draw(st.sets(st.integers(0, 2 * 24 * 60), max_size=6)))
    moments = [start + edge * MINUTE for edge in edges]
    pauses = [
        Pause(since=since, until=until, why="photo")
        for since, until in zip(moments[::2], moments[1::2], strict=False)
    ]
    if len(moments) % 2:
        pauses.append(Pause(since=moments[-1], why="photo"))
    within = draw(st.integers(1, 2 * 60)) * 60
    notice = draw(st.integers(0, within // 60)) * 60
    return Clock(grade(within, notice), start, hours if draw(st.booleans()) else None, tuple(pauses))


def looked_at(clock: Clock, wanted: timedelta) -> datetime | None:
    """When the clock has run for so long, found minute by minute; None where it stands for ever before."""

    def runs(moment: datetime) -> bool:
        stands = any(
            each.since <= moment and (not each.until or moment < each.until) for each in clock.pauses
        )
        return not stands and (clock.hours is None or is_open(clock.hours, moment))

    moment, left = clock.started_at, wanted
    while left or (not wanted and not runs(moment)):
        if clock.waits and moment >= clock.pauses[-1].since:
            return None
        left -= MINUTE * runs(moment)
        moment += MINUTE
    return moment


@SLOWLY
@given(clocks())
def test_deadlines_are_what_a_look_at_the_clock_every_minute_finds(clock: Clock) -> None:
    assert deadline(clock) == (looked_at(clock, clock.within - clock.notice), looked_at(clock, clock.within))


@SLOWLY
@given(clocks())
def test_the_reckoning_counts_exactly_the_time_up_to_the_deadline(clock: Clock) -> None:
    spans = [span for counted in reckon(clock) for span in counted.spans]
    due_at = deadline(clock).due_at
    end = due_at or clock.pauses[-1].since
    assert sum((end - start for start, end in spans), timedelta()) == ran(clock, end)
    assert due_at is None or spans[-1].end == due_at
    for language in ("en", "zh"):
        assert explain_deadline(clock, language)


@SLOWLY
@given(clocks(), st.integers(0, 600))
def test_ending_the_wait_gives_back_exactly_what_was_left(clock: Clock, minutes: int) -> None:
    if not clock.waits:
        assert ended(clock, clock.started_at) == {}
        return
    since = clock.pauses[-1].since
    now = since + minutes * MINUTE
    over = ended(clock, now)
    again = replace(clock, pauses=over["pauses"])
    assert not again.waits
    assert (over["warn_at"], over["due_at"]) == deadline(again)
    if deadline(clock).due_at is None:
        left = clock.within - ran(clock, since)
        assert over["due_at"] == looked_at(replace(again, pauses=(), started_at=now), left)


# What must hold


def test_a_review_on_friday_evening_before_a_make_up_saturday_is_due_on_saturday_morning() -> None:
    evening = clock("2026-05-08 17:40")
    assert deadline(evening) == (at("2026-05-09 10:10"), at("2026-05-09 10:40"))
    assert explain_deadline(evening) == [
        "First visible Fri 2026-05-08 17:40 (Asia/Shanghai). Grade logistics delay: an answer within 2 h, "
        "counted in opening hours.",
        "Fri 2026-05-08, open 09:00–12:00 and 13:30–18:00: 17:40–18:00 counts 20 min, 1 h 40 min left.",
        "Sat 2026-05-09 is a working day (调休, made up for 劳动节), open 09:00–12:00 and 13:30–18:00: "
        "09:00–10:40 counts 1 h 40 min.",
        "Warning at Sat 2026-05-09 10:10, due at Sat 2026-05-09 10:40.",
    ]
    assert explain_deadline(evening, "zh") == [
        "首次可见：2026-05-08 周五 17:40（Asia/Shanghai）。物流慢：须在2小时内响应，按营业时间计时。",
        "2026-05-08 周五，营业 09:00–12:00、13:30–18:00：17:40–18:00 计20分，还剩1小时40分。",
        "2026-05-09 周六为调休上班日（劳动节），营业 09:00–12:00、13:30–18:00：09:00–10:40 计1小时40分。",
        "预警 2026-05-09 周六 10:10，截止 2026-05-09 周六 10:40。",
    ]


def test_the_same_evening_a_week_later_is_due_on_monday() -> None:
    assert deadline(clock("2026-05-15 17:40")).due_at == at("2026-05-18 10:40")


def test_a_review_before_the_national_holiday_is_due_after_it_each_day_explained() -> None:
    lines = explain_deadline(clock("2026-09-30 17:40"))
    assert [line for line in lines if "国庆节" in line] == [
        f"{weekday} 2026-10-0{number} is a holiday (国庆节): closed."
        for number, weekday in enumerate(("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"), 1)
    ]
    assert lines[-1] == "Warning at Thu 2026-10-08 10:10, due at Thu 2026-10-08 10:40."


def test_a_pause_is_explained_and_its_time_is_not_counted() -> None:
    paused = clock("2026-05-11 09:00", pause("2026-05-11 09:30", "2026-05-11 16:00"))
    assert explain_deadline(paused)[1:] == [
        "Mon 2026-05-11, open 09:00–12:00 and 13:30–18:00: 09:00–09:30 and 16:00–17:30 counts 2 h.",
        "The clock stood Mon 2026-05-11 09:30 to Mon 2026-05-11 16:00, waiting for the customer: 照片.",
        "Warning at Mon 2026-05-11 17:00, due at Mon 2026-05-11 17:30.",
    ]


def test_a_case_that_still_waits_is_told_what_will_be_left() -> None:
    waits = clock("2026-05-11 09:00", pause("2026-05-11 09:30"))
    assert deadline(waits) == (None, None)
    assert explain_deadline(waits, "zh")[1:] == [
        "2026-05-11 周一，营业 09:00–12:00、13:30–18:00：09:00–09:30 计30分，还剩1小时30分。",
        "2026-05-11 周一 09:30 起暂停计时，等待客户：照片。",
        "恢复计时后还剩1小时30分。",
    ]


def test_a_year_without_known_holidays_is_named() -> None:
    lines = explain_deadline(clock("2026-12-31 17:40"))
    assert "the holidays of 2027 are not known yet: taken as in any week" in lines[2]


def test_a_promotion_day_and_the_whole_clock_are_explained() -> None:
    hours = OFFICE.model_copy(update={"days": {date(2026, 11, 11): ("00:00-24:00",)}})
    assert explain_deadline(clock("2026-11-10 17:00", hours=hours))[2:] == [
        "Wed 2026-11-11 (a day with hours of its own): 00:00–01:00 counts 1 h.",
        "Warning at Wed 2026-11-11 00:30, due at Wed 2026-11-11 01:00.",
    ]
    assert explain_deadline(clock("2026-11-10 23:30:20", hours=None)) == [
        "First visible Tue 2026-11-10 23:30:20 (Asia/Shanghai). Grade logistics delay: an answer within 2 h, "
        "counted round the clock.",
        "Tue 2026-11-10: 23:30:20–24:00 counts 29 min 40 s, 1 h 30 min 20 s left.",
        "Wed 2026-11-11: 00:00–01:30:20 counts 1 h 30 min 20 s.",
        "Warning at Wed 2026-11-11 01:00:20, due at Wed 2026-11-11 01:30:20.",
    ]


def test_the_promised_day_is_a_day_of_the_clock_that_runs() -> None:
    warn_at, due_at = due(grade(24 * 3600), at("2026-05-08 09:00"), RULES, OFFICE)
    # 7.5 hours a day: Friday, the make-up Saturday, Monday, and 1.5 hours of Tuesday.
    assert (warn_at, due_at) == (at("2026-05-12 10:00"), at("2026-05-12 10:30"))


# How others failed


def test_the_clock_does_not_run_outside_hours() -> None:
    """chatwoot #13392: deadlines ran through nights and weekends."""
    assert deadline(clock("2026-05-15 20:00")).due_at == at("2026-05-18 11:00")
    assert ran(clock("2026-05-15 20:00"), at("2026-05-18 09:00")) == timedelta()


def test_every_shift_of_a_day_counts_not_only_the_first() -> None:
    """chatwoot #14009: a day had one block of hours only, lunch included."""
    assert deadline(clock("2026-05-11 11:00")).due_at == at("2026-05-11 14:30")


def test_nothing_is_warned_of_or_due_at_midnight_in_a_closed_shop() -> None:
    """zammad #4432: reminders came at midnight and on Sundays."""
    for hour in range(24):
        started = datetime(2026, 5, 15, hour, 30, tzinfo=CHINA)
        for moment in deadline(Clock(grade(), started, OFFICE)):
            assert moment is not None
            assert time_in_a_shift(moment), moment


def time_in_a_shift(moment: datetime) -> bool:
    opened = next(open_spans(OFFICE, moment - timedelta(microseconds=1)))
    return opened.start <= moment <= opened.end


def test_the_clock_stands_while_the_customer_is_asked() -> None:
    """zammad #3140: escalated because the customer took long to answer the agent."""
    asked = clock("2026-05-11 09:00", pause("2026-05-11 09:10"))
    assert deadline(asked) == (None, None)
    over = ended(asked, at("2026-05-13 09:00"))
    assert over["due_at"] == at("2026-05-13 10:50")


def test_the_clock_does_not_run_after_the_end() -> None:
    """chatwoot #10178: the clock ran on after the case was resolved."""
    case = clock("2026-05-11 09:00")
    assert explain_deadline(case, ended_at=at("2026-05-11 10:30"))[-1] == (
        "Ended Mon 2026-05-11 10:30, with 30 min left."
    )
    assert explain_deadline(case, ended_at=at("2026-05-11 11:30"))[-1] == (
        "Ended Mon 2026-05-11 11:30, after the deadline."
    )


def test_hours_are_the_shops_own_not_utc() -> None:
    """oncall #4752, #5512: windows in UTC only, and no condition on working days."""
    berlin = Hours.model_validate({"zone": "Europe/Berlin", "week": {"mon-fri": ["09:00-17:00"]}})
    started = datetime(2026, 3, 27, 15, 30, tzinfo=UTC)  # Friday 16:30 before the clocks go forward
    assert deadline(Clock(grade(), started, berlin)).due_at == datetime(2026, 3, 30, 8, 30, tzinfo=UTC)


def test_a_shop_that_never_closes_loses_nothing_at_midnight() -> None:
    """zammad #3180: each midnight took a minute from a calendar that was always open."""
    started = at("2026-05-11 23:00")
    assert deadline(Clock(grade(), started, Hours())) == deadline(Clock(grade(), started))


def test_a_clock_that_goes_back_while_waiting_does_not_harm() -> None:
    waits = clock("2026-05-11 09:00", pause("2026-05-11 09:10"))
    (over,) = ended(waits, at("2026-05-11 09:09"))["pauses"]
    assert over.until == over.since


def test_pauses_of_an_earlier_run_change_nothing() -> None:
    earlier = pause("2026-05-08 09:30", "2026-05-08 10:00")
    assert deadline(clock("2026-05-11 09:00", earlier)) == deadline(clock("2026-05-11 09:00"))
    assert next(running(clock("2026-05-11 09:00", earlier))).start == at("2026-05-11 09:00")
