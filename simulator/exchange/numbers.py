"""How numbers and times are spelled on the wire, and read back from it."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from simulator.exchange.calendar import NEW_YORK

AVERAGE_PRICE_PLACES = Decimal("0.000001")
TIMESTAMPS_MAX = 4096
LARGEST_NUMBER = Decimal(10) ** 12


def plain(number: Decimal | int) -> str:
    """Spell a number as the trading API does: no exponent, no trailing zeros, no minus zero."""
    value = Decimal(number)
    if value == 0:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain_or_none(number: Decimal | None) -> str | None:
    """Spell a number, or pass on that there is none."""
    return None if number is None else plain(number)


def average(total: Decimal, count: int) -> Decimal:
    """Divide to six places, which is as far as averages are shown."""
    return (total / count).quantize(AVERAGE_PRICE_PLACES)


@lru_cache(maxsize=1_000)
def timestamp(at: datetime) -> str:
    """Spell an aware moment as RFC 3339 in UTC."""
    return _spelled(at.astimezone(UTC))


@lru_cache(maxsize=TIMESTAMPS_MAX)
def _spelled(at: datetime) -> str:
    """Spell a moment of UTC; a chain repeats the same few hundreds of times."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def timestamp_or_none(at: datetime | None) -> str | None:
    """Spell a moment, or pass on that there is none."""
    return None if at is None else timestamp(at)


def new_york_timestamp(at: datetime) -> str:
    """Spell an aware moment as RFC 3339 with New York's offset, as the clock does."""
    return at.astimezone(NEW_YORK).isoformat()


def read_number(value: object) -> Decimal:
    """Read a number sent as a JSON number or as a string.

    Raises ValueError where it is neither, not finite, a boolean, or larger than any amount here.
    """
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"not a number: {value!r}") from error
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    if abs(number) > LARGEST_NUMBER:
        raise ValueError(f"too large a number: {value!r}")
    return number


def read_moment(text: str) -> datetime:
    """Read an RFC 3339 moment or a date; without an offset it is UTC, as the SDK sends it.

    Raises ValueError where it is neither.
    """
    # A plus sign that was not escaped arrives as a space.
    moment = datetime.fromisoformat(text.strip().replace(" 00:00", "+00:00"))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def read_date(text: str) -> date:
    """Read a date, or the date part of a moment; raises ValueError where it is neither."""
    return date.fromisoformat(text[:10])


def read_flag(text: str | None, *, default: bool = False) -> bool:
    """Read a query's boolean in any case; raises ValueError where it is none."""
    if text is None or text == "":
        return default
    lowered = text.lower()
    if lowered in {"true", "1", "t"}:
        return True
    if lowered in {"false", "0", "f"}:
        return False
    raise ValueError(f"not a boolean: {text!r}")


class Identifiers:
    """Give the identifiers of one exchange: pure functions of its seed and of a name."""

    def __init__(self, seed: int) -> None:
        self._namespace = uuid.uuid5(uuid.NAMESPACE_URL, f"options-agent-exchange/{seed}")
        self._known: dict[str, str] = {}

    def of(self, kind: str, name: str) -> str:
        """Give the UUID of the thing of this kind and name."""
        return str(uuid.uuid5(self._namespace, f"{kind}/{name}"))

    def asset(self, symbol: str) -> str:
        """Give the UUID of a stock or contract, and remember whose it is."""
        identifier = self._known.get(symbol)
        if identifier is None:
            identifier = self.of("asset", symbol)
            self._known[symbol] = identifier
            self._known[identifier] = symbol
        return identifier

    def symbol_of(self, symbol_or_asset_id: str) -> str:
        """Give the symbol of an asset id that was given out, else the text itself."""
        if "-" not in symbol_or_asset_id:
            return symbol_or_asset_id
        return self._known.get(symbol_or_asset_id.lower(), symbol_or_asset_id)
