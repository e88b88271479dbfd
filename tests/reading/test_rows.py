import csv
from pathlib import Path

import pytest

from functions.domain.causes import CAUSES
from infra.reader.rows import labelled, stream, texts

ROOT = Path(__file__).parents[2]
LABELS = ROOT / "infra" / "reader" / "labels.csv"
SHARED = ROOT.parent / "shared" / "data"


def test_the_evidence_is_found_by_its_place_in_the_text(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "id,is_negative,has_complaint,cause_primary,cause_secondary,weight,evidence_start,evidence_end\n"
        "a,yes,yes,logistics_delay,,1,4,7\n"
        "b,no,no,none,,0.4,,\n",
        encoding="utf-8",
    )
    late, fine = labelled(path, {"a": "东西好，物流慢", "b": "很好"})
    assert (late.evidence, late.negative, late.cause, late.weight) == ("物流慢", True, "logistics_delay", 1.0)
    assert (fine.evidence, fine.complains, fine.cause, fine.weight) == ("", False, None, 0.4)


def test_a_stream_teaches_by_clear_stars_and_what_customers_wrote(tmp_path: Path) -> None:
    path = tmp_path / "stream.csv"
    path.write_text(
        "comment_id,stars,text\na,1,坏了\nb,5,很好\nc,3,一般\nd,1,此用户未填写评价内容\n", encoding="utf-8"
    )
    assert [(row.id, row.negative) for row in stream(path, 0.1)] == [("a", True), ("b", False)]


def test_rows_labelled_by_reading_name_known_causes_once() -> None:
    with LABELS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["id"] for row in rows}) == len(rows) > 2000
    for row in rows:
        assert (row["cause_primary"] == "none") == (row["has_complaint"] == "no"), row
        assert row["cause_primary"] in (*CAUSES, "none"), row
        assert row["cause_secondary"] in (*CAUSES, ""), row
        assert bool(row["evidence_start"]) == bool(row["evidence_end"]), row


def test_the_evidence_of_rows_labelled_by_reading_stands_in_their_texts() -> None:
    given = [SHARED / "reviews_zh_6000.csv.gz", SHARED / "jd_ac_stream.csv.gz"]
    if not all(path.exists() for path in given):
        pytest.skip("the texts of the labelled rows (../shared/data) are not here")
    rows = labelled(LABELS, texts(*given))
    with_evidence = [row for row in rows if row.evidence]
    assert len(with_evidence) > 1000
    assert all(row.evidence in row.text and row.evidence.strip() == row.evidence for row in with_evidence)
