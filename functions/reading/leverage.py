"""Leverage: a review traded for a benefit, told apart from an angry demand.

Blackmail needs both in one sentence: a lever (the rating, the public, an authority) and a benefit that the
order does not owe (a red packet, the goods for nothing), tied by a condition. A refund, an exchange, a
complaint to the authorities are rights; what a shop offers or promised is not the customer's doing.
"""

import re

from functions.reading.lexicon import Hit

_SENTENCE = re.compile(r"[^。！\n]+")
_MONEY = re.compile(
    r"(?:给|拿|要|至少|转|打)[^，,。不没]{0,4}[一二两三四五六七八九十百千几\d]+(?:百|千|万|块|元)"
)
_CONDITION = re.compile(
    r"就[^是]{0,6}(?:删|改|撤|打|找|叫|挂|去|发|不再|等着|不打|一直|天天|换|让|把)|否则|不然|要不然|要么|休想"
    r"|不(?:给|发|送|免单|补偿|返|打钱|转|表示|赔|到位|想要).{0,14}(?:就|等|差评|一星|不[删改撤]|挂|免谈|天天|找人)"
    r"|(?:马上|立马|立刻|秒|随你|可以|才|想让我|想要?我?|要我?|先)[^，,]{0,3}(?:删|改|撤|五星|好评|差评|追评|写|转|发个|送)"
    r"|(?:红包|钱|现金|打款|好处).{0,6}(?:到位|到账|够大|到了|就|才)|给.{0,8}(?:删|改|撤)|懂的|一手交"
    r"|(?:删|改|撤|换|买).{0,10}(?:至少|拿钱|现金|免谈|好评$)|没有红包|什么时候(?:返|给|打)|变好评|职业|私了|随你们写"
)
_OFFERED = re.compile(
    r"(?:客服|卖家|商家|店家|老板|店铺|他们|对方|卡片|小卡|售后|纸条|有人|听说).{0,14}"
    r"(?:说给|说送|说加|让我|叫我|要我|求我|承诺|答应|给我发|送了|给我五|打电话|让给|花钱)"
    r"|好评返现|晒图返现|不是.{0,6}(?:要|想|图|为了)|不(?:图|要|稀罕|需要|想要|在乎)(?:他们?的?)?(?:红包|钱|好处|返现|补偿|现金)"
    r"|没有?(?:要|想|找|收).{0,8}(?:红包|钱|好处|返现|补偿)|拒绝|谢谢|下次|希望|物超所值|不会因为|当我是|贿赂|收买"
)

# The same three in wider words. Only a text that has a lever is looked at, and nothing is found in one that
# speaks of what was promised, of the customer's own money, or of what others do or offer.
_NUMBER = r"[一二两俩三四五六七八九十百千万几\d]+"
_LEVER = re.compile(
    r"[删撤][评了掉]|[删撤改换]除?.{0,2}(?:评|投诉)|差评.{0,6}[删撤改换]|评[论价]?.{0,6}[删撤改变]|撤诉|差评|好评|追评|[一二三四五12345几]颗?星|颗星|低分|评分|(?:这条|写|盖|改)(?:评价|评论|楼)|评价.{0,6}(?:写着|挂着|放着|变)|闭嘴"
    r"|手下留情|高抬贵手|放你们一马|曝光|挂[你到在网]|新闻|电视台|记者|小红书|抖音|微博|发群|12315|投诉|举报|刷[一到]|封口|网上|让我删|名声|盖楼|分数|中评|[补加]一?[两一]?星|热搜|大?平台见|去平台|改口|闭不上|翻篇|沉下去|评论区|相安无事|删图|把图删|不难看|骂一次|写得好看|嘴下留情|口碑"
)
_GAIN = re.compile(
    rf"(?:给|拿|补|返|转|打(?!\d)|赔|掏|贴|付|发|要|赏|先|没有?|价格?是)(?:过来|[我个点上]){{0,2}}{_NUMBER}(?:块|元|百|千|万|(?![颗星条次分天年月个件号份遍张折点楼家页]))"
    r"|红包|好处|(?:茶水|辛苦|封口|好评|误工|跑腿)费|返现|返钱|贴钱|打赏|转账|打款|(?:把钱|钱)(?:打|转)|(?:转|补|赏)我|拿钱|给钱|掏钱|给我(?:点)?钱"
    r"|(?:把|退|补)[^，,]{0,8}[\d一二三四五六七八九十百]+块?补?给我|退[^，,]{0,4}[八五三二六一四七九两]?十|对折|钱和东西|衣服我不寄|货款退我|[年月]卡|免单|免掉|[单这]不?给我免|免费|白送|送我|(?:送|寄|补|来)[^，,]{0,3}[一二两三四五六几\d][台箱盒双套瓶袋张包]|样机|补寄|再寄|多寄|多送|小?礼品|礼物|赠品"
    r"|[送寄][^，,]{0,3}[一二两三四五六\d]斤|折现|白给我|心意|懂事|好处|返一半|多退我|都?全退了.{0,6}送|你开价|下一[单件][^，,]{0,3}送|券|购物卡|会员卡|话费|打?[一三五六七八九\d]折|[双两三四五十]倍|翻倍|货我.{0,2}(?:留|不)|不退货|不寄回|(?:东西|货)(?:我)?不(?:会)?退|仅退款"
    r"|退.{0,2}一半|(?:怎么|到位|不)表示|表示.{0,3}到位|意思意思|看你们?诚意|谈个?价|[开出]个价|[四五]星[一二两三四五六七八九]?[百十]|要有价"
)
_TIE = re.compile(
    r"就(?![是业算像连好差])|我把|要不(?!是)|奉上|不信你|不赔我|肯给|到了[补改删]|不等人|少一个|才(?!来|装|发|到|给|能|九|[一二三四五六七八十\d])|不然|否则|别想|休想|当没|不是问题|少一分|要么|条件|自己选|你们选|随时|自然|什么时候.{0,6}(?:改|删|撤)|来换|到位|懂的|没给我|返不够|看你们?[着诚怎]"
    r"|(?:不|没).{0,3}(?:答应|同意|来|转|返|送|给|肯).{0,8}(?:差评|一星|截图|曝光|挂)|(?:改|删|撤)(?:的话)?(?:，|,)|了我就|我(?:马上|立马|立刻|可以)|换一个|没有的话|看你们态度|吗？加我|要不.{2,14}要不|可以考虑|评价我|想(?:让|要|停|不想)"
    r"|不想.{0,10}的话|只要|除非|，.{0,3}我.{0,3}(?:改|撤|删)|商量|识相|[四五]星[一二两三四五六七八九]?[百十]|要有价|帮你们把"
)
_OWED = re.compile(
    r"说好|承诺|说补|页面|写着|卡片|小卡|纸条|短信|活动|集赞|晒图|宣传|好评返|刷的|多收|收了我|另外收|收费|运费|差价|价保|保价|降价|漏发|少发|发票|三包|法律|全额"
    r"|安装|师傅|送货|400|物业|网点|催|回收|满减|下次|希望|物超所值|送.{0,3}没送|说有|估计|不给了"
    r"|(?:让|叫|求|要)我[^，,]{0,3}(?:改|删|撤)[^，,]{0,4}(?:，当|，我不|，[没谁烦这太]|，?$)|不会因为|怎么可能|贿赂|收买|就这点诚意|真心话|实话"
    r"|不是为了|不(?:图|稀罕|在乎|需要|想要|是为)|别跟我|给(?:我)?(?:钱|一百万)(?:都|也)|份上|哈哈|开玩笑"
    r"|(?:客服|卖家|商家|店家|对方|他们|店铺)(?:给我|[^，,]{0,8}说)|(?:客服|卖家|商家|店家|老板|对方|他们|店铺|打电话)[^，,]{0,8}(?:说给|说送|求|骚扰|威胁|逼|天天|私信|想用|要给|打来|打电话|为了|让我(?:改|删|撤)[^，,]{0,4}，(?!我))"
)


def blackmail(text: str, hits: list[Hit]) -> tuple[str, ...]:
    """Return the sentences that trade the review, and the whole phrases of the lexicon that do."""
    found = [text[hit.start : hit.end] for hit in hits if "blackmail" in hit.topics]
    levers = [hit.start for hit in hits if "leverage" in hit.topics]
    gains = [hit.start for hit in hits if "benefit" in hit.topics]
    wide = _LEVER.search(text) and not _OWED.search(text)
    if not (levers or wide):
        return tuple(dict.fromkeys(found))
    for sentence in _SENTENCE.finditer(text):
        said, (start, end) = sentence[0], sentence.span()
        worded = any(start <= at < end for at in levers) and (
            any(start <= at < end for at in gains) or _MONEY.search(said)
        )
        if (worded and _CONDITION.search(said) and not _OFFERED.search(said)) or (
            wide and _LEVER.search(said) and _GAIN.search(said) and _TIE.search(said)
        ):
            found.append(said.strip("，, "))
    return tuple(dict.fromkeys(found))
