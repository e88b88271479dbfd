"""The evidence API and the pack builder on the template's bucket, table and queue."""

from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from functions import evidence_api, pack_builder
from functions.domain.cases import Case
from functions.domain.erasure import forget_person
from functions.domain.exhibits import Erased
from functions.evidence.verify import verify
from functions.runtime.clients import client
from functions.runtime.settings import setting
from functions.store import cases, evidence
from tests.builders import NOW, case
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.events import CONTEXT, queue_event
from tests.exhibits import BYTES, PICTURE, announced, malicious
from tests.requests import CALLER, ask

pytestmark = pytest.mark.usefixtures("aws")
LATER = NOW + timedelta(minutes=40)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (evidence_api, pack_builder):
        monkeypatch.setattr(module, "now", lambda: LATER)


def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    return ask(evidence_api.handler, method, path, body=body)


def opened(**given: Any) -> Case:
    return cases.open_case(malicious(dossier={}, **given), None)


def put(known: Case, file: dict[str, Any], data: bytes | None = None) -> str:
    """Upload as the link allows, and return the exhibit's number."""
    _, place = call("POST", f"/evidence/{known.case_id}", file)
    body = BYTES[file["kind"]] if data is None else data
    client("s3").put_object(
        Bucket=setting("WINBACK_EVIDENCE_BUCKET"),
        Key=f"exhibits/{known.case_id}/{place['exhibit_id']}",
        Body=body,
        ChecksumAlgorithm="SHA256",  # moto keeps the checksum only where this header names it
    )
    return str(place["exhibit_id"])


def collected(known: Case, kind: str = "chat_screenshot") -> tuple[str, dict[str, Any]]:
    file = announced(kind)
    path = f"/evidence/{known.case_id}/{put(known, file)}/complete"
    assert call("POST", path, file)[0] == 200
    return path, file


def kept(known: Case) -> Case:
    found = cases.read(known.case_id)
    assert found is not None
    return found


def build(known: Case) -> Any:
    return pack_builder.handler(queue_event(known.case_id), CONTEXT)


def test_a_link_is_for_one_file_its_size_type_and_checksum() -> None:
    status, place = call("POST", f"/evidence/{opened().case_id}", announced())
    assert status == 200
    signed = place["url"].split("X-Amz-SignedHeaders=")[1].split("&")[0].split("%3B")
    assert signed == ["content-length", "content-type", "host", "x-amz-checksum-sha256"]
    assert place["headers"] == {
        "Content-Length": str(len(PICTURE)),
        "Content-Type": "image/png",
        "x-amz-checksum-sha256": b64encode(sha256(PICTURE).digest()).decode(),
    }


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"media": "text/html"}, "chat_screenshot is taken as image/png"),
        ({"size": 21 * 1024 * 1024}, "may have 20 MB"),
    ],
)
def test_a_file_of_another_kind_or_too_large_is_refused_with_the_reason(
    wrong: dict[str, Any], reason: str
) -> None:
    status, body = call("POST", f"/evidence/{opened().case_id}", announced(**wrong))
    assert status == 400
    assert reason in body["message"]


def test_nothing_counts_before_it_was_uploaded() -> None:
    known, file = opened(), announced()
    exhibit_id = call("POST", f"/evidence/{known.case_id}", file)[1]["exhibit_id"]
    status, body = call("POST", f"/evidence/{known.case_id}/{exhibit_id}/complete", file)
    assert (status, body["message"]) == (409, f"exhibit {exhibit_id} was not uploaded yet")
    assert kept(known).dossier.exhibits == ()


def test_another_file_in_its_place_is_refused() -> None:
    known, file = opened(), announced()
    for data, reason in ((PICTURE[:-1] + b"!", "another SHA-256"), (b"short", "5 bytes")):
        path = f"/evidence/{known.case_id}/{put(known, file, data)}/complete"
        status, body = call("POST", path, file)
        assert status == 409
        assert reason in body["message"]


def test_a_collected_exhibit_is_on_record_with_who_collected_it_when_and_how() -> None:
    known = opened()
    collected(known)
    _, body = call("GET", f"/evidence/{known.case_id}")
    (exhibit,) = body["exhibits"]
    assert exhibit["collected_by"] == "王芳"
    assert exhibit["recorded_by"] == f"王芳 ({CALLER})"
    assert exhibit["note"] == "从千牛工作台导出，未裁剪"
    assert exhibit["sha256"] == sha256(PICTURE).hexdigest()
    assert exhibit["version"]
    assert body["missing"] == []
    event = kept(known).events[f"exhibit:{exhibit['exhibit_id']}"]
    assert (event.kind, event.by) == ("exhibit recorded", f"王芳 ({CALLER})")


def test_the_checklist_names_what_douyin_asks_for_and_is_missing() -> None:
    known = opened(review=case().review.model_copy(update={"platform": "douyin"}))
    collected(known)
    _, body = call("GET", f"/evidence/{known.case_id}")
    assert body["checklist"]["option"] == "同行竞争"
    assert body["missing"] == ["call_recording"]


def test_a_customers_picture_counts_against_the_signals() -> None:
    known = opened()
    file = announced() | {"kind": "customer_photo"}
    collected_path = f"/evidence/{known.case_id}/{put(known, file, PICTURE)}/complete"
    call("POST", collected_path, file)
    (signal,) = kept(known).signals
    assert [each.fact for each in signal.counter] == ["kept_orders", "customer_photos"]


def test_what_is_written_over_an_exhibit_later_does_not_reach_the_pack(aws: Cloud) -> None:
    known = opened()
    collected(known)
    put(known, announced(), b"forged")
    assert build(known) == {"batchItemFailures": []}
    assert original(known) == PICTURE


def original(known: Case) -> bytes:
    pack = kept(known).dossier.packs[-1]
    answer = client("s3").get_object(
        Bucket=setting("WINBACK_EVIDENCE_BUCKET"), Key=f"packs/{known.case_id}/{pack.digest}.zip"
    )
    return ZipFile(BytesIO(answer["Body"].read())).read("originals/001-chat_screenshot.png")


def test_a_pack_is_asked_for_built_and_fetched(aws: Cloud, tmp_path: Path) -> None:
    known = opened()
    for kind in BYTES:
        collected(known, kind)
    path = f"/evidence/{known.case_id}/pack"
    assert call("GET", path)[0] == 404
    assert call("POST", path) == (200, {"ready": False})
    assert aws.queued("packs") == [known.case_id]
    build(known)
    assert call("POST", path) == (200, {"ready": True})
    status, link = call("GET", path)
    assert (status, link["current"]) == (200, True)
    assert link["url"].startswith("https://winback-local-evidence-")
    pack = kept(known).dossier.packs[-1]
    body = (
        client("s3")
        .get_object(
            Bucket=setting("WINBACK_EVIDENCE_BUCKET"), Key=f"packs/{known.case_id}/{pack.digest}.zip"
        )["Body"]
        .read()
    )
    assert (len(body), sha256(body).hexdigest()) == (link["size"], link["sha256"])
    (tmp_path / "pack.zip").write_bytes(body)
    assert verify(tmp_path / "pack.zip", link["head"]).findings == []


def test_a_new_exhibit_makes_the_pack_an_old_one(aws: Cloud) -> None:
    known = opened()
    collected(known)
    build(known)
    collected(known, "call_recording")
    assert call("GET", f"/evidence/{known.case_id}/pack")[1]["current"] is False
    assert call("POST", f"/evidence/{known.case_id}/pack")[1]["ready"] is False
    build(known)
    assert len(kept(known).dossier.packs) == 2


def test_a_pack_larger_than_one_part_arrives_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_PART", 5 * 1024 * 1024)
    upload, data = evidence.PackUpload("WB-A", "d"), bytes(range(256)) * 4096 * 12
    for start in range(0, len(data), 1_000_003):
        upload.write(data[start : start + 1_000_003])
    upload.close()
    got = client("s3").get_object(Bucket=setting("WINBACK_EVIDENCE_BUCKET"), Key="packs/WB-A/d.zip")
    assert got["Body"].read() == data


def test_an_exhibit_that_was_altered_in_the_store_fails_the_pack_loudly() -> None:
    known = opened()
    collected(known)
    key = f"exhibits/{known.case_id}/{kept(known).dossier.exhibits[0].exhibit_id}"
    forged = client("s3").put_object(
        Bucket=setting("WINBACK_EVIDENCE_BUCKET"), Key=key, Body=PICTURE[:-1] + b"!"
    )
    cases.change(known.case_id, lambda stands: _at_version(stands, forged["VersionId"]))
    assert build(known) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert kept(known).dossier.packs == ()


def _at_version(stands: Case, version: str) -> Case:
    exhibits = tuple(each.model_copy(update={"version": version}) for each in stands.dossier.exhibits)
    return stands.model_copy(update={"dossier": stands.dossier.model_copy(update={"exhibits": exhibits})})


def test_completing_again_changes_nothing(aws: Cloud) -> None:
    known = opened()
    path, file = collected(known)
    before = aws.items("cases")
    assert effects(lambda: call("POST", path, file)) == []
    assert aws.items("cases") == before


def test_dying_while_completing_and_a_retry_ends_the_same(aws: Cloud) -> None:
    known, file = opened(), announced()
    path = f"/evidence/{known.case_id}/{put(known, file)}/complete"
    names = effects(lambda: call("POST", path, file))
    assert names == ["dynamodb.PutItem"]
    aws.empty()
    known = opened()
    put(known, file)
    with dying_after(1):
        call("POST", path, file)
    assert call("POST", path, file)[0] == 200
    assert len(kept(known).dossier.exhibits) == 1


def test_dying_after_any_effect_of_building_and_a_retry_make_one_pack(aws: Cloud) -> None:
    known = opened()
    collected(known)
    names = effects(lambda: build(known))
    assert names == [
        "s3.CreateMultipartUpload",
        "s3.UploadPart",
        "s3.CompleteMultipartUpload",
        "dynamodb.PutItem",
    ]
    for n in range(1, len(names) + 1):
        aws.empty()
        known = opened()
        collected(known)
        with dying_after(n):
            build(known)
        assert build(known) == {"batchItemFailures": []}
        assert effects(lambda: build(known)) == []  # noqa: B023 - called at once
        assert len(kept(known).dossier.packs) == 1, names[n - 1]
        assert original(known) == PICTURE


def test_an_unknown_case_is_not_found_and_its_message_fails_alone() -> None:
    assert call("GET", "/evidence/WB-NONE")[0] == 404
    assert call("POST", "/evidence/WB-NONE/pack")[0] == 404
    failed = pack_builder.handler(queue_event("WB-NONE", opened().case_id), CONTEXT)
    assert failed == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


def test_nothing_is_collected_about_somebody_who_was_erased() -> None:
    known = opened()
    path = f"/evidence/{known.case_id}"
    exhibit_id = put(known, announced())
    cases.save(forget_person(kept(known), Erased(), LATER))
    for refused in (path, f"{path}/{exhibit_id}/complete"):
        status, body = call("POST", refused, announced())
        assert status == 400
        assert "erased" in body["message"]
    assert kept(known).dossier.exhibits == ()
