"""Exhibits and a malicious case with some of them, for the tests of evidence."""

from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from typing import Any

from functions.domain.cases import Case
from functions.domain.exhibits import Dossier, Exhibit
from functions.domain.malice import Against, Malice, Signal
from tests.builders import NOW, case

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
CALL = b"ID3" + b"\x00\x01\x02" * 5000
CHAT = (
    "买家: 我叫张伟，电话13812345678，地址：浙江省杭州市西湖区文三路478号3单元502室\n"
    "买家: 不给我转50块钱就等着差评\n客服: 您好，退款可以走正常流程\n"
).encode()
BYTES = {"chat_screenshot": PICTURE, "call_recording": CALL, "chat_export": CHAT}
_MEDIA = {"chat_screenshot": "image/png", "call_recording": "audio/mpeg", "chat_export": "text/plain"}
_SUFFIX = {"chat_screenshot": ".png", "call_recording": ".mp3", "chat_export": ".txt"}


def announced(kind: str = "chat_screenshot", **given: Any) -> dict[str, Any]:
    """What somebody says of a file that they want to hand in."""
    data = BYTES[kind]
    return {
        "kind": kind,
        "file_name": f"旺旺聊天{_SUFFIX[kind]}",
        "media": _MEDIA[kind],
        "size": len(data),
        "sha256": sha256(data).hexdigest(),
        "note": "从千牛工作台导出，未裁剪",
        "collected_by": "王芳",
        "collected_at": "2026-03-02T08:20:00.000000Z",
        **given,
    }


def exhibit(kind: str = "chat_screenshot", **given: Any) -> Exhibit:
    return Exhibit.model_validate(
        {
            **announced(kind),
            "version": "v1",
            "stored_at": NOW + timedelta(minutes=21),
            "recorded_by": "王芳 (arn)",
            "recorded_at": NOW + timedelta(minutes=21, seconds=5),
            **given,
        }
    )


def malicious(*kinds: str, **given: Any) -> Case:
    """A case whose malice a person confirmed, with one exhibit of each kind."""
    found = Signal(
        name="blackmail_in_chat",
        source="chat",
        by="王芳",
        count=1,
        detail="“不给我转50块钱就等着差评”",
        counter=(Against(fact="kept_orders", count=12, why="Many orders were kept."),),
        at=NOW + timedelta(minutes=5),
    )
    exhibits = tuple(exhibit(kind) for kind in kinds or BYTES)
    return case(
        **{
            "text": "不给红包就差评，手机13812345678",
            "grade": "malicious",
            "owner": "legal",
            "suspected_malicious": True,
            "remedy": "none",
            "coupon": 0,
            "follow_up": False,
            "signals": (found,),
            "malice": Malice(status="confirmed", by="周律", at=NOW + timedelta(minutes=30), note="聊天为证"),
            "dossier": Dossier(exhibits=exhibits),
            **given,
        }
    )


def bytes_of(exhibit: Exhibit) -> Iterable[bytes]:
    """The exhibit's bytes in pieces, as a store hands them out."""
    data = BYTES[exhibit.kind]
    return (data[start : start + 1000] for start in range(0, len(data), 1000))
