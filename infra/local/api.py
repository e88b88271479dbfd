"""The deployed HTTP API as its callers use it: signed with the temporary keys of a role."""

import json
import shlex
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.local.deploy import Deployed
from infra.local.emulator import REGION, Emulator

CALLERS = ("Supervisor", "ShopSystem", "Legal")
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}


class RefusedError(Exception):
    """The API answered with an error status."""

    def __init__(self, status: int, body: str, request: str) -> None:
        super().__init__(f"{request} answered {status}: {body[:300]}")
        self.status = status


@dataclass(frozen=True)
class Api:
    url: str
    keys: dict[str, str] | None  # None: unsigned

    def get(self, path: str, **query: str) -> Any:
        return self.call("GET", path + (f"?{urlencode(query)}" if query else ""))

    def post(self, path: str, body: Any = None) -> Any:
        return self.call("POST", path, body)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the parsed answer. Raises RefusedError."""
        data = json.dumps(body, ensure_ascii=False).encode() if body is not None else b""
        request = AWSRequest(
            method, self.url + quote(path, safe="/?&=%-_.~"), {"content-type": "application/json"}, data
        )
        if self.keys:
            keys = Credentials(
                self.keys["aws_access_key_id"],
                self.keys["aws_secret_access_key"],
                self.keys["aws_session_token"],
            )
            SigV4Auth(keys, "execute-api", REGION).add_auth(request)
        sent = urllib.request.Request(  # noqa: S310
            str(request.url), data or None, dict(request.headers.items()), method=method
        )
        try:
            with urllib.request.urlopen(sent, timeout=30) as answer:  # noqa: S310
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise RefusedError(
                error.code, error.read().decode(errors="replace"), f"{method} {path}"
            ) from error

    def curl(self, url: str) -> str:
        """Return a shell command that asks for `url` with these keys, for as long as they live.

        curl signs the query as it stands, so its names must be in alphabetical order.
        """
        keys = self.keys or {}
        words = [
            "curl", "--aws-sigv4", f"aws:amz:{REGION}:execute-api",
            "--user", f"{keys['aws_access_key_id']}:{keys['aws_secret_access_key']}",
            "-H", f"x-amz-security-token: {keys['aws_session_token']}",
            url,
        ]  # fmt: skip
        return shlex.join(words)


def api_of(target: Emulator, stack: Deployed, caller: str) -> Api:
    """Return the API for one of CALLERS, through a role that holds that caller's policy and nothing else."""
    iam = target.client("iam")
    name = f"winback-local-{caller.lower()}"
    try:
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]
    except iam.exceptions.EntityAlreadyExistsException:
        role = iam.get_role(RoleName=name)["Role"]
    iam.attach_role_policy(RoleName=name, PolicyArn=stack.outputs[f"{caller}PolicyArn"])
    return Api(api_url(target), target.assume(role["Arn"], caller.lower()))


def api_url(target: Emulator) -> str:
    apis = target.client("apigatewayv2").get_apis()["Items"]
    found = next(api["ApiId"] for api in apis if api["Name"] == "winback-local-api")
    # The emulator serves every API at its own address, under this path.
    return f"{target.endpoint}/_aws/execute-api/{found}/$default"
