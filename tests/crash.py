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
can catch it. Right before or right after any of these calls something else may also happen completely, as
if another function ran at the same moment:

    with disturbed(place, lambda: other(event, None)):
        handler(event, None)
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient

_READING = ("Get", "BatchGet", "TransactGet", "Query", "Scan", "Describe", "Receive", "List", "Head")


class Died(BaseException):
    """The process died right after an effect."""


class Places:
    """The places of a run where something else may come in: before and right after each write, from 0."""

    def __init__(self) -> None:
        self._left = 0
        self._by: Callable[[str | None], object] | None = None

    @contextmanager
    def disturbed(self, place: int, by: Callable[[str | None], object]) -> Iterator[None]:
        """At this place let `by` happen, which is told where; None afterwards, where the run is shorter."""
        self._left, self._by = place, by
        try:
            yield
        finally:
            missed, self._by = self._by, None
        if missed is not None:
            missed(None)

    @contextmanager
    def writing(self, what: str) -> Iterator[None]:
        self._reach(f"before {what}")
        yield
        self._reach(f"after {what}")

    def _reach(self, where: str) -> None:
        if self._by is not None and self._left:
            self._left -= 1
        elif self._by is not None:
            by, self._by = self._by, None
            by(where)


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
def disturbed(place: int, by: Callable[[], object]) -> Iterator[None]:
    """At this place of the block, from 0, let `by` happen: evenly before, oddly right after a writing call.

    Where the block makes fewer calls it happens afterwards.
    """
    places = Places()
    with _around(places.writing), places.disturbed(place, lambda _: by()):
        yield


@contextmanager
def _watching(happened: Callable[[str], None]) -> Iterator[None]:
    @contextmanager
    def calling(name: str) -> Iterator[None]:
        yield
        happened(name)

    with _around(calling):
        yield


@contextmanager
def _around(writing: Callable[[str], AbstractContextManager[None]]) -> Iterator[None]:
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def calling(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation.startswith(_READING):
            return call(client, operation, parameters)
        with writing(f"{client.meta.service_model.service_name}.{operation}"):
            return call(client, operation, parameters)

    with patch.object(BaseClient, "_make_api_call", calling):
        yield
