"""The keys that sign links: one secret, {"signs": 1, "1": "…", "2": "…"}, made by the deployment.

A new key is added under the next number (0 to 7), five minutes later, when every process knows it, `signs`
is set to it, and the old one is dropped once its last links have expired (docs/operations.md).
"""

import json
from datetime import datetime

from functions.domain.links import Keys
from functions.runtime.credentials import secret
from functions.runtime.settings import setting

_SHORTEST = 16  # bytes


class UnusableKeys(Exception):
    """The secret does not hold what it should. Says what is wrong, never what is in it."""


def link_keys(now: datetime) -> Keys:
    """Return the keys, at most five minutes old. Raises UnusableKeys, MissingSecret."""
    name = setting("WINBACK_LINK_KEYS")
    try:
        held = {str(key): value for key, value in json.loads(secret(name, now)).items()}
        signs = int(held.pop("signs"))
        known = {int(number): str(key).encode() for number, key in held.items()}
    except (ValueError, KeyError, AttributeError, TypeError):
        raise UnusableKeys(f'{name} is not {{"signs": 1, "1": "…"}}') from None
    usable = all(0 <= number <= 7 and len(key) >= _SHORTEST for number, key in known.items())
    if signs not in known or not usable:
        raise UnusableKeys(
            f"{name} needs keys of {_SHORTEST} bytes or more, numbered 0 to 7, and the one that signs"
        )
    return Keys(signs, known)
