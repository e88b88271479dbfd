"""What is stored, how it is kept, and what carries it."""

import json

import pytest

from infra import synth
from tests.infra.deployed import Deployed, text

KEYS = {
    "shops": ["shop_id"],
    "customers": ["customer", "item"],
    "cases": ["case_id"],
    "desk": ["shop_id", "item"],
    "ledger": ["book", "line"],
}
INDEXES = {
    "by_shop": ["shop_id", "opened_at"],
    "due": ["due_shop", "due_at"],
    "agenda": ["agenda", "agenda_at"],
    "suspected": ["suspected_shop", "opened_at"],
}


@pytest.mark.parametrize("noun", KEYS)
def test_a_table_has_the_keys_that_the_store_writes(stack: Deployed, noun: str) -> None:
    _, table = stack.named("DynamoDB::Table", noun)
    assert [key["AttributeName"] for key in table["KeySchema"]] == KEYS[noun]


def test_cases_are_found_by_shop_and_by_what_is_due(stack: Deployed) -> None:
    _, cases = stack.named("DynamoDB::Table", "cases")
    assert {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in cases["GlobalSecondaryIndexes"]
    } == INDEXES
    assert cases["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


def test_the_lines_of_the_ledger_are_found_by_day(stack: Deployed) -> None:
    (index,) = stack.named("DynamoDB::Table", "ledger")[1]["GlobalSecondaryIndexes"]
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["day_book", "at"]
    assert index["Projection"] == {"ProjectionType": "ALL"}


def test_every_table_is_encrypted_and_can_be_brought_back(stack: Deployed) -> None:
    (key,) = stack.of("KMS::Key")
    for table in stack.of("DynamoDB::Table").values():
        assert table["SSESpecification"]["KMSMasterKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_evidence_is_encrypted_versioned_private_and_goes_when_no_claim_can_be_made(prod: Deployed) -> None:
    ((_, bucket),) = prod.of("S3::Bucket").items()
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    locked = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    (lifecycle,) = bucket["LifecycleConfiguration"]["Rules"]
    assert locked == {"Days": lifecycle["ExpirationInDays"], "Mode": "GOVERNANCE"}
    assert lifecycle["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
    (policy,) = prod.of("S3::BucketPolicy").values()
    assert "aws:SecureTransport" in json.dumps(policy)


def test_what_is_stored_in_prod_outlives_the_stack(prod: Deployed) -> None:
    for kind in ("DynamoDB::Table", "KMS::Key", "S3::Bucket", "SQS::Queue"):
        for name in prod.of(kind):
            assert prod.resources[name]["DeletionPolicy"] == "Retain", name
    assert all(table["DeletionProtectionEnabled"] for table in prod.of("DynamoDB::Table").values())


def test_a_local_system_leaves_nothing_behind(local: Deployed) -> None:
    assert {
        resource["DeletionPolicy"] for resource in local.resources.values() if "DeletionPolicy" in resource
    } == {"Delete"}


def test_the_key_changes_every_year(stack: Deployed) -> None:
    (key,) = stack.of("KMS::Key").values()
    assert key["EnableKeyRotation"] is True


def test_every_queue_is_a_dead_letter_queue_or_has_one(stack: Deployed) -> None:
    for queue in stack.of("SQS::Queue").values():
        assert queue["QueueName"].endswith("-dlq") != ("RedrivePolicy" in queue)


def test_dead_letters_are_kept_as_long_as_sqs_can_and_reported_at_the_first(stack: Deployed) -> None:
    for name, queue in stack.of("SQS::Queue").items():
        if queue["QueueName"].endswith("-dlq"):
            assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
            alarm = stack.alarms()[queue["QueueName"].split("-", 2)[2]]
            assert alarm["Dimensions"][0]["Value"] == {"Fn::GetAtt": [name, "QueueName"]}
            assert alarm["Threshold"] == 1


def test_queues_and_topics_are_encrypted_and_refuse_plain_http(stack: Deployed) -> None:
    assert all("KmsMasterKeyId" in queue for queue in stack.of("SQS::Queue").values())
    assert all("KmsMasterKeyId" in topic for topic in stack.of("SNS::Topic").values())
    for kind, field in (("SQS::Queue", "Queues"), ("SNS::Topic", "Topics")):
        guarded = [text(policy[field][0]) for policy in stack.of(kind + "Policy").values()]
        assert sorted(guarded) == sorted(f"<{name}>" for name in stack.of(kind))
        for policy in stack.of(kind + "Policy").values():
            assert "aws:SecureTransport" in json.dumps(policy)


def test_named_supervisors_get_alerts_and_named_operators_get_alarms() -> None:
    subscribed = Deployed(
        synth.synthesise(
            stage="dev",
            alert_emails="lead@example.com, deputy@example.com",
            alert_phones="+8613800000000",
            alarm_emails="ops@example.com",
        )
    )
    topics = {noun: subscribed.named("SNS::Topic", noun)[0] for noun in ("alerts", "operations")}
    assert {
        (each["Protocol"], each["Endpoint"], each["TopicArn"]["Ref"], json.dumps(each.get("FilterPolicy")))
        for each in subscribed.of("SNS::Subscription").values()
        if each["Protocol"] != "sqs"
    } == {
        ("email", "lead@example.com", topics["alerts"], '{"role": ["supervisor"]}'),
        ("email", "deputy@example.com", topics["alerts"], '{"role": ["supervisor"]}'),
        ("sms", "+8613800000000", topics["alerts"], '{"role": ["supervisor"]}'),
        ("email", "ops@example.com", topics["operations"], "null"),
    }


def test_every_alert_goes_to_the_notices_queue_as_it_is(stack: Deployed) -> None:
    topic, (queue, _) = stack.named("SNS::Topic", "alerts")[0], stack.named("SQS::Queue", "notices")
    (subscription,) = [each for each in stack.of("SNS::Subscription").values() if each["Protocol"] == "sqs"]
    assert subscription == {
        "Endpoint": {"Fn::GetAtt": [queue, "Arn"]},
        "Protocol": "sqs",
        "RawMessageDelivery": True,
        "TopicArn": {"Ref": topic},
    }


def test_what_is_over_leaves_the_desk_by_itself(stack: Deployed) -> None:
    _, desk = stack.named("DynamoDB::Table", "desk")
    assert desk["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
