"""The report: numbers, and whether everything came out as it must."""

from collections import Counter
from typing import Any

import pytest

from infra.local.player import Player
from infra.local.report import judged
from infra.local.supervisor import plan_for
from infra.local.watcher import metric, quantiles
from tests.builders import NOW, case, review


def test_quantiles_are_values_that_occurred() -> None:
    assert quantiles([float(n) for n in range(1, 101)]) == {
        "p50": 50.0,
        "p95": 95.0,
        "p99": 99.0,
        "max": 100.0,
    }
    assert quantiles([3.0]) == {"p50": 3.0, "p95": 3.0, "p99": 3.0, "max": 3.0}
    assert quantiles([]) == {"p50": 0.0, "p95": 0.0, "p99": 0.0, "max": 0.0}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('{"_aws": {}, "ReviewsSeen": 7}', 7),
        ('{"_aws": {}, "ReviewsSeen": [7.0, 2.0]}', 9),
        ('{"_aws": {}, "BadReviews": 7}', 0),
        ("START RequestId", 0),
    ],
)
def test_a_metric_is_read_from_the_embedded_format(line: str, value: int) -> None:
    assert metric(line, "ReviewsSeen") == value


def test_most_cases_are_solved_and_a_few_left_to_show_what_follows() -> None:
    plans = Counter(plan_for(number) for number in range(100))
    assert plans == {"solve": 85, "late": 5, "take": 5, "ignore": 5}


def test_what_is_lost_doubled_or_strange_is_named() -> None:
    stayed = case(status="closed", resolved_at=NOW, closed_at=NOW)
    key = stayed.review.key
    summary = {
        "reviews_seen": 2, "alerts_duplicate": 0, "dead_letters": 0,
        "workflows_started": 1, "workflows_finished": 1,
    }  # fmt: skip
    player = Player.__new__(Player)
    player.published, player.complaints = {key, review(review_id="lost").key}, {key}
    assert judged(player, [stayed], set(), Counter({stayed.case_id: 1}), summary) == []

    player.complaints = set(player.published)
    assert (
        "1 bad reviews have no case"
        in judged(player, [stayed], set(), Counter({stayed.case_id: 1}), summary)[0]
    )
    assert (
        "more than one case"
        in judged(player, [stayed, stayed, case(review=review(review_id="lost"))], set(), Counter(), summary)[
            0
        ]
    )
    worse = summary | {"dead_letters": 2, "alerts_duplicate": 1, "workflows_finished": 0, "reviews_seen": 0}
    player.complaints = {key}
    assert len(judged(player, [stayed], {stayed.case_id}, Counter(), worse)) == 6


@pytest.mark.parametrize(
    ("given", "workflows", "wrong"),
    [
        ({"resolved_at": NOW}, 1, []),
        ({"resolved_at": NOW}, 2, ["workflow"]),
        ({"resolved_at": NOW, "follow_up": False}, 0, []),
        ({"resolved_at": NOW, "follow_up": False}, 1, ["workflow"]),
        ({"outcome": "expired"}, 0, []),
        ({"outcome": "expired"}, 1, ["workflow"]),
        ({"resolved_at": NOW, "status": "resolved"}, 1, ["not closed"]),
    ],
)
def test_a_case_that_is_followed_up_has_one_workflow_and_any_other_none(
    given: dict[str, Any], workflows: int, wrong: list[str]
) -> None:
    one = case(**{"status": "closed", **given})
    player = Player.__new__(Player)
    player.published = player.complaints = {one.review.key}
    summary = dict.fromkeys(
        ("alerts_duplicate", "dead_letters", "workflows_started", "workflows_finished"), 0
    ) | {"reviews_seen": 1}
    found = judged(player, [one], set(), Counter({one.case_id: workflows}), summary)
    assert len(found) == len(wrong)
    assert all(word in text for word, text in zip(wrong, found, strict=True))
