"""One HTTP call as an endpoint sees it, and the reading of its query."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from simulator.exchange.errors import RefusalError, bad_query
from simulator.exchange.exchange import Exchange
from simulator.exchange.numbers import read_date, read_flag, read_moment, read_number

SYMBOLS_MAX = 100
Item = TypeVar("Item")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint answers; a body of None is an empty one."""

    body: Any
    status: int = 200


@dataclass(frozen=True, slots=True)
class Call:
    """A request's path parameters, query and decoded JSON body."""

    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def text(self, name: str) -> str | None:
        """Give a query parameter, None where it is missing or empty."""
        return self.query.get(name) or None

    def words(self, name: str) -> list[str]:
        """Give a comma-separated query parameter as a list."""
        return [word.strip() for word in self.query.get(name, "").split(",") if word.strip()]

    def symbols(self) -> list[str]:
        """Give the symbols asked for: those of the query, or the one of the path."""
        if "symbol" in self.path:
            return [str(self.path["symbol"])]
        symbols = self.words("symbols")
        if not symbols:
            raise bad_query("symbols is required")
        if len(symbols) > SYMBOLS_MAX:
            raise bad_query(f"symbols: at most {SYMBOLS_MAX} are allowed")
        return symbols

    def one_of(self, name: str, allowed: Sequence[str], default: str) -> str:
        """Give a query parameter that must be one of `allowed`, in any case."""
        value = (self.text(name) or default).lower()
        if value not in allowed:
            raise bad_query(f"invalid {name}: {value}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Give a boolean query parameter."""
        value = self._read(name, read_flag)
        return default if value is None else value

    def date(self, name: str) -> date | None:
        """Give a date query parameter."""
        return self._read(name, read_date)

    def moment(self, name: str) -> datetime | None:
        """Give a moment query parameter; a bare date is its midnight in UTC."""
        return self._read(name, read_moment)

    def decimal(self, name: str) -> Decimal | None:
        """Give a numeric query parameter."""
        return self._read(name, read_number)

    def limit(self, name: str, default: int, most: int) -> int:
        """Give a page size; raises RefusalError (400) outside of 1..`most`."""
        asked = self._read(name, int)
        value = default if asked is None else asked
        if not 1 <= value <= most:
            raise bad_query(f"{name} must be between 1 and {most}")
        return value

    def _read(self, name: str, reader: Callable[[str], Value]) -> Value | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            return reader(text)
        except ValueError as error:
            raise bad_query(f"invalid {name}: {text}") from error


Endpoint = Callable[[Exchange, Call], Reply]


def page_after(
    items: Sequence[Item], keys: Sequence[str], token: str | None, limit: int
) -> tuple[Sequence[Item], str | None]:
    """Give a page of items whose ascending keys follow the token, and the next token."""
    start = 0 if token is None else bisect_right(keys, decode_token(token))
    end = start + limit
    following = encode_token(keys[end - 1]) if end < len(items) else None
    return items[start:end], following


def page_from(
    items: Sequence[Item], token: str | None, limit: int
) -> tuple[Sequence[Item], str | None]:
    """Give a page of items that begins where the token's page ended, and the next token."""
    text = "0" if token is None else decode_token(token)
    if not text.isdecimal():
        raise bad_query("invalid page_token")
    start = int(text)
    end = start + limit
    return items[start:end], encode_token(str(end)) if end < len(items) else None


def encode_token(text: str) -> str:
    """Wrap the place where a page ended."""
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode_token(token: str) -> str:
    """Unwrap a page token; raises RefusalError (400) where it is none of ours."""
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise bad_query("invalid page_token") from error


def without_code(refusal: RefusalError) -> RefusalError:
    """Spell a refusal as the market data API does: a message and nothing else."""
    return RefusalError(refusal.status, None, refusal.message)
