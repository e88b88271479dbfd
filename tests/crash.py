"""Dying right after an effect: the call succeeds on the server, then the process is gone.

How to test that a handler survives that, at every place it can happen:

    def test_dying_after_any_effect_and_a_retry_ends_the_same(aws: Cloud) -> None:
        names = effects(lambda: handler(event, None))      # an undisturbed run
        expected = end_state()
        for n in range(1, len(names) + 1):
            aws.empty()                                    # a world as it was before
            with dying_after(n):
                handler(event, None)                       # Died is swallowed here, nowhere else
            handler(event, None)                           # the event comes again
            assert end_state() == expected, names[n - 1]

Only calls that change something count; reading ones do not. `Died` is no Exception, so that no handler
can catch it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient

_READING = ("Get", "BatchGet", "TransactGet", "Query", "Scan", "Describe", "Receive", "List", "Head")


class Died(BaseException):
    """The process died right after an effect."""


def effects(run: Callable[[], object]) -> list[str]:
    """Run undisturbed; return the writing calls it made in order, such as "dynamodb.PutItem"."""
    names: list[str] = []
    with _watching(names.append):
        run()
    return names


@contextmanager
def dying_after(n: int) -> Iterator[None]:
    """Let the n-th writing call (from 1) succeed, then die. Fails if the block makes fewer calls."""
    names: list[str] = []

    def die(name: str) -> None:
        names.append(name)
        if len(names) == n:
            raise Died(f"right after {name}")

    with _watching(die):
        try:
            yield
        except Died:
            return
    raise AssertionError(f"nothing died: the block made {len(names)} writing calls, not {n}: {names}")


@contextmanager
def _watching(happened: Callable[[str], None]) -> Iterator[None]:
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def calling(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        answer = call(client, operation, parameters)
        if not operation.startswith(_READING):
            happened(f"{client.meta.service_model.service_name}.{operation}")
        return answer

    with patch.object(BaseClient, "_make_api_call", calling):
        yield
