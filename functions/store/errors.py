"""What can go wrong in the store that a caller must know of."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

# A plain write that meets a running transaction on the same item is as late as one that comes after it.
_LATE = ("ConditionalCheckFailedException", "TransactionConflictException")


class StaleWrite(Exception):
    """Somebody else changed it since it was read: read it again, decide again."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was changed meanwhile; read it again and repeat")


class AlreadyOpen(Exception):
    """The review has its case already."""

    def __init__(self, case_id: str) -> None:
        super().__init__(f"{case_id} is already open")


class BadToken(ValueError):
    """A `next` that this list did not give out."""


class Unreadable(Exception):
    """A stored item does not have the shape that this version of the code knows.

    Names fields only: values may be what a customer wrote.
    """


class OverBudget(Exception):
    """The day's budget of this row, or of the shop, does not hold the amount: a person has to approve."""

    def __init__(self, row: str) -> None:
        super().__init__(f"the day's budget of {row} is used up")


class OrderRemedied(Exception):
    """Another case's remedy was for the same order."""

    def __init__(self) -> None:
        super().__init__("the order was remedied under another case")


class Throttled(Exception):
    """DynamoDB left part of a batch undone however often it was asked."""


@contextmanager
def stale_write(what: str) -> Iterator[None]:
    """Turn a failed condition into StaleWrite. `what` ends up in logs: name no person."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _LATE:
            raise StaleWrite(what) from error
        raise
