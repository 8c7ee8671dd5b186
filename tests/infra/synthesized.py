"""A synthesised template, read for what it says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Resource:
    logical_id: str
    type: str
    properties: dict[str, Any]
    body: dict[str, Any]


class Synthesized:
    """Hold a template and find resources in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.document: dict[str, Any] = json.loads(self.text)

    def of_type(self, kind: str) -> list[Resource]:
        return [
            Resource(logical_id, body["Type"], body.get("Properties", {}), body)
            for logical_id, body in self.document["Resources"].items()
            if body["Type"] == kind
        ]

    def functions(self) -> dict[str, Resource]:
        """Give the functions by the folder they run."""
        return {
            resource.body["Metadata"]["agent:function"]: resource
            for resource in self.of_type("AWS::Lambda::Function")
        }

    def workflows(self) -> dict[str, Resource]:
        return {
            resource.body["Metadata"]["agent:workflow"]: resource
            for resource in self.of_type("AWS::StepFunctions::StateMachine")
        }

    def tables(self) -> dict[str, Resource]:
        """Give the tables by their names in the design."""
        names = {
            "AgentControl": "agent_control",
            "AgentState": "agent_state",
            "LearningLogs": "learning_logs",
            "PerformanceMetrics": "performance_metrics",
            "Positions": "positions",
            "Trades": "trades",
        }
        return {
            name: resource
            for resource in self.of_type("AWS::DynamoDB::Table")
            for prefix, name in names.items()
            if resource.logical_id.startswith(f"Tables{prefix}")
        }

    def resolve(self, value: Any) -> Any:
        """Replace Ref by the logical id, Fn::GetAtt by id.attribute, and join what is joined."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        match value:
            case {"Ref": str(name)}:
                return name
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return f"{name}.{attribute}"
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(self.resolve(part) for part in parts)
        return {key: self.resolve(item) for key, item in value.items()}

    def statements(self, role: str) -> Iterator[dict[str, Any]]:
        """Give what a role's policies allow, with actions and resources as resolved lists."""
        for policy in self.of_type("AWS::IAM::Policy"):
            if {"Ref": role} not in policy.properties["Roles"]:
                continue
            for statement in policy.properties["PolicyDocument"]["Statement"]:
                resolved = self.resolve(statement)
                yield {
                    **resolved,
                    "Action": _as_list(resolved["Action"]),
                    "Resource": _as_list(resolved["Resource"]),
                }

    def allowed(self, role: str) -> set[tuple[str, str]]:
        """Give each action that a role may take, with each resource it may take it on."""
        return {
            (action, resource)
            for statement in self.statements(role)
            for action in statement["Action"]
            for resource in statement["Resource"]
        }

    def role_of(self, resource: Resource) -> str:
        key = "RoleArn" if "RoleArn" in resource.properties else "Role"
        role: str = resource.properties[key]["Fn::GetAtt"][0]
        return role


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
