"""The report: what came of a played stream, as numbers, as a verdict and as a page that people read."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from functions.domain.alerts import GRADES
from functions.domain.cases import Case
from functions.domain.times import parse
from infra.local.api import Api
from infra.local.player import Player
from infra.local.stream import Stream
from infra.local.supervisor import HeardAlert, Supervisor
from infra.local.watcher import Watcher, quantiles

_BUCKETS = (1, 2, 5, 10, 15, 20, 25, 30, 45, 60)
_SHOWN_FAULTS = 10


@dataclass(frozen=True)
class Report:
    summary: dict[str, Any]
    wrong: list[str]  # what did not come out as it must, in words
    cases: list[Case]
    alerts: list[HeardAlert]
    posted_to_alert: list[float]

    @property
    def right(self) -> bool:
        return not self.wrong


def missing(player: Player, supervisor: Supervisor, watcher: Watcher, workflows: Counter[str]) -> bool:
    """Say whether anything that must still happen has not happened yet."""
    if (
        workflows["RUNNING"]
        or watcher.reviews_seen() < len(player.published)
        or watcher.depth("ReviewsQueueUrl")
    ):
        return True
    cases = watcher.cases()
    ended = sum(case.status == "closed" for case in cases)
    return ended < max(len(cases), len(player.complaints)) or bool(without_alert(supervisor, cases))


def followed(case: Case) -> bool:
    """Say whether the case has a follow-up: one that was resolved and is not malicious."""
    return case.follow_up and case.resolved_at is not None


def without_alert(supervisor: Supervisor, cases: list[Case]) -> set[str]:
    heard = {alert.case_id for alert in list(supervisor.alerts) if alert.kind == "first"}
    return {case.case_id for case in cases} - heard


def measure(player: Player, supervisor: Supervisor, watcher: Watcher) -> Report:
    """Ask the system what it did and judge it against what was played."""
    cases = watcher.cases()
    workflows, per_case = watcher.workflows(), watcher.workflows_of_cases()
    alerts = list(supervisor.alerts)
    posted = [(c.alerted_at - c.review.posted_at).total_seconds() for c in cases if c.alerted_at]
    seen = [(c.alerted_at - c.review.first_seen_at).total_seconds() for c in cases if c.alerted_at]
    by_id = {case.case_id: case for case in cases}
    heard = [
        (alert.heard_at - by_id[alert.case_id].review.posted_at).total_seconds()
        for alert in alerts
        if alert.kind == "first" and alert.case_id in by_id
    ]
    errors = watcher.errors()
    summary = {
        "reviews_played": player.played["reviews"],
        "rows_left_out": len(player.stream.mistakes),
        "orders_played": player.played["orders"],
        "reviews_seen": watcher.reviews_seen(),
        "bad_ratings_played": len(player.complaints),
        "bad_reviews": watcher.bad_reviews(),
        "cases": len(cases),
        "alerts_sent": len(alerts) + supervisor.duplicates,
        "alerts_first": sum(alert.kind == "first" for alert in alerts),
        "alerts_duplicate": supervisor.duplicates,
        "workflows_started": sum(workflows.values()),
        "workflows_finished": workflows["SUCCEEDED"],
        "dead_letters": watcher.dead_letters(),
        "errors": sum(errors.values()) + len(player.errors) + supervisor.done["refused"],
        "latency_s": {
            "posted_to_alert": quantiles(posted),
            "seen_to_alert": quantiles(seen),
            "posted_to_heard": quantiles(heard),
        },
        "aws_calls": watcher.calls(),
    }
    wrong = [f"{noun}: {total} invocations failed" for noun, total in errors.items()]
    wrong += [f"the API refused: {error}" for error in (*player.errors, *supervisor.errors)]
    wrong += judged(player, cases, without_alert(supervisor, cases), per_case, summary)
    return Report(summary, wrong, cases, alerts, posted)


def judged(
    player: Player, cases: list[Case], unheard: set[str], per_case: Counter[str], summary: dict[str, Any]
) -> list[str]:
    """Every bad or neutral review has one case, every case one first alert and an end, and each that has a
    follow-up one workflow, which ended too.
    """
    wrong = []
    if (unseen := len(player.published) - summary["reviews_seen"]) > 0:
        wrong.append(f"{unseen} reviews were not seen")
    keys = Counter(case.review.key for case in cases)
    if lost := player.complaints - set(keys):
        wrong.append(f"{len(lost)} bad reviews have no case, {min(lost)} for example")
    if doubled := [key for key, total in keys.items() if total > 1]:
        wrong.append(f"{len(doubled)} reviews have more than one case, {doubled[0]} for example")
    if strange := set(keys) - player.published:
        wrong.append(f"{len(strange)} cases are of reviews that nobody wrote, {min(strange)} for example")
    if unheard:
        wrong.append(f"{len(unheard)} cases have no first alert, {min(unheard)} for example")
    if odd := [case.case_id for case in cases if per_case[case.case_id] != int(followed(case))]:
        wrong.append(f"{len(odd)} cases have too many workflows or too few, {odd[0]} for example")
    if stuck := [case.case_id for case in cases if case.status != "closed"]:
        wrong.append(f"{len(stuck)} cases are not closed, {stuck[0]} for example")
    for name in ("alerts_duplicate", "dead_letters"):
        if summary[name]:
            wrong.append(f"{name.replace('_', ' ')}: {summary[name]}")
    if left := summary["workflows_started"] - summary["workflows_finished"]:
        wrong.append(f"{left} workflows did not end well")
    return wrong


def progress(
    player: Player, supervisor: Supervisor, watcher: Watcher, workflows: Counter[str], elapsed_s: float
) -> Group:
    published, total = player.played["reviews"], len(player.stream.reviews)
    started, cases = sum(workflows.values()), watcher.count_cases()
    first = sum(alert.kind == "first" for alert in list(supervisor.alerts))
    table = Table.grid(padding=(0, 2))
    for name, done, of in (
        ("published", published, total),
        ("seen", watcher.reviews_seen(), published),
        ("cases", cases, max(cases, len(player.complaints))),
        ("alerted", first, cases),
        ("acknowledged", supervisor.done["acknowledged"], cases),
        ("workflows ended", started - workflows["RUNNING"], started),
    ):
        table.add_row(
            name, ProgressBar(total=max(of, 1), completed=min(done, max(of, 1)), width=40), f"{done}/{of}"
        )
    left = (total - published) / player.rate
    ahead = f"about {left:.0f} s of reviews to come" if left >= 1 else "waiting for what follows"
    return Group(table, f"{elapsed_s:.0f} s; {ahead}")


def show(console: Console, report: Report, api: Api, stream: Stream) -> None:
    console.rule("What happened")
    console.print(_numbers(report))
    console.rule("From the review to the alert")
    console.print(_histogram(report.posted_to_alert))
    console.rule("Alerts as the people get them")
    console.print(Columns([_sms(alert) for alert in _one_of_each(report.alerts)], equal=True, width=44))
    if case := _most_eventful(report.cases):
        console.rule("One case, from the first star to the closing")
        tell(console, api.get(f"/cases/{case.case_id}"))
    console.rule()
    if stream.mistakes:
        console.print(
            f"[yellow]{len(stream.mistakes)} rows were left out[/], the first: {stream.mistakes[0]}"
        )
    for fault in report.wrong[:_SHOWN_FAULTS]:
        console.print(f"[red]wrong[/] {fault}")
    if report.right:
        console.print("[green]Nothing lost, nothing twice, no dead letter, no error.[/]")


def _numbers(report: Report) -> Columns:
    counts = Table("", "", title="counts", show_header=False)
    for name, value in report.summary.items():
        if not isinstance(value, dict):
            counts.add_row(name.replace("_", " "), str(value))
    latency = Table("seconds", "p50", "p95", "p99", "max", title="latency")
    for name, values in report.summary["latency_s"].items():
        latency.add_row(name.replace("_", " "), *(f"{value:.1f}" for value in values.values()))
    grades = Table("grade", "cases", title="cases")
    for grade, total in Counter(case.grade for case in report.cases).most_common():
        grades.add_row(GRADES[grade], str(total))
    calls = Table("call", "times", title="AWS calls")
    for name, total in Counter(report.summary["aws_calls"]).most_common(12):
        calls.add_row(name, str(total))
    return Columns([counts, latency, grades, calls])


def _histogram(values: list[float]) -> Table:
    table = Table.grid(padding=(0, 1))
    lower = 0
    for upper in (*_BUCKETS, 10**9):
        inside = sum(lower <= value < upper for value in values)
        if inside:
            name = f"{lower}-{upper} s" if upper < 10**9 else f"over {lower} s"
            bar = ProgressBar(total=len(values), completed=inside, width=50)
            table.add_row(name, bar, str(inside))
        lower = upper
    return table


def _one_of_each(alerts: list[HeardAlert]) -> list[HeardAlert]:
    found: dict[tuple[str, bool], HeardAlert] = {}
    for alert in alerts:
        found.setdefault((alert.kind, alert.grade == "malicious"), alert)
    return list(found.values())


def _sms(alert: HeardAlert) -> Panel:
    return Panel(
        Text(alert.text, overflow="fold"),
        title=f"{alert.kind} to {', '.join(alert.roles)}",
        subtitle=alert.heard_at.strftime("%H:%M:%S"),
    )


def _most_eventful(cases: list[Case]) -> Case | None:
    return max(cases, key=lambda case: (case.closed_at is not None, len(case.events)), default=None)


def tell(console: Console, case: dict[str, Any]) -> None:
    """Print a case, as the API gives it, as its timeline and its decisions."""
    review = case["review"]
    console.print(f"{case['case_id']}: {review['product_title']}, {review['rating']}: {review['text']}")
    timeline = sorted(case["timeline"], key=lambda event: str(event["at"]))
    start = parse(timeline[0]["at"])
    table = Table("after", "what", "who", "note")
    for event in timeline:
        after = (parse(event["at"]) - start).total_seconds()
        table.add_row(f"{after:.1f} s", event["kind"], event.get("by") or "", event.get("note") or "")
    console.print(table)
    for decision in case["decisions"]:
        console.print(f"  {decision['table']}: [bold]{decision['row']}[/] - {decision['why']}")
