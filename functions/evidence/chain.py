"""The chain: every entry of a pack's manifest carries the hash of the one before it.

`hash = SHA-256(canonical JSON of the entry without its hash)`; the entry holds `previous`, the hash before
it, and the first one holds the hash of the manifest's heading. So whoever knows the last hash, the `head`,
knows every byte of every file and their order.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

FORMAT = "winback-evidence/1"


def canonical(value: Any) -> bytes:
    """Return the one way to write this as JSON: sorted keys, no spaces, UTF-8 (RFC 8785 without floats)."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def digest(value: Any) -> str:
    return sha256(canonical(value)).hexdigest()


def linked(previous: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry in the chain, with `previous` and its own `hash`."""
    held = {**entry, "previous": previous}
    return {**held, "hash": digest(held)}
