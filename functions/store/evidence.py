"""The evidence bucket: exhibits as they were handed in, and the packs made of them.

An upload is allowed for one file only: its size, type and SHA-256 are part of the signature, so the bucket
itself refuses any other. The bucket keeps every version; an exhibit is the version that was checked.
"""

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from functions.domain.exhibits import Announced, Erased, Exhibit
from functions.runtime.clients import client
from functions.runtime.settings import setting

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

VALID_S = 900  # a large video over a slow line is on its way when this ends, which S3 does not mind
CHUNK = 1024 * 1024
_PART = 8 * CHUNK  # of an upload in parts; S3 takes up to 10,000, so a pack may have 80 GB


class NotThere(Exception):
    """The bucket has no such file yet: upload it first."""


class Differs(Exception):
    """What lies in the bucket is not the file that was announced."""


class Upload(NamedTuple):
    """Where to PUT the file, with exactly these headers."""

    url: str
    headers: dict[str, str]


class Stored(NamedTuple):
    version: str
    at: datetime


def upload(case_id: str, announced: Announced) -> Upload:
    """Return where this file, and no other, may be uploaded for a quarter of an hour."""
    checksum = _base64(announced.sha256)
    url = client("s3").generate_presigned_url(
        "put_object",
        Params={
            "Bucket": _bucket(),
            "Key": _exhibit(case_id, announced),
            "ContentLength": announced.size,
            "ContentType": announced.media,
            "ChecksumSHA256": checksum,
        },
        ExpiresIn=VALID_S,
    )
    return Upload(
        url,
        {
            "Content-Length": str(announced.size),
            "Content-Type": announced.media,
            "x-amz-checksum-sha256": checksum,
        },
    )


def stored(case_id: str, announced: Announced) -> Stored:
    """Return the announced file as it lies in the bucket. Raises NotThere, Differs."""
    try:
        found = client("s3").head_object(
            Bucket=_bucket(), Key=_exhibit(case_id, announced), ChecksumMode="ENABLED"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
            raise NotThere(f"exhibit {announced.exhibit_id} was not uploaded yet") from error
        raise
    if found["ContentLength"] != announced.size:
        raise Differs(f"exhibit {announced.exhibit_id} has {found['ContentLength']} bytes in the bucket")
    if found.get("ChecksumSHA256") != _base64(announced.sha256):
        raise Differs(f"exhibit {announced.exhibit_id} has another SHA-256 in the bucket")
    return Stored(found["VersionId"], found["LastModified"])


def chunks(case_id: str, exhibit: Exhibit) -> Iterator[bytes]:
    """Yield the exhibit's bytes, of the very version that was recorded."""
    answer = client("s3").get_object(
        Bucket=_bucket(), Key=_exhibit(case_id, exhibit), VersionId=exhibit.version
    )
    yield from answer["Body"].iter_chunks(CHUNK)


def pack_url(case_id: str, digest: str) -> str:
    """Return where the pack may be read for a quarter of an hour."""
    name = f"{case_id}-{digest[:8]}.zip"
    return client("s3").generate_presigned_url(
        "get_object",
        Params={
            "Bucket": _bucket(),
            "Key": _pack(case_id, digest),
            "ResponseContentDisposition": f'attachment; filename="{name}"',
        },
        ExpiresIn=VALID_S,
    )


def erase(case_id: str) -> Erased:
    """Remove every version of the case's exhibits and packs, but those that the bucket has locked."""
    removed, locked, until = 0, set[str](), None
    for folder in ("exhibits", "packs"):
        pages = client("s3").get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=_bucket(), Prefix=f"{folder}/{case_id}/"):
            for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                version = {"Bucket": _bucket(), "Key": one["Key"], "VersionId": one["VersionId"]}
                held = _remove(version)
                if held is None:
                    removed += 1
                else:
                    locked.add(one["Key"].rpartition("/")[2].removesuffix(".zip"))
                    until = max(until or held, held)
    return Erased(removed, frozenset(locked), until)


def _remove(version: Any) -> datetime | None:
    """Remove one version of a file; return until when it is locked where it is."""
    try:
        client("s3").delete_object(**version)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        try:
            found = client("s3").get_object_retention(**version)["Retention"]["RetainUntilDate"]
        except ClientError:
            raise error from None  # it is not the lock that keeps it
        return found
    return None


class PackUpload:
    """A pack on its way into the bucket, part by part; nothing is there before `close`.

    One that is given up leaves its parts, which the bucket's lifecycle removes.
    """

    def __init__(self, case_id: str, digest: str) -> None:
        self._where: Any = {"Bucket": _bucket(), "Key": _pack(case_id, digest)}
        begun = client("s3").create_multipart_upload(**self._where, ContentType="application/zip")
        self._where["UploadId"] = begun["UploadId"]
        self._waiting, self._parts = bytearray(), list["CompletedPartTypeDef"]()

    def write(self, data: bytes, /) -> object:
        self._waiting += data
        while len(self._waiting) >= _PART:
            self._send(_PART)
        return len(data)

    def close(self) -> None:
        self._send(len(self._waiting))
        client("s3").complete_multipart_upload(**self._where, MultipartUpload={"Parts": self._parts})

    def _send(self, size: int) -> None:
        number, body = len(self._parts) + 1, bytes(self._waiting[:size])
        sent = client("s3").upload_part(**self._where, PartNumber=number, Body=body)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        del self._waiting[:size]


def _exhibit(case_id: str, announced: Announced) -> str:
    return f"exhibits/{case_id}/{announced.exhibit_id}"


def _pack(case_id: str, digest: str) -> str:
    return f"packs/{case_id}/{digest}.zip"


def _base64(hexadecimal: str) -> str:
    """Return a hash as S3 writes it."""
    return b64encode(bytes.fromhex(hexadecimal)).decode()


def _bucket() -> str:
    return setting("WINBACK_EVIDENCE_BUCKET")
