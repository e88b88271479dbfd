"""A fifth of all AWS calls fail, every operation at least once: nothing is lost, nothing is done twice."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import pytest

from functions.domain.cases import Case
from infra.local.api import RefusedError
from infra.local.simulators.taobao import TaobaoSimulator
from tests.system.fault_proxy import SHARE, FaultProxy, between
from tests.system.running import COMPLAINT, PRAISE, Shop, System, eventually, paced

pytestmark = pytest.mark.system

REVIEWS, EVERY_OTHER = 300, 2
LONG_S = 900
# No wait is shorter: in a storm, too, whoever resolves a case does so before it expires (six waits on).
FLOOR_S = 40
# Operations of the functions in such a run; the proxy fails each of them once for sure.
USED = (
    ("dynamodb", "BatchGetItem"),
    ("dynamodb", "GetItem"),
    ("dynamodb", "PutItem"),
    ("dynamodb", "Query"),
    ("dynamodb", "Scan"),
    ("dynamodb", "TransactWriteItems"),
    ("dynamodb", "UpdateItem"),
    ("secretsmanager", "GetSecretValue"),
    ("sns", "Publish"),
    ("sns", "PublishBatch"),
    ("sqs", "SendMessageBatch"),
    ("stepfunctions", "StartExecution"),
)


class End(NamedTuple):
    """What a review came to; the same for every review of its kind, however hard it was."""

    status: str
    outcome: str | None
    grade: str
    remedy: str
    first_alerts: int  # different keys; one that came too late, after the resolution, is dropped and counts
    messages: tuple[str, ...]
    left: tuple[str, ...]


@pytest.fixture
def proxy(system: System) -> Iterator[FaultProxy]:
    with between(system.target) as found:
        yield found


def live_through(shop: Shop) -> list[End]:
    """Write the reviews, have every other case resolved, wait for the end; return what became of each."""
    keys = [
        shop.write("bad" if n % 3 else "good", COMPLAINT if n % 3 else PRAISE, ouid=f"buyer-{n}")
        for n in range(REVIEWS)
    ]
    chosen, solved = set(keys[::EVERY_OTHER]), dict[str, Future[None]]()

    def everything_is_seen() -> bool:
        cases = shop.cases()
        for case in cases:
            if case.review.key in chosen and case.case_id not in solved:
                solved[case.case_id] = hands.submit(resolve, shop.system, case.case_id)
        return shop.bad <= {case.review.key for case in cases}

    with ThreadPoolExecutor(8) as hands:
        shop.poll_until(everything_is_seen, LONG_S)
    for each in solved.values():
        each.result()
    eventually(lambda: all(ended(case) for case in shop.cases()), LONG_S, pause_s=2)
    alerts = shop.system.alerts.heard(shop=shop.shop_id, kind="first")
    messages = shop.system.messages.heard(shop=shop.shop_id)
    return [
        end(case, alerts, messages)
        for case in sorted(shop.cases(), key=lambda case: keys.index(case.review.key))
    ]


def resolve(system: System, number: str) -> None:
    """As a person does whose click failed: again."""
    body = {"by": "li", "cause": "logistics_delay", "outcome": "solved"}
    for _ in range(20):
        try:
            system.supervisor.post(f"/cases/{number}/resolve", body)
        except RefusedError as error:
            if error.status < 500:
                raise
        else:
            return
    raise AssertionError(f"{number} could not be resolved in 20 tries")


def ended(case: Case) -> bool:
    return case.status == "closed" and not case.outbox


def end(case: Case, alerts: list, messages: list) -> End:  # type: ignore[type-arg]
    about = [heard for heard in alerts if heard.attributes["case_id"] == case.case_id]
    sent = {heard.attributes["message_key"] for heard in messages if heard.body["case_id"] == case.case_id}
    return End(
        case.status,
        case.outcome,
        case.grade,
        case.remedy,
        len({heard.attributes["alert_key"] for heard in about}) or _dropped(case),
        tuple(sorted(key.rpartition(":")[2] for key in sent)),
        tuple(case.outbox),
    )


def _dropped(case: Case) -> int:
    first = case.events.get("alert:0")
    return int(first is not None and first.kind == "alert dropped")


def test_three_hundred_reviews_end_the_same_in_a_storm(system: System, shop: Shop, proxy: FaultProxy) -> None:
    with paced(system, scale=0.000001, floor_s=FLOOR_S), TaobaoSimulator() as simulator:
        calm = live_through(shop)
        faultless = proxy.passed()
        assert not proxy.failed()
        proxy.fail(*USED)
        stormy = Shop(system, f"{shop.shop_id}-storm", simulator)
        stormy.open()
        try:
            assert live_through(stormy) == calm
        finally:
            proxy.stop_failing()
            stormy.close()
    failed, calls = proxy.failed(), proxy.passed() - faultless
    assert {f"{service}.{name}" for service, name in USED} <= failed.keys()
    assert failed.total() > 0.8 * SHARE * calls
    print(f"\n{failed.total()} of {calls} calls failed:", dict(failed.most_common()))
