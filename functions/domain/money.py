"""Money: integer fen (1 yuan = 100 fen), never a float."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import Field

Fen = Annotated[int, Field(ge=0)]


def fen(yuan: str | int | Decimal) -> int:
    """Return the amount in fen. `yuan` as text ("59.90"), whole yuan or Decimal.

    Raises ValueError for anything that is not a whole number of fen.
    """
    try:
        amount = Decimal(yuan) * 100
    except (InvalidOperation, TypeError) as error:
        raise ValueError(f"{yuan!r} is not an amount in yuan, such as 59.90") from error
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise ValueError(f"{yuan!r} is not a whole number of fen")
    return int(amount)


def yuan(amount: int) -> str:
    """Return fen as yuan with two decimals: 5990 -> "59.90"."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02d}"
