"""Leverage: a review traded for a benefit, told apart from an angry demand.

A sentence is blackmail if a *gain* that the order does not owe and an *act* on the rating hang together:
the one is the condition of the other ("红包到了就删", "想要好评先送一个", "不给好处就差评").

Who asks for what decides. What a shop offered or promised is not the customer's doing; a refund, an
exchange, a missing part or the cost of a fault are rights, however angrily they are claimed: such a *remedy*
counts only where the rating itself is for sale or others are sent to rate, never beside a mere threat.
"""

import re

from functions.reading.lexicon import Hit

_SENTENCE = re.compile(r"[^。！\n]+")
_N = r"[一二两俩三四五六七八九十百千万几半\d]"
_SUM = rf"(?!12315){_N}+(?:来|多)?(?:块|元|百|千|万|(?<=十)|(?<=\d)|(?<=百))(?![天个几分颗星斤年月号种条句])"
_RATING = r"(?:差评|好评|评价|评论|追评|评|投诉|视频|图|帖子?|[一二两三四五六12345]颗?星|星级|星星|举报)"

# The rating for sale, then threats, then threats that others are sent to carry out or that never end.
_RETRACTS = re.compile(
    rf"[删撤改换收取清拿消]\w{{0,7}}{_RATING}|{_RATING}\w{{0,6}}[删撤改换收拿清掉]|变(?:成)?[五好]|[改删撤]除?的?$|[就我才][删撤]|撤诉|收手|买断|[删撤][了掉]|{_RATING}\w{{0,6}}下架"
)
_SOLD = re.compile(
    rf"{_RETRACTS.pattern}"
    r"|不(?:去|再|发|联系|打|传|会)?(?:投诉|举报|曝光|追评|打差评|视频|媒体)|说好话|闭嘴|的嘴|改口|当没|翻篇|高抬贵手|留情|放你们一马|相安无事|息事宁人"
    r"|(?:评价|评论|评分|分数?|星级|这星)\w{0,4}(?:处理|好看|上去|回到|拉|难看|随|能改|变)|嘴\w{0,3}[甜闭]|这事就|就这个星|不撤|沉下去|干净|不见了|消失|好说|说坏话|坏话|[五5]星分分钟|就夸"
)
_REWARD = re.compile(r"好评|五星|五颗星|满分|[补加]\w{0,2}[一两二]星|评价")
_THREAT = re.compile(
    r"差评|[一1]颗?星|低分|中评|两星|曝光|公开|投诉|举报|12315|消协|工商|媒体|记者|新闻|报纸|热搜|[挂发]\w{0,4}(?:网|抖音|小红书|微博|朋友圈|帖|视频|群)"
    r"|(?:抖音|小红书|微博|朋友圈|平台|点评)\w{0,4}(?:见|发|曝|说|骂|举|写)|骂|小作文|避雷|踩雷|盖楼|给你们写|(?:评分|分数)低|难看的写|再找\w{0,4}人|告你们|臭名|搞臭|追评"
)
_SENT = re.compile(
    rf"刷|小号|{_N}+个号|轮流|(?:找|带|叫|喊|让|发动)\w{{0,8}}(?:人|同学|同事|朋友|亲戚|公司|小区|群)|天天|每[天周]|永远|见一次"
)
_PRICED = re.compile(
    rf"{_SUM}钱?，?(?:换|买)?(?:一|一个|个)(?:颗星|星|条评|好评)|[四五]星{_N}*[百十]|(?:差评|评[论价])的?(?:价格|价码|值)\w{{0,2}}{_SUM}"
    rf"|(?:每|一)条(?:差评|好评|评[论价])\w{{0,3}}{_SUM}|(?:一条|写好评|删差?评)\w{{0,3}}收费|评\w{{0,4}}，{_SUM}钱?一条"
)

# Never owed: money for the customer, gifts and favours, the money back together with the goods.
_FAVOUR = re.compile(
    r"红包|好处|返现|返钱|封口|打赏|(?:茶水|辛苦|好评|误工|跑腿|推广|润笔)费|打钱|打款|转账|转钱|[拿塞掏贴补]钱|给[我点]?钱(?!买|都)|钱(?:不?到|打|转|拿)|一手交钱|把钱[打转]"
    r"|意思意思|意思一下|表示表示|怎么表示|(?:该|不|么|来|得有)表示|表示\w{0,2}到位|诚意|心意|懂事|懂规矩|识相|识趣|[开出谈]个?价|出价|要有?价|有价格|甜头|现金(?!支付)|加我\w{0,6}(?:谈|转|发)|谈\w{0,2}价|私下|私了|破财|拿点实"
    rf"|(?:给|拿|转|打|掏|发|塞|充|赏|来|出|返|贴|没有?|至少|一口价|收我|要价?|先|补|充)(?:过来|我|个|上|你们){{0,2}}{_SUM}|{_SUM}(?:块|钱)?(?=起|现金|\w{{0,2}}换|，?删|，?评|，给了|，我[帮就把]|封)|(?:价格|条件)是"
    rf"|额外补偿|(?:再|多|额外)(?:给我)?[送寄赔](?!货)|免单|免[掉了](?!吧)|白[送给](?!我?都|也)|免费(?!维修|换|退|安装|上门|修|补)|样[机品果]|试用(?!装)|会员|[年月]卡|终身|vip|购物卡|京东卡|e卡|礼品卡|代金券"
    rf"|\w张\w{{0,6}}券|大额|话费|请\w{{0,4}}[吃喝]|奶茶|(?:下一[单次件回]|下次|再买|以后)\w{{0,8}}(?:{_N}折|免|送|便宜)|对折|半折|打个?{_N}折|{_N}折|升级|翻倍|不补差|不加钱"
    rf"|退[款钱我]\w{{0,6}}不退货?|不寄|货我?\w{{0,2}}留|(?:东西|货|衣服)\w{{0,2}}(?:归|留|不退(?!色)|不会退|不还|当送|照)|仅退款|钱和东西|再便宜我?{_SUM}"
)
# Owed where there is cause for it.
_REMEDY = re.compile(
    rf"送我|[拿送](?:个|点|{_N})|不送|(?:寄|赔|来)(?:我|过来|一?套|{_N}[台箱盒双套瓶袋张包份件斤只])|礼品|礼物|赠品|给我?寄"
    rf"|[赔补退返][我给]?\w{{0,5}}{_SUM}|补偿|[双两三五十]倍|[退返]\w{{0,4}}半|多退|退我|赔偿|报销"
)

_THEN = re.compile(
    r"就(?!差(?!评)|[是业算像连好更完这])|否则|不然|要不|要么|的话|不?答应|才|马上|立马|立刻|立即|[秒再](?=[改删撤加补换])|自然|随时|只要|，(?:差评|评论|评价)?我|，\w{0,4}[删改撤换]|一手"
    r"|我(?:当|帮|把|来|可以|今晚|给|[删改撤])|[别休]想|到了|到账|看你们|删不了|随你|等着|见$|，换|来换|考虑|愿意|肯"
)
_FIRST = re.compile(
    r"先|就[给把得发拿转]|拿|得|必须|至少|条件|价格|值|可以，|也行，|简单|，(?:给|转|打|发|送|加|不给|红包|五百|两|三|赔)|等(?!等)|要不要|，怎么|成交|因为没?|是要|，少|起|除非|什么时候"
)
_WANT = re.compile(r"想|要(?!求)|别想|休想|没有?|不(?!好)|除非|只要|有偿|可以|能|为了")
_OR_ELSE = re.compile(
    r"就(?!差(?!评)|[是业算像连好更完这])|否则|不然|要不|要么|不?答应|等着|小心|别怪|等我|只好|随时|我(?:让|找|叫|把|去|会|天天|给|来|多)|，(?:这个?|那个?)?(?:差评|一星)[^，]{0,4}[挂就]"
)
_NOT_GIVEN = re.compile(r"(?:不|没|没有|别|少|晚)\w{0,4}$")
_UNTIL = re.compile(
    r"先|等(?!着)|除非|想|就?拿|才|什么时候|提醒|因为没?|为了要?"
    r"|，(?:给|转|打|发|送|加|不给|红包)|换|起|要不要"
)

# Who asks: the shop or somebody else does, or it is told what was offered, given, refused, wished.
_OFFERED = re.compile(
    r"(?:客服|卖家|商家|店家|店主|店铺|老板|对方|他们|售后|卡片|小卡|纸条|有人|听说|都说|短信|私信|打来)(?!，)[^，,]{0,8}?(?<!我)"
    r"(?:说|让我|叫我|要我|求|逼|劝|主动[^，,]{0,6}[了过]|答应|承诺|打电话|打来|私信|骚扰|威胁|想用|想让我|为了|让给|给我五|要给|发红包给|(?:送|发|退|给|返|赔|补|转)了)"
    r"|(?<!我)说(?:只要|改|删|撤|给|好评|五星)[^。]{0,8}(?:就|送|返|给|发|红包)|(?<![想要])(?:让|叫|求|逼)我[^，,]{0,6}(?:改|删|撤|五星|好评)(?!，?(?:先|拿|给|打))"
    r"|(?:师傅|快递员?|骑手|安装)[^。]{0,6}(?:要|收|让)|(?:要|让|叫|收|扣)我(?:加|出|付|掏)|自己(?:出|掏)|已经?[^，,]{0,4}(?:退|送|赔|补|换|返|改)|(?:退|赔|补|返|转|给|打)了(?:我(?!就|马|立|们|才)|[一二两三四五六七八九十百几\d])|的时候|(?:多|还|又)送了|送了[我好那这一两]"
    r"|电话|(?<!所)有的?人|别人|干不出|能换|昧良心|试?用[了后]|用的?红包|凑单|退的钱|不是(?:为了?|想要?|图)[^，,]{0,4}(?:钱|好处|红包|补偿)|换来的|到账了(?!就|再|我)|不接受|抵了|没理|拒绝(?!讨价)|不稀罕|谁稀罕|恶心|贿赂|收买|退回去|没要|偏[不要]|坚决不|都不[改删来会]|当我是|不会因为"
    r"|不(?:图|要|稀罕|需要|想要|在乎|是为|是想要)(?:了|他们?的?|你们?的?|那点)?(?:红包|钱|好处|返现|补偿|现金|赔偿)|没有?(?:收|要|图)[^，,]{0,4}(?:钱|好处|红包|返现)"
    r"|哈哈|份上|希望|期待|如果(?:能|还|质量)|要是能|下次(?!主动|购物)|谢谢|物超所值|划算|开心|千万别信|怎么没|可以去?领"
)
# Why: what was promised, what a law or the order gives.
_OWED = re.compile(
    r"说好(?!话)|说的|送的(?!话)|配件|说是|说送|说补|说有|说给|承诺|答应(?!的话|就|差)|页面|写着(?!，)|写得?清|活动|集赞|晒图(?:返|的活动|送)|宣传|规则|好评返|没到账|没领|没抢|没兑现|不兑现|说话不算|套路|骗子|抽奖"
    r"|差价|价保|保价|降价|买贵|运费|多[收要扣][了我]|收了我|另外收|乱收|收费|安装|师傅|送货|400|物业|网点|满减"
    r"|漏发|少[发给]|少了(?!免)|(?<!不)缺[了少货件斤一个的]|错[发了]|发错|发票|三包|法律|消法|安全法|权益|假一赔|退一赔|全额退款|真心话|实话|说法|解释|道歉|整改"
)
_FAULT = re.compile(
    r"坏|破(?!财)|碎|烂|裂|断(?!一)|开线|开胶|漏|过期|变质|发霉|假货|假的|翻新|划痕|瑕疵|不能用|用不了|质量(?:差|问题|太|不|真|有)|有问题|不制冷|拉肚子|医药|维修|丢|摔|压|空盒|太差|吃坏|吃出|受伤|烫|缩水|掉色|起球|褪色|洗一次|要求|发货"
)


def blackmail(text: str, hits: list[Hit]) -> tuple[str, ...]:
    """Return the sentences that trade the review, and those with a whole phrase of the lexicon that does."""
    if _OWED.search(text) or _OFFERED.search(text):
        return ()
    faulty = _FAULT.search(text) is not None
    found = []
    for sentence in _SENTENCE.finditer(text):
        said, (start, end) = sentence[0], sentence.span()
        phrases = any("blackmail" in hit.topics and start <= hit.start < end for hit in hits)
        if phrases or _traded(said, faulty):
            found.append(said.strip("，, "))
    return tuple(dict.fromkeys(found))


def _traded(said: str, faulty: bool) -> bool:
    if _PRICED.search(said):
        return True
    sold, rewards, threats = ([*act.finditer(said)] for act in (_SOLD, _REWARD, _THREAT))
    for favour in _FAVOUR.finditer(said):
        if (
            sold
            or any(_wanted(said, favour, act) for act in rewards)
            or any(_threatened(said, favour, act) for act in threats)
        ):
            return True
    acts = (*sold, *rewards, *(threats if _SENT.search(said) else ()))
    remedies = () if faulty else _REMEDY.finditer(said)
    return any(_wanted(said, remedy, act) for remedy in remedies for act in acts)


def _wanted(said: str, gain: re.Match[str], act: re.Match[str]) -> bool:
    """Return whether the act follows on the gain ("给 ... 就 ..."), or is what the gain is wanted for."""
    if gain.end() <= act.start():
        return _THEN.search(said, gain.end(), act.end() + 2) is not None
    return act.end() <= gain.start() and (
        _FIRST.search(said, act.end(), gain.start() + 2) is not None
        or _WANT.search(said, max(0, act.start() - 5), act.start()) is not None
    )


def _threatened(said: str, gain: re.Match[str], act: re.Match[str]) -> bool:
    """Return whether the act is what happens without the gain."""
    if gain.start() < act.start():
        return (
            _OR_ELSE.search(said, gain.end(), act.end() + 4) is not None
            or _NOT_GIVEN.search(said[: gain.start() + 1]) is not None
        )
    return _UNTIL.search(said, max(0, act.start() - 8), gain.start() + 2) is not None
