"""How the ledger moves with a trade."""

from decimal import Decimal

from agent.book.changes import LedgerField
from agent.config.settings import RiskSettings
from agent.risk.limits import account_limits
from agent.risk.reservation import (
    adjust_moves,
    day_key,
    release_moves,
    reserve_moves,
    symbol_key,
)
from tests.builders import SESSION, a_risk

LIMITS = account_limits(Decimal(100_000), RiskSettings())
RISK = a_risk(heat_cents=76_100, capital_cents=76_000)


def test_the_ledger_is_keyed_by_day_and_symbol() -> None:
    assert day_key(SESSION) == "day#2026-06-09"
    assert symbol_key("AAPL") == "symbol#AAPL"


def test_a_reservation_takes_heat_a_place_in_the_day_and_capital_of_the_symbol() -> None:
    portfolio, day, symbol = reserve_moves(
        RISK,
        symbol="AAPL",
        session=SESSION,
        limits=LIMITS,
        reservations=4,
        unreserved_heat_cents=100_000,
    )
    assert portfolio.key == "portfolio"
    assert portfolio.deltas[LedgerField.HEAT_CENTS] == 76_100
    assert portfolio.deltas[LedgerField.RESERVATIONS] == 1
    assert portfolio.bounds == {
        LedgerField.HEAT_CENTS: 2_900_000,
        LedgerField.RESERVATIONS: 5,
    }
    assert day.key == "day#2026-06-09"
    assert day.deltas == {LedgerField.ENTRIES: 1}
    assert day.bounds == {LedgerField.ENTRIES: 10}
    assert symbol.key == "symbol#AAPL"
    assert symbol.deltas[LedgerField.POSITIONS] == 1
    assert symbol.bounds == {
        LedgerField.CAPITAL_CENTS: 3_000_000,
        LedgerField.POSITIONS: 2,
    }


def test_an_adjustment_gives_back_what_did_not_fill_and_stays_a_position() -> None:
    filled = a_risk(heat_cents=38_000, capital_cents=37_900)
    moves = adjust_moves(RISK, filled, symbol="AAPL")
    assert [move.key for move in moves] == ["portfolio", "symbol#AAPL"]
    for move in moves:
        assert move.deltas == {
            LedgerField.HEAT_CENTS: -38_100,
            LedgerField.CAPITAL_CENTS: -38_100,
        }
        assert not move.bounds


def test_an_adjustment_names_only_what_changes() -> None:
    moves = adjust_moves(RISK, RISK.model_copy(update={"heat_cents": 76_000}), symbol="AAPL")
    assert [dict(move.deltas) for move in moves] == [{LedgerField.HEAT_CENTS: -100}] * 2


def test_nothing_moves_where_the_fill_is_as_reserved() -> None:
    assert adjust_moves(RISK, RISK, symbol="AAPL") == ()


def test_a_trade_that_ends_stays_counted_in_its_day() -> None:
    moves = release_moves(RISK, symbol="AAPL")
    assert [move.key for move in moves] == ["portfolio", "symbol#AAPL"]
    assert all(move.deltas[LedgerField.POSITIONS] == -1 for move in moves)


def test_an_entry_that_never_filled_gives_its_place_in_the_day_back() -> None:
    moves = release_moves(RISK, symbol="AAPL", unfilled_session=SESSION)
    assert moves[-1].key == "day#2026-06-09"
    assert moves[-1].deltas == {LedgerField.ENTRIES: -1}
    assert not any(move.bounds for move in moves)
