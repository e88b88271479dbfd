"""Sources: the text of a rules file, and on which line something stands in it (tomllib does not say)."""

import re
import tomllib
from functools import cached_property
from typing import Any

from functions.rulebook.faults import Fault

_HEADER = re.compile(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?")


class Source:
    """A rules file. Raises tomllib.TOMLDecodeError where it is not TOML."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.data: dict[str, Any] = tomllib.loads(text)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def _headers(self) -> list[tuple[str, int]]:
        found = ((_HEADER.match(line), number) for number, line in enumerate(self._lines))
        return [(match[1], number) for match, number in found if match]

    def line(self, section: str | None = None, index: int = 0, *keys: str) -> int:
        """Return the line (from 1) of the nth `[section]`, or of the innermost of the keys inside it.

        Without a section it is the line of a key at the top of the file.
        """
        start, end = 0, self._headers[0][1] if self._headers else len(self._lines)
        found = 0
        if section is not None:
            starts = [number for name, number in self._headers if name == section]
            if index < len(starts):
                found = start = starts[index]
                end = next((number for _, number in self._headers if number > start), len(self._lines))
            else:
                keys = (section, *keys)  # written as `facts = { ... }` at the top
        for key in keys:
            pattern = re.compile(rf"""(?:^|[\s{{,])["']?{re.escape(key)}["']?\s*=""")
            hit = next((n for n in range(start, end) if pattern.search(self._lines[n])), None)
            if hit is not None:
                found = start = hit
        return found + 1

    def fault(self, line: int, kind: str, message: str, mend: str, row: str | None = None) -> Fault:
        return Fault(self.file, line, kind, message, mend, row)


def unreadable(file: str, error: tomllib.TOMLDecodeError) -> Fault:
    """Return the fault of a file that is not TOML."""
    match = re.search(r"at line (\d+)", str(error))
    mend = "Look for a quote, bracket or comma that is missing just there"
    if "Cannot" in str(error):  # declare or overwrite
        mend = "A name stands twice, or [row] or [case] lacks its second brackets: [[row]]"
    return Fault(file, int(match[1]) if match else 1, "toml", str(error).rstrip("."), mend)
