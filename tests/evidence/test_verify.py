"""Every way to tamper with a pack is found, and named."""

import json
import re
import struct
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions import rulebook
from functions.domain.cases import Case
from functions.evidence.archive import Archive
from functions.evidence.chain import canonical, digest, linked
from functions.evidence.pack import Altered, build, name
from functions.evidence.verify import verify
from infra.cli.main import main
from tests.exhibits import BYTES, bytes_of, malicious

RULES = rulebook.load()
PICTURE, RECORD = "originals/001-chat_screenshot.png", "records/case.json"
Files = dict[str, bytes]


class Whole:
    """A pack as it was built."""

    def __init__(self, path: Path, case: Case | None = None) -> None:
        self.path = path
        with path.open("wb") as file:
            self.built = build(case or malicious(), RULES, bytes_of, file)
        with ZipFile(path) as held:
            self.files = {info.filename: held.read(info) for info in held.infolist()}


@pytest.fixture
def whole(tmp_path: Path) -> Whole:
    return Whole(tmp_path / "pack.zip")


def rewritten(whole: Whole, files: Files) -> Path:
    """Write these files in their order, in the pack's own way."""
    path = whole.path.with_name("forged.zip")
    with path.open("wb") as file, Archive(file) as archive:
        for each, data in files.items():
            archive.add(each, len(data), [data])
    return path


def found(path: Path, head: str | None = None) -> set[tuple[str, str]]:
    return {(each.what, each.path) for each in verify(path, head).findings}


def rechained(files: Files, change: Callable[[dict[str, Any]], None]) -> Files:
    """Change each manifest entry, then forge the whole chain anew."""
    manifest = json.loads(files["manifest.json"])
    heading = {key: manifest[key] for key in ("format", "case_id", "shop_id", "pack")}
    head, entries = digest(heading), []
    for entry in manifest["entries"]:
        change(entry)
        own = {key: value for key, value in entry.items() if key not in ("previous", "hash")}
        entries.append(linked(head, own))
        head = entries[-1]["hash"]
    return files | {"manifest.json": canonical({**heading, "entries": entries, "head": head})}


def test_a_pack_as_it_was_built_has_no_finding(whole: Whole) -> None:
    result = verify(whole.path, whole.built.head)
    assert (result.findings, result.head, result.files) == ([], whole.built.head, 11)


def test_the_same_case_makes_the_same_bytes(tmp_path: Path) -> None:
    one, other = Whole(tmp_path / "a.zip"), Whole(tmp_path / "b.zip")
    assert one.path.read_bytes() == other.path.read_bytes()
    assert one.built.sha256 == sha256(one.path.read_bytes()).hexdigest()


def test_what_is_done_with_a_pack_does_not_change_the_next_one() -> None:
    case = malicious()
    event = {"at": case.malice.at if case.malice else None, "kind": "evidence packed"}
    packed = malicious(events={**dict(case.events), "pack:x": event})
    assert name(packed, RULES) == name(case, RULES)


def test_a_case_without_exhibits_has_a_pack_of_records(tmp_path: Path) -> None:
    whole = Whole(tmp_path / "pack.zip", malicious(dossier={}))
    assert verify(whole.path).findings == []
    assert not any(each.startswith("originals/") for each in whole.files)


def test_an_altered_exhibit_is_never_packed(tmp_path: Path) -> None:
    for bad in (lambda _: [b"forged"], lambda each: [BYTES[each.kind][:-1] + b"?"]):
        with pytest.raises(Altered, match="exhibit"), (tmp_path / "x").open("wb") as file:
            build(malicious(), RULES, bad, file)


def test_one_changed_byte_names_its_file(whole: Whole) -> None:
    data = bytearray(whole.path.read_bytes())
    data[data.index(BYTES["chat_screenshot"]) + 100] ^= 1
    forged = whole.path.with_name("forged.zip")
    forged.write_bytes(data)
    assert found(forged) == {("altered", PICTURE)}


def test_a_changed_file_with_a_right_checksum_of_the_zip_names_its_file(whole: Whole) -> None:
    forged = rewritten(whole, whole.files | {RECORD: whole.files[RECORD].replace(b"shop-1", b"shop-2")})
    assert found(forged) == {("altered", RECORD)}


def test_a_shortened_file_is_named(whole: Whole) -> None:
    assert found(rewritten(whole, whole.files | {PICTURE: b"short"})) == {("altered", PICTURE)}


def test_a_removed_file_is_named(whole: Whole) -> None:
    files = {path: data for path, data in whole.files.items() if path != RECORD}
    assert found(rewritten(whole, files)) == {("missing", RECORD)}


def test_an_added_file_is_named(whole: Whole) -> None:
    forged = rewritten(whole, whole.files | {"originals/004-other.txt": b"new"})
    assert found(forged) == {("added", "originals/004-other.txt")}


def test_files_in_another_order_are_named(whole: Whole) -> None:
    paths = list(whole.files)
    paths[0], paths[1] = paths[1], paths[0]
    forged = rewritten(whole, {path: whole.files[path] for path in paths})
    assert found(forged) == {("order", paths[0])}


def test_swapped_entries_of_the_manifest_break_the_chain(whole: Whole) -> None:
    manifest = json.loads(whole.files["manifest.json"])
    entries = manifest["entries"]
    entries[0], entries[1] = entries[1], entries[0]
    forged = rewritten(whole, whole.files | {"manifest.json": canonical(manifest)})
    assert {"order", "chain broken"} <= {what for what, _ in found(forged)}


@pytest.mark.parametrize("field", ["sha256", "size", "path", "role", "previous", "hash"])
def test_an_edited_line_of_the_manifest_is_named(whole: Whole, field: str) -> None:
    manifest = json.loads(whole.files["manifest.json"])
    entry = manifest["entries"][3]
    assert entry["path"] == RECORD
    edits = {"size": 5, "path": "records/other.json", "role": "original"}
    entry[field] = edits.get(field, "0" * 64)
    forged = rewritten(whole, whole.files | {"manifest.json": canonical(manifest)})
    named = {path for _, path in found(forged)}
    assert named & {RECORD, "records/other.json", "records/collection.json"}


@pytest.mark.parametrize("field", ["case_id", "shop_id", "pack", "head"])
def test_an_edited_heading_breaks_the_chain(whole: Whole, field: str) -> None:
    manifest = json.loads(whole.files["manifest.json"]) | {field: "WB-OTHER"}
    forged = rewritten(whole, whole.files | {"manifest.json": canonical(manifest)})
    assert "chain broken" in {what for what, _ in found(forged)}


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"entries": 1}', b"null"]
)
def test_a_manifest_that_is_none_is_said_to_be_none(whole: Whole, data: bytes) -> None:
    assert found(rewritten(whole, whole.files | {"manifest.json": data})) == {("altered", "manifest.json")}


def test_a_manifest_written_with_other_spaces_is_found(whole: Whole) -> None:
    data = json.dumps(json.loads(whole.files["manifest.json"]), indent=1).encode()
    assert ("altered", "manifest.json") in found(rewritten(whole, whole.files | {"manifest.json": data}))


def test_without_its_manifest_nothing_can_be_verified(whole: Whole) -> None:
    files = {path: data for path, data in whole.files.items() if path != "manifest.json"}
    assert found(rewritten(whole, files)) == {("missing", "manifest.json")}


def test_a_file_forged_together_with_the_whole_chain_contradicts_the_collection(whole: Whole) -> None:
    data = b"\x89PNG forged"

    def forge(entry: dict[str, Any]) -> None:
        if entry["path"] == PICTURE:
            entry |= {"size": len(data), "sha256": sha256(data).hexdigest()}

    files = rechained(whole.files | {PICTURE: data}, forge)
    assert found(rewritten(whole, files)) == {("altered", PICTURE)}


def test_a_pack_forged_in_every_part_is_caught_by_the_recorded_head(tmp_path: Path, whole: Whole) -> None:
    other = Whole(tmp_path / "other.zip", malicious("chat_screenshot"))
    assert found(other.path) == set()
    assert found(other.path, whole.built.head) == {("other pack", "manifest.json")}


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_no_pack(whole: Whole, kept: float) -> None:
    data = whole.path.read_bytes()
    whole.path.write_bytes(data[: int(len(data) * kept)])
    assert found(whole.path) == {("unreadable", "")}


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", "a\\..\\evil", "originals/../../evil", "C:/evil"])
def test_a_name_that_leaves_the_folder_is_found_and_nothing_is_written(whole: Whole, path: str) -> None:
    before = set(whole.path.parent.parent.rglob("*"))
    forged = rewritten(whole, whole.files | {path: b"evil"})
    assert {"unsafe name", "added"} <= {what for what, _ in found(forged)}
    assert set(whole.path.parent.parent.rglob("*")) - before == {forged}


def test_a_file_that_is_there_twice_is_found(whole: Whole) -> None:
    with pytest.warns(UserWarning, match="Duplicate"), ZipFile(whole.path, "a", ZIP_STORED) as held:
        held.writestr(PICTURE, b"another")
    assert ("added", PICTURE) in found(whole.path)


def test_a_zip_bomb_is_not_inflated(whole: Whole) -> None:
    """A gigabyte of zeros under an exhibit's name, some hundred kilobytes packed."""
    forged = whole.path.with_name("forged.zip")
    with ZipFile(forged, "w", ZIP_DEFLATED) as held:
        for path, data in whole.files.items():
            if path != PICTURE:
                held.writestr(ZipInfo(path), data)
        info = ZipInfo(PICTURE)
        info.compress_type = ZIP_DEFLATED
        with held.open(info, "w", force_zip64=True) as bomb:
            for _ in range(64):
                bomb.write(bytes(1024 * 1024))
    assert ("altered", PICTURE) in found(forged)


def test_a_size_that_lies_is_found(whole: Whole) -> None:
    """The central directory says that the picture is larger than it is."""
    data = bytearray(whole.path.read_bytes())
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(PICTURE.encode()))
    struct.pack_into("<II", data, place + 20, 4_000_000_000, 4_000_000_000)
    whole.path.write_bytes(data)
    assert ("altered", PICTURE) in found(whole.path)


@pytest.mark.parametrize("where", ["before", "after", "comment", "time"])
def test_bytes_around_the_files_are_found(whole: Whole, where: str) -> None:
    data = bytearray(whole.path.read_bytes())
    match where:
        case "before":
            data = bytearray(b"hidden") + data
        case "comment":
            data[-2:] = struct.pack("<H", 6)
            data += b"hidden"
        case "time":
            place = data.rindex(b"PK\x01\x02", 0, data.rindex(PICTURE.encode()))
            data[place + 12] ^= 1
        case _:
            data += b"hidden"
    whole.path.write_bytes(data)
    assert found(whole.path) in ({("altered", "")}, {("unreadable", "")})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), flip=st.integers(1, 255))
def test_no_changed_byte_anywhere_goes_unnoticed(whole: Whole, place: int, flip: int) -> None:
    data = bytearray(whole.path.read_bytes())
    data[place % len(data)] ^= flip
    forged = whole.path.with_name("forged.zip")
    forged.write_bytes(data)
    assert verify(forged).findings


def test_the_redacted_copy_names_nobody_and_says_what_a_person_has_to_hide(whole: Whole) -> None:
    text = b"".join(data for path, data in whole.files.items() if path.startswith("redacted/")).decode()
    for secret in ("13812345678", "张伟", "文三路", "customer-1", "order-1", "王芳", "周律"):
        assert secret not in text, secret
    assert "不给我转50块钱就等着差评" in text
    assert json.loads(whole.files["redacted/by-hand.json"]) == [
        PICTURE,
        "originals/002-call_recording.mp3",
    ]


def test_the_page_loads_nothing_from_outside_and_shows_no_markup_of_the_customers(tmp_path: Path) -> None:
    whole = Whole(tmp_path / "p.zip", malicious(text="<script>alert(1)</script><img src=x>"))
    page = whole.files["index.html"].decode()
    assert "<script" not in page
    assert "<img" not in page
    assert not re.search(r'(src|href)="(?!originals/|records/|redacted/|https://myseller)', page)
    for path, data in whole.files.items():
        if path not in ("index.html", "manifest.json"):
            assert sha256(data).hexdigest() in page


# The command


def test_the_command_says_genuine_and_answers_0(whole: Whole, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evidence", "verify", str(whole.path), "--head", whole.built.head]) == 0
    said = capsys.readouterr().out
    assert whole.built.head in said
    assert "the chain is whole" in said
    assert "It is the pack that was built" in said


def test_the_command_names_what_was_altered_and_answers_1(
    whole: Whole, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = rewritten(whole, whole.files | {PICTURE: b"short", "\x1b[2Jevil": b""})
    assert main(["evidence", "verify", str(forged)]) == 1
    said = capsys.readouterr().out
    assert f"altered: {PICTURE}: 5 bytes instead of" in said
    assert "NOT GENUINE" in said
    assert "\x1b[2J" not in said


def test_the_command_without_a_file_answers_2(tmp_path: Path) -> None:
    assert main(["evidence", "verify", str(tmp_path / "none.zip")]) == 2
