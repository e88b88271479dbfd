"""Reviews as the simulated Taobao holds and shows them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Self

CHINA = timezone(timedelta(hours=8))
WALL = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A review as TOP holds it, with the moment from which TOP shows it."""

    oid: int
    tid: int
    result: str
    content: str
    created: datetime
    visible_at: datetime
    item_title: str = "商品"
    item_price: str = "59.90"
    num_iid: int = 600000000000000001
    nick: str = "t**t"
    ouid: str = ""
    reply: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any], now: datetime) -> Self:
        """Return the row with the given fields; what is absent gets a plain value.

        `created` and `visible_at` are aware datetimes or text ("2026-01-05 09:12:00" is GMT+8);
        the one that is absent follows the other, both absent are `now`. Unknown fields are refused.
        """
        row = {name: value for name, value in values.items() if value not in (None, "")}
        created, visible_at = _moment(row.get("created")), _moment(row.get("visible_at"))
        created = created or visible_at or now
        row |= {"created": created.replace(microsecond=0), "visible_at": visible_at or created}
        row |= {name: int(row[name]) for name in ("oid", "tid", "num_iid") if name in row}
        return cls(**{"tid": row.get("oid"), "result": "good", "content": "", **row})

    def wire(self, fields: Iterable[str]) -> dict[str, Any]:
        """Return the documented JSON object with the asked fields."""
        row: dict[str, Any] = {
            "tid": self.tid,
            "oid": self.oid,
            "role": "buyer",
            "nick": self.nick,
            "result": self.result,
            "created": self.created.astimezone(CHINA).strftime(WALL),
            "rated_nick": "seller",
            "item_title": self.item_title,
            "item_price": self.item_price,
            "content": self.content,
            "reply": self.reply,
            "num_iid": self.num_iid,
            "ouid": self.ouid,
            "valid_score": True,
        }
        return {name: row[name] for name in fields if row.get(name) not in (None, "")}


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)
    return value if isinstance(value, datetime) else None
