"""Fill models: when an order trades, at which net price, and how legs share that price.

Every order is seen as a package bought for a signed net: what the buys cost less what the
sells bring, so a credit is negative and a single sell at 1.20 is a package at -1.20. `mid` is
the package at every leg's mid, `natural` what a marketable order gets; mid <= natural.
"""

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Protocol

from simulator.exchange.records import Side

CENT = Decimal("0.01")
TWO = Decimal(2)


@dataclass(frozen=True, slots=True)
class LegQuote:
    """A leg with the two sides of its market, not crossed; a bid that nobody makes is zero."""

    side: Side
    ratio: int
    bid: Decimal
    ask: Decimal

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / TWO

    @property
    def natural(self) -> Decimal:
        return self.ask if self.side is Side.BUY else self.bid

    def price_at(self, conceded_fraction: Decimal) -> Decimal:
        """Give the price after conceding that part of the way from mid to natural."""
        return self.mid + conceded_fraction * (self.natural - self.mid)


@dataclass(frozen=True, slots=True)
class PackageQuote:
    """The signed net of one unit of an order, at mid and at natural."""

    mid: Decimal
    natural: Decimal

    @classmethod
    def of(cls, legs: Sequence[LegQuote]) -> "PackageQuote":
        """Sum the legs' quotes, sells counting negative."""
        return cls(
            mid=sum((leg.side.sign * leg.ratio * leg.mid for leg in legs), Decimal(0)),
            natural=sum((leg.side.sign * leg.ratio * leg.natural for leg in legs), Decimal(0)),
        )


class FillModel(Protocol):
    """Decide at which net an order trades now, if it does."""

    def net_price(self, limit: Decimal | None, package: PackageQuote) -> Decimal | None:
        """Give the signed net of a fill, None where the order keeps working.

        `limit` is the most that one unit may cost, None for a market order.
        """
        ...


class NaturalFillModel:
    """Fill marketable orders only, at natural."""

    def net_price(self, limit: Decimal | None, package: PackageQuote) -> Decimal | None:
        """Give natural where the limit reaches it."""
        return package.natural if limit is None or limit >= package.natural else None


class ConcessionFillModel:
    """Fill a limit order at its own price once it concedes enough of the quote's width.

    An order that goes `concession_fraction` of the way from mid to natural trades at its
    limit; one at or beyond natural trades at natural; so nobody trades better than mid.
    """

    def __init__(self, concession_fraction: Decimal = Decimal("0.30")) -> None:
        if not 0 <= concession_fraction <= 1:
            raise ValueError(f"concession_fraction must be in 0..1, not {concession_fraction}")
        self.concession_fraction = concession_fraction

    def net_price(self, limit: Decimal | None, package: PackageQuote) -> Decimal | None:
        """Give the limit where it concedes enough, natural where it is marketable."""
        if limit is None or limit >= package.natural:
            return package.natural
        enough = package.mid + self.concession_fraction * (package.natural - package.mid)
        return limit if limit >= enough else None


@dataclass(frozen=True, slots=True)
class PartialFillRule:
    """Decide which orders of several units are first filled in part.

    A hash of seed and client order id decides, so the order of requests does not matter.
    """

    seed: int
    probability: Decimal = Decimal("0.10")

    def first_units(self, client_order_id: str, units: int) -> int:
        """Give how many units trade first: all of them, or at least one and not all."""
        digest = hashlib.sha256(f"{self.seed}/{client_order_id}".encode()).digest()
        draw = Decimal(int.from_bytes(digest[:8], "big")) / Decimal(2**64)
        if units < 2 or draw >= self.probability:
            return units
        return 1 + int.from_bytes(digest[8:16], "big") % (units - 1)


def leg_prices(legs: Sequence[LegQuote], net: Decimal, package: PackageQuote) -> list[Decimal]:
    """Share a net price in whole cents among the legs so that they sum to it exactly.

    Each leg concedes the same part of its own half width, rounded to the cent. The cents that
    rounding leaves over move leg prices in the fewest one-cent steps, widest quotes first.
    """
    if net == package.natural:
        return [leg.natural for leg in legs]
    if len(legs) == 1:
        return [legs[0].side.sign * net / legs[0].ratio]
    width = package.natural - package.mid
    conceded = (net - package.mid) / width if width else Decimal(0)
    prices = [leg.price_at(conceded).quantize(CENT, rounding=ROUND_HALF_EVEN) for leg in legs]
    total = sum(
        (leg.side.sign * leg.ratio * price for leg, price in zip(legs, prices, strict=True)),
        Decimal(0),
    )
    for index, step in _cent_steps(legs, int((net - total) / CENT)):
        prices[index] += step * CENT
    return prices


def _cent_steps(legs: Sequence[LegQuote], left_over_cents: int) -> list[tuple[int, int]]:
    """Find the fewest (leg, +-1 cent) steps that move the signed net by `left_over_cents`.

    Ratios are relatively prime, so that some steps reach any number of cents.
    """
    widest_first = sorted(range(len(legs)), key=lambda index: legs[index].bid - legs[index].ask)
    bound = abs(left_over_cents) + 2 * max(leg.ratio for leg in legs)
    paths: dict[int, list[tuple[int, int]]] = {0: []}
    frontier = deque([0])
    while left_over_cents not in paths and frontier:
        reached = frontier.popleft()
        for index in widest_first:
            for step in (1, -1):
                moved = reached + step * legs[index].side.sign * legs[index].ratio
                if abs(moved) <= bound and moved not in paths:
                    paths[moved] = [*paths[reached], (index, step)]
                    frontier.append(moved)
    return paths[left_over_cents]
