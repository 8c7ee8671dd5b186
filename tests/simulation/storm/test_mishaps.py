"""What befalls a leg is seen by the broker's records, booked by the next pass, and wound up."""

from dataclasses import replace

import pytest

from simulator.storm.climate import Climate
from simulator.storm.coverage import missing
from simulator.storm.day import DayResult, StormDay
from simulator.storm.dice import Dice
from simulator.storm.faults import CALM, PROFILES, ROUGH, FaultKind
from simulator.storm.scenario import SYMBOLS, Scenario, draw_scenario
from simulator.worlds.world import ListingFilter

ASSIGNED_LIVE, BY_HAND = 16, 22


def play(seed: int, profile: str = "calm") -> tuple[StormDay, DayResult]:
    day = StormDay(seed, PROFILES[profile])
    return day, day.run()


def scenario_of(seed: int) -> Scenario:
    return draw_scenario(seed, CALM, Dice(seed))


def test_an_assigned_spread_is_wound_up_until_nothing_of_it_is_held() -> None:
    day, result = play(ASSIGNED_LIVE)
    assert result.violation is None, result.violation.message
    assert result.counts["mishap_assigned"] == result.counts["mishap_delivered"] >= 1
    assert result.counts["exit_assigned"] >= 1
    assert not day.view.unbooked_moves()
    booked, held = day.view.booked(), day.view.own_held
    assert {symbol: count for symbol, count in booked.items() if count} == {
        symbol: count for symbol, count in held.items() if count
    }
    assert all(held[symbol] == 0 for symbol in SYMBOLS)


def test_what_the_owner_closed_by_hand_is_none_of_the_agents_orders() -> None:
    day, result = play(BY_HAND)
    assert result.violation is None, result.violation.message
    assert result.counts["mishap_by_hand"] >= 1
    own = {order.client_order_id for order in day.view.own_orders}
    assert day.view.mishaps.by_hand_client_ids.isdisjoint(own)
    assert {move.kind for move in day.view.hands} == {"by_hand"}


@pytest.mark.parametrize("seed", [1, 12])
def test_calls_are_written_on_assigned_shares_and_never_more_than_those_cover(seed: int) -> None:
    wheel = Climate(
        assignments=1.0, early_assignments=1.0, strategies=("cash_secured_put",), covers_shares=True
    )
    day = StormDay(seed, replace(ROUGH, climate=wheel))
    result = day.run()
    assert result.violation is None, result.violation.message
    assert any(intent.outcome == "covered" for intent in day.view.book.all_intents())


def test_a_trade_that_its_roll_closed_ended_for_that_whatever_exits_were_tried_before() -> None:
    threatened = Climate(
        old_days=1.0,
        expiration_days=0.0,
        assignments=0.0,
        pins=1.0,
        pin_deviations=(-0.6, 0.2),
        strategies=("bull_put_spread",),
    )
    refusing = {**ROUGH.probabilities, FaultKind.CLOSE_REFUSED: 0.35}
    day = StormDay(
        20,
        replace(
            ROUGH, climate=threatened, partial_fills=0.9, fickleness=0.85, probabilities=refusing
        ),
    )
    result = day.run()
    assert result.violation is None, result.violation.message
    ended = [trade for trade in day.view.book.all_trades() if trade.exit_reason == "roll"]
    assert any(trade.close_attempts for trade in ended)


def test_a_rough_night_breaks_no_rule_either() -> None:
    _, result = play(ASSIGNED_LIVE, "rough")
    assert result.violation is None, result.violation.message


def test_only_days_on_which_something_befalls_have_a_morning() -> None:
    drawn = [scenario_of(seed) for seed in range(1, 60)]
    for scenario in drawn:
        befalls = scenario.expires_today or scenario.has_assignments or scenario.has_strange_hands
        assert (scenario.morning is not None) is befalls
    assert 15 <= sum(scenario.morning is not None for scenario in drawn) <= 45


def test_an_expiration_day_is_a_friday_on_which_nothing_else_can_be_entered_before() -> None:
    days = [scenario for seed in range(1, 60) if (scenario := scenario_of(seed)).expires_today]
    assert days
    for scenario in days:
        assert scenario.day.session.strftime("%A") == "Friday"
        eve, symbol = scenario.eve.opens_at, SYMBOLS[0]
        chain = scenario.market.chain(symbol, eve, ListingFilter())
        thick = {each.contract.expiration for each in chain if (each.open_interest or 0) > 100}
        assert thick == {scenario.day.session}


@pytest.mark.parametrize(
    "name", ["rolls", "mishap_assigned", "mishap_by_hand", "mishap_liquidated", "passive_breaches"]
)
def test_a_storm_in_which_nothing_befalls_anybody_is_not_good(name: str) -> None:
    lacking = missing(ROUGH, 400, {}, {}, {})
    assert any(line.startswith(f"{name}: 0 of") for line in lacking)


def test_what_is_rare_is_asked_for_only_of_many_days() -> None:
    assert not [line for line in missing(ROUGH, 100, {}, {}, {}) if line.startswith("rolls:")]
    many = missing(ROUGH, 400, {}, {}, {})
    assert "rolls: 0 of at least 1" in many
    assert "no fault in roll_position.ReconcileOrder" in many
