"""Rules validator: refuse a rulebook with faults before AppConfig rolls it out.

Trigger: AppConfig, whenever a rulebook's rollout is started; `winback rules push` asks it before that.
Effects: none. Answers with nothing; a rulebook with faults is an error, which AppConfig takes for a no.
"""

from base64 import b64decode
from typing import Any

from functions.rulebook import Rulebook, RuleError
from functions.rulebook.check import check
from functions.rulebook.files import unpacked
from functions.runtime.observability import logger, observed

_TOLD = 20  # faults; AppConfig shows the reason in one line


class FaultyRules(RuleError):
    """The rulebook must not be rolled out. Says what is wrong, line by line."""


@observed
def handler(event: dict[str, Any], context: Any) -> None:
    """Raises RuleError for content that is no rulebook, FaultyRules for one with faults."""
    files = unpacked(b64decode(event["content"]))
    if files is None:  # the rules beside the code: they were checked when it was deployed
        return
    faults = [str(fault) for fault in check(files)]
    if faults:
        more = [f"and {len(faults) - _TOLD} more"] if len(faults) > _TOLD else []
        raise FaultyRules("\n".join([*faults[:_TOLD], *more]))
    logger.info("rulebook has no faults", extra={"rulebook": Rulebook(files).version})
