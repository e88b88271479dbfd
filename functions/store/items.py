"""Items: pydantic models as DynamoDB items and back.

Times are the fixed-width ISO text of `functions.domain.times`, numbers are integers, and what is None
is not stored (inside a decision's facts it is: there "unknown" is something the table saw). Fields that
nothing looks for by name may be packed into one compressed attribute: each write of an item is paid for by
its size.
"""

import json
import zlib
from collections.abc import Mapping
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


def attributes(values: Mapping[str, Any]) -> "Item":
    """Return plain values as attributes: keys of an item, or the values of an expression."""
    return {name: _SERIALIZER.serialize(value) for name, value in values.items()}


def to_item(model: BaseModel, pack: tuple[str, ...] = (), **derived: str | bool) -> "Item":
    """Return the model's item; `derived` attributes serve keys and indexes and are not read back.

    The fields to `pack` go into one attribute, as compressed JSON.
    """
    values = model.model_dump(mode="json", exclude_none=True)
    if packed := {name: values.pop(name) for name in pack if name in values}:
        text = json.dumps(packed, ensure_ascii=False, separators=(",", ":"))
        values[_PACKED] = zlib.compress(text.encode())
    return attributes(values | derived)


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's attributes as plain values, those that were packed among them."""
    values = {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}
    if _PACKED in values:
        values |= json.loads(zlib.decompress(values.pop(_PACKED)))
    return values


def from_item(model: type[Model], item: Mapping[str, Any]) -> Model:
    """Return the model of an item. Raises Unreadable."""
    try:
        return model.model_validate(plain(item))
    except ValidationError as error:
        fields = sorted({".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False)})
        raise Unreadable(f"{model.__name__} with unknown {', '.join(fields)}") from None
