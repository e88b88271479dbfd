"""The acts: what customers, the shop and its people do in each story of infra/local/plots.py."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from functions.domain.times import iso
from infra.local.stories import Scene

SHANGHAI = ZoneInfo("Asia/Shanghai")

SLOW, BROKEN, CRUSHED = (
    "物流太慢了，等了十二天才到",
    "质量太差，用两天就坏了",
    "收到的时候包装压烂了，杯子碎了",
)
WRONG, SMALL, RUDE = "发错货了，我要的是蓝色的", "尺码偏小很多，跟描述完全不符", "客服态度恶劣，爱答不理"
DEAR, HIDDEN = "刚买完就降价，太坑了", "东西不错，就是物流太慢了，等了十天"
BLAND = "不推荐，不解释"
BLACKMAIL = "不给钱就差评，返现删评，你们看着办"


def _worked_through(scene: Scene, number: str, cause: str) -> str:
    scene.until_told(number, "alerted")
    scene.acknowledge(number)
    scene.resolve(number, cause)
    scene.until_closed(number)
    return number


def late_parcel(scene: Scene) -> str:
    scene.order(59.90)
    scene.consent()
    return _worked_through(scene, scene.review(SLOW, order=1), "logistics_delay")


def broken_goods(scene: Scene) -> str:
    scene.order(80, days_ago=60)
    scene.order(199, number=2)
    return _worked_through(scene, scene.review(BROKEN, order=2), "quality")


def damaged_parcel_of_a_good_customer(scene: Scene) -> str:
    scene.order(1200, days_ago=90)
    scene.order(350, number=2)
    return _worked_through(scene, scene.review(CRUSHED, order=2), "damaged_lost")


def wrong_item_for_a_dormant_customer(scene: Scene) -> str:
    scene.order(66, days_ago=200)
    scene.order(66, number=2)
    return _worked_through(scene, scene.review(WRONG, order=2), "wrong_missing")


def size_without_a_known_order(scene: Scene) -> str:
    return _worked_through(scene, scene.review(SMALL, item_price="0.00"), "size_mismatch")


def rude_service(scene: Scene) -> str:
    scene.order(45)
    return _worked_through(scene, scene.review(RUDE, order=1), "service_attitude")


def price_drop(scene: Scene) -> str:
    scene.order(99)
    return _worked_through(scene, scene.review(DEAR, order=1), "price")


def no_cause_named(scene: Scene) -> str:
    scene.order(30)
    return _worked_through(scene, scene.review(BLAND, rating="neutral", order=1), "other")


def complaint_inside_a_good_rating(scene: Scene) -> str:
    scene.order(88)
    return _worked_through(scene, scene.review(HIDDEN, rating="good", order=1), "logistics_delay")


def nobody_reacts(scene: Scene) -> str:
    scene.order(20)
    number = scene.review(SLOW, order=1)
    scene.until_closed(number)
    return number


def opted_out(scene: Scene) -> str:
    scene.order(59.90)
    scene.consent()
    number = scene.review(SLOW, order=1)
    scene.until_told(number, "alerted")
    customer = f"/shops/{scene.shop_id}/customers/{scene.customer}"
    scene.shop_system.call("PATCH", customer, {"opted_out": True})
    scene.resolve(number, "logistics_delay")
    scene.until_closed(number)
    return number


def reopened(scene: Scene) -> str:
    scene.order(59.90)
    number = scene.review(BROKEN, order=1)
    scene.until_told(number, "alerted")
    scene.resolve(number, "quality")
    scene.until_told(number, "guidance sent")
    scene.supervisor.post(f"/cases/{number}/reopen", {"by": "王主管", "why": "换来的也坏了"})
    scene.resolve(number, "quality", by="王主管")
    scene.until_closed(number)
    return number


def review_edited(scene: Scene) -> str:
    scene.order(59.90)
    number = scene.review(SLOW, order=1, oid=470900000000000001)
    scene.until_told(number, "alerted")
    scene.review("客服已经处理好了，很满意", rating="good", order=1, oid=470900000000000001)
    scene.until(lambda: "review edited" in scene.kinds(number), "the edit is seen", poll=True)
    scene.resolve(number, "logistics_delay")
    scene.until_closed(number)
    return number


def blackmailer(scene: Scene) -> str:
    """Four orders, three returned, and a review that trades itself for money."""
    for nth in (1, 2, 3, 4):
        scene.order(59.90, days_ago=10 * nth, returned=nth != 1, number=nth)
    number = scene.review(BLACKMAIL, order=1)
    scene.until_told(number, "alerted")
    return number


def malice_confirmed(scene: Scene) -> str:
    number = blackmailer(scene)
    said = {"by": "陈法务", "malice": "confirmed", "note": "聊天记录中索要钱款"}
    scene.legal.post(f"/cases/{number}/malice", said)
    scene.legal.post(f"/cases/{number}/appeal/filing", {"by": "陈法务", "reference": "TB-1"})
    scene.legal.post(f"/cases/{number}/appeal/outcome", {"by": "陈法务", "outcome": "accepted"})
    scene.resolve(number, "malicious", outcome="appealed", by="陈法务")
    scene.until_closed(number)
    return number


def malice_rejected(scene: Scene) -> str:
    number = blackmailer(scene)
    said = {"by": "陈法务", "malice": "rejected", "note": "商品确有质量问题"}
    scene.legal.post(f"/cases/{number}/malice", said)
    scene.until_told_after(number, "malice rejected", "alerted")
    scene.resolve(number, "quality")
    scene.until_closed(number)
    return number


def _reshipped_by_two(scene: Scene, number: str) -> None:
    """One person gives what is above the limit, another one approves."""
    scene.until_told(number, "remedy awaits approval")
    given = {"by": "李组长", "step": "remedy", "benefit": "reship", "note": "整单补发"}
    scene.supervisor.post(f"/cases/{number}/benefits", given)
    scene.until_awaited(number, "remedy", "above the limit")
    scene.supervisor.post(f"/benefits/{number}:remedy/approve", {"by": "王主管"})
    scene.until_told(number, "remedy granted")


def above_the_limit(scene: Scene) -> str:
    """A supervisor's remedy costs more than a case may without a second person."""
    scene.order(350)
    number = scene.review(CRUSHED, order=1)
    scene.until_told(number, "alerted")
    scene.resolve(number, "damaged_lost")
    _reshipped_by_two(scene, number)
    scene.until_closed(number)
    return number


def budget_exceeded(scene: Scene) -> str:
    """What two people gave somebody else leaves the shop nothing for today: a small refund is asked about."""
    dear = scene.review(CRUSHED, ouid=f"{scene.customer}-neighbour", item_price="2999.00")
    scene.resolve(dear, "damaged_lost")
    _reshipped_by_two(scene, dear)
    scene.order(59.90)
    scene.consent()
    number = scene.review(SLOW, order=1)
    scene.until_told(number, "alerted")
    scene.resolve(number, "logistics_delay")
    scene.until_awaited(number, "remedy", "the day's budget of shop is used up")
    scene.supervisor.post(f"/benefits/{number}:remedy/approve", {"by": "王主管"})
    scene.until_told(number, "remedy granted")
    scene.until_closed(number)
    balance = scene.supervisor.get(f"/shops/{scene.shop_id}/balance")["shop"]
    scene.until(lambda: balance["used"] > balance["limit"], "what people approved counts all the same")
    return number


def taken_back(scene: Scene) -> str:
    """The refund is recalled while it is held."""
    scene.order(59.90)
    number = scene.review(SLOW, order=1)
    scene.until_told(number, "alerted")
    scene.resolve(number, "logistics_delay")
    scene.until_told(number, "remedy held")
    scene.supervisor.post(f"/benefits/{number}:remedy/recall", {"by": "李组长", "note": "顾客改要补发"})
    scene.until_closed(number)
    return number


def nobody_on_duty(scene: Scene) -> str:
    """The rota has nobody now; once it has, the alert that waited goes out."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    another_day = days[(datetime.now(SHANGHAI).weekday() + 3) % 7]
    shift = {"people": ["lin"], "days": [another_day], "starts": "09:00", "ends": "10:00"}
    rota = [shift | {"role": role} for role in ("agent", "supervisor", "manager", "legal")]
    desk = f"/shops/{scene.shop_id}"
    scene.supervisor.call("PUT", f"{desk}/rota", {"by": "王主管", "shifts": rota})
    scene.order(59.90)
    number = scene.review(SLOW, order=1)
    scene.until_told(number, "alert held")
    scene.supervisor.call("PUT", f"{desk}/rota", {"by": "王主管", "shifts": []})
    return _worked_through(scene, number, "logistics_delay")


def born_in_a_silence(scene: Scene) -> str:
    ends = iso(datetime.now(UTC) + timedelta(hours=2))
    silence = {"by": "王主管", "reason": "盘点", "whole_shop": True, "ends": ends}
    made = scene.supervisor.post(f"/shops/{scene.shop_id}/silences", silence)
    scene.order(59.90)
    number = scene.review(SLOW, order=1)
    scene.until_told(number, "alert held")
    scene.supervisor.call("DELETE", f"/shops/{scene.shop_id}/silences/{made['silence_id']}", {"by": "王主管"})
    return _worked_through(scene, number, "logistics_delay")


def waiting_for_a_photo(scene: Scene) -> str:
    """While the customer is asked, the deadline stands still."""
    scene.order(59.90)
    number = scene.review(BROKEN, order=1)
    scene.until_told(number, "alerted")
    scene.supervisor.post(f"/cases/{number}/wait", {"by": "李组长", "why": "请顾客拍照"})
    reply = {"message_id": "m-1", "text": "照片发过去了", "channel": "chat"}
    scene.shop_system.post(f"/shops/{scene.shop_id}/customers/{scene.customer}/reply", reply)
    scene.until_told(number, "waits no longer")
    scene.resolve(number, "quality")
    scene.until_closed(number)
    return number
