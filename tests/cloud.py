"""The deployed stack in small: what the synthesised template describes, made on moto in this process.

Tables, queues, topics and the workflow come from the template, and so does the environment that the
functions see; nothing is described twice. With WINBACK_DYNAMODB_ENDPOINT set, only the tables are made,
on that DynamoDB, for the tests of the store (`infra/local/dynamodb_local.py`).
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from functions.runtime.clients import client
from functions.store.items import plain

REGION: Literal["eu-west-1"] = "eu-west-1"
ENDPOINT = os.environ.get("WINBACK_DYNAMODB_ENDPOINT")
_WORKFLOW = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
_PSEUDO = {
    "AWS::AccountId": DEFAULT_ACCOUNT_ID,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}


class Published(NamedTuple):
    """A message to a topic. `attributes` as given to SNS."""

    text: str
    attributes: dict[str, Any]


class Cloud:
    """What a test may look at, all of it as plain values.

    Clients stay from test to test: making one takes longer than most tests.
    """

    def __init__(self, template: Mapping[str, Any]) -> None:
        self._resources: dict[str, dict[str, Any]] = template["Resources"]
        self._mock = mock_aws()

    @property
    def environment(self) -> dict[str, str]:
        """The variables of all functions together."""
        functions = (properties for _, properties in self._of("AWS::Lambda::Function"))
        return {
            name: self._resolved(value)
            for properties in functions
            for name, value in properties.get("Environment", {}).get("Variables", {}).items()
        }

    def start(self) -> None:
        if ENDPOINT:
            self._make_tables()
            return
        self._mock.start()
        self._make_tables()
        s3, sqs, sns = client("s3"), client("sqs"), client("sns")
        workflows = client("stepfunctions")
        for _, properties in self._of("AWS::SQS::Queue"):
            visible = str(properties.get("VisibilityTimeout", 30))
            sqs.create_queue(QueueName=properties["QueueName"], Attributes={"VisibilityTimeout": visible})
        for _, properties in self._of("AWS::S3::Bucket"):
            made: Any = {"Bucket": self._resolved(properties["BucketName"])}
            s3.create_bucket(**made, CreateBucketConfiguration={"LocationConstraint": REGION})
            s3.put_bucket_versioning(**made, VersioningConfiguration={"Status": "Enabled"})
        for _, properties in self._of("AWS::SNS::Topic"):
            sns.create_topic(Name=properties["TopicName"])
        for _, properties in self._of("AWS::SecretsManager::Secret"):
            made = properties["GenerateSecretString"]
            value = json.loads(made["SecretStringTemplate"]) | {
                made["GenerateStringKey"]: "x" * made["PasswordLength"]
            }
            client("secretsmanager").create_secret(Name=properties["Name"], SecretString=json.dumps(value))
        for _, properties in self._of("AWS::StepFunctions::StateMachine"):
            workflows.create_state_machine(
                name=properties["StateMachineName"],
                definition=_WORKFLOW,
                roleArn=f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/workflow",
            )

    def stop(self) -> None:
        if not ENDPOINT:
            self._mock.stop()
            return
        for _, properties in self._of("AWS::DynamoDB::Table"):
            client("dynamodb").delete_table(TableName=properties["TableName"])

    def empty(self) -> None:
        """Start again from nothing."""
        self.stop()
        self.start()

    def clear(self) -> None:
        """Take everything out of tables, topics and queues, which is much quicker than making them anew."""
        for table in dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables.values():
            table.items.clear()
        for topic in sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics.values():
            topic.sent_notifications.clear()
        for queue in sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues.values():
            queue._messages.clear()

    def items(self, noun: str) -> list[dict[str, Any]]:
        """Return all items of the table ("cases"), the same ones always in the same order."""
        pages = client("dynamodb").get_paginator("scan").paginate(TableName=self._name(noun))
        found = [plain(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda item: json.dumps(item, sort_keys=True, default=str))

    def published(self, noun: str) -> list[Published]:
        """Return what was published to the topic ("alerts") in order."""
        topic = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics[self._arn("sns", self._name(noun))]
        return [Published(sent[1], sent[3] or {}) for sent in topic.sent_notifications]

    def queued(self, noun: str) -> list[str]:
        """Take all messages that are visible now from the queue ("reviews"), return their bodies."""
        # Not through ReceiveMessage: for thousands of messages moto's takes minutes.
        queue = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[self._name(noun)]
        taken = queue.messages
        queue._messages = [message for message in queue._messages if message not in taken]
        return [message.body for message in taken]

    def executions(self) -> dict[str, Any]:
        """Return the inputs of the started workflows by execution name."""
        workflows = client("stepfunctions")
        started: dict[str, Any] = {}
        for machine in workflows.list_state_machines()["stateMachines"]:
            for run in workflows.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]:
                found = workflows.describe_execution(executionArn=run["executionArn"])
                started[run["name"]] = json.loads(found["input"])
        return started

    def _make_tables(self) -> None:
        dynamodb = client("dynamodb")
        for _, properties in self._of("AWS::DynamoDB::Table"):
            wanted: Any = {
                name: properties[name]
                for name in ("TableName", "AttributeDefinitions", "KeySchema", "BillingMode")
            }
            if indexes := properties.get("GlobalSecondaryIndexes"):
                wanted["GlobalSecondaryIndexes"] = indexes
            if stream := properties.get("StreamSpecification"):
                wanted["StreamSpecification"] = {"StreamEnabled": True, **stream}
            if ENDPOINT:
                with suppress(dynamodb.exceptions.ResourceNotFoundException):  # of a run that broke off
                    dynamodb.delete_table(TableName=properties["TableName"])
            dynamodb.create_table(**wanted)

    def _of(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, resource in self._resources.items():
            if resource["Type"] == kind:
                yield name, resource.get("Properties", {})

    def _name(self, noun: str) -> str:
        return f"winback-local-{noun}"

    def _arn(self, service: str, name: str) -> str:
        return f"arn:aws:{service}:{REGION}:{DEFAULT_ACCOUNT_ID}:{name}"

    def _queue_url(self, name: str) -> str:
        return f"https://sqs.{REGION}.amazonaws.com/{DEFAULT_ACCOUNT_ID}/{name}"

    def _resolved(self, value: Any) -> str:
        """Return the text that CloudFormation would make of a template's value."""
        match value:
            case {"Ref": name}:
                return _PSEUDO.get(name) or self._reference(name)
            case {"Fn::GetAtt": [name, attribute]}:
                return self._attribute(name, attribute)
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(map(self._resolved, parts))
        if isinstance(value, dict):
            raise NotImplementedError(f"the tests do not resolve {value}")
        return str(value)

    def _reference(self, name: str) -> str:
        kind, properties = self._resources[name]["Type"], self._resources[name].get("Properties", {})
        match kind:
            case "AWS::DynamoDB::Table":
                return str(properties["TableName"])
            case "AWS::SQS::Queue":
                return self._queue_url(properties["QueueName"])
            case "AWS::S3::Bucket":
                return self._resolved(properties["BucketName"])
            case "AWS::SNS::Topic":
                return self._arn("sns", properties["TopicName"])
            case "AWS::StepFunctions::StateMachine":
                return self._arn("states", f"stateMachine:{properties['StateMachineName']}")
        return name.lower()

    def _attribute(self, name: str, attribute: str) -> str:
        kind = self._resources[name]["Type"]
        if attribute in ("Arn", "TopicArn") and kind in (
            "AWS::SNS::Topic",
            "AWS::StepFunctions::StateMachine",
        ):
            return self._reference(name)
        if attribute == "ApiEndpoint":
            return f"https://abcdefghij.execute-api.{REGION}.amazonaws.com"
        raise NotImplementedError(f"the tests do not resolve {attribute} of a {kind}")
