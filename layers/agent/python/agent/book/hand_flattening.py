"""What to do by hand, at the broker, so that nothing of the book is left: step by step."""

from collections.abc import Sequence

from agent.book.records import Trade
from agent.book.states import ACTIVE_STATUSES
from agent.book.transitions import describe
from agent.options.contracts import parse_occ_symbol

COMMAND = "options-agent flatten --broker-only"


def flattening_steps(trades: Sequence[Trade]) -> tuple[str, ...]:
    """Say line by line how to flatten what `trades` hold; empty where they hold nothing.

    Shorts come first within a trade: a long leg sold before its short leaves that uncovered, and
    the broker refuses it. Shares come last, since they may cover a call.
    """
    lines: list[str] = []
    for trade in sorted(trades, key=lambda trade: (trade.structure.expiration, trade.trade_id)):
        steps = _steps_of(trade) if trade.status in ACTIVE_STATUSES else []
        if steps:
            lines.append(f"{describe(trade)}, {trade.strategy} ({trade.trade_id}):")
            lines += [f"  {number}. {step}" for number, step in enumerate(steps, start=1)]
    if not lines:
        return ()
    how = (
        f"To flatten by hand, where the agent cannot: run `{COMMAND}`; or, at the broker, cancel "
        "every open order, then trade by trade, each step filled before the next:"
    )
    return (how, *lines)


def _steps_of(trade: Trade) -> list[str]:
    held = [(symbol, count) for symbol, count in trade.leg_quantities.items() if count]
    shorts_first = sorted(held, key=lambda leg: leg[1] > 0)
    steps = [
        f"{'sell' if count > 0 else 'buy'} to close {abs(count)} {symbol} ({_spelled(symbol)})"
        for symbol, count in shorts_first
    ]
    if trade.shares_held:
        verb = "sell" if trade.shares_held > 0 else "buy back"
        steps.append(f"{verb} {abs(trade.shares_held)} shares of {trade.symbol}")
    return steps


def _spelled(symbol: str) -> str:
    contract = parse_occ_symbol(symbol)
    return f"{contract.strike.normalize():f} {contract.option_type}, {contract.expiration}"
