"""Rulebook: read, compile, check, explain and decide the tables in rules/."""

import os
from functools import lru_cache
from pathlib import Path

from functions.rulebook.book import BlankVariable, Rulebook
from functions.rulebook.faults import NoRowHolds, RuleError

__all__ = ["SHIPPED", "BlankVariable", "NoRowHolds", "RuleError", "Rulebook", "load"]

SHIPPED = Path(__file__).resolve().parents[2] / "rules"


@lru_cache(maxsize=1)
def load() -> Rulebook:
    """Return the rulebook shipped beside the code, or the one in WINBACK_RULES_DIR."""
    return Rulebook(Path(os.environ.get("WINBACK_RULES_DIR") or SHIPPED))
