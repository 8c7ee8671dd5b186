"""What went wrong with a trade, as tags: each rule says what it takes to earn its tag."""

from decimal import Decimal, InvalidOperation

from agent.book.analysis_records import NO_ERROR, ErrorTag
from agent.book.records import Trade
from agent.book.states import ExitReason
from agent.config.settings import LearningSettings
from agent.learning.attribution import Attribution

ZERO = Decimal(0)


def error_tags(
    trade: Trade, attribution: Attribution | None, *, iv_rank_min: float, learning: LearningSettings
) -> tuple[str, ...]:
    """Tag a closed trade; never empty.

    Poor execution is an error of any trade, all others are of losses alone. Without `attribution`
    neither volatility nor the greeks can be blamed. Raises ValueError for a trade without a P&L.
    """
    if trade.pnl is None:
        raise ValueError(f"{trade.trade_id} has no P&L to explain")
    found: list[ErrorTag] = []
    if _executed_poorly(trade, learning):
        found.append(ErrorTag.LIQUIDITY_EXECUTION)
    if trade.pnl < 0:
        found += _errors_of_a_loss(trade, trade.pnl, attribution, iv_rank_min, learning)
        if not found:
            found.append(ErrorTag.UNEXPLAINED_LOSS)
    return tuple(tag.value for tag in ErrorTag if tag in found) or (NO_ERROR,)


def _errors_of_a_loss(
    trade: Trade,
    pnl: Decimal,
    attribution: Attribution | None,
    iv_rank_min: float,
    learning: LearningSettings,
) -> list[ErrorTag]:
    found: list[ErrorTag] = []
    if _entered_at_the_edge(trade, iv_rank_min, learning):
        found.append(ErrorTag.ENTRY_QUALITY)
    if -pnl > trade.risk.sizing_loss_per_contract * trade.execution.contracts:
        found.append(ErrorTag.RISK_POLICY)
    if _mistimed(trade, learning):
        found.append(ErrorTag.TIMING)
    if attribution is not None:
        share = float(learning.cause_fraction_min) * attribution.adverse
        if -attribution.volatility >= share:
            found.append(ErrorTag.VOLATILITY)
        if -attribution.underlying >= share:
            found.append(ErrorTag.GREEK_RISK)
    return found


def _executed_poorly(trade: Trade, learning: LearningSettings) -> bool:
    """Say whether fills gave up much of the credit, or the exit took more than one attempt."""
    execution = trade.execution
    if trade.close_attempts > 1:
        return True
    if execution.credit is None or execution.credit <= 0:
        return False
    given_up = (execution.entry_slippage or ZERO) + (execution.exit_slippage or ZERO)
    return given_up > learning.slippage_max_fraction_of_credit * execution.credit


def _entered_at_the_edge(trade: Trade, iv_rank_min: float, learning: LearningSettings) -> bool:
    """Say whether the entry barely passed: its IV rank, or its credit."""
    rank = trade.market_snapshot.iv_rank
    if rank is not None and rank < iv_rank_min + learning.iv_rank_margin_points:
        return True
    least = _decimal(trade.params.get("credit_min"))
    credit = trade.execution.credit
    if least is None or credit is None:
        return False
    return credit < least * (1 + learning.credit_margin_fraction)


def _mistimed(trade: Trade, learning: LearningSettings) -> bool:
    """Say whether the loss came at once, or the trade ran out of time."""
    if trade.exit_reason is ExitReason.EXPIRATION_NEAR:
        return True
    return trade.days_held is not None and trade.days_held <= learning.early_loss_days_max


def _decimal(value: object) -> Decimal | None:
    """Read a parameter as it is kept with a trade: decimals are text there."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
