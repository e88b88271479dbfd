"""Reviews: what a customer wrote about an order, as every platform's connector delivers it."""

from hashlib import sha256
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.money import Fen
from functions.domain.times import Time

Rating = Literal["good", "neutral", "bad"]


class Review(BaseModel):
    """One version of one review. An edit or an append is a new version under the same key.

    `posted_at` is when the customer wrote it (the platform's clock), `first_seen_at` when a
    poll, push or file first showed it to us.
    """

    model_config = ConfigDict(frozen=True)

    shop_id: str = Field(min_length=1)
    platform: str = Field(min_length=1)
    review_id: str = Field(min_length=1, description="The platform's natural key inside the shop")
    order_id: str | None = None
    customer_id: str | None = Field(None, description="The platform's open id, never a phone number")
    product_id: str | None = None
    product_title: str = ""
    price: Fen | None = Field(None, description="Price of the reviewed item, fen")
    stars: int | None = Field(None, ge=1, le=5)
    rating: Rating | None = Field(None, description="Three-step rating of platforms without stars")
    text: str = ""
    posted_at: Time
    first_seen_at: Time

    @property
    def key(self) -> str:
        """The same for all versions: `platform#shop#review`."""
        return f"{self.platform}#{self.shop_id}#{self.review_id}"

    @property
    def version(self) -> str:
        """Names this version by what the customer said (16 hex digits)."""
        said = "\x1f".join((str(self.stars), str(self.rating), self.text))
        return sha256(said.encode()).hexdigest()[:16]

    def without_person(self) -> "Review":
        """Return the review without who wrote it and what was written."""
        return self.model_copy(update={"customer_id": None, "order_id": None, "text": ""})
