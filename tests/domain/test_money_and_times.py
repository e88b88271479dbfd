from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.money import fen, yuan
from functions.domain.times import duration, iso, parse


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_yuan_and_fen_are_inverse(amount: int) -> None:
    assert fen(yuan(amount)) == amount


@pytest.mark.parametrize("wrong", ["", "abc", "1.234", "NaN", "Infinity", None])
def test_an_amount_that_is_no_whole_number_of_fen_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match="is not"):
        fen(wrong)


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))
def test_written_times_are_read_back_and_sort_like_the_times(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert parse(iso(aware)) == aware
    assert iso(aware) < iso(aware + timedelta(microseconds=1))


def test_a_time_in_another_zone_is_written_in_utc() -> None:
    china = timezone(timedelta(hours=8))
    assert iso(datetime(2026, 1, 5, 9, 12, tzinfo=china)) == "2026-01-05T01:12:00.000000Z"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        iso(datetime(2026, 1, 5))
    with pytest.raises(ValueError, match="no time zone"):
        parse("2026-01-05T09:12:00")


def test_durations_are_a_number_and_a_unit() -> None:
    assert [duration(text).total_seconds() for text in ("90s", "15m", "2h", "3d")] == [90, 900, 7200, 259200]
    with pytest.raises(ValueError, match="15m"):
        duration("15 minutes")
