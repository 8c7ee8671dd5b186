"""What one contract of a structure can lose, and how many an account may hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from agent.book.intents import Signal
from agent.book.records import TradeRisk
from agent.config.settings import FeeSettings, RiskSettings, Settings
from agent.options.contracts import OptionType
from agent.options.money import CENT, cents_down, cents_up
from agent.options.structures import LegSide, Structure
from agent.risk.fees import round_trip_fees_max
from agent.risk.limits import AccountLimits

ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True)
class ContractExposure:
    """State what one unit of a structure puts at stake, in dollars."""

    sizing_loss: Decimal
    """What sizing and heat count: the loss the trade is built to bear, fees included."""
    capital: Decimal
    """What the capital limits count."""
    stress_loss: Decimal = ZERO
    """What it would lose under stress, fees included."""

    @property
    def heat(self) -> Decimal:
        """Give what heat counts: the larger of sizing loss and stress loss."""
        return max(self.sizing_loss, self.stress_loss)


def defined_risk_exposure(
    structure: Structure,
    credit: Decimal,
    fees: FeeSettings,
    stress_debit: Decimal | None = None,
) -> ContractExposure:
    """Expose a structure whose legs bound its loss, at the least credit a share it may fill at.

    Sizing loss = max loss + round-trip fees; capital = max loss. Raises ValueError where nothing
    bounds the loss.
    """
    max_loss = max(structure.max_loss_per_share(credit), ZERO) * structure.multiplier
    paid = round_trip_fees_max(structure, fees)
    return ContractExposure(
        sizing_loss=max_loss + paid,
        capital=max_loss,
        stress_loss=_stress_loss(structure, credit, stress_debit) + paid,
    )


def _stress_loss(structure: Structure, credit: Decimal, stress_debit: Decimal | None) -> Decimal:
    """Give the loss of one unit under stress, in dollars; nothing where nobody measured it."""
    if stress_debit is None:
        return ZERO
    return max(stress_debit - credit, ZERO) * structure.multiplier


def is_short_put(structure: Structure) -> bool:
    """Say whether a structure is a put sold alone: one that needs the cash for its shares."""
    return (
        len(structure.legs) == 1
        and structure.legs[0].side is LegSide.SHORT
        and structure.legs[0].contract.option_type is OptionType.PUT
    )


def cash_secured_put_exposure(
    structure: Structure,
    *,
    credit_min: Decimal,
    credit_max: Decimal,
    underlying_price: Decimal,
    settings: Settings,
    stress_debit: Decimal | None = None,
) -> ContractExposure:
    """Expose a short put, filled for `credit_min` to `credit_max` a share.

    Sizing loss = max(loss at the stop, loss at a gap of `gap_fraction`) + round-trip fees. The
    stop costs most at the largest credit, the gap at the least; after the gap the put is taken at
    its intrinsic value. Capital = what its shares would cost at the strike.
    """
    rules = settings.cash_secured_put
    strike = structure.legs[0].contract.strike
    at_stop = rules.stop_loss * credit_max
    at_gap = strike - underlying_price * (ONE - rules.gap_fraction) - credit_min
    loss = max(at_stop, at_gap, ZERO) * structure.multiplier
    fees = round_trip_fees_max(structure, settings.fees)
    return ContractExposure(
        sizing_loss=loss + fees,
        capital=strike * structure.multiplier,
        stress_loss=_stress_loss(structure, credit_min, stress_debit) + fees,
    )


def structure_exposure(
    structure: Structure,
    *,
    credit_min: Decimal,
    credit_max: Decimal,
    underlying_price: Decimal,
    settings: Settings,
    stress_debit: Decimal | None = None,
) -> ContractExposure:
    """Expose a structure by its kind, for a fill anywhere between two credits a share.

    `stress_debit` is what closing would cost a share under stress, None where nobody measured it.
    Raises ValueError where nothing bounds the loss.
    """
    if is_short_put(structure):
        return cash_secured_put_exposure(
            structure,
            credit_min=credit_min,
            credit_max=credit_max,
            underlying_price=underlying_price,
            settings=settings,
            stress_debit=stress_debit,
        )
    return defined_risk_exposure(structure, credit_min, settings.fees, stress_debit)


def signal_exposure(signal: Signal, settings: Settings) -> ContractExposure:
    """Expose a signal at the worst credit its order may fill at, so that a fill only frees."""
    return structure_exposure(
        signal.structure,
        credit_min=signal.credit_min,
        credit_max=max(signal.credit_min, signal.credit_mid),
        underlying_price=signal.underlying_price,
        settings=settings,
        stress_debit=signal.stress_debit,
    )


def fill_exposure(
    structure: Structure,
    credit: Decimal,
    underlying_price: Decimal | None,
    settings: Settings,
    stress_debit: Decimal | None = None,
) -> ContractExposure:
    """Expose a structure at the credit a share it did fill at, the stock as it was at entry.

    Where that is unknown it counts as at the lowest strike: no put sold out of the money was lower,
    so that its exposure is counted too high rather than too low.
    """
    strikes = [leg.contract.strike for leg in structure.legs]
    return structure_exposure(
        structure,
        credit_min=credit,
        credit_max=credit,
        underlying_price=min(strikes) if underlying_price is None else underlying_price,
        settings=settings,
        stress_debit=stress_debit,
    )


def trade_risk(exposure: ContractExposure, contracts: int) -> TradeRisk:
    """Count a trade's exposure in cents, rounded up."""
    return TradeRisk(
        contracts_reserved=contracts,
        sizing_loss_per_contract=exposure.sizing_loss,
        capital_per_contract=exposure.capital,
        heat_cents=cents_up(exposure.heat * contracts),
        capital_cents=cents_up(exposure.capital * contracts),
        stress_loss_per_contract=exposure.stress_loss,
    )


def scaled_risk(risk: TradeRisk, contracts: int) -> TradeRisk:
    """Count what is left of a trade's exposure when it holds `contracts`."""
    exposure = ContractExposure(
        sizing_loss=risk.sizing_loss_per_contract,
        capital=risk.capital_per_contract,
        stress_loss=risk.stress_loss_per_contract,
    )
    return trade_risk(exposure, contracts)


@dataclass(frozen=True)
class Sizing:
    """Say how many contracts fit; `bound_by` names the limit that was the tightest."""

    contracts: int
    bound_by: str
    sentence: str


def size_entry(
    exposure: ContractExposure,
    limits: AccountLimits,
    *,
    symbol_capital_cents: int,
    contracts_max: int,
    kelly_risk_cents: int | None = None,
) -> Sizing:
    """Size by fixed risk: as many contracts as every bound allows, rounded down.

    `symbol_capital_cents` is what the symbol holds already. `kelly_risk_cents`, where known, is a
    second budget for the sizing loss: it can only make the trade smaller. A trade that cannot lose
    is a wrong price: no contracts.
    """
    if exposure.sizing_loss <= 0:
        return Sizing(0, "sizing_loss", "A trade that cannot lose is a wrong price.")
    room = limits.symbol_capital_cents - symbol_capital_cents
    allowed = [
        ("fixed_risk", _contracts_within(limits.trade_risk_cents, exposure.sizing_loss)),
        ("trade_capital", _contracts_within(limits.trade_capital_cents, exposure.capital)),
        ("symbol_capital", _contracts_within(room, exposure.capital)),
        ("contracts_max", contracts_max),
    ]
    if kelly_risk_cents is not None:
        allowed.append(("kelly", _contracts_within(kelly_risk_cents, exposure.sizing_loss)))
    known = [(bound, contracts) for bound, contracts in allowed if contracts is not None]
    bound_by, contracts = min(known, key=lambda pair: pair[1])
    loss = exposure.sizing_loss.quantize(CENT, ROUND_CEILING)
    return Sizing(
        contracts=contracts,
        bound_by=bound_by,
        sentence=f"{contracts} contracts at a sizing loss of {loss} USD each, by {bound_by}.",
    )


def _contracts_within(budget_cents: int, dollars_per_contract: Decimal) -> int | None:
    """Count the contracts a budget holds; None where each costs nothing."""
    if dollars_per_contract <= 0:
        return None
    return max(budget_cents, 0) // cents_up(dollars_per_contract)


def smallest_account(exposure: ContractExposure, risk: RiskSettings) -> Decimal | None:
    """Give the least equity, in dollars, that can trade one contract; None where none can."""
    needs = [
        (exposure.sizing_loss, risk.trade_risk_fraction),
        (exposure.heat, risk.heat_max_fraction),
        (exposure.capital, risk.trade_capital_max_fraction),
        (exposure.capital, risk.symbol_capital_max_fraction),
    ]
    least = ZERO
    for dollars, fraction in needs:
        if dollars <= 0:
            continue
        if fraction == 0:
            return None
        # Limits round down to cents, so the account must reach the need rounded up to cents.
        need = dollars.quantize(CENT, ROUND_CEILING)
        least = max(least, (need / fraction).quantize(CENT, ROUND_CEILING))
    return least


def kelly_fraction(net_pnls: Sequence[Decimal], risk: RiskSettings) -> Decimal | None:
    """Give the share of the account that Kelly would risk on a trade, a stated part of full Kelly.

    f = W - (1 - W) / R over net P&L of closed trades in dollars, R = average win / average loss, W
    the lower bound of its Wilson score interval at `kelly_confidence_z`; the answer is
    `kelly_fraction` x max(f, 0). None under `kelly_trades_min` trades: unknown, not zero. A trade
    that came out at nothing did not win, and is no loss to average.
    """
    if len(net_pnls) < risk.kelly_trades_min:
        return None
    wins = [pnl for pnl in net_pnls if pnl > 0]
    losses = [-pnl for pnl in net_pnls if pnl < 0]
    if not wins:
        return ZERO
    win_rate = wilson_lower_bound(len(wins), len(net_pnls), risk.kelly_confidence_z)
    full = win_rate
    if losses:
        ratio = (sum(wins, ZERO) / len(wins)) / (sum(losses, ZERO) / len(losses))
        full = win_rate - (ONE - win_rate) / ratio
    return risk.kelly_fraction * max(full, ZERO)


def wilson_lower_bound(successes: int, trials: int, z: Decimal) -> Decimal:
    """Give the lower end of the Wilson score interval of a proportion.

    (p + z^2/2n - z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n). Raises ValueError without trials.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials are no proportion")
    share = Decimal(successes) / trials
    squared = z * z
    spread = (share * (ONE - share) / trials + squared / (4 * trials * trials)).sqrt()
    bound = (share + squared / (2 * trials) - z * spread) / (ONE + squared / trials)
    # Exact arithmetic keeps the bound between zero and the share; rounded digits may not.
    return min(max(bound, ZERO), share)


def kelly_risk_cents(fraction: Decimal | None, equity: Decimal) -> int | None:
    """Turn a Kelly fraction into a budget in cents, rounded down; None stays unknown."""
    if fraction is None:
        return None
    return cents_down(max(equity, ZERO) * fraction)
