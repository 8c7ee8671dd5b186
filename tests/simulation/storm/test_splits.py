"""Stocks split under the trades carried in: restated by the first pass that can, and watched on."""

from dataclasses import replace
from decimal import Decimal

import pytest

from agent.use_cases import book_lifecycle
from agent.use_cases.book_splits import Restated
from simulator.storm.climate import Climate
from simulator.storm.day import DayResult, StormDay
from simulator.storm.dice import Dice
from simulator.storm.faults import CALM, ROUGH, Profile
from simulator.storm.scenario import SYMBOLS, draw_scenario
from simulator.storm.view import split_factor
from simulator.worlds.world import ListingFilter

SPLITTING = Climate(splits=1.0)
ASSIGNED_BEFORE = 2
"""A day on which a short leg is assigned a few minutes before its stock splits."""


def play(seed: int, profile: Profile = CALM) -> tuple[StormDay, DayResult]:
    day = StormDay(seed, replace(profile, climate=SPLITTING))
    return day, day.run()


@pytest.mark.parametrize("seed", [3, 8])
def test_every_trade_carried_into_a_split_is_restated_and_told_on_a_rough_day(seed: int) -> None:
    day, result = play(seed, ROUGH)
    assert result.violation is None, result.violation.message
    carried = [
        trade
        for trade in day.view.book.all_trades()
        if trade.execution.contracts and trade.timestamp_enter < day.scenario.day.opens_at
    ]
    assert carried
    assert {split_factor(trade) for trade in carried} == {2}
    assert result.counts["mishap_adjusted"] >= 4
    assert not day.view.unbooked_moves()
    told = [alert.alert_id for alert in day.view.alerts.published]
    assert not [name for name in told if name.endswith("-adjusted")]


def test_an_assignment_and_a_split_before_one_open_are_told_apart_by_the_shares() -> None:
    day, result = play(ASSIGNED_BEFORE, ROUGH)
    assert result.violation is None, result.violation.message
    kinds = [move.kind for move in day.view.mishaps.moves]
    assert kinds.index("assigned") < kinds.index("split") < kinds.index("adjusted")
    assert not day.view.unbooked_moves()


def test_a_split_that_nobody_books_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        book_lifecycle, "book_splits", lambda _, trades, *__: Restated(tuple(trades))
    )
    _, result = play(3)
    assert result.violation is not None
    assert result.violation.checker == "mishaps_are_booked"
    assert "(adjusted) passed by unnoticed" in result.violation.message


def test_a_split_halves_the_stock_and_lists_twice_as_fine_strikes_from_the_open_on() -> None:
    scenario = draw_scenario(1, replace(CALM, climate=SPLITTING), Dice(1))
    plain = draw_scenario(1, CALM, Dice(1))
    opens_at = scenario.day.opens_at
    for symbol in SYMBOLS:
        assert scenario.market.spot(symbol, opens_at) == plain.market.spot(symbol, opens_at) / 2
        eve = scenario.eve.opens_at
        assert scenario.market.spot(symbol, eve) == plain.market.spot(symbol, eve)
        strikes = {
            each.contract.strike
            for each in scenario.market.chain(symbol, opens_at, ListingFilter())
        }
        assert strikes == {
            each.contract.strike / 2
            for each in plain.market.chain(symbol, opens_at, ListingFilter())
        }
        assert Decimal("1.25") in {each % Decimal("2.5") for each in strikes}


def test_no_stock_splits_on_a_usual_day() -> None:
    assert not any(draw_scenario(seed, ROUGH, Dice(seed)).splits for seed in range(1, 40))
