"""Duty: the rota in the shop's own time, swaps, and who comes next."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from functions.domain.duty import Duty, Override, Rota, Shift, next_there, on_duty, there
from functions.domain.windows import DAYS

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)  # 08:00 in Shanghai
WORKDAYS = DAYS[:5]


def shift(role: Any = "agent", *people: str, **given: Any) -> Shift:
    wanted = {"days": WORKDAYS, "starts": "09:00", "ends": "18:00", **given}
    return Shift(role=role, people=people or ("lin",), **wanted)


def duty(*shifts: Shift, overrides: tuple[Override, ...] = (), zone: str = "Asia/Shanghai") -> Duty:
    return Duty(rota=Rota(time_zone=zone, shifts=shifts, by="wang", at=MONDAY), overrides=overrides)


def override(*people: str, **given: Any) -> Override:
    return Override.model_validate(
        {
            "override_id": "O-1",
            "role": "agent",
            "people": people,
            "starts": MONDAY,
            "ends": MONDAY + timedelta(days=1),
            "by": "wang",
            "reason": "ill",
            "at": MONDAY,
            **given,
        }
    )


def local(day: int, clock: str, zone: str = "+08:00") -> datetime:
    return datetime.fromisoformat(f"2026-03-{day:02}T{clock}:00{zone}")


def test_a_shift_is_told_in_the_shops_own_time_not_in_utc() -> None:  # OnCall #4752, #5512
    desk = duty(shift())
    assert on_duty(desk, "agent", local(2, "08:59")) == ()
    assert on_duty(desk, "agent", local(2, "09:00")) == ("lin",)
    assert on_duty(desk, "agent", local(2, "17:59")) == ("lin",)
    assert on_duty(desk, "agent", local(2, "18:00")) == ()
    assert on_duty(duty(shift(), zone="Europe/Berlin"), "agent", local(2, "09:00", "+01:00")) == ("lin",)


def test_a_shift_has_its_days() -> None:
    assert on_duty(duty(shift()), "agent", local(7, "12:00")) == ()  # a Saturday
    assert next_there(duty(shift()), ["agent"], local(6, "18:00")) == local(9, "09:00")


def test_a_shift_on_workdays_keeps_the_chinese_calendar() -> None:  # OnCall #5512
    desk = duty(shift("agent", "lin", days=("workday",)), shift("agent", "wu", days=("restday",)))

    def on(day: str) -> tuple[str, ...]:
        return on_duty(desk, "agent", datetime.fromisoformat(f"{day}T12:00:00+08:00"))

    assert on("2026-02-14") == ("lin",), "a Saturday made a working day for the Spring Festival"
    assert on("2026-02-17") == ("wu",), "a Tuesday in the Spring Festival"
    assert on("2026-03-04") == ("lin",)
    assert on("2026-03-07") == ("wu",)


def test_a_holiday_queues_to_the_first_shift_after_it() -> None:
    desk = duty(shift("agent", "lin", days=("workday",)))
    eve = datetime.fromisoformat("2026-02-14T18:00:00+08:00")
    back = next_there(desk, ["agent"], eve)
    assert back == datetime.fromisoformat("2026-02-24T09:00:00+08:00")


def test_a_night_shift_belongs_to_the_day_it_begins_on() -> None:
    desk = duty(shift("agent", "lin", days=("fri",), starts="22:00", ends="06:00"))
    assert on_duty(desk, "agent", local(7, "05:59")) == ("lin",)  # Saturday morning
    assert on_duty(desk, "agent", local(6, "05:59")) == ()


def test_all_day_is_from_midnight_to_midnight() -> None:
    desk = duty(shift("agent", "lin", days=DAYS, starts="00:00", ends="24:00"))
    assert all(on_duty(desk, "agent", local(2, "00:00") + timedelta(hours=n)) for n in range(48))


def test_a_shift_starts_by_the_wall_clock_when_clocks_change() -> None:
    desk = duty(shift(days=DAYS), zone="Europe/Berlin")
    for day, offset in ((28, "+01:00"), (29, "+02:00")):  # summer time begins on the 29th
        assert not on_duty(desk, "agent", local(day, "08:59", offset))
        assert on_duty(desk, "agent", local(day, "09:00", offset))


def test_a_role_that_the_rota_does_not_name_is_always_there() -> None:
    assert there(duty(shift("agent")), "manager", local(7, "03:00"))
    assert there(Duty(), "agent", MONDAY)
    assert not there(duty(shift("agent")), "agent", local(7, "03:00"))


def test_a_swap_puts_one_person_in_the_place_of_another() -> None:
    desk = duty(shift("agent", "lin", "zhao"), overrides=(override("wu", instead_of="lin"),))
    assert on_duty(desk, "agent", local(2, "12:00")) == ("zhao", "wu")
    assert on_duty(desk, "agent", local(3, "12:00")) == ("lin", "zhao"), "it is over"
    assert on_duty(desk, "agent", local(2, "20:00")) == (), "nobody to stand in for"


def test_an_override_of_a_role_takes_the_place_of_the_rota() -> None:
    desk = duty(shift("agent", "lin"), overrides=(override("wu"),))
    assert on_duty(desk, "agent", local(2, "20:00")) == ("wu",)


def test_the_last_word_holds() -> None:
    first = override("wu", override_id="O-9")
    second = override("sun", override_id="O-1", at=MONDAY + timedelta(minutes=1))
    assert on_duty(duty(shift(), overrides=(second, first)), "agent", local(2, "12:00")) == ("sun",)


def test_nobody_in_the_place_of_somebody_means_that_nobody_is_there() -> None:
    away = override(instead_of="lin", starts=local(2, "00:00"), ends=local(4, "12:00"))
    desk = duty(shift("agent", "lin"), overrides=(away,))
    assert next_there(desk, ["agent"], local(2, "10:00")) == local(4, "12:00"), "back in mid-shift"


def test_people_who_are_away_for_long_come_back_at_the_next_shift() -> None:
    desk = duty(shift("agent", "lin", days=("mon",)))
    assert next_there(desk.model_copy(update={"rota": None}), ["agent"], MONDAY) == MONDAY
    empty = duty(shift("agent", "lin"), overrides=(override(ends=local(30, "00:00")),))
    assert next_there(empty, ["agent"], MONDAY) == local(30, "09:00")


@settings(deadline=None)
@given(
    minutes=st.integers(0, 14 * 24 * 60),
    starts=st.integers(0, 23),
    length=st.integers(1, 23),
    days=st.sets(st.sampled_from(DAYS), min_size=1),
    absent=st.tuples(st.integers(0, 10 * 24), st.integers(1, 10 * 24)),
)
def test_the_next_moment_is_the_first_minute_at_which_somebody_is_there(
    minutes: int, starts: int, length: int, days: set[Any], absent: tuple[int, int]
) -> None:
    now = MONDAY + timedelta(minutes=minutes)
    away = override(
        instead_of="lin",
        starts=MONDAY + timedelta(hours=absent[0]),
        ends=MONDAY + timedelta(hours=sum(absent)),
    )
    worked = shift(
        "agent",
        "lin",
        days=tuple(days),
        starts=f"{starts:02}:00",
        ends=f"{(starts + length) % 24:02}:00",
    )
    desk = duty(worked, overrides=(away,))
    at = next_there(desk, ["agent"], now)
    assert there(desk, "agent", at)
    step = now
    while step < at:
        assert not there(desk, "agent", step)
        step += timedelta(minutes=max(1, min(60, int((at - step).total_seconds() // 60))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"starts": "9:00"},
        {"ends": "25:00"},
        {"starts": "09:00", "ends": "09:00"},
        {"starts": "24:00"},
        {"days": ()},
        {"days": ("montag",)},
        {"people": ()},
        {"people": ("13800000000",)},
        {"role": "boss"},
        {"night": True},
    ],
)
def test_a_shift_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Shift(**{"role": "agent", "people": ("lin",), "starts": "09:00", "ends": "18:00", **wrong})


def test_a_time_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="no time zone such as Asia/Shanghai"):
        Rota(time_zone="Asia/Peking", by="wang", at=MONDAY)
