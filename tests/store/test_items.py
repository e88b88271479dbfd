import json
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.cases import Case, acknowledge, open_case, resolve
from functions.domain.profiles import Order, Profile
from functions.domain.reviews import Review
from functions.domain.verdicts import judge
from functions.rulebook import load
from functions.store import items
from functions.store.cases import NAMED
from functions.store.errors import Unreadable
from functions.store.items import attributes, from_item, to_item
from tests.bench.meter import bytes_of
from tests.builders import NOW, SHOP, case, decision, order, profile, review

times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
texts = st.text(min_size=1, max_size=20)
fen = st.integers(0, 10**12)
facts = st.dictionaries(texts, st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), texts))


@given(
    stars=st.none() | st.integers(1, 5),
    text=st.text(),
    price=st.none() | fen,
    order_id=st.none() | texts,
    posted_at=times,
)
def test_a_review_comes_back_as_it_was(**values: Any) -> None:
    written = review(**values)
    assert from_item(Review, to_item(written)) == written


@given(
    orders=st.integers(0, 10**6),
    last_order_at=st.none() | times,
    older_order_on=st.none() | st.dates(),
    days=st.dictionaries(
        st.dates().map(str), st.fixed_dictionaries({"orders": st.integers(1, 9), "spent": fen})
    ),
    preferences=st.dictionaries(texts, st.text()),
    needs=st.lists(texts).map(tuple),
    consent=st.dictionaries(
        st.sampled_from(["sms", "chat", "email", "post"]),
        st.fixed_dictionaries({"granted": st.booleans(), "at": times, "source": texts}),
    ),
)
def test_a_profile_comes_back_as_it_was(**values: Any) -> None:
    kept = profile(**values)
    assert from_item(Profile, to_item(kept, customer="shop#who", item="profile")) == kept


@given(
    facts=facts,
    then=st.dictionaries(texts, st.one_of(st.none(), st.booleans(), fen, texts, st.lists(texts))),
    alerted_at=st.none() | times,
    note=st.none() | st.text(),
)
def test_a_case_comes_back_as_it_was(facts: Any, then: Any, alerted_at: Any, note: Any) -> None:
    opened = case(
        decisions=(decision(facts=facts, then=then),),
        alerted_at=alerted_at,
        events={"noted": {"at": NOW, "kind": "noted", "note": note}},
    )
    assert from_item(Case, to_item(opened, pending=True, due_shop="shop-1")) == opened
    assert from_item(Case, to_item(opened, named=NAMED, pending=True, events={})) == opened


@given(total=fen, promised_by=st.none() | times, returned=st.booleans())
def test_an_order_comes_back_as_it_was(**values: Any) -> None:
    placed = order(**values)
    assert from_item(Order, to_item(placed)) == placed


def test_nothing_is_stored_of_what_is_unknown() -> None:
    assert "stars" not in to_item(review(stars=None))


def test_times_are_stored_as_text_of_one_width_so_that_an_index_sorts_them() -> None:
    assert to_item(order(placed_at=NOW))["placed_at"] == {"S": "2026-03-02T08:00:00.000000Z"}


def test_an_unknown_fact_of_a_decision_stays_visible_as_unknown() -> None:
    item = to_item(case(decisions=(decision(facts={"order_value": None}),)))
    assert item["decisions"]["L"][0]["M"]["facts"] == {"M": {"order_value": {"NULL": True}}}


def test_an_unreadable_item_is_reported_without_what_a_customer_wrote() -> None:
    item = to_item(review(text="my phone is 13800000000")) | {"stars": {"S": "secret"}}
    with pytest.raises(Unreadable, match=r"^Review with unknown stars$") as raised:
        from_item(Review, item)
    assert raised.value.__cause__ is None


def test_packed_fields_are_read_back_as_they_were_and_take_less() -> None:
    one = case()
    packed = to_item(one, named=NAMED)
    assert packed.keys() == {*NAMED, "packed"} - {"closed_at"}
    assert from_item(Case, packed) == from_item(Case, to_item(one)) == one
    assert bytes_of(packed) < 0.5 * bytes_of(to_item(one))


def test_a_resolved_case_with_all_its_decisions_takes_one_write_unit() -> None:
    """However its rules are worded by then: words that fit no more are a reason to make new ones."""
    rules = load()
    written = review(text="物流太慢了，付款后第九天才收到，催了三次客服都说在路上，等得一点心情都没有了。")
    one = open_case(written, judge(written, rules), profile(), order(), rules, NOW)
    one = resolve(acknowledge(one, "li", NOW), "li", "logistics_delay", "solved", None, NOW)
    keys = {"shop_id": SHOP, "due_shop": SHOP, "agenda": "0", "agenda_at": "2026-03-02T08:00:00.000000Z"}
    assert len(one.decisions) == 7
    assert bytes_of(to_item(one, named=NAMED, **keys, pending=True, events={})) <= 1024


def test_what_was_written_by_name_since_counts_and_lines_are_joined() -> None:
    one = case()
    line = {"at": {"S": "2026-03-02T09:00:00.000000Z"}, "kind": {"S": "care due"}}
    item = to_item(one, named=NAMED) | {"owner": {"S": "legal"}, "events": {"M": {"care_due": {"M": line}}}}
    after = from_item(Case, item)
    assert after.owner == "legal"
    assert after.events.keys() == {*one.events, "care_due"}
    assert after.review == one.review


def test_an_item_that_was_packed_without_words_is_still_read() -> None:
    one = case()
    values = one.model_dump(mode="json", exclude_none=True)
    packed = zlib.compress(json.dumps({"decisions": values.pop("decisions")}).encode())
    assert from_item(Case, attributes(values | {"packed": packed})) == one


def test_words_are_named_by_their_checksum_and_so_never_change() -> None:
    """Items were packed with them: whoever needs others adds a file, and leaves the old ones."""
    files = {file.name: file.read_bytes() for file in Path(items.__file__).parent.glob("words-*.txt")}
    assert f"words-{items._WORDS}.txt" in files
    assert files.keys() == {f"words-{zlib.adler32(words):08x}.txt" for words in files.values()}
