"""History: what was said to and by a customer, and what their replies mean."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from functions.domain.profiles import Channel
from functions.domain.times import Time

FREE = "free"  # the step of a message that a person writes
_OPT_OUT = re.compile(r"\W*(?:t|td|n|stop|退订|退定|取消订阅|unsubscribe)\W*", re.IGNORECASE)

State = Literal["held", "recalled", "sent", "received"]


class Message(BaseModel):
    """A text for a customer, for the shop's sender. `key` is the same however often it is sent."""

    model_config = ConfigDict(frozen=True)

    key: str
    case_id: str
    shop_id: str
    customer_id: str
    step: str
    channel: Channel
    promotional: bool
    text: str


class Entry(BaseModel):
    """A line of a customer's message history, by `at` and `key`.

    `sent` is written before the text is handed over, so that whoever counts finds it, whatever happens next.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    at: Time
    state: State
    step: str
    channel: Channel
    text: str
    case_id: str | None = None
    promotional: bool = False
    says: tuple[str, ...] = ()
    by: str | None = None
    sent_at: Time | None = None


def free_key(at: datetime) -> str:
    """Return the outbox key of a person's message."""
    return f"message:{FREE}-{at:%Y%m%dT%H%M%S%f}"


def awaits_answer(history: Sequence[Entry], answered_at: datetime | None) -> bool:
    """Whether the customer wrote last.

    What a person wrote since, or is about to, is the answer; so is a resolution, at `answered_at`, because
    nobody resolves a case without having read what its customer wrote.
    """
    last = max((one.at for one in history if one.state == "received"), default=None)
    if last is None or (answered_at is not None and last <= answered_at):
        return False
    return not any(one.step == FREE and one.state in ("held", "sent") and one.at > last for one in history)


def opts_out(text: str) -> bool:
    """Whether an inbound text says nothing but that no message is wanted any more."""
    return _OPT_OUT.fullmatch(text.strip()) is not None


def echoes(text: str, history: Sequence[Entry]) -> bool:
    """Whether an inbound text is one of our own that the platform shows us as if it came from outside."""
    return any(entry.state == "sent" and entry.text.strip() == text.strip() for entry in history)
