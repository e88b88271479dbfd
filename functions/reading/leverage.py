"""Leverage: a review traded for a benefit that the order does not owe, told apart from an angry demand.

Which words are used matters less than how they hang together (signs.py). With others around them, the same
words claim what is owed, tell what a shop offered, or joke. So a text is told only where the model is nearly
sure; infra/reader/leverage.py fits it and says how sure.
"""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from functions.reading.lexicon import Hit
from functions.reading.signs import Signs, Weights, grams

# What is traded: a bad (B), a good (G), any rating (E), its undoing (U), a complaint (C), the public (P).
# For what: favours (M, W). Who and why: the shop (S), what it pressed for (D), a fault (F), praise (H).
# How it hangs together: if (I), then (T), you (Y).
_SIGNS = Signs("""
B 差评 负评 負評 低分 中评 坏话 踩雷 避雷 负分 零分 难看的 一星 1星 一颗星 1颗星 一顆星 两星 二星 2星
B 两颗星 三星 3星 1分 1⭐ 差平
G 好评 好評 五星 5星 五颗星 5颗星 五顆星 四星 4星 满分 高分 好话 5分 5⭐ 5🌟 全五星
E 评价 评论 评论区 追评 评分 星级 星星 打分 分数 删评 改评 撤评 写评 条评 颗星 评 評論 評價
U 删 删除 删掉 刪 撤 撤销 撤回 撤掉 改 改成 改为 改掉 修改 改口 换成 变成 收回 取消 拿掉 消失 下架 收手
U 清掉
C 投诉 举报 12315 消协 工商 工商局 监管局 物价局 起诉 法院 打官司 315
P 曝光 抖音 小红书 微博 朋友圈 热搜 热门 网上 公开 媒体 记者 新闻 报纸 电视台 帖 帖子 视频 大众点评 黑猫
P 截图 聊天记录 笔记 直播 直播间 粉丝
M 红包 好处 好处费 返现 返利 返钱 封口 封口费 打赏 茶水费 辛苦费 辛苦钱 推广费 误工费 润笔费 精神损失
M 精神损失费 打钱 打款 转账 转钱 现金 意思意思 意思一下 表示表示 表示 诚意 心意 懂事 懂规矩 识相 识趣 开价
M 出价 私了 私下 甜头 报酬 酬劳 私聊 加我 微信 支付宝 费用 收费 价格 条件
W 免单 白送 白给 免费 赠品 礼物 礼品 礼盒 小样 样品 试用 试用装 会员 年卡 月卡 购物卡 京东卡 e卡 礼品卡
W 代金券 优惠券 券 话费 奶茶 打折 对折 半折 折扣 升级 新款 积分 储值 充值 福利 vip
S 客服 商家 卖家 店家 店主 店铺 老板 掌柜 售后 师傅 快递 快递员 骑手 小哥 平台 对方 他们 人家 卡片 短信
S 电话
D 让我 叫我 要我 求我 逼我 劝我 求着 主动 骚扰 威胁 贿赂 收买 拒绝 没要 不要 不稀罕 谁稀罕 不图 恶心 套路
D 骗
F 坏 破 碎 烂 裂 断 开线 开胶 漏 过期 变质 发霉 假货 假的 翻新 划痕 瑕疵 不能用 用不了 质量 有问题 不制冷
F 拉肚子 医药 医药费 丢 摔 压 空盒 缩水 掉色 起球 褪色 异味 毛病 故障 死机
H 谢谢 感谢 开心 喜欢 划算 实惠 满意 良心 物超所值 不错 便宜 推荐 哈哈 希望 期待 下次 好吃 好用
I 否则 不然 要不 要不然 要么 除非 只要 如果 要是 的话 别怪 等着 就等 小心 看着办 自己看 掂量
T 就 才 马上 立马 立刻 立即 秒 立 随时 自然
Y 你 你们 您 亲
""")
_LEVERS, _GAINS = frozenset("BGEUCP"), frozenset("MW$送给退赔免钱寄返折补转")
_SENTENCE = re.compile(r"[^。！\n]+")
_PHRASE = 3.0  # how much surer a whole phrase of the lexicon makes it
# By characters and pairs alone, which takes half the time, what is told in the end is above the first bar and
# 98 of 100 real reviews that may trade are below.
_BARS = ((2, -4.0), (4, 0.0))


@lru_cache(maxsize=1)
def shipped() -> Weights:
    return Weights(**json.loads((Path(__file__).parent / "leverage.json").read_text(encoding="utf-8")))


def with_signs(small: str) -> str:
    """Return a prepared text with signs for words and numbers."""
    return _SIGNS.write(small)


def may_trade(signed: str) -> bool:
    """Return whether both a lever and something to gain are named: without them nothing is told."""
    return not _LEVERS.isdisjoint(signed) and not _GAINS.isdisjoint(signed)


def _names_lever(small: str) -> bool:
    return not _LEVERS.isdisjoint(_SIGNS.named(small))


def blackmail(text: str, small: str, hits: Sequence[Hit]) -> tuple[str, ...]:
    """Return the sentence that trades the review most plainly, if the text as a whole does.

    `small` is the prepared text, `hits` the words of the lexicon in it. A whole phrase makes it surer
    and does not decide: whoever refuses what a shop offered uses the same ones.
    """
    phrase = any("blackmail" in hit.topics for hit in hits)
    if not (phrase or _names_lever(small)):  # most texts; to write signs takes three times as long
        return ()
    signed = with_signs(small)
    if not (phrase or may_trade(signed)) or not _told(signed, _PHRASE * phrase):
        return ()
    judge = shipped().judge
    best = max(_SENTENCE.finditer(small), key=lambda found: judge(grams(with_signs(found[0]))))
    return (text[best.start() : best.end()].strip("，, "),)


def _told(signed: str, surer: float) -> bool:
    return all(shipped().judge(grams(signed, longest)) + surer > bar for longest, bar in _BARS)
