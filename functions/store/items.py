"""Items: pydantic models as DynamoDB items and back.

Times are the fixed-width ISO text of `functions.domain.times`, numbers are integers, and what is None
is not stored (inside a decision's facts it is: there "unknown" is something the table saw).

Each write of an item is paid for by its size, so what nothing looks for by name may be packed into one
attribute: compact JSON, compressed with the words that such items are full of (`words-*.txt`, made by
tests/bench/words.py; a packed value names its words by their checksum). What stands beside it under a name
that was packed too was written since, and counts.
"""

import json
import zlib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from pydantic import BaseModel, ValidationError

from functions.store.errors import Unreadable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

Model = TypeVar("Model", bound=BaseModel)


class _Plain(TypeDeserializer):
    """Integers instead of Decimal: nothing that the store keeps has a fraction. Bytes as they are."""

    def _deserialize_n(self, value: str) -> int:
        return int(value)

    def _deserialize_b(self, value: bytes) -> bytes:
        return value


_SERIALIZER, _DESERIALIZER = TypeSerializer(), _Plain()
_PACKED = "packed"
_WORDS = "8450e8a9"  # the words to pack with; others are there because items were packed with them
_WITH_WORDS, _CHECKSUM = 0x20, slice(2, 6)  # RFC 1950, 2.2: FDICT in FLG, and DICTID


def attributes(values: Mapping[str, Any]) -> "Item":
    """Return plain values as attributes: keys of an item, or the values of an expression."""
    return {name: _SERIALIZER.serialize(value) for name, value in values.items()}


def to_item(
    model: BaseModel, named: Collection[str] | None = None, **derived: str | bool | dict[str, Any]
) -> "Item":
    """Return the model's item; `derived` attributes serve keys and indexes and are not read back.

    Where `named` is given, all other fields are packed.
    """
    values = model.model_dump(mode="json", exclude_none=True)
    if named is not None:
        text = json.dumps(
            {name: values.pop(name) for name in [*values] if name not in named},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        packing = zlib.compressobj(9, zdict=_words(_WORDS))
        values[_PACKED] = packing.compress(text.encode()) + packing.flush()
    return attributes(values | derived)


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's attributes as plain values, those that were packed among them."""
    values = {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}
    if _PACKED in values:
        packed: dict[str, Any] = json.loads(_unpacked(values.pop(_PACKED)))
        for name, since in values.items():
            both = isinstance(since, dict) and isinstance(packed.get(name), dict)
            packed[name] = packed[name] | since if both else since
        return packed
    return values


def _unpacked(data: bytes) -> bytes:
    if data[1] & _WITH_WORDS:
        return zlib.decompressobj(zdict=_words(data[_CHECKSUM].hex())).decompress(data)
    return zlib.decompress(data)


@cache
def _words(checksum: str) -> bytes:
    return Path(__file__).with_name(f"words-{checksum}.txt").read_bytes()


def from_item(model: type[Model], item: Mapping[str, Any]) -> Model:
    """Return the model of an item. Raises Unreadable."""
    try:
        return model.model_validate(plain(item))
    except ValidationError as error:
        fields = sorted({".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False)})
        raise Unreadable(f"{model.__name__} with unknown {', '.join(fields)}") from None
