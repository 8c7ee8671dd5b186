"""What options must be backed by: the universal spread rule, and who covers whom."""

from collections.abc import Mapping
from decimal import Decimal

from agent.options.contracts import OptionContract, OptionType

SHARES_PER_CONTRACT = 100
SHORT_STOCK_FRACTION = Decimal("1.5")
"""Cash that stands behind short stock, as a share of its value: its proceeds and half more."""


def intrinsic_value(contract: OptionContract, spot: Decimal) -> Decimal:
    """Give what exercising the contract at `spot` is worth, per share."""
    if contract.option_type is OptionType.CALL:
        return max(spot - contract.strike, Decimal(0))
    return max(contract.strike - spot, Decimal(0))


def spread_requirement(
    quantities: Mapping[OptionContract, int], shares: Mapping[str, int]
) -> Decimal | None:
    """Give the maintenance margin of a book of options in dollars, None where it is unbounded.

    Universal spread rule: premium is ignored; per underlying and expiration, the payoffs at
    that expiration of all contracts that expire then or later are summed and the worst point
    counts; of an underlying's expirations the largest counts; underlyings add up. Shares held
    are worth their price at every point, so they cover calls; short shares cover nothing here.
    """
    total = Decimal(0)
    for underlying in sorted({contract.underlying for contract, held in quantities.items()}):
        book = {
            contract: held
            for contract, held in quantities.items()
            if contract.underlying == underlying and held != 0
        }
        owned = max(shares.get(underlying, 0), 0)
        largest = Decimal(0)
        for expiration in {contract.expiration for contract in book}:
            living = {c: held for c, held in book.items() if c.expiration >= expiration}
            worst = _worst_payoff(living, owned)
            if worst is None:
                return None
            largest = max(largest, -worst)
        total += largest
    return total


def _worst_payoff(book: Mapping[OptionContract, int], owned_shares: int) -> Decimal | None:
    slope_above = owned_shares + sum(
        held * contract.multiplier
        for contract, held in book.items()
        if contract.option_type is OptionType.CALL
    )
    if slope_above < 0:
        return None
    points = {Decimal(0), *(contract.strike for contract in book)}
    return min(
        owned_shares * spot
        + sum(
            (
                held * contract.multiplier * intrinsic_value(contract, spot)
                for contract, held in book.items()
            ),
            Decimal(0),
        )
        for spot in points
    )


def uncovered_shorts(
    quantities: Mapping[OptionContract, int], shares: Mapping[str, int]
) -> dict[tuple[str, OptionType], int]:
    """Count the short contracts per underlying and right that nothing covers.

    A long contract of the same right that lives at least as long covers one short, whatever
    its strike; so do 100 shares for a call. Puts backed by cash count as uncovered here.
    """
    uncovered: dict[tuple[str, OptionType], int] = {}
    kinds = {(contract.underlying, contract.option_type) for contract in quantities}
    for underlying, option_type in kinds:
        pool = 0
        if option_type is OptionType.CALL:
            pool = max(shares.get(underlying, 0), 0) // SHARES_PER_CONTRACT
        missing = 0
        book = [
            (contract, held)
            for contract, held in quantities.items()
            if (contract.underlying, contract.option_type) == (underlying, option_type)
        ]
        # Latest expiration first, longs before shorts: each short draws on what outlives it.
        for _, held in sorted(book, key=lambda row: (row[0].expiration, row[1]), reverse=True):
            if held >= 0:
                pool += held
            else:
                covered = min(pool, -held)
                pool -= covered
                missing += -held - covered
        uncovered[underlying, option_type] = missing
    return uncovered


def is_less_covered(
    before: Mapping[tuple[str, OptionType], int], after: Mapping[tuple[str, OptionType], int]
) -> bool:
    """Say whether any kind of contract has more uncovered shorts after than before."""
    return any(count > before.get(kind, 0) for kind, count in after.items())
