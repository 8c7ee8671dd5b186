"""Analyse closed trades: each gets its tags, or a reason why it could not be analysed."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.book.analysis_records import ErrorTag
from agent.book.records import Position, Trade
from agent.book.states import TradeStatus
from agent.config.settings import Settings
from agent.learning.attribution import Attribution, attribute
from agent.learning.taxonomy import error_tags
from agent.market.calendar import new_york_date
from agent.market.rates import risk_free_rate


@dataclass(frozen=True)
class TradeAnalysis:
    """Hold what was found about one trade."""

    trade_id: str
    tags: tuple[str, ...]
    attribution: Attribution | None
    unjudged: tuple[ErrorTag, ...]
    """What could not be judged, since the records do not tell where the P&L came from."""


@dataclass(frozen=True)
class Unanalysed:
    """Name a closed trade that could not be analysed, and why."""

    trade_id: str
    reason: str


def awaits_analysis(trade: Trade) -> bool:
    """Say whether a trade is closed and was never analysed."""
    return trade.status is TradeStatus.CLOSED and not trade.reason_tags


def analyze_trade(
    trade: Trade, positions: Sequence[Position], settings: Settings
) -> TradeAnalysis | Unanalysed:
    """Explain a closed trade by its records alone."""
    missing = _missing(trade, positions)
    if missing:
        return Unanalysed(trade.trade_id, f"unknown: {', '.join(missing)}")
    rate = risk_free_rate(settings.market, new_york_date(trade.timestamp_enter))
    attribution = attribute(trade, positions, rate=rate)
    tags = error_tags(
        trade,
        attribution,
        iv_rank_min=settings.market.iv_rank_min,
        learning=settings.learning,
    )
    is_blind = attribution is None and trade.pnl is not None and trade.pnl < 0
    return TradeAnalysis(
        trade_id=trade.trade_id,
        tags=tags,
        attribution=attribution,
        unjudged=(ErrorTag.VOLATILITY, ErrorTag.GREEK_RISK) if is_blind else (),
    )


def _missing(trade: Trade, positions: Sequence[Position]) -> list[str]:
    """Name what no analysis can do without."""
    facts = {
        "P&L": trade.pnl,
        "exit time": trade.timestamp_exit,
        "exit reason": trade.exit_reason,
        "credit": trade.execution.credit,
        "positions": tuple(positions) or None,
    }
    return [name for name, fact in facts.items() if fact is None]
