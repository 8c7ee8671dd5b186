"""Short calls leave before a dividend for which they would be exercised; short puts are flagged."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from agent.book.intents import Urgency
from agent.book.records import StopWatch, Trade
from agent.book.states import ExitReason
from agent.config.settings import ExitSettings
from agent.market.dividends import ExDividend
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from agent.strategies.assignment import owes_calls
from agent.strategies.exit_moment import ExitMoment
from agent.strategies.exits import ExitAlarmKind, ExitVerdict, exit_decision
from agent.strategies.marks import TradeMark
from tests.builders import a_contract, a_put_spread, a_trade
from tests.unit.strategies.moments import MIDWAY, RULES, a_mark, a_moment

CALLS = Structure(
    (
        Leg(a_contract(strike="190", option_type=OptionType.CALL), LegSide.SHORT),
        Leg(a_contract(strike="195", option_type=OptionType.CALL), LegSide.LONG),
    )
)
TOMORROW = MIDWAY + timedelta(days=1)
DIVIDEND = ExDividend(TOMORROW, Decimal("0.25"))


def decide(
    call_price: str | None,
    *,
    spot: int = 200,
    dividends: Mapping[str, tuple[ExDividend, ...]] | None,
    structure: Structure = CALLS,
    moment: ExitMoment | None = None,
    rate: float = 0.04,
    trade: Trade | None = None,
) -> ExitVerdict:
    now = replace(moment or a_moment(), dividends=dividends, rate=rate)
    prices = (None if call_price is None else Decimal(call_price), Decimal("5.00"))
    mark: TradeMark = a_mark(now, underlying_price=Decimal(spot), leg_prices=prices)
    held = trade or a_trade(structure=structure)
    return exit_decision(held, mark, now, RULES, ExitSettings())


def reason_of(verdict: ExitVerdict) -> ExitReason | None:
    return None if verdict.decision is None else verdict.decision.reason


def test_a_call_worth_less_beyond_its_intrinsic_value_than_the_dividend_is_closed() -> None:
    verdict = decide("10.24", dividends={"AAPL": (DIVIDEND,)})
    assert verdict.decision is not None
    assert verdict.decision.reason is ExitReason.ASSIGNMENT_RISK
    assert verdict.decision.urgency is Urgency.URGENT
    assert verdict.decision.protective
    assert verdict.decision.sentence == (
        "The short 190 call is worth 0.24 beyond its intrinsic value, less than the dividend of "
        "0.25 that goes ex on 2026-06-25."
    )


@pytest.mark.parametrize(
    ("price", "spot", "dividends"),
    [
        ("10.25", 200, {"AAPL": (DIVIDEND,)}),  # as much as the dividend
        ("0.10", 189, {"AAPL": (DIVIDEND,)}),  # out of the money
        ("10.24", 200, {"AAPL": (replace(DIVIDEND, ex_date=TOMORROW + timedelta(days=1)),)}),
        ("10.24", 200, {"MSFT": (DIVIDEND,)}),
        ("10.24", 200, {}),
    ],
)
def test_no_other_call_is(
    price: str, spot: int, dividends: dict[str, tuple[ExDividend, ...]]
) -> None:
    assert decide(price, spot=spot, dividends=dividends).decision is None


def test_over_a_weekend_the_dividend_of_monday_is_the_next_sessions() -> None:
    friday, monday = date(2026, 6, 26), date(2026, 6, 29)
    moment = a_moment(friday, following=monday)
    verdict = decide(
        "10.24", dividends={"AAPL": (replace(DIVIDEND, ex_date=monday),)}, moment=moment
    )
    assert reason_of(verdict) is ExitReason.ASSIGNMENT_RISK


def test_where_the_next_session_is_unknown_the_next_dividend_is_taken_to_be_near() -> None:
    far = {"AAPL": (replace(DIVIDEND, ex_date=MIDWAY + timedelta(days=9)),)}
    assert decide("10.24", dividends=far).decision is None
    verdict = decide("10.24", dividends=far, moment=a_moment(following=None))
    assert reason_of(verdict) is ExitReason.ASSIGNMENT_RISK


def test_a_suspended_trade_is_protected_too() -> None:
    trade = a_trade(structure=CALLS, automation_suspended=True)
    verdict = decide("10.24", dividends={"AAPL": (DIVIDEND,)}, trade=trade)
    assert reason_of(verdict) is ExitReason.ASSIGNMENT_RISK


def test_an_unknown_price_decides_nothing() -> None:
    assert decide(None, dividends={"AAPL": (DIVIDEND,)}).decision is None


@pytest.mark.parametrize(("spot", "kinds"), [(200, [ExitAlarmKind.DIVIDENDS_UNKNOWN]), (185, [])])
def test_unknown_dividends_alarm_where_a_short_call_is_in_the_money(
    spot: int, kinds: list[ExitAlarmKind]
) -> None:
    verdict = decide("11.00", spot=spot, dividends=None)
    assert [alarm.kind for alarm in verdict.alarms] == kinds


def test_a_put_worth_less_beyond_its_intrinsic_value_than_its_strike_earns_is_flagged() -> None:
    # 190 x (1 - exp(-0.04 x 23.2 / 365)) = 0.48
    verdict = decide("20.40", spot=170, dividends={}, structure=a_put_spread())
    (alarm,) = verdict.alarms
    assert alarm.kind is ExitAlarmKind.ASSIGNMENT_LIKELY
    assert "the 0.48 that its strike earns" in alarm.sentence


@pytest.mark.parametrize(("price", "spot"), [("20.60", 170), ("0.30", 200)])
def test_no_other_put_is(price: str, spot: int) -> None:
    assert decide(price, spot=spot, dividends={}, structure=a_put_spread()).alarms == ()


def test_without_interest_no_put_is_worth_exercising_early() -> None:
    verdict = decide("20.01", spot=170, dividends={}, structure=a_put_spread(), rate=0.0)
    assert verdict.alarms == ()


def test_without_a_price_of_the_stock_nothing_is_said() -> None:
    moment = replace(a_moment(), dividends={"AAPL": (DIVIDEND,)})
    mark = a_mark(moment, underlying_price=None)
    trade = a_trade(structure=CALLS, stop_watch=StopWatch())
    assert exit_decision(trade, mark, moment, RULES, ExitSettings()).decision is None


def test_only_short_calls_are_exercised_for_a_dividend() -> None:
    assert owes_calls(CALLS)
    assert not owes_calls(a_put_spread())


def test_on_a_short_day_all_must_be_out_an_hour_before_its_end() -> None:
    expiration = a_put_spread().expiration
    whole = a_moment(expiration, at=time(14, 59))
    assert whole.leave_by == a_moment(expiration, at=time(15)).slot
    short = replace(whole, session=replace(whole.session, closes_at=whole.slot))
    assert short.leave_by == whole.slot - timedelta(hours=1)
