"""winback replay: what failed too often gets another try once its cause is mended, to take effect once."""

from collections import Counter
from collections.abc import Iterator

import pytest

from functions.domain.cases import case_id
from infra.cli.replay import move, replay_cases
from tests.builders import review
from tests.system.rights import Grant, without
from tests.system.running import Shop, System, eventually, now

pytestmark = pytest.mark.system

PUBLISH = Grant("case-events", "sns:Publish", "alerts")
OPEN = Grant("rule-evaluator", "dynamodb:PutItem", "cases")
# A stream's record is given up after a minute, a message after five tries.
GIVEN_UP_S = 150


@pytest.fixture(autouse=True)
def no_dead_letters(system: System) -> Iterator[None]:
    """Each test begins and leaves without any."""
    assert system.watcher.dead_letters() == 0
    yield
    for name in ("PollsDlqUrl", "ReviewsDlqUrl", "NoticesDlqUrl", "CaseEventsDlqUrl"):
        system.client("sqs").purge_queue(QueueUrl=system.stack.outputs[name])


@pytest.fixture
def quick_retries(system: System) -> Iterator[None]:
    """A review that failed comes again after 1 s instead of a minute."""
    sqs, url = system.client("sqs"), system.stack.outputs["ReviewsQueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def test_a_message_that_is_no_review_is_set_aside_and_stays_aside(
    system: System, quick_retries: None
) -> None:
    system.send("ReviewsQueueUrl", '{"text": "not a review"}')
    eventually(lambda: system.watcher.depth("ReviewsDlqUrl") == 1, GIVEN_UP_S)
    assert system.watcher.depth("ReviewsQueueUrl") == 0
    assert move(system.client("sqs"), "local", "reviews") == 1
    eventually(lambda: system.watcher.depth("ReviewsDlqUrl") == 1, GIVEN_UP_S)


def test_a_review_that_could_not_be_recorded_gets_its_case_later(
    system: System, shop: Shop, quick_retries: None
) -> None:
    written = review(shop_id=shop.shop_id, posted_at=now(), first_seen_at=now())
    with without(system, OPEN):
        system.send("ReviewsQueueUrl", written.model_dump_json())
        eventually(lambda: system.watcher.depth("ReviewsDlqUrl") == 1, GIVEN_UP_S)
    assert shop.cases() == []
    assert move(system.client("sqs"), "local", "reviews") == 1
    eventually(shop.cases)
    shop.bad.add(written.key)
    shop.settle()
    assert shop.first_alerts() == Counter([case_id(written.key)])
    assert system.watcher.dead_letters() == 0


def test_a_case_whose_alert_could_not_be_sent_is_told_again_and_alerted_once(
    system: System, shop: Shop, slow_deadlines: None
) -> None:
    with without(system, PUBLISH):
        number = case_id(shop.complain())
        shop.poll_until(lambda: system.case(number))
        eventually(lambda: system.watcher.depth("CaseEventsDlqUrl") >= 1, GIVEN_UP_S)
    assert "alert:0" in system.known(number).outbox
    assert shop.first_alerts() == {}
    assert replay_cases(system.client("sqs"), system.client("dynamodb"), "local") >= 1
    shop.settle()
    assert shop.first_alerts() == Counter([number])
    assert system.watcher.dead_letters() == 0
    assert replay_cases(system.client("sqs"), system.client("dynamodb"), "local") == 0


def test_a_failing_alert_holds_up_neither_other_effects_nor_other_cases(system: System, shop: Shop) -> None:
    with without(system, PUBLISH):
        number = case_id(shop.complain())
        shop.poll_until(lambda: system.case(number))
        system.put_into_outbox(number, "stop:1", kind="stop")
        eventually(lambda: "stop:1" not in system.known(number).outbox, within_s=30)
        assert "alert:0" in system.known(number).outbox
    eventually(lambda: len(shop.first_alerts()) == 1)
