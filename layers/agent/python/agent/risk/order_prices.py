"""What an order asks for: rungs of a ladder between mid and natural, within a collar.

Cash is in dollars a share and signed: positive is money received, negative is money paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from agent.book.intents import Urgency
from agent.config.settings import MarketSettings, Settings
from agent.market.quotes import OptionQuote, StructureQuote
from agent.options.money import Rounding, round_to_tick
from agent.options.structures import LegSide, Structure
from agent.options.ticks import ALWAYS_PENNY_SYMBOLS, NET_TICK, option_tick

ZERO = Decimal(0)
ONE = Decimal(1)
NICKEL = Decimal("0.05")


@dataclass(frozen=True)
class PricedOrder:
    """Price an order; `cap_cash` is the worst net it may ever be sent at."""

    limit_cash: Decimal
    mid_cash: Decimal
    natural_cash: Decimal
    cap_cash: Decimal

    @property
    def is_capped(self) -> bool:
        """Say whether the cap keeps the order from being marketable."""
        return self.natural_cash < self.cap_cash


@dataclass(frozen=True)
class NoOrder:
    """Say why nothing is sent."""

    reason: str


class CollarBreach(StrEnum):
    """Name what is absurd about an order; the value starts the reason that is kept."""

    WRONG_SIGN = "collar_wrong_sign"
    """It pays where the market receives, or the other way round."""
    PAST_CAP = "collar_past_cap"
    """It gives up more than the worst net that such an order may have."""
    BEYOND_MID = "collar_beyond_mid"
    """It asks for more than the market's own middle: the quote behind it was another."""
    BEYOND_WORTH = "collar_beyond_worth"
    """It sells for as much as the structure can ever cost: no such quote is real."""
    MARKET_MOVED = "collar_market_moved"
    """Its mid is far from that of the decision."""


def price_entry(
    quote: StructureQuote, rung: int, credit_min: Decimal, settings: Settings, as_of: datetime
) -> PricedOrder | NoOrder:
    """Price an entry: from mid towards natural, never below natural or the least credit."""
    market = settings.market
    if not _is_valid(quote, as_of, market, market.option_quote_width_max_fraction):
        return NoOrder("a leg's quote is stale, crossed, one-sided or too wide")
    mid, natural = quote.credit_mid, quote.credit_natural
    if mid is None or natural is None:
        return NoOrder("a leg has no two-sided quote")
    if mid < credit_min:
        return NoOrder(f"the credit at mid, {mid:.2f}, is below the least of {credit_min:.2f}")
    floor = max(natural, credit_min)
    wanted = _rung(settings.execution.entry_ladder, rung, mid, natural)
    limit = _seller_limit(max(wanted, floor), floor, _tick_of(quote, floor), rung)
    return PricedOrder(limit_cash=limit, mid_cash=mid, natural_cash=natural, cap_cash=floor)


def price_exit(
    quote: StructureQuote, rung: int, urgency: Urgency, settings: Settings, as_of: datetime
) -> PricedOrder | NoOrder:
    """Price an exit: from mid towards natural; an urgent one ends past natural, within its cap.

    Without a mid the order starts at natural: exits do not wait for good quotes. The cap is what
    the structure can ever be worth; only an urgent exit on valid quotes may pay more, from its
    second rung on, up to the collar of its legs.
    """
    natural = quote.debit_natural
    if natural is None:
        return NoOrder("nobody offers a leg that must be bought back")
    mid = natural if quote.debit_mid is None else quote.debit_mid
    execution, market = settings.execution, settings.market
    urgent = urgency is Urgency.URGENT
    ladder = execution.urgent_ladder if urgent else execution.patient_ladder
    cap = worth_max(quote.structure)
    if (
        urgent
        and rung > 0
        and _is_valid(quote, as_of, market, market.mark_quote_width_max_fraction)
    ):
        cap = _leg_collar(quote, execution.exit_leg_collar_fraction)
    wanted = _rung(ladder, rung, mid, natural)
    capped = wanted if cap is None else min(wanted, cap)
    tick = _tick_of(quote, capped)
    limit = max(round_to_tick(capped, tick, Rounding.UP), tick)
    worst = limit if cap is None else max(round_to_tick(cap, tick, Rounding.UP), limit)
    return PricedOrder(limit_cash=-limit, mid_cash=-mid, natural_cash=-natural, cap_cash=-worst)


def price_alone(
    bid: Decimal | None,
    ask: Decimal | None,
    rung: int,
    *,
    buys: bool,
    settings: Settings,
    tick: Decimal = NET_TICK,
) -> PricedOrder | NoOrder:
    """Price an urgent order of one contract or of shares: from mid towards natural, and past it.

    It ends at most `exit_leg_collar_fraction` beyond natural. Without a mid it starts at natural.
    Of a crossed quote the dearer side is natural for a buyer, the cheaper one for a seller.
    """
    if bid is not None and ask is not None and bid > ask:
        bid, ask = ask, bid
    natural = ask if buys else bid
    if natural is None or natural <= 0:
        return NoOrder(f"nobody {'offers' if buys else 'bids for'} it")
    mid = natural if bid is None or ask is None or bid <= 0 else (bid + ask) / 2
    fraction = settings.execution.exit_leg_collar_fraction
    wanted = _rung(settings.execution.urgent_ladder, rung, mid, natural)
    if buys:
        cap = max(round_to_tick(natural * (ONE + fraction), tick, Rounding.DOWN), tick)
        limit = min(round_to_tick(wanted, tick, Rounding.UP), max(cap, natural))
        return PricedOrder(
            limit_cash=-limit, mid_cash=-mid, natural_cash=-natural, cap_cash=-max(cap, limit)
        )
    cap = max(round_to_tick(natural * (ONE - fraction), tick, Rounding.UP), tick)
    limit = max(round_to_tick(wanted, tick, Rounding.DOWN), min(cap, natural))
    return PricedOrder(
        limit_cash=limit, mid_cash=mid, natural_cash=natural, cap_cash=min(cap, limit)
    )


def worth_max(structure: Structure) -> Decimal | None:
    """Give the most that closing can be worth at expiration, a share; None where unbounded."""
    try:
        worth = structure.max_loss_per_share(ZERO)
    except ValueError:
        return None
    return worth if worth > 0 else None


def collar_breach(
    priced: PricedOrder, settings: Settings, *, structure: Structure | None = None
) -> tuple[CollarBreach, str] | None:
    """Find what is absurd about a priced order, with a sentence; None where nothing is.

    It looks at the result alone and trusts no pricing before it. `structure` is given where the
    order opens one for a credit.
    """
    limit, mid = priced.limit_cash, priced.mid_cash
    named = f"a limit of {limit:.2f} received a share against a mid of {mid:.2f}"
    # A net about zero has no sign worth speaking of.
    if limit * mid < 0 and abs(mid) > NET_TICK and abs(limit) > NET_TICK:
        return CollarBreach.WRONG_SIGN, named
    if limit < priced.cap_cash:
        return CollarBreach.PAST_CAP, f"{named} gives up more than {priced.cap_cash:.2f} allows"
    slack = max(abs(mid) * settings.execution.collar_beyond_mid_max_fraction, NICKEL)
    if limit > max(mid, priced.cap_cash) + slack:
        return CollarBreach.BEYOND_MID, f"{named} asks for more than {slack:.2f} beyond it"
    most = None if structure is None else worth_max(structure)
    if most is not None and limit >= most:
        return CollarBreach.BEYOND_WORTH, f"{named} sells what can cost {most:.2f} at most"
    return None


def moved_since(decided: Decimal, mid: Decimal, settings: Settings) -> str | None:
    """Say so where a mid is too far from the one that was decided on."""
    bound = settings.execution.collar_move_max_fraction
    if abs(mid - decided) <= abs(decided) * bound:
        return None
    return (
        f"{CollarBreach.MARKET_MOVED}: the mid is {mid:.2f}, it was {decided:.2f} when this was "
        f"decided, and {bound:.0%} is the most it may have moved"
    )


def _seller_limit(wanted: Decimal, floor: Decimal, tick: Decimal, rung: int) -> Decimal:
    """Round up to the tick, so that no rounding goes below the floor.

    Where the tick is as wide as the quote, that would never concede anything: from the second rung
    on it rounds down, if the floor allows.
    """
    lower = round_to_tick(wanted, tick, Rounding.DOWN)
    if rung > 0 and tick > NET_TICK and lower >= floor:
        return lower
    return round_to_tick(wanted, tick, Rounding.UP)


def _tick_of(quote: StructureQuote, price: Decimal) -> Decimal:
    """Give the step of a net price: a cent for several legs, the contract's own for one alone."""
    if len(quote.leg_quotes) > 1:
        return NET_TICK
    return contract_tick(quote.leg_quotes[0], price)


def contract_tick(quote: OptionQuote, price: Decimal) -> Decimal:
    """Give the price step of a contract at `price` dollars a share.

    The broker does not say which classes trade in pennies; a quote in between nickels does.
    """
    sides = [side for side in (quote.bid, quote.ask) if side is not None]
    return option_tick(
        abs(price),
        penny_program=any(side % NICKEL for side in sides),
        always_penny=quote.contract.underlying in ALWAYS_PENNY_SYMBOLS,
    )


def _leg_collar(quote: StructureQuote, fraction: Decimal) -> Decimal:
    """Sum what the legs may cost at worst: shorts bought above ask, longs sold below bid."""
    total = ZERO
    for leg, leg_quote in zip(quote.structure.legs, quote.leg_quotes, strict=True):
        if leg.side is LegSide.SHORT:
            total += (leg_quote.ask or ZERO) * (ONE + fraction) * leg.ratio
        else:
            total -= (leg_quote.bid or ZERO) * (ONE - fraction) * leg.ratio
    return total


def _is_valid(
    quote: StructureQuote, as_of: datetime, market: MarketSettings, width_fraction_max: Decimal
) -> bool:
    return quote.is_valid(
        as_of,
        age_max_seconds=market.quote_age_max_seconds,
        width_fraction_max=width_fraction_max,
    )


def _rung(ladder: Sequence[Decimal], rung: int, mid: Decimal, natural: Decimal) -> Decimal:
    return mid + (natural - mid) * ladder[rung]
