"""The whole book as of now, and entries that it leaves no room for."""

from dataclasses import replace
from decimal import Decimal

import pytest

from agent.adapters.memory.book import MemoryBook
from agent.book.changes import BookChange, BookConflict, LedgerField
from agent.config.settings import RiskSettings, Settings
from agent.risk.exposure import NO_EXPOSURE
from agent.risk.reservation import PORTFOLIO_KEY
from agent.use_cases.book_exposure import book_exposure
from agent.use_cases.check_risk import check_risk
from agent.use_cases.size_position import size_position
from agent.use_cases.steps import StepInput
from tests.builders import a_creation, a_move, a_snapshot, a_trade
from tests.unit.use_cases.conftest import TestDesk


def with_risk(desk: TestDesk, **limits: str) -> None:
    risk = RiskSettings(**{name: Decimal(value) for name, value in limits.items()})
    desk.desk = replace(desk.desk, settings=Settings(watchlist=("ACME",), risk=risk))


def test_an_empty_book_has_no_exposure(desk: TestDesk) -> None:
    assert book_exposure(desk.desk, desk.exchange.now) == NO_EXPOSURE


def test_a_spread_gains_when_stocks_rise_and_when_volatility_falls(desk: TestDesk) -> None:
    trade = desk.open_trade()
    found = book_exposure(desk.desk, desk.exchange.now)
    assert found is not None
    assert found.delta > 0 > found.vega
    assert found.stressed_heat_cents == trade.risk.heat_cents


def test_a_book_whose_stock_has_no_price_cannot_be_measured(desk: TestDesk) -> None:
    desk.book.commit(a_creation(a_trade(symbol="AAPL")))
    assert book_exposure(desk.desk, desk.exchange.now) is None


def test_a_book_without_any_volatility_cannot_be_measured(desk: TestDesk) -> None:
    opened = desk.open_trade()
    unknown = a_trade(
        trade_id="rebuilt",
        structure=opened.structure,
        market_snapshot=a_snapshot(implied_volatility=None),
    )
    desk.book.commit(a_creation(unknown))
    assert book_exposure(desk.desk, desk.exchange.now) is None


@pytest.mark.parametrize(
    ("limit", "check"), [("delta_max_fraction", "beta_delta"), ("vega_max_fraction", "vega")]
)
def test_an_entry_beyond_a_cap_is_refused_at_the_check(
    desk: TestDesk, limit: str, check: str
) -> None:
    with_risk(desk, **{limit: "0.00001"})
    intent = desk.state_entry()
    verdict = check_risk(desk.desk, StepInput(intent_id=intent.intent_id))
    assert verdict.reason == check


def test_and_again_at_the_reservation(desk: TestDesk) -> None:
    intent = desk.state_entry()
    assert check_risk(desk.desk, StepInput(intent_id=intent.intent_id)).approved
    with_risk(desk, delta_max_fraction="0.00001")
    result = size_position(desk.desk, StepInput(intent_id=intent.intent_id))
    assert not result.reserved
    assert result.reason == "beta_delta"
    assert desk.book.ledger(PORTFOLIO_KEY).heat_cents == 0


class RivalBook(MemoryBook):
    """Let another entry be reserved between a measure of the book and what rests on it."""

    rivals = 1

    def commit(self, change: BookChange) -> None:
        if change.trade is not None and self.rivals:
            self.rivals -= 1
            super().commit(BookChange(ledger=(a_move("portfolio", {LedgerField.RESERVATIONS: 1}),)))
        super().commit(change)


def test_a_reservation_made_meanwhile_has_the_book_measured_again(desk: TestDesk) -> None:
    book = RivalBook()
    rival = replace(desk, book=book, desk=replace(desk.desk, book=book, outbox=book.outbox))
    step = StepInput(intent_id=rival.state_entry().intent_id)
    with pytest.raises(BookConflict, match="measure again"):
        size_position(rival.desk, step)
    assert size_position(rival.desk, step).reserved
    assert book.ledger(PORTFOLIO_KEY).reservations == 2
