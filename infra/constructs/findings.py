"""Findings of cdk-nag that we accept, each with its reason, written where the cause is."""

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct

_PACK = "AwsSolutions"


def accept(construct: Construct, rule: str, reason: str) -> None:
    """Accept the rule's finding (IAM4 for example) on the construct and what is in it."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{_PACK}::{_PACK}-{rule}", reason=reason))


def accept_star(construct: Construct, resource: str, reason: str) -> None:
    """Accept a star in the resource of a policy."""
    accept(construct, f"IAM5[Resource::{_flat(Stack.of(construct).resolve(resource))}]", reason)


def _flat(value: object) -> str:
    """Write a resolved value as cdk-nag does: references in angle brackets."""
    match value:
        case {"Fn::Join": [str(separator), [*parts]]}:
            return separator.join(_flat(part) for part in parts)
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case _:
            return str(value)
