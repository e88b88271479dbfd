"""Decisions: what a rule table answered, with everything needed to explain it later."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from functions.domain.gate import Found
    from functions.domain.reading import Reading

Fact = bool | int | str | None | list[str]
Output = bool | int | str | None | list[str]


# Neither a pydantic model nor frozen: a case takes several decisions, and either would cost more than
# deciding does. Pydantic models hold it as a field all the same. A table of few values gives the same
# decision out again and again, so nothing of it may be changed.
@dataclass(slots=True)
class Decision:
    """The row of a table that decided, why, from which facts, under which rulebook.

    Money among `then` and `facts` is fen, durations are seconds. `then` belongs to the table and `facts`
    to whoever asked: neither may be changed. `shadow` is the row on trial that would have decided instead.
    """

    table: str
    row: str
    why: str
    then: Mapping[str, Output]
    facts: Mapping[str, Fact]
    rulebook: str
    shadow: str | None = None

    def text(self, name: str) -> str:
        return str(self.then[name])

    def number(self, name: str) -> int:
        """A whole number, an amount in fen or a duration in seconds; 0 where the row gives none."""
        value = self.then.get(name) or 0
        if not isinstance(value, int):
            raise TypeError(f"{self.table}.{self.row}: {name} is {value!r}, not a number")
        return value

    def names(self, name: str) -> Sequence[str]:
        value = self.then[name]
        if not isinstance(value, list):
            raise TypeError(f"{self.table}.{self.row}: {name} is {value!r}, not a list")
        return value


class Ask(Protocol):
    """The tables, each a function whose keyword arguments are its facts."""

    def __getattr__(self, table: str) -> Callable[..., Decision]: ...


class Rules(Protocol):
    """What the domain asks of the rulebook."""

    @property
    def version(self) -> str: ...

    def read(self, text: str) -> "Reading":
        """Say what a review's text complains about, with the lexicons of rules/lexicon*.toml."""
        ...

    @property
    def ask(self) -> Ask: ...

    def decide(self, table: str, facts: Mapping[str, Fact]) -> Decision: ...

    def render(self, template: str, values: Mapping[str, str]) -> str: ...

    def promotional(self, template: str) -> bool: ...

    def check(self, text: str) -> "list[Found]":
        """Say what a text to a customer is up to, with the phrases of rules/phrases.toml."""
        ...
