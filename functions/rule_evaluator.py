"""Rule evaluator: decide what each new review means and record it.

Trigger: the reviews queue, in batches; failed messages come again alone.
Effects: a bad review opens a case and is remembered in its customer's profile, in one transaction; a new
version of a review that has a case is noted there. A good review writes nothing. The cases table's
stream sets off the rest.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import ValidationError

from functions.domain.calendars import Hours, unknown_years
from functions.domain.cases import Case, case_id, new_version, open_case
from functions.domain.profiles import Order, Profile, remember
from functions.domain.reviews import Review
from functions.domain.verdicts import Verdict, judge
from functions.runtime.batches import Record, each
from functions.runtime.clock import now
from functions.runtime.observability import count, logger, observed
from functions.store import cases, customers, rulebooks, shops
from functions.store.errors import AlreadyOpen, StaleWrite
from functions.store.pace import pace

Buyer = tuple[str, str, str | None]

_ATTEMPTS = 5


class MalformedReview(ValueError):
    """A message that is no review. Names the fields, never their values."""


@observed
def handler(event: dict[str, Any], context: Any) -> Any:
    seen = Batch([review for review in map(_readable, event["Records"]) if review is not None])
    return each(event, partial(evaluate, seen=seen))


class Batch:
    """What is known about a batch's reviews, read in three calls however many they are."""

    def __init__(self, reviews: list[Review]) -> None:
        self.rules = rulebooks.current()  # the same for the whole batch
        self.verdicts = {(review.key, review.version): judge(review, self.rules) for review in reviews}
        self.cases = cases.read_many({case_id(review.key) for review in reviews})
        strangers = [review for review in reviews if self.verdict(review).bad and self.case(review) is None]
        self.buyers = customers.profile_and_order(_buyers(strangers))
        self.hours = _hours({review.shop_id for review in strangers}, now())

    def verdict(self, review: Review) -> Verdict:
        return self.verdicts[review.key, review.version]

    def case(self, review: Review) -> Case | None:
        return self.cases.get(case_id(review.key))


def evaluate(record: Record, seen: Batch) -> None:
    """Record what one review means. Raises MalformedReview, StaleWrite."""
    review, moment = _review(record), now()
    verdict, case = seen.verdict(review), seen.case(review)
    if case is None and not verdict.bad:
        return
    recorded = _open(review, verdict, seen, moment) if case is None else _note(review, case, moment)
    seen.cases[recorded.case_id] = recorded  # a later version may stand in the same batch


def _open(review: Review, verdict: Verdict, seen: Batch, moment: datetime) -> Case:
    buyers, hours = seen.buyers, seen.hours.get(review.shop_id)
    for _ in range(_ATTEMPTS):
        profile, order = _known(review, buyers)
        case = open_case(review, verdict, profile, order, seen.rules, moment, pace(), hours)
        try:
            opened = cases.open_case(case, remember(profile, review) if review.customer_id else None)
        except AlreadyOpen:
            # Another version of the same review came first.
            return _note(review, None, moment)
        except StaleWrite as error:
            # The profile changed since the batch was read: decide again on the new one.
            stale, buyers = error, customers.profile_and_order(_buyers([review]))
        else:
            count("BadReviews")
            count("CasesOpened")
            _doubt(opened)
            return opened
    raise stale


def _note(review: Review, case: Case | None, moment: datetime) -> Case:
    return cases.change(case_id(review.key), lambda stands: new_version(stands, review, moment), known=case)


def _hours(shop_ids: set[str], moment: datetime) -> dict[str, Hours | None]:
    """Return the shops' hours. One with unreadable hours never closes: better to warn too early."""
    opening = shops.hours(shop_ids, moment)
    for shop, why in opening.unreadable.items():
        logger.error("hours cannot be read: the clock runs round the clock", extra={"shop": shop, "why": why})
        count("HoursInDoubt")
    return opening.hours


def _doubt(case: Case) -> None:
    """Say it where a deadline lies in a year whose holidays are not known."""
    if years := unknown_years(case.hours, case.review.first_seen_at, case.due_at):
        logger.warning(
            "holidays not known: the deadline goes by the week; update the library chinesecalendar",
            extra={"shop": case.shop_id, "case_id": case.case_id, "years": years},
        )
        count("HoursInDoubt")


def _known(
    review: Review, buyers: Mapping[Buyer, tuple[Profile, Order | None]]
) -> tuple[Profile, Order | None]:
    if review.customer_id is None:
        return Profile(shop_id=review.shop_id, customer_id="unknown"), None
    return buyers[review.shop_id, review.customer_id, review.order_id]


def _buyers(reviews: Iterable[Review]) -> set[Buyer]:
    return {(review.shop_id, review.customer_id, review.order_id) for review in reviews if review.customer_id}


def _review(record: Record) -> Review:
    try:
        return Review.model_validate_json(record["body"])
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['type']}"
            for fault in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise MalformedReview(f"not a review; mend {'; '.join(faults)} and send it again") from None


def _readable(record: Record) -> Review | None:
    """The review of a message, None for one that will fail by itself when its turn comes."""
    try:
        return _review(record)
    except MalformedReview:
        return None
