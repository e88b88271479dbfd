"""The words that packed items share (functions/store/words-*.txt), taken from lives of cases.

    python -m tests.bench.words

writes a new file and says its name. Stored items need the file they were packed with for ever, so a file is
never changed or deleted: a new one is written when the old one has become poor, and named in
functions/store/items.py.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import adler32

from functions.store import cases, items
from tests.bench.calls import BATCH
from tests.bench.cost import Life, complaints, live
from tests.bench.small_stack import small_stack

_START = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)
_MOST = 16_384  # bytes; more would cost more time for each item than it saves space


def words() -> bytes:
    """Return what cases have in common: each piece once, whole cases last, where they are found best."""
    with small_stack() as cloud:
        live(Life(cloud, _START), complaints(_START)[BATCH : 2 * BATCH])
        lived = [_packed(item) for item in cloud.items("cases")]
    pieces: dict[str, None] = {}
    for case in lived:
        for name in ("decisions", "reach"):
            pieces |= dict.fromkeys(map(_text, case[name]))
    return ("".join(pieces) + _text(lived[0])).encode()[-_MOST:]


def _packed(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in cases.NAMED}


def _text(value: Any) -> str:
    """Compact JSON as items are packed, without what no two cases share."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return re.sub(r"\d{18}", "", text)


if __name__ == "__main__":
    made = words()
    place = Path(items.__file__).parent / f"words-{adler32(made):08x}.txt"
    place.write_bytes(made)
    print(f"{place.name}, {len(made)} bytes")
