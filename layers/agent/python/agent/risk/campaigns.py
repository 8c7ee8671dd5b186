"""What a campaign of rolls may cost: its fees, its loss at its stop, and what it puts at stake."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from agent.book.records import RollResidue, Trade, TradeRisk
from agent.config.settings import FeeSettings
from agent.options.money import CENT
from agent.options.structures import Structure
from agent.risk.fees import fill_fees, round_trip_fees_max
from agent.risk.sizing import ContractExposure, trade_risk

ONE = Decimal(1)


@dataclass(frozen=True)
class CampaignLoss:
    """Compare what a campaign would lose at its stop with what it may, dollars a contract."""

    at_stop: Decimal
    budget: Decimal

    @property
    def is_within_budget(self) -> bool:
        return self.at_stop <= self.budget


def roll_fees(
    former: Structure,
    former_prices: Sequence[Decimal],
    following: Structure,
    following_prices: Sequence[Decimal],
    fees: FeeSettings,
) -> Decimal:
    """Give the fees of rolling one unit in dollars: the close and the opening, not rounded.

    Prices are unsigned dollars a share, in the order of the legs. Raises ValueError where prices
    and legs differ in number.
    """
    return fill_fees(former, former_prices, 1, opening=False, fees=fees) + fill_fees(
        following, following_prices, 1, opening=True, fees=fees
    )


def net_credit_floor(fees: Decimal, multiplier: int) -> Decimal:
    """Give the least net credit a share at which a roll still brings something after its fees."""
    return (fees / multiplier) // CENT * CENT + CENT


def with_residue(own: TradeRisk, residue: RollResidue | None) -> TradeRisk:
    """Add what a roll left behind to what a trade puts at stake by its own structure."""
    if residue is None:
        return own
    exposure = ContractExposure(residue.sizing_loss_per_contract, residue.capital_per_contract)
    left = trade_risk(exposure, residue.contracts)
    return own.model_copy(
        update={
            "heat_cents": own.heat_cents + left.heat_cents,
            "capital_cents": own.capital_cents + left.capital_cents,
        }
    )


def campaign_loss(
    trade: Trade,
    following: Structure,
    *,
    net_credit: Decimal,
    roll_fees_each: Decimal,
    stop_loss: Decimal,
    fees: FeeSettings,
) -> CampaignLoss:
    """Measure a campaign's loss at its new stop, should it roll for `net_credit` a share.

    The stop is `stop_loss` times what the whole campaign has received, or where its owner put it,
    shifted by the roll; no spread costs more than its width. Fees paid, of the roll and of leaving
    are included. The budget is the sizing loss at entry. Raises ValueError where the trade has no
    credit or holds nothing.
    """
    credit = trade.execution.credit
    if credit is None or not trade.contracts_held:
        raise ValueError(f"{trade.trade_id} holds nothing that has a credit")
    campaign_credit = credit + net_credit
    moved = trade.stop_debit
    stop = campaign_credit * (ONE + stop_loss) if moved is None else moved + net_credit
    if following.width is not None:
        stop = min(stop, following.width)
    paid = trade.execution.fees / trade.contracts_held
    budget = trade.campaign.budget_per_contract
    return CampaignLoss(
        at_stop=(stop - campaign_credit) * following.multiplier
        + paid
        + roll_fees_each
        + round_trip_fees_max(following, fees),
        budget=trade.risk.sizing_loss_per_contract if budget is None else budget,
    )
