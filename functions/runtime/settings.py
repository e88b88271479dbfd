"""Settings: what the deployment tells a function through its environment."""

import os


class MissingSetting(Exception):
    """A variable that this function needs is not in its environment."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not set: the stack must put it into this function's environment")


def setting(name: str) -> str:
    """Return the variable's value. Raises MissingSetting when it is absent or empty."""
    value = os.environ.get(name, "")
    if not value:
        raise MissingSetting(name)
    return value


def number(name: str, default: float) -> float:
    """Return the variable as a number, `default` when it is absent or empty.

    Raises ValueError, naming the variable, for anything that is not a number.
    """
    value = os.environ.get(name, "")
    try:
        return float(value) if value else default
    except ValueError as error:
        raise ValueError(f"{name}={value!r} is not a number") from error
