"""Option contracts and their OCC symbols."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, lru_cache

OCC_SYMBOL_PATTERN = re.compile(r"([A-Z][A-Z0-9]{0,5})([0-9]{6})([CP])([0-9]{8})")
STRIKE_SCALE = Decimal(1000)
STRIKE_BOUND = Decimal(100_000)
CONTRACTS_MAX = 32_768
"""How many contracts are kept that were read: the chains of some thirty underlyings."""


class OptionType(StrEnum):
    """Say which right a contract carries."""

    CALL = "call"
    PUT = "put"


@dataclass(frozen=True, order=True)
class OptionContract:
    """Name one listed option contract.

    `strike` is in dollars a share, `multiplier` in shares a contract. Raises ValueError where the
    strike is not a positive number of thousandths that eight digits hold.
    """

    underlying: str
    expiration: date
    option_type: OptionType
    strike: Decimal
    multiplier: int = 100

    def __post_init__(self) -> None:
        if not (self.strike.is_finite() and 0 < self.strike < STRIKE_BOUND):
            raise ValueError(f"not a strike price: {self.strike}")
        if self.strike * STRIKE_SCALE % 1 != 0:
            raise ValueError(f"a strike in parts of a thousandth has no symbol: {self.strike}")

    @cached_property
    def symbol(self) -> str:
        """Spell the contract as an OCC symbol without padding, as brokers do."""
        letter = "C" if self.option_type is OptionType.CALL else "P"
        mills = int(self.strike * STRIKE_SCALE)
        return f"{self.underlying}{self.expiration:%y%m%d}{letter}{mills:08d}"

    def dte(self, on: date) -> int:
        """Count the calendar days to expiration from the New York date `on`."""
        return (self.expiration - on).days


@lru_cache(maxsize=CONTRACTS_MAX)
def parse_occ_symbol(symbol: str) -> OptionContract:
    """Read a contract from its OCC symbol; a chain names the same ones scan after scan.

    Raises ValueError naming the text where it is not an OCC symbol.
    """
    found = OCC_SYMBOL_PATTERN.fullmatch(symbol)
    if found is None:
        raise ValueError(f"not an OCC option symbol: {symbol!r}")
    underlying, day, letter, mills = found.groups()
    try:
        return OptionContract(
            underlying=underlying,
            expiration=date(2000 + int(day[:2]), int(day[2:4]), int(day[4:])),
            option_type=OptionType.CALL if letter == "C" else OptionType.PUT,
            strike=(Decimal(int(mills)) / STRIKE_SCALE).normalize() + Decimal(0),
        )
    except ValueError as error:
        raise ValueError(f"not an OCC option symbol: {symbol!r}: {error}") from error
