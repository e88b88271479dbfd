"""Streams: files of different shapes, read through a mapping."""

import csv
import gzip
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from infra.local.player import number, platform_row
from infra.local.stream import SAMPLE, StreamError, Written, read

JD = ("comment_id", "product_id", "product_name", "review_time", "stars", "text")
OLIST = (
    "order_id", "customer_unique_id", "product_id", "product_category_en", "items_value", "review_score",
    "review_comment_title", "review_comment_message", "review_answer_timestamp", "order_purchase_timestamp",
    "payment_value", "order_estimated_delivery_date", "order_delivered_customer_date",
)  # fmt: skip


def write(path: Path, header: tuple[str, ...], *rows: tuple[str, ...]) -> Path:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_the_sample_holds_every_branch() -> None:
    stream = read(SAMPLE)
    assert stream.mistakes == []
    assert len(stream.reviews) > 120
    assert {review.rating for review in stream.reviews} == {"good", "neutral", "bad"}
    orders = [order for entry in stream.entries for order in entry.orders]
    totals = {order.total for order in orders}
    assert 10000 in totals
    assert min(totals) < 10000 < max(totals)
    assert {order.returned for order in orders} == {True, False}
    assert any(order.placed > timedelta(days=180) for order in orders)
    versions = Counter(review.review_id for review in stream.reviews)
    assert max(versions.values()) > 1


def test_jd_stars_become_three_ratings_in_the_order_of_writing(tmp_path: Path) -> None:
    rows = [
        (f"j{stars}", "1", "空调", f"2020-08-{20 - stars} 10:00", str(stars), "文字") for stars in range(1, 6)
    ]
    stream = read(write(tmp_path / "jd.csv.gz", JD, *rows))
    assert [review.rating for review in stream.reviews] == ["good", "good", "neutral", "bad", "bad"]
    assert [review.review_id for review in stream.reviews] == ["j5", "j4", "j3", "j2", "j1"]
    assert stream.reviews[0].customer_id is None


def test_olist_orders_keep_their_distance_to_the_review(tmp_path: Path) -> None:
    row = (
        "o1", "c1", "p1", "toys", "20.00", "1", "Ruim", "Nunca chegou", "2018-01-20 00:00:00",
        "2018-01-01 00:00:00", "25.50", "2018-01-15 00:00:00", "",
    )  # fmt: skip
    unreviewed = ("o2", "c2", "p1", "toys", "20.00", "", "", "", "", "2018-01-02 00:00:00", "25.50", "", "")
    earlier = ("o0", "c1", "p1", "toys", "9.00", "5", "", "", "", "2017-01-20 00:00:00", "9.00", "", "")
    write(tmp_path / "olist_history_before_window.csv.gz", OLIST, earlier)
    stream = read(write(tmp_path / "olist.csv", OLIST, row, unreviewed))

    reviewed = next(entry for entry in stream.entries if entry.written)
    assert reviewed.written is not None
    assert reviewed.written.text == "Ruim\nNunca chegou"
    assert [(order.order_id, order.total, order.placed.days) for order in reviewed.orders] == [
        ("o1", 2550, 19),
        ("o0", 900, 365),
    ]
    assert reviewed.orders[0].promised == timedelta(days=5)
    assert reviewed.orders[0].delivered is None
    assert len(stream.reviews) == 1
    assert len(stream.entries) == 2


def test_a_bad_row_is_named_by_file_row_and_field_and_left_out(tmp_path: Path) -> None:
    good = ("j1", "1", "空调", "2020-08-20 10:00", "1", "文字")
    path = write(tmp_path / "jd.csv", JD, good, ("j2", "1", "空调", "2020-08-20 10:00", "6", "文字"))
    stream = read(path)
    assert len(stream.reviews) == 1
    assert stream.mistakes == ["jd.csv row 2: stars is '6', not one of 1, 2, 3, 4, 5"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "none of the known shapes. Its columns: a, b."),
        ("", "none of the known shapes. Its columns: none."),
        (",".join(JD) + "\n", "no row that can be played"),
    ],
)
def test_a_file_that_cannot_be_played_says_why(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(content)
    with pytest.raises(StreamError, match=said):
        read(path)


def test_an_unknown_shape_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("a,b\n")
    with pytest.raises(StreamError, match=r"(?s)jd\.toml.*olist\.toml.*sample\.toml") as raised:
        read(path)
    assert "copy" in str(raised.value)


def test_a_file_that_is_not_there_or_no_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="cannot be read"):
        read(tmp_path / "absent.csv")
    (tmp_path / "binary.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(StreamError, match="cannot be read"):
        read(tmp_path / "binary.csv.gz")


def test_a_files_ids_become_taobaos_numbers_that_stay_the_same() -> None:
    assert number("620000000000101") == 620000000000101
    assert number("jce791663ce82b") == number("jce791663ce82b") > 2**53
    assert number("jce791663ce82b") != number("jce791663ce82c")


def test_reviewers_whom_the_file_does_not_name_are_different_people() -> None:
    rows = [platform_row(Written(f"r{n}", "bad", "差", None, None, "1", "空调", None)) for n in (1, 2)]
    assert rows[0]["ouid"] != rows[1]["ouid"]
