"""Order systems: where a shop takes orders for refunds and new parcels, and what day it is there."""

from datetime import datetime, tzinfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from functions.domain.times import CHINA


class OrderSystem(BaseModel):
    """Without an address and a secret a person carries orders out, from the pick list."""

    model_config = ConfigDict(frozen=True)

    shop_id: str
    orders_url: str = ""
    orders_secret: str = Field("", description="Name of the signing secret in Secrets Manager")
    time_zone: str = "Asia/Shanghai"

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        _zone(name)
        return name

    @property
    def reachable(self) -> bool:
        return bool(self.orders_url and self.orders_secret)

    def day(self, now: datetime) -> str:
        """Return the date in the shop, "2026-03-02"."""
        return now.astimezone(_zone(self.time_zone)).date().isoformat()


def _zone(name: str) -> tzinfo:
    if name == str(CHINA):
        return CHINA
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # slow to import, and most shops are in China

    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError as error:
        raise ValueError(f"{name!r} is no time zone such as Asia/Shanghai") from error
