"""The pace of this deployment. Only a local one has another than the real one."""

from functions.domain.pace import Pace
from functions.runtime.settings import number


def pace() -> Pace:
    return Pace(scale=number("WINBACK_TIME_SCALE", 1), floor_s=int(number("WINBACK_TIME_FLOOR_S", 0)))
