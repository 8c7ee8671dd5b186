"""When an open trade ends: credit 1.20, target 0.60, stop 3.60, short strike 190."""

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.book.intents import Urgency
from agent.book.records import StopWatch, Trade
from agent.book.states import ExitReason
from agent.config.settings import ExitSettings
from agent.config.strategy_settings import (
    BullPutSpreadSettings,
    CashSecuredPutSettings,
    IronCondorSettings,
)
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from agent.strategies.bull_put_spread import BullPutSpread
from agent.strategies.cash_secured_put import CashSecuredPut
from agent.strategies.exit_moment import ExitMoment
from agent.strategies.exits import (
    ExitAlarmKind,
    ExitRules,
    ExitVerdict,
    RollSignal,
    exit_decision,
    next_dte,
    roll_signal,
)
from agent.strategies.iron_condor import IronCondor
from agent.strategies.marks import MarkSource, TradeMark
from agent.strategies.strategy import Strategy
from agent.strategies.strikes import (
    breached_strike,
    stop_level,
    threatened_strike,
    unreachable_stop,
)
from tests.builders import EXPIRATION, a_contract, a_put_spread, a_trade, an_execution
from tests.unit.strategies.moments import MIDWAY, RULES, a_mark, a_moment, a_session, new_york

EXITS = ExitSettings()
AT_STOP: dict[str, Any] = {"debit": Decimal("3.60")}
THROUGH: dict[str, Any] = {"underlying_price": Decimal("189.99")}
SEEN_ONCE = StopWatch(passes=1, last_slot=a_moment(at=time(11, 59)).slot)


def decide(
    trade: Trade | None = None,
    mark: TradeMark | None = None,
    moment: ExitMoment | None = None,
    rules: ExitRules = RULES,
    roll: RollSignal | None = None,
) -> ExitVerdict:
    now = moment or a_moment()
    return exit_decision(trade or a_trade(), mark or a_mark(now), now, rules, EXITS, roll=roll)


def reason_of(verdict: ExitVerdict) -> ExitReason | None:
    return None if verdict.decision is None else verdict.decision.reason


def kinds_of(verdict: ExitVerdict) -> list[ExitAlarmKind]:
    return [alarm.kind for alarm in verdict.alarms]


def test_a_quiet_trade_is_left_alone() -> None:
    assert decide() == ExitVerdict(None, StopWatch(), ())


# Profit target


def test_the_target_is_met_when_natural_costs_half_the_credit() -> None:
    verdict = decide(mark=a_mark(debit_natural=Decimal("0.60")))
    assert verdict.decision is not None
    assert verdict.decision.reason is ExitReason.PROFIT_TARGET
    assert verdict.decision.urgency is Urgency.PATIENT
    assert not verdict.decision.protective


def test_a_cheap_mid_is_no_target_while_natural_is_dear() -> None:
    cheap = a_mark(debit=Decimal("0.10"), debit_natural=Decimal("0.61"))
    assert decide(mark=cheap).decision is None


def test_an_unknown_natural_is_no_target() -> None:
    assert decide(mark=a_mark(debit_natural=None)).decision is None


# Stop


def test_the_stop_is_a_loss_of_twice_the_credit() -> None:
    assert stop_level(Decimal("1.20"), Decimal(2)) == Decimal("3.60")


def test_one_pass_that_sees_the_stop_is_remembered_and_does_not_act() -> None:
    verdict = decide(mark=a_mark(**AT_STOP))
    assert verdict.decision is None
    assert verdict.stop_watch == StopWatch(passes=1, last_slot=a_moment().slot)


def test_the_second_pass_in_a_row_stops_urgently() -> None:
    verdict = decide(a_trade(stop_watch=SEEN_ONCE), a_mark(**AT_STOP))
    assert verdict.decision is not None
    assert verdict.decision.reason is ExitReason.STOP_LOSS
    assert verdict.decision.urgency is Urgency.URGENT
    assert verdict.decision.protective
    assert verdict.stop_watch.passes == 2
    assert "3.60 at mid" in verdict.decision.sentence


def test_a_mid_a_cent_below_the_stop_forgets_the_first_pass() -> None:
    verdict = decide(a_trade(stop_watch=SEEN_ONCE), a_mark(debit=Decimal("3.59")))
    assert verdict.decision is None
    assert verdict.stop_watch == StopWatch()


def test_the_same_slot_delivered_twice_counts_once() -> None:
    moment = a_moment()
    once = StopWatch(passes=1, last_slot=moment.slot)
    verdict = decide(a_trade(stop_watch=once), a_mark(moment, **AT_STOP), moment)
    assert verdict.decision is None
    assert verdict.stop_watch == once


def test_a_slot_older_than_the_last_does_not_count() -> None:
    later = StopWatch(passes=1, last_slot=a_moment(at=time(12, 1)).slot)
    verdict = decide(a_trade(stop_watch=later), a_mark(**AT_STOP))
    assert verdict.decision is None
    assert verdict.stop_watch == later


def test_the_stop_acts_at_once_when_the_stock_is_through_the_short_strike() -> None:
    verdict = decide(mark=a_mark(**AT_STOP, **THROUGH))
    assert reason_of(verdict) is ExitReason.STOP_LOSS


def test_a_stock_at_the_short_strike_is_not_through_it() -> None:
    assert decide(mark=a_mark(**AT_STOP, underlying_price=Decimal(190))).decision is None


def test_in_the_first_minutes_mids_neither_stop_nor_count() -> None:
    moment = a_moment(at=time(9, 39))
    trade = a_trade(stop_watch=StopWatch(passes=1, last_slot=a_moment(at=time(9, 38)).slot))
    verdict = decide(trade, a_mark(moment, **AT_STOP), moment)
    assert verdict.decision is None
    assert verdict.stop_watch == trade.stop_watch


def test_in_the_first_minutes_a_low_mid_forgets_nothing() -> None:
    moment = a_moment(at=time(9, 31))
    trade = a_trade(stop_watch=SEEN_ONCE)
    assert decide(trade, a_mark(moment), moment).stop_watch == SEEN_ONCE


def test_in_the_first_minutes_the_stock_confirms_a_stop() -> None:
    moment = a_moment(at=time(9, 31))
    verdict = decide(mark=a_mark(moment, **AT_STOP, **THROUGH), moment=moment)
    assert reason_of(verdict) is ExitReason.STOP_LOSS


def test_ten_minutes_after_the_open_mids_count_again() -> None:
    moment = a_moment(at=time(9, 40))
    assert decide(mark=a_mark(moment, **AT_STOP), moment=moment).stop_watch.passes == 1


def test_a_bad_quote_falls_back_to_the_model_and_says_so() -> None:
    modelled = a_mark(**AT_STOP, source=MarkSource.MODEL)
    verdict = decide(a_trade(stop_watch=SEEN_ONCE), modelled)
    assert reason_of(verdict) is ExitReason.STOP_LOSS
    assert kinds_of(verdict) == [ExitAlarmKind.MARK_BY_MODEL]


def test_a_model_below_the_stop_does_not_contradict_what_quotes_have_shown() -> None:
    verdict = decide(a_trade(stop_watch=SEEN_ONCE), a_mark(source=MarkSource.MODEL))
    assert verdict.decision is None
    assert verdict.stop_watch == SEEN_ONCE


def test_a_stop_that_cannot_be_judged_alarms_and_is_remembered() -> None:
    unknown = a_mark(source=MarkSource.UNKNOWN, debit=None, debit_natural=None, pnl=None)
    verdict = decide(a_trade(stop_watch=SEEN_ONCE), unknown)
    assert verdict.decision is None
    assert verdict.stop_watch == SEEN_ONCE
    assert kinds_of(verdict) == [ExitAlarmKind.MARK_UNKNOWN]


def test_an_unknown_stock_price_confirms_nothing_and_breaches_nothing() -> None:
    rules = replace(RULES, exit_on_breach=True)
    blind = a_mark(**AT_STOP, underlying_price=None)
    assert decide(mark=blind, rules=rules).decision is None


@pytest.mark.parametrize("credit", [None, Decimal(0), Decimal("-0.10")])
def test_a_trade_without_a_credit_alarms_and_keeps_its_other_rules(credit: Decimal | None) -> None:
    trade = a_trade(execution=an_execution(credit=credit))
    verdict = decide(trade, a_mark(debit_natural=Decimal(-1)))
    assert verdict.decision is None
    assert kinds_of(verdict) == [ExitAlarmKind.CREDIT_UNKNOWN]
    manual = trade.model_copy(update={"manual_exit_requested": True})
    assert reason_of(decide(manual)) is ExitReason.MANUAL


def test_a_single_pass_confirms_where_one_pass_is_all_there_is() -> None:
    verdict = exit_decision(
        a_trade(),
        a_mark(**AT_STOP),
        a_moment(),
        RULES,
        ExitSettings(stop_confirmation_passes=1),
    )
    assert reason_of(verdict) is ExitReason.STOP_LOSS


def test_an_unreachable_stop_is_warned_of() -> None:
    warning = unreachable_stop(a_put_spread(), Decimal("1.70"), Decimal(2))
    assert warning is not None
    assert "5.10" in warning
    assert unreachable_stop(a_put_spread(), Decimal("1.60"), Decimal(2)) is None
    single = Structure((Leg(a_contract(), LegSide.SHORT),))
    assert unreachable_stop(single, Decimal(90), Decimal(2)) is None


# Breach


def test_a_breach_closes_only_where_the_strategy_says_so() -> None:
    mark = a_mark(**THROUGH)
    assert decide(mark=mark).decision is None
    verdict = decide(mark=mark, rules=replace(RULES, exit_on_breach=True))
    assert verdict.decision is not None
    assert verdict.decision.reason is ExitReason.STRIKE_BREACHED
    assert verdict.decision.urgency is Urgency.URGENT
    assert verdict.decision.protective


def test_an_unbreached_strike_is_no_reason() -> None:
    assert decide(rules=replace(RULES, exit_on_breach=True)).decision is None


def test_a_call_is_breached_from_above_and_a_long_leg_never() -> None:
    calls = Structure(
        (
            Leg(a_contract(strike="210", option_type=OptionType.CALL), LegSide.SHORT),
            Leg(a_contract(strike="205", option_type=OptionType.CALL), LegSide.LONG),
        )
    )
    assert breached_strike(calls, Decimal("210.01")) == Decimal(210)
    assert breached_strike(calls, Decimal(210)) is None
    assert breached_strike(calls, Decimal(207)) is None


# Expiration


def test_on_expiration_day_everything_is_left_urgently() -> None:
    moment = a_moment(EXPIRATION, time(9, 31))
    verdict = decide(mark=a_mark(moment), moment=moment)
    assert verdict.decision is not None
    assert verdict.decision.reason is ExitReason.EXPIRATION_NEAR
    assert verdict.decision.urgency is Urgency.URGENT
    assert verdict.decision.protective


def test_the_last_session_before_a_holiday_expiration_is_the_last_chance() -> None:
    eve = EXPIRATION - timedelta(days=1)
    moment = a_moment(eve, following=EXPIRATION + timedelta(days=3))
    verdict = decide(mark=a_mark(moment), moment=moment)
    assert verdict.decision is not None
    assert verdict.decision.urgency is Urgency.URGENT


def test_holding_past_three_in_the_afternoon_of_expiration_day_alarms() -> None:
    before = a_moment(EXPIRATION, time(14, 59))
    after = a_moment(EXPIRATION, time(15, 0))
    overdue = a_moment(EXPIRATION + timedelta(days=3))
    assert decide(mark=a_mark(before), moment=before).alarms == ()
    for late in (after, overdue):
        verdict = decide(mark=a_mark(late), moment=late)
        assert kinds_of(verdict) == [ExitAlarmKind.HELD_PAST_LEAVE_BY]
        assert reason_of(verdict) is ExitReason.EXPIRATION_NEAR


@pytest.mark.parametrize(
    ("day", "following", "closes"),
    [
        (date(2026, 7, 9), date(2026, 7, 10), False),
        (date(2026, 7, 10), date(2026, 7, 13), True),
        (date(2026, 7, 13), date(2026, 7, 14), True),
    ],
)
def test_the_dte_rule_looks_at_the_next_session(
    day: date, following: date, *, closes: bool
) -> None:
    moment = a_moment(day, following=following)
    verdict = decide(mark=a_mark(moment), moment=moment)
    assert (reason_of(verdict) is ExitReason.EXPIRATION_NEAR) is closes
    if verdict.decision is not None:
        assert verdict.decision.urgency is Urgency.PATIENT


def test_an_unknown_calendar_alarms_and_takes_tomorrow_to_trade() -> None:
    moment = a_moment(date(2026, 7, 10), following=None)
    verdict = decide(mark=a_mark(moment), moment=moment)
    assert kinds_of(verdict) == [ExitAlarmKind.CALENDAR_UNKNOWN]
    assert reason_of(verdict) is ExitReason.EXPIRATION_NEAR
    assert next_dte(a_trade(), a_mark(moment), moment) == 6


# Manual, roll, precedence


def test_the_owner_may_close_at_any_time() -> None:
    verdict = decide(a_trade(manual_exit_requested=True))
    assert verdict.decision is not None
    assert verdict.decision.reason is ExitReason.MANUAL
    assert verdict.decision.urgency is Urgency.PATIENT


def test_a_suspended_trade_is_only_protected() -> None:
    suspended = a_trade(automation_suspended=True)
    at_target = a_mark(debit_natural=Decimal("0.10"))
    assert reason_of(decide(a_trade(), at_target)) is ExitReason.PROFIT_TARGET
    assert decide(suspended, at_target).decision is None
    late = a_moment(date(2026, 7, 15))
    roll = RollSignal(breached=True, sentence="Breached.")
    assert decide(suspended, a_mark(late), late, roll=roll).decision is None
    last = a_moment(EXPIRATION)
    assert reason_of(decide(suspended, a_mark(last), last)) is ExitReason.EXPIRATION_NEAR
    rules = replace(RULES, exit_on_breach=True)
    breached = decide(suspended, a_mark(**THROUGH), rules=rules)
    assert reason_of(breached) is ExitReason.STRIKE_BREACHED
    asked = a_trade(automation_suspended=True, manual_exit_requested=True)
    assert reason_of(decide(asked)) is ExitReason.MANUAL


def test_the_stop_is_where_its_owner_put_it() -> None:
    mark = a_mark(debit=Decimal("2.00"))
    assert decide(a_trade(stop_debit=Decimal("2.00")), mark).stop_watch.passes == 1
    assert decide(a_trade(stop_debit=Decimal("2.01")), mark).stop_watch.passes == 0
    assert decide(a_trade(), mark).stop_watch.passes == 0


def test_a_roll_goes_before_the_dte_rule_and_after_the_target() -> None:
    moment = a_moment(date(2026, 7, 10), following=date(2026, 7, 13))
    roll = RollSignal(breached=False, sentence="Threatened.")
    assert reason_of(decide(mark=a_mark(moment), moment=moment, roll=roll)) is ExitReason.ROLL
    at_target = a_mark(moment, debit_natural=Decimal("0.60"))
    assert reason_of(decide(mark=at_target, moment=moment, roll=roll)) is ExitReason.PROFIT_TARGET


def test_reasons_yield_to_each_other_in_the_stated_order() -> None:
    moment = a_moment(EXPIRATION)
    rules = replace(RULES, exit_on_breach=True)
    everything = a_mark(moment, **AT_STOP, **THROUGH, debit_natural=Decimal("0.10"))
    roll = RollSignal(breached=True, sentence="Breached.")
    asked = a_trade(manual_exit_requested=True)
    assert reason_of(decide(asked, everything, moment, rules, roll)) is ExitReason.MANUAL
    safety = decide(a_trade(), everything, moment, rules, roll)
    assert reason_of(safety) is ExitReason.EXPIRATION_NEAR
    late = a_moment(date(2026, 7, 15))
    at_stop = replace(everything, as_of=late.slot)
    assert reason_of(decide(a_trade(), at_stop, late, rules, roll)) is ExitReason.STOP_LOSS
    breached = replace(at_stop, debit=Decimal("1.00"))
    assert reason_of(decide(a_trade(), breached, late, rules, roll)) is ExitReason.STRIKE_BREACHED
    at_target = replace(breached, underlying_price=Decimal(200))
    assert reason_of(decide(a_trade(), at_target, late, rules, roll)) is ExitReason.PROFIT_TARGET
    no_target = replace(at_target, debit_natural=Decimal("1.00"))
    assert reason_of(decide(a_trade(), no_target, late, rules, roll)) is ExitReason.ROLL
    assert reason_of(decide(a_trade(), no_target, late, rules)) is ExitReason.EXPIRATION_NEAR


def test_the_watch_is_kept_even_where_another_rule_decides() -> None:
    verdict = decide(a_trade(manual_exit_requested=True), a_mark(**AT_STOP))
    assert reason_of(verdict) is ExitReason.MANUAL
    assert verdict.stop_watch.passes == 1


# Threatened strikes and rolls


def test_a_strike_within_half_a_deviation_is_threatened() -> None:
    # 23 days at 28 %: half a deviation is 3.51 % of spot.
    assert threatened_strike(a_trade(), a_mark(underlying_price=Decimal("196.90")), EXITS) == 190
    assert threatened_strike(a_trade(), a_mark(underlying_price=Decimal("196.95")), EXITS) is None


def test_a_strike_the_stock_is_through_is_threatened_whatever_the_volatility() -> None:
    assert threatened_strike(a_trade(), a_mark(**THROUGH, implied_volatility=0.0), EXITS) == 190


def test_an_unknown_stock_price_threatens_nothing() -> None:
    blind = a_mark(underlying_price=None)
    assert threatened_strike(a_trade(), blind, EXITS) is None
    assert roll_signal(a_trade(), blind, a_moment(), RULES, EXITS) is None


def test_on_its_last_day_only_a_strike_at_hand_is_threatened() -> None:
    moment = a_moment(EXPIRATION + timedelta(days=1))
    near = a_mark(moment, underlying_price=Decimal("190.01"))
    assert threatened_strike(a_trade(), near, EXITS) is None


def test_a_threatened_spread_is_to_be_rolled_only_near_expiration() -> None:
    late = a_moment(date(2026, 7, 10), following=date(2026, 7, 13))
    near: dict[str, Any] = {"underlying_price": Decimal(192)}
    assert roll_signal(a_trade(), a_mark(**near), a_moment(), RULES, EXITS) is None
    found = roll_signal(a_trade(), a_mark(late, **near), late, RULES, EXITS)
    assert found is not None
    assert not found.breached
    safe = a_mark(late, underlying_price=Decimal(220))
    assert roll_signal(a_trade(), safe, late, RULES, EXITS) is None


def test_a_breach_is_a_signal_to_roll_at_any_time() -> None:
    found = roll_signal(a_trade(), a_mark(**THROUGH), a_moment(), RULES, EXITS)
    assert found is not None
    assert found.breached


# Trades that may be assigned


def test_a_put_that_may_be_assigned_is_not_closed_by_dte_breach_or_expiration() -> None:
    rules = replace(RULES, exit_on_breach=True, may_be_assigned=True)
    moment = a_moment(EXPIRATION, time(15, 30))
    verdict = decide(mark=a_mark(moment, **THROUGH), moment=moment, rules=rules)
    assert verdict == ExitVerdict(None, StopWatch(), ())


def test_a_put_that_may_be_assigned_keeps_its_target_and_its_stop() -> None:
    rules = replace(RULES, may_be_assigned=True)
    at_stop = decide(mark=a_mark(**AT_STOP, **THROUGH), rules=rules)
    assert reason_of(at_stop) is ExitReason.STOP_LOSS
    at_target = decide(mark=a_mark(debit_natural=Decimal("0.60")), rules=rules)
    assert reason_of(at_target) is ExitReason.PROFIT_TARGET


def test_a_put_still_held_after_its_expiration_alarms() -> None:
    rules = replace(RULES, may_be_assigned=True)
    moment = a_moment(EXPIRATION + timedelta(days=3))
    verdict = decide(mark=a_mark(moment), moment=moment, rules=rules)
    assert verdict.decision is None
    assert kinds_of(verdict) == [ExitAlarmKind.HELD_PAST_LEAVE_BY]


# The strategy's own questions


def test_a_strategy_asks_its_own_rules() -> None:
    spread: Strategy = BullPutSpread(BullPutSpreadSettings(profit_target=Decimal("0.05")))
    verdict = spread.should_exit(a_trade(), a_mark(), a_moment(), EXITS)
    assert reason_of(verdict) is ExitReason.PROFIT_TARGET
    assert spread.should_roll(a_trade(), a_mark(**THROUGH), a_moment(), EXITS) is not None


def test_a_structure_that_is_never_rolled_gives_no_signal_to_roll() -> None:
    condor: Strategy = IronCondor(IronCondorSettings())
    assert condor.should_roll(a_trade(), a_mark(**THROUGH), a_moment(), EXITS) is None


def test_only_the_symbols_that_accept_assignment_are_exempt() -> None:
    puts = CashSecuredPut(
        CashSecuredPutSettings(willing_to_own=("AAPL", "MSFT"), accept_assignment=("MSFT",))
    )
    moment = a_moment(EXPIRATION)
    apple = puts.should_exit(a_trade(), a_mark(moment), moment, EXITS)
    microsoft = puts.should_exit(a_trade(symbol="MSFT"), a_mark(moment), moment, EXITS)
    assert reason_of(apple) is ExitReason.EXPIRATION_NEAR
    assert microsoft.decision is None


def test_a_session_is_what_minutes_are_counted_from() -> None:
    assert a_session(MIDWAY).opens_at == new_york(MIDWAY, time(9, 30))


def test_where_the_volatility_is_unknown_only_a_strike_gone_through_is_threatened() -> None:
    unknown = a_mark(underlying_price=Decimal("190.01"), implied_volatility=None)
    assert threatened_strike(a_trade(), unknown, EXITS) is None
    assert threatened_strike(a_trade(), a_mark(**THROUGH, implied_volatility=None), EXITS) == 190
