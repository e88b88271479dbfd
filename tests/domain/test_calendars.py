"""Opening hours, against a clock that is looked at minute by minute."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from functions.domain import calendars
from functions.domain.calendars import (
    WEEK,
    Hours,
    NeverOpen,
    Span,
    add_open_time,
    day,
    is_known,
    open_on,
    open_spans,
    open_time_between,
    unknown_years,
)

# Looking at every minute of some weeks takes its time.
SLOWLY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
CHINA = timezone(timedelta(hours=8))
MINUTE = timedelta(minutes=1)
OFFICE = Hours.model_validate({"week": {"mon-fri": ["09:00-12:00", "13:30-18:00"]}, "holidays": "CN"})

# Zones that put their clocks forward and back, two of them at midnight and one by half an hour, and one
# that never does. Each with days around a change.
ZONES = {
    "Asia/Shanghai": [date(2026, 2, 13), date(2026, 9, 24), date(2026, 12, 31)],
    "Europe/Berlin": [date(2026, 3, 28), date(2026, 10, 24)],
    "America/New_York": [date(2026, 3, 7), date(2026, 10, 31)],
    "Australia/Lord_Howe": [date(2026, 4, 4), date(2026, 10, 3)],
    "Africa/Cairo": [date(2026, 4, 23), date(2026, 10, 29)],
    "America/Nuuk": [date(2026, 3, 28), date(2026, 10, 24)],
    "Asia/Kathmandu": [date(2026, 7, 1)],
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def is_open(hours: Hours, moment: datetime) -> bool:
    """Independent of the code: look at the wall's clock, then at the plan."""
    wall = moment.astimezone(ZoneInfo(hours.zone))
    shifts = hours.week.get(WEEK[wall.weekday()], ())
    if hours.holidays and wall.year <= 2026:
        if wall.date() in chinese_calendar.holidays:
            shifts = ()
        elif wall.date() in chinese_calendar.workdays:
            shifts = hours.week[hours.make_up_as]
    shifts = hours.days.get(wall.date(), shifts)
    return any(shift[:5] <= wall.strftime("%H:%M") < shift[6:] for shift in shifts)


@st.composite
def shifts(draw: st.DrawFn) -> list[str]:
    edges = sorted(draw(st.sets(st.integers(0, 96), min_size=0, max_size=6)))
    wall = [f"{edge // 4:02}:{edge % 4 * 15:02}" for edge in edges]
    return [f"{opens}-{closes}" for opens, closes in zip(wall[::2], wall[1::2], strict=False)]


@st.composite
def hours_and_start(draw: st.DrawFn) -> tuple[Hours, datetime]:
    name = draw(st.sampled_from(sorted(ZONES)))
    around = draw(st.sampled_from(ZONES[name]))
    week = {weekday: draw(shifts()) for weekday in draw(st.sets(st.sampled_from(WEEK)))}
    week["mon"] = draw(shifts().filter(bool))
    near = st.integers(0, 6).map(lambda days: around + timedelta(days=days))
    hours = Hours.model_validate(
        {
            "zone": name,
            "week": week,
            "holidays": draw(st.sampled_from(["CN", None])),
            "days": draw(st.dictionaries(near, shifts() | st.just("round the clock"), max_size=2)),
        }
    )
    minutes = draw(st.integers(0, 2 * 24 * 60))
    return hours, datetime(around.year, around.month, around.day, tzinfo=UTC) + minutes * MINUTE


@SLOWLY
@given(hours_and_start(), st.integers(0, 3 * 24 * 60))
def test_open_time_is_what_a_look_at_the_clock_every_minute_finds(
    given: tuple[Hours, datetime], minutes: int
) -> None:
    hours, start = given
    looked = sum(is_open(hours, start + n * MINUTE) for n in range(minutes))
    assert open_time_between(start, start + minutes * MINUTE, hours) == looked * 60


@SLOWLY
@given(hours_and_start(), st.integers(0, 2 * 60))
def test_adding_open_time_ends_where_looking_every_minute_ends(
    given: tuple[Hours, datetime], wanted: int
) -> None:
    hours, start = given
    moment = start
    left = wanted
    while left or (wanted == 0 and not is_open(hours, moment)):
        left -= is_open(hours, moment)
        moment += MINUTE
    assert add_open_time(start, wanted * 60, hours) == moment


@SLOWLY
@given(hours_and_start(), st.integers(1, 8 * 3600), st.integers(1, 8 * 3600))
def test_adding_in_two_steps_is_adding_at_once(
    given: tuple[Hours, datetime], first: int, second: int
) -> None:
    hours, start = given
    end = add_open_time(start, first + second, hours)
    assert add_open_time(add_open_time(start, first, hours), second, hours) == end
    assert open_time_between(start, end, hours) == first + second


@SLOWLY
@given(hours_and_start())
def test_spans_are_in_order_apart_and_not_empty(given: tuple[Hours, datetime]) -> None:
    hours, start = given
    spans = open_spans(hours, start)
    before = Span(start, start)
    for _ in range(10):
        span = next(spans)
        assert before.end <= span.start < span.end
        before = span


def test_without_hours_the_clock_runs_day_and_night() -> None:
    assert add_open_time(at("2026-05-02 03:00"), 7200, None) == at("2026-05-02 05:00")
    assert open_time_between(at("2026-05-02 03:00"), at("2026-05-03 03:00"), None) == 86400
    assert Hours().week == dict.fromkeys(WEEK, ("00:00-24:00",))


def test_nothing_counts_at_night_at_lunch_at_weekends_and_on_holidays() -> None:
    # From Thursday 30 April 2026 11:30: lunch, the evening, five days of holiday, then Wednesday 6 May.
    assert add_open_time(at("2026-04-30 11:30"), 3600, OFFICE) == at("2026-04-30 14:00")
    assert add_open_time(at("2026-04-30 17:30"), 3600, OFFICE) == at("2026-05-06 09:30")
    assert open_time_between(at("2026-04-30 18:00"), at("2026-05-06 09:00"), OFFICE) == 0


def test_a_make_up_saturday_has_the_shifts_of_a_working_day() -> None:
    saturday = date(2026, 5, 9)
    assert day(OFFICE, saturday).source == "make_up"
    assert day(OFFICE, saturday).shifts == ("09:00-12:00", "13:30-18:00")
    assert day(OFFICE, saturday + timedelta(days=7)).shifts == ()


def test_every_holiday_and_make_up_day_that_the_library_knows_is_kept() -> None:
    for known in (*chinese_calendar.holidays, *chinese_calendar.workdays):
        if known.year >= 2025:
            assert bool(day(OFFICE, known).shifts) is chinese_calendar.is_workday(known), known


def test_a_promotion_day_counts_more_than_the_week_and_the_holiday() -> None:
    hours = OFFICE.model_copy(
        update={"days": {date(2026, 10, 1): ("00:00-24:00",), date(2026, 11, 11): ("20:00-24:00",)}}
    )
    assert open_time_between(at("2026-10-01 00:00"), at("2026-10-02 00:00"), hours) == 86400
    assert add_open_time(at("2026-11-11 09:00"), 3600, hours) == at("2026-11-11 21:00")


def test_a_time_that_ends_with_a_shift_ends_at_its_closing() -> None:
    assert add_open_time(at("2026-05-08 17:00"), 3600, OFFICE) == at("2026-05-08 18:00")


def test_no_time_at_all_ends_at_the_next_opening() -> None:
    assert add_open_time(at("2026-05-08 23:00"), 0, OFFICE) == at("2026-05-09 09:00")


def test_an_hour_that_the_clock_shows_twice_is_open_twice_and_one_it_skips_not_at_all() -> None:
    berlin = Hours.model_validate({"zone": "Europe/Berlin", "week": {"sun": ["02:00-03:00"]}})
    back = open_on(berlin, date(2026, 10, 25))
    assert [span.end - span.start for span in back] == [timedelta(hours=2)]
    assert open_on(berlin, date(2026, 3, 29)) == []


def test_a_year_whose_holidays_are_not_known_goes_by_the_week_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    last = max(chinese_calendar.holidays).year
    assert is_known(last)
    assert not is_known(last + 1)
    new_year = date(last + 1, 1, 1)
    assert day(OFFICE, new_year).source == "unknown"
    assert day(OFFICE, new_year).shifts == OFFICE.week.get(WEEK[new_year.weekday()], ())
    december = datetime(last, 12, 31, 8, tzinfo=UTC)
    assert unknown_years(OFFICE, december, december + timedelta(days=1)) == [last + 1]
    assert unknown_years(OFFICE, december, december) == []
    assert unknown_years(Hours(), december, december + timedelta(days=1)) == []
    assert unknown_years(None, december, december + timedelta(days=1)) == []


def test_a_shop_without_an_opening_for_more_than_a_year_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendars, "open_on", lambda *_: [])
    with pytest.raises(NeverOpen, match="check the shop's hours"):
        add_open_time(at("2026-05-08 23:00"), 60, OFFICE)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"week": {}}, "week: the shop never opens; give at least one day a shift"),
        ({"week": {"mon-sun": []}}, "week: the shop never opens"),
        ({"week": {}, "days": {"2026-11-11": "round the clock"}}, "week: the shop never opens"),
        ({"week": {"mon": ["9:00-12:00"]}}, "mon, shift 1: '9:00-12:00' is no shift; write it like"),
        ({"week": {"mon": ["09:00-12:00", "13:00-25:00"]}}, "mon, shift 2: '13:00-25:00' is no shift"),
        ({"week": {"mon": ["22:00-02:00"]}}, 'a shift past midnight is two, "22:00-24:00" and "00:00-02:00"'),
        ({"week": {"mon": ["09:00-12:00", "11:00-13:00"]}}, "09:00-12:00 and 11:00-13:00 overlap"),
        ({"week": {"mon": "always"}}, 'mon: write ["09:00-12:00", "13:30-18:00"] or "round the clock"'),
        ({"week": {"monday": []}}, "'monday' is no day; write mon, tue"),
        ({"week": {"fri-mon": []}}, "'fri-mon' is no day"),
        ({"week": {"mon-fri": [], "tue": []}}, "tue is there twice"),
        ({"zone": "Peking"}, "'Peking' is no time zone; write its IANA name"),
        ({"zone": "Asia"}, "'Asia' is no time zone"),
        ({"days": {"2026-11-11": "open"}}, "2026-11-11: write"),
        ({"week": {"tue": ["09:00-10:00"]}, "holidays": "CN"}, "make_up_as: mon has no shift in the week"),
    ],
)
def test_hours_that_cannot_be_kept_are_refused_with_the_mend(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Hours.model_validate(given)
    assert said in refused.value.errors()[0]["msg"]


def test_hours_come_back_from_the_store_as_they_were() -> None:
    hours = OFFICE.model_copy(update={"days": {date(2026, 11, 11): ("00:00-24:00",)}})
    assert Hours.model_validate(hours.model_dump(mode="json")) == hours
