"""Words of the case page: what the system calls things, in the words of those who work with it."""

from functions.domain.cases import Outcome

GRADES = {
    "logistics_delay": "物流慢",
    "damaged_lost": "破损 / 丢件",
    "quality": "质量问题",
    "wrong_missing": "错发 / 漏发",
    "size_mismatch": "尺码 / 描述不符",
    "service_attitude": "服务态度",
    "price": "价格",
    "malicious": "疑似恶意",
    "other": "其他",
}
STATUS = {"open": "待认领", "acknowledged": "处理中", "resolved": "已解决", "closed": "已关闭"}
OWNERS = {"agent": "客服", "supervisor": "主管", "manager": "经理", "legal": "法务"}
RATINGS = {"bad": "差评", "neutral": "中评", "good": "好评"}
REMEDIES = {
    "refund": "退款",
    "reship": "补发",
    "supervisor": "由主管决定",
    "none": "暂不提供补偿",
}
GOODWILL = {
    "vip_gift": "处理完成后寄送 VIP 礼包",
    "buy_again_sms": "先发优惠券，再短信邀请复购",
    "card_and_gift": "邮寄手写致歉卡和小礼物",
}
TIERS = {"high_value": "高价值客户", "new": "新客户", "dormant": "沉睡客户", "regular": "普通客户"}
# What a person may choose; "expired" is what the system says where nobody did.
OUTCOMES: dict[Outcome, str] = {
    "solved": "客户已满意解决",
    "refused": "客户拒绝方案",
    "unreachable": "联系不上客户",
    "appealed": "已向平台申诉",
}
# Kinds of events; one that is not here shows under its own name, None is of no interest on a phone.
EVENTS: dict[str, str | None] = {
    "posted": "客户发布评价",
    "seen": "系统发现",
    "opened": "立案分级",
    "read": None,
    "alerted": "发出告警",
    "delivered": "告警已送达",
    "not delivered": "告警未送达",
    "acknowledged": "认领",
    "taken over": "接手",
    "resolved": "已解决",
    "review edited": "客户修改了评价",
    "reopened": "重新打开",
    "person erased": "个人信息已删除",
    "follow-up started": None,
    "follow-up stopped": None,
    "closed": "关闭",
}
NOTICES = {
    "acknowledge": "已认领，告警不再升级。",
    "take_over": "已由您接手。",
    "resolve": "已解决，后续关怀将自动进行。",
    "nothing": "状态没有变化：可能已有同事先处理了。",
}
