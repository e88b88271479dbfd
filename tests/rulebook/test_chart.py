"""The page of a replay."""

import re

from infra.rules import chart
from infra.rules.deciding import Outcome
from infra.rules.replay import Flip, Replay, as_text

BEFORE = Outcome(bad=True, grade="quality", deadline_s=7200, remedy="refund", coupon=500, cost=8_500)
AFTER = Outcome(bad=True, grade="quality", deadline_s=9000, remedy="reship", coupon=1_000, cost=9_000)


def replayed(*flips: Flip) -> Replay:
    months = {"2026-01": [100_000, 120_000], "2026-02": [120_000, 110_000], "2026-03": [5_000, 5_000]}
    return Replay(
        "old", "new", cost=(225_000_000, 225_010_000), days=3, months=months, flips=list(flips), left_out=7
    )


def test_a_case_that_changes_is_told_in_yuan_and_hours() -> None:
    result = replayed(Flip("o<1>", "2026-01-02", None, BEFORE, AFTER))
    said = "deadline 2h → 2.5h, remedy refund → reship, coupon 5.00 → 10.00"
    assert said in as_text(result)
    page = chart.page(result)
    assert f"<td>{said}</td>" in page
    assert '<td class="n">–</td><td class="n">85.00</td><td class="n">90.00</td>' in page  # value unknown
    assert "o&lt;1&gt;" in page
    assert "7 cases left out" in page


def test_the_chart_shows_what_a_month_costs_more_or_less() -> None:
    page = chart.page(replayed())
    bars = re.findall(r'<rect class="(\w+)" .*? height="([\d.]+)">.*?<text .*?>(.*?)</text>', page)
    (dearer, up, more), (cheaper, down, less), (_, same, none) = bars
    assert (dearer, more) == ("dearer", "+200")
    assert (cheaper, less) == ("cheaper", "-100")
    assert abs(float(up) - 2 * float(down)) < 0.2  # rounded
    assert (float(same), none) == (0, "0")
    assert "2,250,000.00" in page
    assert "+33.33" in page


def test_what_is_left_out_of_a_long_list_is_counted() -> None:
    flips = [Flip(f"o{n}", "2026-01-02", 8_500, BEFORE, AFTER) for n in range(501)]
    assert "And 1 more" in chart.page(replayed(*flips))
    assert "more;" not in chart.page(replayed(*flips[:500]))
