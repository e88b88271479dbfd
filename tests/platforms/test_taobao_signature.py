"""The signature of TOP requests, against published examples (the documentation's and an older guide's)."""

import pytest

from functions.platforms.taobao import sign

SELLER_GET = {
    "method": "taobao.item.seller.get",
    "app_key": "12345678",
    "session": "test",
    "timestamp": "2016-01-01 12:00:00",
    "format": "json",
    "v": "2.0",
    "fields": "num_iid,title,nick,price,num",
    "num_iid": "11223344",
}
TRADERATES_GET = {
    "method": "taobao.traderates.get",
    "app_key": "12345678",
    "session": "6100e23test",
    "timestamp": "2026-01-05 10:00:00",
    "format": "json",
    "v": "2.0",
    "fields": "tid,oid,role,nick,result,created,item_title,item_price,content,reply,num_iid,valid_score",
    "rate_type": "get",
    "role": "buyer",
    "result": "bad",
    "page_no": "1",
    "page_size": "100",
    "use_has_next": "true",
    "start_date": "2026-01-05 09:00:00",
    "end_date": "2026-01-05 10:00:00",
}


@pytest.mark.parametrize(
    ("params", "method", "expected"),
    [
        (SELLER_GET, "md5", "66987CB115214E59E6EC978214934FB8"),  # published
        (SELLER_GET, "hmac", "D56D7858309C31B6251083A874D48273"),
        (SELLER_GET, "hmac-sha256", "04DB15AD0774D5CFCE2C837DE43E3FCEA9011ED74F3038FB6AB5F3C4CEA119E8"),
        (TRADERATES_GET, "md5", "316DC7AA5510C5EEAEBB7810139E69D4"),
        (TRADERATES_GET, "hmac", "2610AF9E143ABBC65B03E7D4EF55E765"),
        (TRADERATES_GET, "hmac-sha256", "10892313BEEFB87814B22FE9BD20CF1AFFE8A3CA4ED4D8683AC092CC00D4E304"),
    ],
)
def test_a_request_is_signed_by_each_documented_method(
    params: dict[str, str], method: str, expected: str
) -> None:
    assert sign(params | {"sign_method": method}, "helloworld") == expected


def test_the_older_published_example_gives_its_signature() -> None:
    params = {
        "app_key": "test",
        "fields": "nick",
        "format": "xml",
        "method": "taobao.user.seller.get",
        "session": "test",
        "sign_method": "md5",
        "timestamp": "2013-05-06 13:52:03",
        "v": "2.0",
    }
    assert sign(params, "test") == "72CB4D809B375A54502C09360D879C64"


def test_chinese_values_are_signed_as_raw_utf8() -> None:
    params = {
        "method": "taobao.traderate.explain.add",
        "app_key": "12345678",
        "session": "6100e23test",
        "timestamp": "2026-01-05 10:00:00",
        "format": "json",
        "v": "2.0",
        "sign_method": "md5",
        "oid": "190000000000000001",
        "reply": "抱歉给您带来不便，已安排补发。",
    }
    assert sign(params, "helloworld") == "49AE00E7549884D703063E9B46784DB1"


def test_empty_values_and_the_signature_itself_are_left_out() -> None:
    params = SELLER_GET | {"sign_method": "md5"}
    assert sign(params | {"partner_id": "", "sign": "x"}, "helloworld") == sign(params, "helloworld")


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="no sign_method 'sha512'"):
        sign(SELLER_GET | {"sign_method": "sha512"}, "helloworld")
