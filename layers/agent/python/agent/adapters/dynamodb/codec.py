"""From records to attributes and back.

What a table has an attribute for is stored in it; the rest of a record is JSON in which decimals
are strings.
"""

from typing import Any, TypeVar

from pydantic import BaseModel
from pynamodb.expressions.update import Action

from agent.adapters.dynamodb.attributes import (
    DateAttribute,
    DecimalAttribute,
    TimestampAttribute,
)
from agent.adapters.dynamodb.items import Item

SomeRecord = TypeVar("SomeRecord", bound=BaseModel)


def to_json(record: BaseModel) -> dict[str, Any]:
    """Write a record as plain JSON."""
    return record.model_dump(mode="json")


def to_attributes(item: type[Item], record: BaseModel) -> dict[str, Any]:
    """Spread a record over the attributes of an item; None where a field is unknown.

    Raises KeyError where the record has a field that the item has no attribute for.
    """
    plain = to_json(record)
    attributes = item.get_attributes()
    exact = (DecimalAttribute, TimestampAttribute, DateAttribute)
    return {
        name: getattr(record, name) if isinstance(attributes[name], exact) else plain[name]
        for name in type(record).model_fields
    }


def from_attributes(record: type[SomeRecord], item: Item) -> SomeRecord:
    """Gather a record from the attributes of an item; absent ones are None."""
    return record.model_validate(
        {
            name: value
            for name, value in item.attribute_values.items()
            if name in record.model_fields
        }
    )


def to_actions(item: type[Item], values: dict[str, Any]) -> list[Action]:
    """Set every value but the keys; an unknown one is removed."""
    actions: list[Action] = []
    for name, value in values.items():
        attribute = item.get_attributes()[name]
        if attribute.is_hash_key or attribute.is_range_key:
            continue
        actions.append(attribute.remove() if value is None else attribute.set(value))
    return actions
