"""Alpaca's own OpenAPI files as JSON Schemas, read from beside the checkout and never copied."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

NULL = {"type": "null"}
EMPTY_TEXT_FIELDS = frozenset(
    {"asset_id", "symbol", "asset_class", "side", "position_intent", "type", "order_type"}
)
"""Alpaca answers "" in these fields of multi-leg orders, against its own schema."""


class Specification:
    """One OpenAPI 3.0 file, ready to validate answers against."""

    def __init__(self, path: Path) -> None:
        self._document: Any = _as_json_schema(json.loads(path.read_text(encoding="utf-8")))
        resource = DRAFT202012.create_resource(self._document)
        self._registry = Registry().with_resource("urn:specification", resource)

    @property
    def paths(self) -> set[tuple[str, str]]:
        """Give every (METHOD, path) of the file."""
        return {
            (method.upper(), path)
            for path, operations in self._document["paths"].items()
            for method in operations
            if method in {"get", "post", "patch", "delete", "put"}
        }

    def violations(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """Say what in an answer's body breaks the schema of that path and status."""
        responses = self._document["paths"][path][method.lower()]["responses"]
        if str(status) not in responses:
            return [f"{method} {path} does not document status {status}"]
        content = responses[str(status)].get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            return []
        validator = Draft202012Validator(
            {"$id": "urn:answer", "allOf": [_rooted(schema)]},
            registry=self._registry,
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        return [
            f"{method} {path} {'/'.join(map(str, error.absolute_path))}: {error.message[:160]}"
            for error in _leaves(validator.iter_errors(body))
            if not _is_known_exception(error)
        ]


def _leaves(errors: Iterable[ValidationError]) -> Iterable[ValidationError]:
    for error in errors:
        if error.context and error.validator == "allOf":
            yield from _leaves(error.context)
        elif isinstance(error.validator_value, list) and NULL in error.validator_value:
            yield from _leaves(cause for cause in error.context if cause.schema_path[0] == 0)
        else:
            yield error


def _is_known_exception(error: ValidationError) -> bool:
    field = error.absolute_path[-1] if error.absolute_path else None
    return error.instance == "" and field in EMPTY_TEXT_FIELDS


def _as_json_schema(node: Any) -> Any:
    """Turn OpenAPI's `nullable` into a type that may be null.

    Its one `oneOf` of activities becomes `anyOf`: neither kind requires a field, so that every
    row is both.
    """
    if isinstance(node, list):
        return [_as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    converted = {name: _as_json_schema(value) for name, value in node.items()}
    if "oneOf" in converted:
        converted["anyOf"] = converted.pop("oneOf")
    if converted.pop("nullable", None) is True:
        return {"anyOf": [converted, NULL]}
    return converted


def _rooted(node: Any) -> Any:
    if isinstance(node, list):
        return [_rooted(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        name: f"urn:specification{value}" if name == "$ref" else _rooted(value)
        for name, value in node.items()
    }
