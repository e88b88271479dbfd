import random
from operator import mul

import pytest

from functions.reading.clauses import clauses, grams, prepared, unwritten
from functions.reading.model import LANES, Model

SCALES = [0.01] * (len(LANES) - 1) + [0.1]
ZERO = bytes([128] * (len(LANES) - 1))


def small() -> Model:
    """慢 weighs 1.00 for the first lane, 物流 -1.28; both have a norm of 1."""
    slow = bytes([228, *ZERO[1:], 10])
    parcel = bytes([0, *ZERO[1:], 10])
    return Model(["慢", "物流"], slow + parcel, SCALES, [0.5] * (len(LANES) - 1), {"cause": [[2.0, 1.0]]})


def logits(model: Model, *clauses: str) -> list[float]:
    (*lanes, _), scale = model.sums(sum(map(model.packed, clauses)))
    return [round(lane * scale + bias, 3) for lane, bias in zip(lanes, model.biases, strict=True)]


def test_the_weights_of_a_clause_are_added_lane_by_lane_and_divided_by_the_norm() -> None:
    assert logits(small(), "物流慢") == [round(0.5 - 0.28 / 2**0.5, 3), *[0.5] * (len(LANES) - 2)]


def test_an_unknown_clause_weighs_nothing() -> None:
    assert logits(small(), "好") == [0.5] * (len(LANES) - 1)


def test_sums_hold_every_lane_apart_whatever_their_signs() -> None:
    draw = random.Random(5)
    letters = "一二三四五六七八九十"
    stored = {letter: draw.randbytes(len(LANES)) for letter in letters}
    model = Model(list(stored), b"".join(stored.values()), SCALES, [0.0] * (len(LANES) - 1), {})
    for size in (1, 10, 400):
        said = draw.choices(letters, k=size)
        (*lanes, _), scale = model.sums(sum(map(model.packed, said)))
        for lane, total in enumerate(lanes):
            weights = sum(stored[letter][lane] - 128 for letter in said) * SCALES[lane]
            norm = (sum(stored[letter][-1] for letter in said) * SCALES[-1]) ** 0.5
            assert total * scale == pytest.approx(weights / norm, abs=0.01)


def test_what_is_said_again_weighs_more_but_not_twice_as_much() -> None:
    assert logits(small(), "慢")[0] == 1.5
    assert logits(small(), "慢", "慢", "慢", "慢")[0] == 2.5


def test_a_stored_model_reads_the_same() -> None:
    model = small()
    again = Model.parse(model.dump())
    assert logits(again, "物流慢") == logits(model, "物流慢")
    assert again.judge("cause", [3.0]) == pytest.approx([7.0])


def test_the_head_weighs_signals_and_adds_them_up() -> None:
    draw = random.Random(9)
    rows = [[draw.gauss(0, 3) for _ in range(6)] for _ in range(4)]
    evidence = [1.0, -2.0, 0.5, 3.0, -0.1, 0.0]
    model = Model([], b"", SCALES, [], {"cause": rows, "evidence": [evidence]})
    many = [[draw.gauss(0, 9) for _ in range(5)] for _ in range(20)]
    for signals in many:
        assert model.judge("cause", signals) == pytest.approx(
            [sum(map(mul, row, [*signals, 1.0])) for row in rows]
        )
    ranked = model.rank("evidence", many)
    plain = [sum(map(mul, evidence, signals)) for signals in many]
    assert [each - ranked[0] for each in ranked] == pytest.approx([each - plain[0] for each in plain])


def test_clauses_leave_punctuation_out_and_keep_their_places() -> None:
    text = "东西好，但是 物流慢！"
    assert [text[start:end] for start, end in clauses(text)] == ["东西好", "但是", "物流慢"]


def test_a_clause_is_its_characters_and_pairs_its_beginning_and_its_end() -> None:
    assert grams("物流太慢") == {
        *" 物流太慢", " 物", "物流", "流太", "太慢", " 物流", " 物流太", "流太慢"
    }  # fmt: skip
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


@pytest.mark.parametrize(
    "text",
    [
        "此用户未填写评价内容", "此用户未及时填写评价内容", "您没有填写内容，默认好评", "您没有填写评价内容",
        "此用户没有填写评论!", "评价方未及时做出评价,系统默认好评!", "该用户未填写评价",
        "系统默认好评！", " 该用户觉得商品不错 ",
    ],
)  # fmt: skip
def test_what_a_platform_writes_is_told_from_what_a_customer_does(text: str) -> None:
    assert unwritten(text)


@pytest.mark.parametrize(
    "text", ["", "默认好评", "此用户未填写评价内容，客服却说我写了", "该用户觉得商品太差", "您没有填写地址"]
)
def test_a_customer_who_quotes_the_platform_has_written(text: str) -> None:
    assert not unwritten(text)
