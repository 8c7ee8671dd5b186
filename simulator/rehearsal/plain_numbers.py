"""Numbers as a person writes them: no exponents, in any report."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel


def spell(number: Decimal) -> str:
    """Spell a number exactly and without an exponent; a zero that has one is 0."""
    text = str(number)
    if "E" not in text:
        return text
    return f"{number:f}" if number else "0"


def plain_json(record: BaseModel) -> Any:
    """Give a record as JSON has it, each of its Decimals spelled plainly."""
    return _plain(record.model_dump(), record.model_dump(mode="json"))


def plain_line(record: BaseModel) -> str:
    """Give a record as a line of JSON."""
    return json.dumps(plain_json(record), ensure_ascii=False, separators=(",", ":")) + "\n"


def _plain(value: Any, told: Any) -> Any:
    if isinstance(value, Decimal):
        return spell(value)
    if isinstance(value, Mapping) and isinstance(told, Mapping):
        pairs = zip(told, value.values(), strict=True)
        return {key: _plain(each, told[key]) for key, each in pairs}
    if isinstance(value, list | tuple) and isinstance(told, list):
        return [_plain(one, other) for one, other in zip(value, told, strict=True)]
    return told
