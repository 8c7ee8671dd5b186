"""How the ledger moves when risk is taken, adjusted and given back.

The ledger holds integer cents, so that reserving, adjusting and releasing sum to nothing. Bounds
are stated only where a move takes: giving back always succeeds.
"""

from datetime import date
from decimal import Decimal

from agent.book.changes import LedgerEntry, LedgerField, LedgerMove
from agent.book.records import TradeRisk
from agent.risk.limits import AccountLimits

PORTFOLIO_KEY = "portfolio"
STREAK_KEY = "streak"


def day_key(session: date) -> str:
    """Name the ledger entry of a trading day."""
    return f"day#{session:%Y-%m-%d}"


def symbol_key(symbol: str) -> str:
    """Name the ledger entry of a symbol."""
    return f"symbol#{symbol}"


def reserve_moves(
    risk: TradeRisk,
    *,
    symbol: str,
    session: date,
    limits: AccountLimits,
    reservations: int,
    unreserved_heat_cents: int = 0,
) -> tuple[LedgerMove, ...]:
    """Take the risk of one pending trade, bounded so that no limit is passed.

    `reservations` is how many there had been when the book was measured: one that came in between
    refuses this one, whose measures no longer hold. `unreserved_heat_cents` is what stress has
    come to exceed the reserved heat by. The capital of a single trade has no ledger entry: it is
    checked where the trade is sized.
    """
    return (
        LedgerMove(
            PORTFOLIO_KEY,
            {**_exposure(risk, 1), LedgerField.RESERVATIONS: 1},
            bounds={
                LedgerField.HEAT_CENTS: limits.heat_cents - unreserved_heat_cents,
                LedgerField.RESERVATIONS: reservations + 1,
            },
        ),
        LedgerMove(
            day_key(session),
            {LedgerField.ENTRIES: 1},
            bounds={LedgerField.ENTRIES: limits.trades_per_day},
        ),
        LedgerMove(
            symbol_key(symbol),
            _exposure(risk, 1),
            bounds={
                LedgerField.CAPITAL_CENTS: limits.symbol_capital_cents,
                LedgerField.POSITIONS: limits.symbol_positions,
            },
        ),
    )


def held_moves(risk: TradeRisk, *, symbol: str, session: date) -> tuple[LedgerMove, ...]:
    """Count a trade that is held already, entered on `session`: no bound refuses what is so."""
    return (
        LedgerMove(PORTFOLIO_KEY, _exposure(risk, 1)),
        entered_move(session),
        LedgerMove(symbol_key(symbol), _exposure(risk, 1)),
    )


def entered_move(session: date) -> LedgerMove:
    """Count an entry of a day that is past."""
    return LedgerMove(day_key(session), {LedgerField.ENTRIES: 1})


def adjust_moves(
    reserved: TradeRisk, remaining: TradeRisk, *, symbol: str
) -> tuple[LedgerMove, ...]:
    """Bring the ledger from what a trade had reserved to what it holds; empty where equal.

    For an entry that filled in part or better than reserved, and for an exit in part.
    """
    deltas = {
        LedgerField.HEAT_CENTS: remaining.heat_cents - reserved.heat_cents,
        LedgerField.CAPITAL_CENTS: remaining.capital_cents - reserved.capital_cents,
    }
    changed = {field: delta for field, delta in deltas.items() if delta}
    if not changed:
        return ()
    return (LedgerMove(PORTFOLIO_KEY, changed), LedgerMove(symbol_key(symbol), changed))


def reopen_moves(
    held: TradeRisk, reserved: TradeRisk, *, symbol: str, limits: AccountLimits
) -> tuple[LedgerMove, ...]:
    """Take what a roll reserves beyond what its trade holds, bounded as any new risk is.

    The trade stays the one it was: neither the day nor the symbol counts another.
    """
    bounds = {
        PORTFOLIO_KEY: {LedgerField.HEAT_CENTS: limits.heat_cents},
        symbol_key(symbol): {LedgerField.CAPITAL_CENTS: limits.symbol_capital_cents},
    }
    return tuple(
        LedgerMove(move.key, move.deltas, bounds=bounds[move.key])
        for move in adjust_moves(held, reserved, symbol=symbol)
    )


def release_moves(
    risk: TradeRisk, *, symbol: str, unfilled_session: date | None = None
) -> tuple[LedgerMove, ...]:
    """Give back all that a trade still holds.

    Of an entry that never filled, `unfilled_session` is the day that counted it: it counts no
    more. A trade that was entered stays counted in its day.
    """
    released = _exposure(risk, -1)
    moves = (LedgerMove(PORTFOLIO_KEY, released), LedgerMove(symbol_key(symbol), released))
    if unfilled_session is None:
        return moves
    return (*moves, LedgerMove(day_key(unfilled_session), {LedgerField.ENTRIES: -1}))


def outcome_moves(pnl: Decimal, streak: LedgerEntry) -> tuple[LedgerMove, ...]:
    """Count a trade that closes: a loss lengthens the streak, anything else ends it."""
    if pnl < 0:
        return (LedgerMove(STREAK_KEY, {LedgerField.LOSSES: 1}),)
    return forgiving_moves(streak)


def forgiving_moves(streak: LedgerEntry) -> tuple[LedgerMove, ...]:
    """End a losing streak as it was read; empty where there is none.

    The bound refuses whoever read it before another had ended it: read again.
    """
    if streak.losing_streak <= 0:
        return ()
    forgiven = LedgerField.LOSSES_FORGIVEN
    return (LedgerMove(STREAK_KEY, {forgiven: streak.losing_streak}, {forgiven: streak.losses}),)


def _exposure(risk: TradeRisk, sign: int) -> dict[LedgerField, int]:
    return {
        LedgerField.HEAT_CENTS: sign * risk.heat_cents,
        LedgerField.CAPITAL_CENTS: sign * risk.capital_cents,
        LedgerField.POSITIONS: sign,
    }
