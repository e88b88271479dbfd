"""No number of the policy stands in the code that decides and acts: its literals are technical ones."""

import ast
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[2] / "functions"
FILES = sorted(
    path.relative_to(FUNCTIONS).as_posix()
    for folder in ("domain", "effects")
    for path in (FUNCTIONS / folder).glob("*.py")
)
# Literals that are no policy: units, limits of a protocol or of an item, the definition of a fact.
TECHNICAL: dict[str, dict[int | float, str]] = {
    "domain/alerts.py": {134: "characters of two SMS segments", 101: "length of a link"},
    "domain/arrangements.py": {80: "characters", 200: "characters", 20: "people of a field"},
    "domain/calendars.py": {
        400: "days without an opening after which there is none",
        512: "calendars kept",
        15: "hours: no zone is farther from UTC",
        6: "hours; place of the later time in 09:00-18:00",
        5: "length of 09:00",
        3: "place of the minutes in 09:00",
    },
    "domain/cases.py": {12: "digits of a token's key", 100: "percent"},
    "domain/channels.py": {
        120: "seconds that a slot may be booked ahead",
        900: "seconds, the longest delay of SQS",
        500: "milliseconds",
    },
    "domain/deadlines.py": {3600: "seconds of an hour, to tell it"},
    "domain/exhibits.py": {
        3: "characters",
        80: "characters",
        100: "characters",
        200: "characters",
        1000: "characters",
        16: "digits of an exhibit's number",
        1024: "bytes of a kilobyte",
        50: "exhibits that a case's item holds",
        2048: "MB that pack_builder copies in its time",
    },
    "domain/incidents.py": {16: "length of a hidden name", 50: "members that are worth a write to remove"},
    "domain/links.py": {
        3: "bits",
        5: "bytes",
        6: "bytes; bits",
        7: "mask of three bits",
        13: "bytes",
        32: "bits",
        35: "bits",
        38: "bits",
        39: "length of a token",
        1970: "the epoch",
        0xFFFFFFFF: "mask of 32 bits",
    },
    "domain/malice.py": {
        5: "quotes that an item holds",
        20: "signals that an item holds",
        100: "percent",
        200: "characters",
        2000: "characters",
    },
    "domain/messages.py": {
        30: "days of the fact promotional_last_30_days",
        24: "hours of a day",
        3600: "seconds of an hour",
    },
    "domain/money.py": {100: "fen of a yuan"},
    "domain/orders.py": {15: "seconds before the second try", 900: "seconds, the longest delay of SQS"},
    "domain/polling.py": {
        3: "minutes, the longest pause after a failure",
        4: "hours of a sweep in one poll",
        5: "seconds, the first pause after a failure",
        8: "bytes",
        10: "doublings",
        12: "bytes of an entry",
        15: "minutes of a bucket",
        20: "slices of a poll",
        24: "hours of a sweep",
        30: "minutes of a slice",
        2000: "fingerprints kept",
    },
    "domain/precision.py": {1.959964: "the normal distribution's 95 %", 4: "digits"},
    "domain/profiles.py": {365: "days of the fact spent_12_months"},
    "domain/reading.py": {100: "percent"},
    "domain/reckoning.py": {60: "minutes of an hour", 3600: "seconds of an hour"},
    "domain/reviews.py": {5: "stars", 16: "length of a version"},
    "domain/times.py": {8: "China is UTC+8"},
    "domain/windows.py": {5: "Monday to Friday"},
    "effects/alerts.py": {10: "entries of one PublishBatch"},
    "effects/messages.py": {5: "tries of a conditional write"},
    "effects/money.py": {5: "tries of a conditional write", 12: "characters of a coupon's code"},
    "effects/replies.py": {5: "minutes until the platform is asked again"},
    "effects/placing.py": {5: "tries of a conditional write", 8: "threads"},
}


@pytest.mark.parametrize("name", FILES)
def test_no_policy_number_stands_in_the_code(name: str) -> None:
    tree = ast.parse((FUNCTIONS / name).read_text(encoding="utf-8"))
    numbers = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    }
    assert numbers - {0, 1, 2} == TECHNICAL.get(name, {}).keys()  # a number that is gone goes here too


def test_every_explanation_is_of_a_file() -> None:
    assert TECHNICAL.keys() <= set(FILES)
