"""Causes: what a bad review is about. A case's grade is named after its cause."""

from typing import Literal, get_args

Cause = Literal[
    "logistics_delay",
    "damaged_lost",
    "quality",
    "wrong_missing",
    "size_mismatch",
    "service_attitude",
    "price",
    "malicious",
    "other",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)
