"""Hints: what a text to a customer is up to where no phrase names it.

The gate's phrases (rules/phrases.toml) find what they were given; wishes that go round the words are found
here, by n-grams of the text and of the text with signs (signs.py), one set of weights for each intent. A
sentence is told only where the weights are nearly sure, and only what no phrase has named. Reason and better
words are the intent's own. infra/reader/hints.py fits the weights and says how sure.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from math import inf
from pathlib import Path

from functions.domain import gate
from functions.reading.signs import Signs, Weights, grams

# The review (E), its rating (A), a good (G), a bad one (B). What is to become of it: undone (U), changed (X),
# put in words or pictures (R), given (V), truly (J). For what: money (M), favours (W). Where: elsewhere (O).
# Pressure: law and anger (Z), what is known of the customer (K), who would suffer (C). How it hangs together:
# if (I), please (P), not (N), you (Y), we (S), thanks (T), sorry (L). And what a service message speaks of:
# parcels (D), faults (F).
_SIGNS = Signs("""
E 评价 评论 评论区 评价区 追评 评语 点评 短评 长评 留言 帖子 帖 反馈 晒单 晒图 买家秀 书评 感言 心得 评 pl pj
E 那条 这条 那段 那段话 那几句 那句 那篇 review reviews comment feedback
A 评分 打分 分数 分 星级 星星 星 颗 颗星 口碑 几颗 服务分 印象 满意度 回访 问卷 评星 体验分 rating stars star
G 好评 五星 5星 五颗星 5颗星 五颗 满分 高分 十分 最高 最高分 顶格 满格 拉满 点满 点亮 全亮 亮 满满 非常满意
G 最满意 圆满 五连 好话 夸 夸夸 夸奖 夸赞 赞 美言 好看 漂亮 正面 积极 赞美 顶 最好 笑脸 全优 优秀 hp haoping
G 好坪 好平
B 差评 中评 负评 一星 1星 两星 二星 三星 3星 低分 负面 难听 难听话 坏话 差的 不好的 吐槽 叉叉 低星 一颗 两颗
B 三颗 差 坑 骗子 假货
U 删 删除 删掉 删评 撤 撤销 撤回 撤掉 撤走 撤下 撤下来 抹 抹掉 抹去 擦 擦掉 去掉 拿掉 拿走 拿下 拿下来 收走
U 收回 收起来 移除 移走 移开 下架 下线 隐藏 屏蔽 消失 不见 清掉 清理 清除 清空 清零 处理掉 弄掉 弄没 作废 取消
U 剔除 蒸发 翻篇 没了 下掉 摘掉 丢进 别挂 挂着 留着 保留 存在 delete remove erase
X 改 改成 改为 改掉 修改 更改 更正 更新 更新下 调 调高 调整 上调 换 换成 换掉 变 变成 转成 升 升到 提高
X 提升 抬 抬高 往上 上去 挪 挪挪 重评 重新 再评 重写 盖评 编辑 翻 补上 添 凑成 补一条 追一条 追一句 change
R 写 晒 追 撰写 发表 分享 推荐 写写 聊聊 说说 讲讲 吹 捧 字 图 文 话 嘴 截图 拍 改口 笔
V 发 发布 留 说 点 打 给 选 勾 填 讲
J 真实 如实 实话 照实 自由 权利 随您 由您 自己决定 尊重 都可以 都行 好坏 优缺点 写好写坏 怎么写 怎么评 随便
M 红包 返现 返 反现 钱 现金 元 块 块钱 转账 打款 转 报销 酬劳 费用 小费 补贴 工钱 利是 蚊 到账 推广费 分文
M 开价 价码
W 券 优惠券 代金券 无门槛 抵扣 赠品 礼品 礼物 礼 小礼 小礼物 小样 正装 免单 半价 折扣 打折 会员 体验卡 积分
W 奶茶 咖啡 延保 白送 免费 免 送 报酬 好处 心意 意思 表示 有赏 领赏 面膜 袜子 福利 惊喜 抽奖 奖 补偿 赔 退 补
W 多给 内部价 成本价 立减 减 便宜
O 微信 薇信 威信 v信 vx wx 微芯 微 v q qq 企鹅 绿泡泡 绿色 加我 加您 加一下 加下 加个 加 好友 群 拉您 进群
O 私聊 私信 私下 私底下 私 线下 站外 外面 别处 小号 号 号码 手机号 报号 扫码 扫 二维码 码 收款码 个人账户
O 个人号 私人 换个地方 换个软件 别的软件 另一个软件 小红书 抖音 公众号 朋友圈 某信 某音 telegram whatsapp
O wechat 口令 联系方式 名片 暗号 直接找 直接转 打给我
Z 起诉 法院 法庭 律师 律师函 官司 告 诽谤 诬告 诬陷 名誉 报警 举报 投诉 曝光 公开 拉黑 黑名单 后果 后悔 等着
Z 走着瞧 小心 掂量 自己看 看着办 想清楚 别怪 客气 不客气 吃亏 难看 不好看 碰瓷 讹 讹诈 敲诈 追究 手段 证据
Z 坐牢 法务 司法 封号 找你 找上门 堵 骚扰 打扰 教训 报复 信不信 试试 单位 学校 小区 身份 实名 同行 名单
K 地址 住址 住哪 哪栋 几栋 家里 住在 电话 手机 名字 姓名 个人信息 收货信息
C 考核 绩效 扣 罚 工资 奖金 饭碗 工作 转正 业绩 冲 榜 流量 达标 目标 任务 主管 领导 开除 不合格
I 否则 不然 要不 要不然 要么 除非 只要 如果 要是 的话 若 前提 条件 以 为条件 先 再 才 就 之后 以后 完 后 if
P 请 麻烦 帮 帮忙 能不能 能否 可不可以 可以吗 可否 方便 希望 盼 期盼 期待 恳请 恳望 拜托 求 跪求 烦请 劳烦
P 劳驾 辛苦 记得 别忘 呗 吧 嘛 哈 行不 行吗 好吗 好不好 要得不 中不 please could
N 不 没 没有 无 别 勿 莫 不会 从不 绝不 不用 不必 不需要 无需 无关 没关系 不要 未 冇 唔 不影响 没有关系
N no not never
Y 您 你 亲 亲亲 宝 宝贝 姐 姐妹 哥 大哥 老铁 兄弟 you your
S 我们 我 咱 咱们 本店 小店 店 店铺 店长 老板 客服 掌柜 我司 俺 俺们 这边 我方 师傅 we us our
T 谢谢 感谢 多谢 谢 收到 看到 看了 看过 thank thanks
L 抱歉 对不起 道歉 不好意思 歉意 惭愧 sorry
D 快递 物流 包裹 单号 仓库 发货 补发 换货 退货 退款 运费 签收 订单 平台 寄 重发 换新 保修 发票 质检 检测 送达
D 网点 派送 安装 尺码
F 破 坏 碎 漏 裂 断 脏 掉色 开胶 异响 过敏 质量 问题 故障 瑕疵 划痕 发霉 缺 少
""")
# Signs of which a text must have one, whatever it weighs: to ask for a review is lawful where nothing is
# given, to give something where no review is spoken of.
_NEEDED = {"guidance_and_benefit": frozenset("MW$"), "cash_back": frozenset("EAGBR")}
_SENTENCE = re.compile(r"[^。！？!?\n]+")
_COMMAS = re.compile(r",+")


@lru_cache(maxsize=1)
def shipped() -> dict[str, Weights]:
    """Return the weights of each intent."""
    file = Path(__file__).parent / "hints.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    return {
        intent: Weights(dict(zip(data["grams"], lane["weights"], strict=True)), lane["constant"])
        for intent, lane in data["intents"].items()
    }


def check(text: str, phrases: gate.Phrases) -> list[gate.Found]:
    """Return every phrase found and every sentence that hints at what no phrase names, in order."""
    found = gate.check(text, phrases)
    return sorted([*found, *_hinted(text, phrases, found)], key=lambda one: (one.start, one.intent))


def sentences(text: str) -> list[re.Match[str]]:
    return [part for part in _SENTENCE.finditer(text) if not part[0].isspace()]


def plain(text: str, phrases: gate.Phrases) -> str:
    """Return a text as it is weighed: without its evasions."""
    return _COMMAS.sub(",", gate.plain(text, phrases.spelling).text).strip(",")


def seen(plain: str) -> set[str]:
    """Return what is weighed of a text: its n-grams, and those with signs."""
    return grams(plain) | grams(_SIGNS.write(plain))


def judge(found: set[str], weights: Mapping[str, Weights]) -> dict[str, float]:
    """Return how far above the bar a text with these n-grams is for each intent."""
    return {
        intent: -inf if intent in _NEEDED and _NEEDED[intent].isdisjoint(found) else one.judge(found)
        for intent, one in weights.items()
    }


def surest(by_intent: Mapping[str, float]) -> tuple[str, float]:
    return max(by_intent.items(), key=lambda both: both[1])


def _hinted(text: str, phrases: gate.Phrases, found: list[gate.Found]) -> list[gate.Found]:
    known = gate.forbidden(found)
    told: dict[str, gate.Intent | gate.Together] = {one.name: one for one in phrases.intents}
    told |= {one.name: one for one in phrases.together}
    parts = sentences(text)
    judged = [_judge(part[0], phrases) for part in parts]
    hints = [
        (intent, part)
        for part, by_intent in zip(parts, judged, strict=True)
        for intent, score in [surest(by_intent)]
        if score > 0 and not any(one.start < part.end() and part.start() < one.end for one in known)
    ]
    if not hints and not known and len(parts) > 1:  # no sentence alone, but all of them together
        intent, score = surest(_judge(text, phrases))
        if score > 0:
            hints = [(intent, max(zip(judged, parts, strict=True), key=lambda both: both[0][intent])[1])]
    return [
        gate.Found(
            intent=intent,
            phrase=part[0].strip(),
            start=part.end() - len(part[0].lstrip()),
            end=part.start() + len(part[0].rstrip()),
            reason=told[intent].reason,
            better=told[intent].better,
            never=told[intent].never,
        )
        for intent, part in hints
        if intent in told
    ]


def _judge(text: str, phrases: gate.Phrases) -> dict[str, float]:
    small = plain(text, phrases)
    if phrases.harmless and phrases.harmless.search(small):
        return dict.fromkeys(shipped(), -inf)
    return judge(seen(small), shipped())
