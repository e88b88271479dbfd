"""A template as the tests ask about it."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Properties = dict[str, Any]


class Statement(NamedTuple):
    """A right in a policy. `owner` is the first role it belongs to, or the policy itself."""

    owner: str
    actions: list[str]
    resources: list[Any]


class Deployed:
    def __init__(self, template: Mapping[str, Any]) -> None:
        self.resources: dict[str, dict[str, Any]] = template["Resources"]
        self.outputs: dict[str, Any] = template["Outputs"]

    def of(self, kind: str) -> dict[str, Properties]:
        """Return the properties of all resources of the kind ("SQS::Queue") by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == f"AWS::{kind}"
        }

    def named(self, kind: str, noun: str) -> tuple[str, Properties]:
        """Return the logical id and properties of the resource whose name ends with -noun."""
        found = [
            (name, properties)
            for name, properties in self.of(kind).items()
            if any(
                str(value).endswith(f"-{noun}") and key.endswith("Name") for key, value in properties.items()
            )
        ]
        assert len(found) == 1, f"{len(found)} {kind} are named -{noun}"
        return found[0]

    def functions(self) -> dict[str, Properties]:
        """Return the properties of the functions by module: rule_evaluator."""
        return {
            properties["Handler"].split(".")[1]: properties
            for properties in self.of("Lambda::Function").values()
        }

    def function_id(self, module: str) -> str:
        return self.named("Lambda::Function", module.replace("_", "-"))[0]

    def role_of(self, module: str) -> str:
        return str(self.functions()[module]["Role"]["Fn::GetAtt"][0])

    def statements(self) -> Iterator[Statement]:
        """Yield what roles and callers may do."""
        for kind in ("IAM::Policy", "IAM::ManagedPolicy"):
            for name, policy in self.of(kind).items():
                owner = policy["Roles"][0]["Ref"] if policy.get("Roles") else name
                for statement in policy["PolicyDocument"]["Statement"]:
                    assert statement["Effect"] == "Allow"
                    yield Statement(owner, _list(statement["Action"]), _list(statement["Resource"]))

    def rights_of(self, module: str) -> set[str]:
        """Return all actions that the function may do somewhere."""
        role = self.role_of(module)
        return {action for right in self.statements() if right.owner == role for action in right.actions}

    def alarms(self) -> dict[str, Properties]:
        """Return the alarms by the last part of their name: reviews-dlq."""
        alarms = self.of("CloudWatch::Alarm").values()
        return {alarm["AlarmName"].split("-", 2)[2]: alarm for alarm in alarms}


def text(value: Any) -> str:
    """Write a template's value in one line, references as <logical id> or <logical id.attribute>."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(text, parts))
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case _:
            return str(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
