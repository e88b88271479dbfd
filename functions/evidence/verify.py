"""Verification: is a pack, wherever it comes from, exactly what was built? Needs nothing but the file.

Nothing is unpacked and nothing is believed: names are only compared, sizes are bounded by the manifest,
and every file is read as a stream. A pack without a finding is consistent in itself; that it is the one
that was built then shows its `head`, which stands in the case's timeline.
"""

import json
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from functions.domain.exhibits import Exhibit
from functions.evidence.archive import CHUNK, Archive, Nowhere
from functions.evidence.chain import FORMAT, canonical, digest, linked
from functions.evidence.pack import COLLECTION, MANIFEST, path_of

# What zipfile raises over bytes that somebody changed: a name, a flag (RuntimeError: encrypted), a length.
_UNREADABLE = (BadZipFile, EOFError, OSError, RuntimeError, ValueError, struct.error, zlib.error)
_MOST_MANIFEST = 4 * 1024 * 1024
_MOST_FILES = 1000
_SAFE = re.compile(r"[a-z0-9-]+(/[a-z0-9_.-]+)?(\.[a-z]+)?")
_HEX = r"^[0-9a-f]{64}$"


class Finding(NamedTuple):
    """Something wrong: `what` in a word, `path` the file it is about ("" for the pack), and how it shows."""

    what: str
    path: str
    detail: str


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    n: int
    role: str
    path: str
    size: int = Field(ge=0)
    sha256: str = Field(pattern=_HEX)
    previous: str = Field(pattern=_HEX)
    hash: str = Field(pattern=_HEX)


class Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    format: str
    case_id: str
    shop_id: str
    pack: str
    entries: list[Entry] = Field(max_length=_MOST_FILES)
    head: str


class Verified(NamedTuple):
    """`head` is the one that the manifest states, None where there is no manifest to read."""

    findings: list[Finding]
    head: str | None
    case_id: str | None
    files: int


def verify(pack: Path, head: str | None = None) -> Verified:
    """Return everything that is wrong with a pack. `head`, where known, is compared with its own."""
    try:
        with ZipFile(pack) as held:
            return _verified(pack, held, head)
    except _UNREADABLE as error:
        return Verified([Finding("unreadable", "", f"no complete zip file: {error}")], None, None, 0)


def _verified(pack: Path, held: ZipFile, head: str | None) -> Verified:
    infos = held.infolist()
    findings = list(_named(infos))
    manifest, wrong = _manifest(held)
    findings += wrong
    if manifest is None:
        return Verified(findings, None, None, len(infos))
    findings += _chained(manifest)
    findings += _files(held, infos, manifest)
    if not findings:
        findings += _collected(held, manifest)
    if not findings and _rebuilt(held, infos) != _hash_of(pack):
        detail = "every file is right, but bytes around them (headers, times, padding) are not as built"
        findings.append(Finding("altered", "", detail))
    if head is not None and head != manifest.head:
        detail = f"the recorded head is {head}, this pack's is {manifest.head}: it is another pack"
        findings.append(Finding("other pack", MANIFEST, detail))
    return Verified(findings, manifest.head, manifest.case_id, len(infos))


def _named(infos: Iterable[ZipInfo]) -> Iterator[Finding]:
    counts = Counter(info.filename for info in infos)
    for path, times in counts.items():
        if not _SAFE.fullmatch(path) or ".." in path:
            yield Finding("unsafe name", path, "a name that would leave the folder it is unpacked to")
        if times > 1:
            yield Finding("added", path, f"the name is there {times} times")


def _manifest(held: ZipFile) -> tuple[Manifest | None, list[Finding]]:
    try:
        info = held.getinfo(MANIFEST)
    except KeyError:
        return None, [Finding("missing", MANIFEST, "without its manifest nothing can be verified")]
    if info.file_size > _MOST_MANIFEST or info.compress_type != ZIP_STORED:
        return None, [Finding("altered", MANIFEST, "larger or packed otherwise than any manifest is")]
    try:
        data = held.read(MANIFEST)
        found = json.loads(data)
        manifest = Manifest.model_validate(found)
    except (*_UNREADABLE, ValidationError) as error:
        reason = type(error).__name__
        return None, [Finding("altered", MANIFEST, f"cannot be read as a manifest ({reason})")]
    if manifest.format != FORMAT:
        return None, [Finding("altered", MANIFEST, f"format {manifest.format}; this verifies {FORMAT}")]
    if canonical(found) != data:
        return manifest, [Finding("altered", MANIFEST, "written otherwise than a manifest is")]
    return manifest, []


def _chained(manifest: Manifest) -> Iterator[Finding]:
    heading = manifest.model_dump(include={"format", "case_id", "shop_id", "pack"})
    previous = digest(heading)
    for number, entry in enumerate(manifest.entries, 1):
        if entry.n != number:
            yield Finding("order", entry.path, f"number {entry.n} stands at place {number}")
        if entry.previous != previous:
            what = "the heading" if number == 1 else f"entry {number - 1}"
            yield Finding("chain broken", entry.path, f"does not follow from {what}")
        own = entry.model_dump(exclude={"previous", "hash"})
        if linked(entry.previous, own)["hash"] != entry.hash:
            yield Finding("manifest edited", entry.path, "its line was changed after it was chained")
        previous = entry.hash
    if manifest.head != previous:
        yield Finding("chain broken", MANIFEST, "the head is not the last entry's hash")


def _files(held: ZipFile, infos: list[ZipInfo], manifest: Manifest) -> Iterator[Finding]:
    known = {entry.path: entry for entry in manifest.entries}
    there = {info.filename: info for info in infos}
    for entry in manifest.entries:
        if entry.path not in there:
            yield Finding("missing", entry.path, "the manifest lists it, the pack does not hold it")
            continue
        yield from _compared(held, there[entry.path], entry)
    for path in there.keys() - known.keys() - {MANIFEST}:
        yield Finding("added", path, "the manifest does not list it")
    order = [info.filename for info in infos if info.filename in known]
    wanted = [entry.path for entry in manifest.entries if entry.path in there]
    if order != wanted and sorted(order) == sorted(wanted):
        first = next(path for path, right in zip(order, wanted, strict=True) if path != right)
        yield Finding("order", first, "stands at another place in the pack than in the manifest")


def _compared(held: ZipFile, info: ZipInfo, entry: Entry) -> Iterator[Finding]:
    if info.compress_type != ZIP_STORED or info.file_size != info.compress_size:
        yield Finding("altered", entry.path, "is compressed, which nothing in a pack is")
        return
    if info.file_size != entry.size:
        yield Finding("altered", entry.path, f"{info.file_size} bytes instead of {entry.size}")
        return
    found = sha256()
    try:
        for chunk in _chunks(held, info):
            found.update(chunk)
    except _UNREADABLE as error:
        yield Finding("altered", entry.path, f"its bytes cannot be read: {error}")
        return
    if found.hexdigest() != entry.sha256:
        yield Finding("altered", entry.path, f"SHA-256 {found.hexdigest()} instead of {entry.sha256}")


def _collected(held: ZipFile, manifest: Manifest) -> Iterator[Finding]:
    """The record of the collection and the originals must tell the same."""
    try:
        data = json.loads(held.read(COLLECTION))
        exhibits = [Exhibit.model_validate(each) for each in data]
    except (KeyError, ValueError, RecursionError) as error:
        yield Finding("altered", COLLECTION, f"cannot be read ({type(error).__name__})")
        return
    told = [(path_of(n, each), each.sha256, each.size) for n, each in enumerate(exhibits, 1)]
    listed = [
        (entry.path, entry.sha256, entry.size) for entry in manifest.entries if entry.role == "original"
    ]
    for path, *_ in sorted(set(told) ^ set(listed)):
        yield Finding("altered", path, "is not the file that was collected")


def _rebuilt(held: ZipFile, infos: list[ZipInfo]) -> str:
    """Return the hash of the zip that these files make."""
    with Archive(Nowhere()) as archive:
        for info in infos:
            archive.add(info.filename, info.file_size, _chunks(held, info))
    return archive.sha256


def _chunks(held: ZipFile, info: ZipInfo) -> Iterator[bytes]:
    with held.open(info) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _hash_of(pack: Path) -> str:
    found = sha256()
    with pack.open("rb") as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()
