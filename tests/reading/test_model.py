import pytest

from functions.reading.clauses import clauses, grams, prepared
from functions.reading.model import LANES, Model

SCALES = [0.01] * (len(LANES) - 2) + [0.1]
ZERO = bytes([128] * (len(LANES) - 2))


def small() -> Model:
    """慢 weighs 1.00 for the first lane, 物流 -1.28; both have a norm of 1."""
    slow = bytes([228, *ZERO[1:], 10])
    parcel = bytes([0, *ZERO[1:], 10])
    return Model(["慢", "物流"], slow + parcel, SCALES, [0.5] * (len(LANES) - 2), {"cause": [[2.0, 1.0]]})


def test_the_weights_of_a_clause_are_added_lane_by_lane() -> None:
    sums = small().clause("物流慢")
    assert [round(lane, 6) for lane in sums] == [-0.28, *[0.0] * (len(LANES) - 3), 2.0]


def test_an_unknown_clause_weighs_nothing() -> None:
    model = small()
    assert not any(model.clause("好"))
    assert model.normed(model.clause("好")) == [0.5] * (len(LANES) - 2)


def test_logits_are_divided_by_the_norm() -> None:
    model = small()
    assert round(model.normed(model.clause("慢"))[0], 6) == 1.5
    assert round(model.normed(tuple(4 * lane for lane in model.clause("慢")))[0], 6) == 2.5


def test_a_stored_model_reads_the_same() -> None:
    model = small()
    again = Model.parse(model.dump())
    assert again.clause("物流慢") == model.clause("物流慢")
    assert again.judge("cause", [3.0]) == [7.0]


def test_clauses_leave_punctuation_out_and_keep_their_places() -> None:
    text = "东西好，但是 物流慢！"
    assert [text[start:end] for start, end in clauses(text)] == ["东西好", "但是", "物流慢"]


def test_no_n_gram_is_longer_than_four_and_the_beginning_is_marked() -> None:
    assert grams("物流慢") == {" ", "物", "流", "慢", " 物", "物流", "流慢", " 物流", "物流慢", " 物流慢"}
    assert max(map(len, grams("送货速度太慢了"))) == 4
    assert grams("") == {" "}


@pytest.mark.parametrize(
    "text", ["不是很慢", "没有破损", "没什么异味", "没有发现色差", "不贵", "没有太大问题"]
)
def test_the_denial_of_a_fault_is_not_read_as_one(text: str) -> None:
    seen = prepared(text)
    assert len(seen) == len(text)
    assert not set("慢损味差贵") & set(seen)


@pytest.mark.parametrize("text", ["不好", "不制冷", "没有送货", "差不多", "差", "不新鲜"])
def test_a_fault_said_with_a_negation_stays(text: str) -> None:
    assert prepared(text) == text
