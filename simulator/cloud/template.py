"""A synthesised CloudFormation template, and what its intrinsic functions resolve to.

Only what the templates of this project use is understood; anything else is an error that names
the place, so that no resource is ever built from half an answer.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

PARTITION = "aws"
REGION = "us-east-1"
ACCOUNT = "123456789012"

PSEUDO_PARAMETERS: Mapping[str, str] = {
    "AWS::Partition": PARTITION,
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "local",
    "AWS::StackId": f"arn:{PARTITION}:cloudformation:{REGION}:{ACCOUNT}:stack/local/local",
}

_SUBSTITUTION = re.compile(r"\$\{([^}]*)\}")
_FUNCTION_FOLDER = re.compile(r"(?:^|[./])functions[./](\w+)")


class TemplateError(Exception):
    """Raised where a template cannot be read, or says what the local cloud does not know."""


@dataclass(frozen=True)
class Resource:
    """Hold one resource as the template has it; nothing in it is resolved."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    metadata: Mapping[str, Any]


@dataclass
class Identifiers:
    """Map logical ids to the physical ids that Ref and Fn::GetAtt give."""

    references: dict[str, str] = field(default_factory=lambda: dict(PSEUDO_PARAMETERS))
    attributes: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, logical_id: str, reference: str, **attributes: str) -> None:
        """Register a resource: what Ref gives, and what each attribute is."""
        self.references[logical_id] = reference
        for name, value in attributes.items():
            self.attributes[logical_id, name] = value

    def reference(self, logical_id: str) -> str:
        if logical_id not in self.references:
            raise TemplateError(f"Ref to {logical_id}, which the local cloud does not create")
        return self.references[logical_id]

    def attribute(self, logical_id: str, name: str) -> str:
        if (logical_id, name) not in self.attributes:
            raise TemplateError(
                f"Fn::GetAtt of {logical_id}.{name}, which the local cloud does not create"
            )
        return self.attributes[logical_id, name]


class Template:
    """Read a template's resources by type and resolve their properties."""

    def __init__(self, path: Path, document: Mapping[str, Any]) -> None:
        self.path = path
        resources = document.get("Resources")
        if not isinstance(resources, dict) or not resources:
            raise TemplateError(f"{path} has no Resources: not a CloudFormation template")
        self.resources: Mapping[str, Resource] = {
            logical_id: _resource(path, logical_id, body) for logical_id, body in resources.items()
        }
        self._defaults: Mapping[str, str] = {
            name: str(parameter["Default"])
            for name, parameter in document.get("Parameters", {}).items()
            if "Default" in parameter
        }

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a template file; raise TemplateError naming it where it cannot be read."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise TemplateError(f"cannot read the template {path}: {error.strerror}") from error
        except ValueError as error:
            raise TemplateError(f"the template {path} is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise TemplateError(f"{path} is not a CloudFormation template")
        return cls(path, document)

    def identifiers(self) -> Identifiers:
        """Give the identifiers known before any resource exists: pseudo and defaulted ones."""
        known = Identifiers()
        known.references.update(self._defaults)
        return known

    def of_type(self, *types: str) -> tuple[Resource, ...]:
        """Give the resources of these types in the template's order."""
        return tuple(resource for resource in self.resources.values() if resource.type in types)

    def resolve(self, value: Any, identifiers: Identifiers) -> Any:
        """Replace every intrinsic function in a JSON value; raise TemplateError on unknown ones."""
        if isinstance(value, list):
            return [self.resolve(item, identifiers) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in _INTRINSICS:
                return _INTRINSICS[name](self, argument, identifiers)
            if name.startswith("Fn::"):
                raise TemplateError(f"{self.path}: the local cloud does not know {name}")
        return {key: self.resolve(item, identifiers) for key, item in value.items()}

    def text(self, value: Any, identifiers: Identifiers) -> str:
        """Resolve a value that must be text or a number; raise TemplateError where it is not."""
        resolved = self.resolve(value, identifiers)
        if not isinstance(resolved, str | int | float):
            raise TemplateError(f"{self.path}: {value!r} does not resolve to text")
        return str(resolved)

    def definition(self, machine: Resource, identifiers: Identifiers) -> str:
        """Give a state machine's definition with its DefinitionSubstitutions filled in."""
        if "DefinitionString" not in machine.properties:
            raise TemplateError(f"{machine.logical_id} has no DefinitionString")
        definition = self.text(machine.properties["DefinitionString"], identifiers)
        substitutions = {
            name: self.text(value, identifiers)
            for name, value in machine.properties.get("DefinitionSubstitutions", {}).items()
        }

        def replace(match: re.Match[str]) -> str:
            if match[1] not in substitutions:
                raise TemplateError(f"{machine.logical_id} gives no substitution for {match[0]}")
            return substitutions[match[1]]

        return _SUBSTITUTION.sub(replace, definition)


def function_folder(function: Resource) -> str:
    """Give the folder in functions/ whose handler a Lambda function runs.

    Asked in turn: metadata `agent:function`; the code asset's path or the handler's dotted path,
    where it goes through `functions`; the Powertools service name.
    """
    metadata = function.metadata
    if "agent:function" in metadata:
        return str(metadata["agent:function"])
    for path in (metadata.get("aws:asset:path"), function.properties.get("Handler")):
        found = _FUNCTION_FOLDER.search(str(path).replace("\\", "/")) if path else None
        if found:
            return found[1]
    variables = function.properties.get("Environment", {}).get("Variables", {})
    service = variables.get("POWERTOOLS_SERVICE_NAME")
    if isinstance(service, str):
        return service
    raise TemplateError(
        f"cannot tell which folder {function.logical_id} runs: it has no metadata"
        " agent:function, no functions/ in its asset path or handler, no POWERTOOLS_SERVICE_NAME"
    )


def _resource(path: Path, logical_id: str, body: Any) -> Resource:
    if not isinstance(body, dict) or not isinstance(body.get("Type"), str):
        raise TemplateError(f"{path}: the resource {logical_id} has no Type")
    return Resource(
        logical_id=logical_id,
        type=body["Type"],
        properties=body.get("Properties") or {},
        metadata=body.get("Metadata") or {},
    )


def _reference(template: Template, argument: Any, identifiers: Identifiers) -> str:
    if not isinstance(argument, str):
        raise TemplateError(f"{template.path}: malformed Ref {argument!r}")
    return identifiers.reference(argument)


def _attribute(template: Template, argument: Any, identifiers: Identifiers) -> str:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) != 2:
        raise TemplateError(f"{template.path}: malformed Fn::GetAtt {argument!r}")
    return identifiers.attribute(str(parts[0]), str(parts[1]))


def _join(template: Template, argument: Any, identifiers: Identifiers) -> str:
    if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[1], list):
        raise TemplateError(f"{template.path}: malformed Fn::Join {argument!r}")
    separator, parts = argument
    return str(separator).join(template.text(part, identifiers) for part in parts)


def _substitute(template: Template, argument: Any, identifiers: Identifiers) -> str:
    text, values = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
    if not isinstance(text, str) or not isinstance(values, dict):
        raise TemplateError(f"{template.path}: malformed Fn::Sub {argument!r}")

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if name in values:
            return template.text(values[name], identifiers)
        if "." in name:
            return _attribute(template, name, identifiers)
        return identifiers.reference(name)

    return _SUBSTITUTION.sub(replace, text)


_INTRINSICS: Mapping[str, Callable[[Template, Any, Identifiers], str]] = {
    "Ref": _reference,
    "Fn::GetAtt": _attribute,
    "Fn::Join": _join,
    "Fn::Sub": _substitute,
}
