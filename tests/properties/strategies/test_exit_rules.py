"""Whatever is seen, exits keep their order and stops are never lost."""

from datetime import time, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agent.book.records import StopWatch
from agent.book.states import ExitReason
from agent.config.settings import ExitSettings
from agent.strategies.exit_moment import ExitMoment
from agent.strategies.exits import ExitRules, exit_decision, roll_signal
from agent.strategies.marks import MarkSource, TradeMark
from agent.strategies.strikes import stop_level
from tests.builders import EXPIRATION, a_trade, an_execution
from tests.unit.strategies.moments import a_mark, a_moment

EXITS = ExitSettings()
prices = st.decimals(min_value=0, max_value=10, places=2)
spots = st.none() | st.decimals(min_value=150, max_value=230, places=2)
sources = st.sampled_from(MarkSource)
rules = st.builds(
    ExitRules,
    profit_target=st.decimals(min_value=0, max_value=1, places=2),
    stop_loss=st.decimals(min_value="0.5", max_value=4, places=1),
    exit_below_dte=st.integers(0, 30),
    exit_on_breach=st.booleans(),
)
watches = st.builds(
    StopWatch,
    passes=st.integers(0, 3),
    last_slot=st.none() | st.just(a_moment(at=time(11, 59)).slot),
)
moments = st.builds(
    lambda days, at: a_moment(EXPIRATION - timedelta(days=days), at),
    st.integers(-1, 30),
    st.sampled_from([time(9, 31), time(9, 41), time(12), time(15, 30)]),
)


@st.composite
def marks(draw: st.DrawFn, moment: ExitMoment) -> TradeMark:
    source = draw(sources)
    return a_mark(
        moment,
        source=source,
        debit=None if source is MarkSource.UNKNOWN else draw(prices),
        debit_natural=draw(st.none() | prices),
        underlying_price=draw(spots),
    )


@given(data=st.data(), moment=moments, rule=rules, watch=watches, manual=st.booleans())
def test_a_roll_replaces_nothing_but_the_dte_rule(
    data: st.DataObject, moment: ExitMoment, rule: ExitRules, watch: StopWatch, *, manual: bool
) -> None:
    trade = a_trade(stop_watch=watch, manual_exit_requested=manual)
    mark = data.draw(marks(moment))
    roll = roll_signal(trade, mark, moment, rule, EXITS)
    without = exit_decision(trade, mark, moment, rule, EXITS)
    verdict = exit_decision(trade, mark, moment, rule, EXITS, roll=roll)
    if manual:
        assert verdict.decision is not None
        assert verdict.decision.reason is ExitReason.MANUAL
    if without.decision is not None and without.decision.protective:
        assert verdict.decision == without.decision
    if verdict.decision != without.decision:
        assert roll is not None
        assert verdict.decision is not None
        assert verdict.decision.reason is ExitReason.ROLL
        replaced = None if without.decision is None else without.decision.reason
        assert replaced in {None, ExitReason.EXPIRATION_NEAR}


@given(data=st.data(), moment=moments, rule=rules, watch=watches)
def test_a_stop_is_acted_on_counted_or_alarmed_and_never_silently_dropped(
    data: st.DataObject, moment: ExitMoment, rule: ExitRules, watch: StopWatch
) -> None:
    trade = a_trade(stop_watch=watch)
    mark = data.draw(marks(moment))
    verdict = exit_decision(trade, mark, moment, rule, EXITS)
    assert trade.execution.credit is not None
    at_stop = mark.debit is not None and mark.debit >= stop_level(
        trade.execution.credit, rule.stop_loss
    )
    if not mark.is_valid:
        assert verdict.alarms
        assert verdict.stop_watch.passes >= watch.passes
    if at_stop:
        assert verdict.stop_watch.passes >= watch.passes
    if verdict.stop_watch.passes < watch.passes:
        assert mark.is_valid
        assert not at_stop


@given(data=st.data(), moment=moments, rule=rules, watch=watches, manual=st.booleans())
def test_suspending_a_trade_takes_no_protection_from_it(
    data: st.DataObject, moment: ExitMoment, rule: ExitRules, watch: StopWatch, *, manual: bool
) -> None:
    trade = a_trade(stop_watch=watch, manual_exit_requested=manual)
    suspended = trade.model_copy(update={"automation_suspended": True})
    mark = data.draw(marks(moment))
    free = exit_decision(trade, mark, moment, rule, EXITS)
    held = exit_decision(suspended, mark, moment, rule, EXITS)
    assert (held.stop_watch, held.alarms) == (free.stop_watch, free.alarms)
    if free.decision is None or free.decision.protective:
        assert held.decision == free.decision
    else:
        assert held.decision is None


@given(data=st.data(), moment=moments, rule=rules)
def test_on_expiration_day_every_trade_ends(
    data: st.DataObject, moment: ExitMoment, rule: ExitRules
) -> None:
    mark = data.draw(marks(moment))
    verdict = exit_decision(a_trade(), mark, moment, rule, EXITS)
    if moment.session.session >= EXPIRATION:
        assert verdict.decision is not None
        assert verdict.decision.protective


@given(data=st.data(), rule=rules, cheaper=prices)
def test_a_cheaper_natural_never_undoes_the_profit_target(
    data: st.DataObject, rule: ExitRules, cheaper: Decimal
) -> None:
    moment = a_moment()
    natural = data.draw(prices)
    low, high = min(natural, cheaper), max(natural, cheaper)
    verdicts = [
        exit_decision(a_trade(), a_mark(moment, debit_natural=price), moment, rule, EXITS)
        for price in (low, high)
    ]
    met = [
        found.decision is not None and found.decision.reason is ExitReason.PROFIT_TARGET
        for found in verdicts
    ]
    assert met[0] >= met[1]


@given(rule=rules, debit=prices, credit=st.decimals("0.01", 4, places=2))
def test_a_stop_never_acts_on_a_profit(rule: ExitRules, debit: Decimal, credit: Decimal) -> None:
    seen = StopWatch(passes=5, last_slot=a_moment(at=time(11, 59)).slot)
    trade = a_trade(execution=an_execution(credit=credit), stop_watch=seen)
    verdict = exit_decision(trade, a_mark(debit=debit), a_moment(), rule, EXITS)
    if verdict.decision is not None and verdict.decision.reason is ExitReason.STOP_LOSS:
        assert debit > credit
