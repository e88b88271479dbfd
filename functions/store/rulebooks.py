"""The rulebook in force: what `winback rules push` rolled out through AppConfig, else the bundled rules.

Asking costs a look at the clock. Once a minute it costs one call, which says whether there is another
rulebook for this process; a gradual rollout reaches some processes earlier than others. What cannot be
fetched or has faults is logged and counted, and the rules that were in force stay in force.
"""

import os
import time
from threading import Lock
from typing import NamedTuple

from botocore.exceptions import ClientError

from functions.rulebook import Rulebook, RuleError, load
from functions.rulebook.files import unpacked
from functions.runtime.clients import client
from functions.runtime.observability import count, logger
from functions.runtime.settings import number

# WINBACK_RULEBOOK is "application/environment/profile" in AppConfig; without it only the bundled rules count.
_SHORTEST_S = 15  # AppConfig's own bound of the interval
_asking = Lock()


class _Known(NamedTuple):
    rules: Rulebook | None  # None before the first call
    token: str | None  # for AppConfig, which then only answers what is new
    until: float


_known = _Known(None, None, 0.0)


def current() -> Rulebook:
    """Return the rulebook to decide by now. Never raises for what is in AppConfig, or is not."""
    known = _known
    if known.rules is not None and (time.time() < known.until or not _asking.acquire(blocking=False)):
        return known.rules
    if known.rules is None:
        _asking.acquire()
    try:
        return _asked()
    finally:
        _asking.release()


def forget() -> None:
    """Start again from the bundled rules."""
    global _known
    _known = _Known(None, None, 0.0)


def _asked() -> Rulebook:
    global _known
    rules = _known.rules or load()
    if _known.rules is not None and time.time() < _known.until:  # another thread was first
        return rules
    place = os.environ.get("WINBACK_RULEBOOK")
    if not place:
        _known = _Known(rules, None, float("inf"))
        return rules
    every, token = number("WINBACK_RULEBOOK_EVERY_S", 60), _known.token
    try:
        document, token, wanted = _fetched(place, token, every)
        if every >= _SHORTEST_S:  # else it is the emulator, which answers at any time
            every = max(every, wanted)
        if document:
            rules = _checked(document, rules)
    except RuleError as error:
        _kept(rules, error)
    except Exception as error:  # whatever is wrong with it: reviews are decided all the same
        token = None  # it may have expired
        if not _nothing_pushed(error):
            _kept(rules, error)
    _known = _Known(rules, token, time.time() + every)
    return rules


def _fetched(place: str, token: str | None, every: float) -> tuple[bytes, str, float]:
    """Return the document (empty: nothing new), the token for the next call, and seconds until that."""
    application, environment, profile = place.split("/")
    appconfig = client("appconfigdata")
    if token is None:
        session = appconfig.start_configuration_session(
            ApplicationIdentifier=application,
            EnvironmentIdentifier=environment,
            ConfigurationProfileIdentifier=profile,
            RequiredMinimumPollIntervalInSeconds=max(_SHORTEST_S, int(every)),
        )
        token = session["InitialConfigurationToken"]
    answer = appconfig.get_latest_configuration(ConfigurationToken=token)
    wanted = float(answer.get("NextPollIntervalInSeconds", 0))  # asked earlier, AppConfig refuses
    return answer["Configuration"].read(), answer["NextPollConfigurationToken"], wanted


def _checked(document: bytes, before: Rulebook) -> Rulebook:
    """Return the rulebook of a document. Raises RuleError where this code could not decide by it."""
    bundled, files = load(), unpacked(document)
    rules = bundled if files is None else Rulebook(files)
    if rules.version in (before.version, bundled.version):
        return before if rules.version == before.version else bundled
    from functions.rulebook.check import check  # the bundled rules were checked when they were deployed

    if faults := check(rules.files):
        raise RuleError(f"rulebook {rules.version}: {len(faults)} faults, the first: {faults[0]}")
    logger.info("rulebook changed", extra={"from": before.version, "to": rules.version})
    return rules


def _nothing_pushed(error: Exception) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] == "ResourceNotFoundException"


def _kept(rules: Rulebook, error: Exception) -> None:
    count("RulebookUnusable")
    logger.error(
        "rulebook not usable",
        extra={"kept": rules.version, "error": type(error).__name__, "reason": str(error)},
    )
