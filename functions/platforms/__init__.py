"""Review platforms: one file each, registered here under the name that a shop's `platform` holds.

A connector reads all reviews that were posted within a window, both ends included, in any order
and possibly a little more. It raises a PlatformError rather than return a part of them.
"""

from collections.abc import Callable
from datetime import datetime

from functions.domain.polling import Shop, Window
from functions.domain.reviews import Review
from functions.platforms import taobao

Connector = Callable[[Shop, str, Window, datetime], list[Review]]
"""(shop, its secret as stored, window, now) -> reviews"""

Replier = Callable[[Shop, str, str, str, datetime], None]
"""(shop, its secret as stored, review id, text, now): reply to a review in public. Raises PlatformError."""

CONNECTORS: dict[str, Connector] = {"taobao": taobao.read}
REPLIERS: dict[str, Replier] = {"taobao": taobao.reply}
