"""Evidence: the bucket for exhibits and packs, and the functions of malice, evidence and appeals."""

from typing import cast

from aws_cdk import Aws, Duration
from aws_cdk.aws_iam import Role
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import EventSourceMapping, Function
from aws_cdk.aws_s3 import (
    BlockPublicAccess,
    Bucket,
    BucketEncryption,
    LifecycleRule,
    ObjectLockRetention,
    ObjectOwnership,
)
from constructs import Construct

from infra.constructs.api import Api
from infra.constructs.findings import accept, accept_star
from infra.constructs.functions import Functions, allow
from infra.constructs.messaging import Messaging
from infra.constructs.storage import Storage
from infra.stages import Stage

# Civil claims lapse after three years (Civil Code art. 188); after that there is nothing left to prove.
_CLAIMS = Duration.days(3 * 365)
MALICE_ROUTES = (
    ("GET", "/cases/{case_id}/malice"),
    ("POST", "/cases/{case_id}/malice"),
    ("POST", "/cases/{case_id}/chat"),
    ("POST", "/cases/{case_id}/appeal/filing"),
    ("POST", "/cases/{case_id}/appeal/outcome"),
    ("GET", "/shops/{shop_id}/signals"),
    ("POST", "/shops/{shop_id}/sources"),
)
EVIDENCE_ROUTES = (
    ("GET", "/evidence/{case_id}"),
    ("POST", "/evidence/{case_id}"),
    ("POST", "/evidence/{case_id}/{exhibit_id}/complete"),
    ("GET", "/evidence/{case_id}/pack"),
    ("POST", "/evidence/{case_id}/pack"),
)
_BUILD_S = 300


class Evidence(Construct):
    """`legal` is a policy to attach to the roles of those who judge, collect and appeal."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        storage: Storage,
        messaging: Messaging,
        functions: Functions,
        api: Api,
    ) -> None:
        super().__init__(scope, name)
        self.bucket = self._bucket(stage, storage.key)
        cases = storage.cases
        tables = {"WINBACK_CASES_TABLE": cases.table_name}
        bucket = {"WINBACK_EVIDENCE_BUCKET": self.bucket.bucket_name}
        packs = messaging.packs.queue

        self.malice_api = functions.add("malice_api", seconds=29, environment=tables, decides=True)
        self.evidence_api = functions.add(
            "evidence_api",
            seconds=29,
            environment=tables | bucket | {"WINBACK_PACKS_QUEUE_URL": packs.queue_url},
            decides=True,
        )
        self.pack_builder = functions.add(
            "pack_builder", seconds=_BUILD_S, environment=tables | bucket, decides=True
        )

        for function in (self.malice_api, self.evidence_api, self.pack_builder):
            allow(function, cases.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        allow(self.malice_api, f"{cases.table_arn}/index/suspected", "dynamodb:Query")
        allow(self.evidence_api, packs.queue_arn, "sqs:SendMessage")
        # Links are signed with the function's own rights: what it may not do, a link may not.
        self._allow(self.evidence_api, "exhibits", "s3:PutObject", "s3:GetObject")
        self._allow(self.evidence_api, "packs", "s3:GetObject")
        # Without it S3 answers "forbidden" for a file that is not there.
        allow(self.evidence_api, self.bucket.bucket_arn, "s3:ListBucket")
        self._allow(self.pack_builder, "exhibits", "s3:GetObjectVersion")
        self._allow(self.pack_builder, "packs", "s3:PutObject")
        # Erasing a person removes their files; what the bucket has locked, it cannot.
        functions.profile_api.add_environment("WINBACK_EVIDENCE_BUCKET", self.bucket.bucket_name)
        allow(functions.profile_api, self.bucket.bucket_arn, "s3:ListBucketVersions")
        for folder in ("exhibits", "packs"):
            self._allow(functions.profile_api, folder, "s3:DeleteObjectVersion", "s3:GetObjectRetention")
        allow(
            self.pack_builder,
            packs.queue_arn,
            *("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
        )
        EventSourceMapping(
            self,
            "Packs",
            target=self.pack_builder,
            event_source_arn=packs.queue_arn,
            batch_size=1,
            max_concurrency=2,
            report_batch_item_failures=True,
        ).node.add_dependency(self.pack_builder.role)  # else the mapping may be made before its rights
        api.serve(self.malice_api, MALICE_ROUTES)
        api.serve(self.evidence_api, EVIDENCE_ROUTES)
        self.legal = api.callers(
            "Legal",
            "Judge suspicions, collect evidence, file appeals",
            MALICE_ROUTES + EVIDENCE_ROUTES,
        )

    def _bucket(self, stage: Stage, key: IKey) -> Bucket:
        """Every version is kept; in prod nobody without a special right can remove one before its time.

        The name ends in the account: bucket names are the world's, not the account's.
        """
        bucket = Bucket(
            self,
            "Bucket",
            bucket_name=f"{stage.physical('evidence')}-{Aws.ACCOUNT_ID}-{Aws.REGION}",
            encryption=BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=BlockPublicAccess.BLOCK_ALL,
            object_ownership=ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            object_lock_default_retention=ObjectLockRetention.governance(_CLAIMS)
            if stage.protected
            else None,
            lifecycle_rules=[
                LifecycleRule(
                    id="after-the-last-claim",
                    expiration=_CLAIMS,
                    noncurrent_version_expiration=Duration.days(30),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=stage.removal,
        )
        accept(bucket, "S1", "Who hands in and fetches stands in the cases and in the API's access log")
        return bucket

    def _allow(self, function: Function, folder: str, *actions: str) -> None:
        files = self.bucket.arn_for_objects(f"{folder}/*")
        allow(function, files, *actions)
        accept_star(cast("Role", function.role), files, "The star stands for the files of a folder")
