"""When an open trade ends, and why.

The rules are asked in this order, and the first that applies decides: manual, expiration safety,
assignment risk, stop, breach, profit target, roll, DTE. A rule that lacks what it needs raises an
alarm; it is never passed over in silence. Of a trade whose automation its owner has suspended, only
what protects it is asked: the first five.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Self

from agent.book.intents import Urgency
from agent.book.records import StopWatch, Trade
from agent.book.states import ExitReason
from agent.config.section import RollPolicy
from agent.config.settings import ExitSettings
from agent.config.strategy_settings import PremiumSettings
from agent.market.calendar import (
    NEW_YORK,
    market_minutes_since_open,
    new_york_date,
)
from agent.strategies.assignment import (
    dividend_risk,
    owes_call_in_the_money,
    puts_better_exercised,
)
from agent.strategies.exit_moment import ExitMoment
from agent.strategies.marks import MarkSource, TradeMark
from agent.strategies.strikes import breached_strike, stop_level, threatened_strike

ONE = Decimal(1)
DAYS_PER_YEAR = 365


@dataclass(frozen=True)
class ExitRules:
    """State what ends a trade: fractions of max profit, multiples of credit, calendar days."""

    profit_target: Decimal
    stop_loss: Decimal
    exit_below_dte: int
    exit_on_breach: bool
    roll_policy: RollPolicy = "close"
    """What a breach, or a threat near expiration, leads to."""
    roll_policy_by_symbol: Mapping[str, RollPolicy] = field(default_factory=dict)
    stops: bool = True
    """False where shares deliver what is owed: only a level that the owner set stops it."""
    may_be_assigned: bool = False
    """True where the trade may expire or be assigned: no breach, DTE or expiration ends it."""

    @classmethod
    def of(cls, settings: PremiumSettings) -> Self:
        """Take the rules of a strategy's settings."""
        return cls(
            profit_target=settings.profit_target,
            stop_loss=settings.stop_loss,
            exit_below_dte=settings.exit_below_dte,
            exit_on_breach=settings.exit_on_breach,
            roll_policy=settings.roll_policy,
            roll_policy_by_symbol=settings.roll_policy_by_symbol,
        )

    def in_symbol(self, symbol: str, *, may_be_assigned: bool) -> Self:
        """Give the rules as they are for one symbol."""
        policy = self.roll_policy_by_symbol.get(symbol, self.roll_policy)
        return replace(self, roll_policy=policy, may_be_assigned=may_be_assigned)

    @property
    def rolls(self) -> bool:
        """Say whether a trade may roll at all: what may be assigned needs no roll."""
        return self.roll_policy != "close" and not self.may_be_assigned


@dataclass(frozen=True)
class ExitDecision:
    """Say that a trade ends, how urgently, and why in a sentence."""

    reason: ExitReason
    urgency: Urgency
    sentence: str
    protective: bool
    """True where the exit also runs while discretionary exits are halted."""


@dataclass(frozen=True)
class RollSignal:
    """Say that a short strike is in danger: roll the trade, or leave it to the other rules."""

    breached: bool
    sentence: str


class ExitAlarmKind(StrEnum):
    """Name what a pass could not do as it should; the value is what reports count."""

    MARK_BY_MODEL = "mark_by_model"
    MARK_UNKNOWN = "mark_unknown"
    CREDIT_UNKNOWN = "credit_unknown"
    CALENDAR_UNKNOWN = "calendar_unknown"
    HELD_PAST_LEAVE_BY = "held_past_leave_by"
    DIVIDENDS_UNKNOWN = "dividends_unknown"
    ASSIGNMENT_LIKELY = "assignment_likely"


@dataclass(frozen=True)
class ExitAlarm:
    kind: ExitAlarmKind
    sentence: str


@dataclass(frozen=True)
class ExitVerdict:
    """Keep what one pass decided; the stop watch is stored whether or not the trade ends."""

    decision: ExitDecision | None
    stop_watch: StopWatch
    alarms: tuple[ExitAlarm, ...]


def exit_decision(
    trade: Trade,
    mark: TradeMark,
    moment: ExitMoment,
    rules: ExitRules,
    exits: ExitSettings,
    *,
    roll: RollSignal | None = None,
    awaits_roll: bool = False,
) -> ExitVerdict:
    """Ask every rule about an open trade, in the order of precedence.

    `roll` is given where a roll can be carried out; it then goes before the DTE rule. With
    `awaits_roll` one is due that cannot be, and the DTE rule waits for it.
    """
    stop = _watch_stop(trade, mark, moment, rules, exits)
    decisions = (
        _manual(trade),
        _expiration_safety(trade, mark, moment, rules),
        _assignment_risk(trade, mark, moment),
        stop.decision,
        _breach(trade, mark, rules),
        _profit_target(trade, mark, rules),
        _roll(roll),
        None if awaits_roll else _dte(trade, mark, moment, rules),
    )
    applies = (
        decision
        for decision in decisions
        if decision is not None and (decision.protective or not trade.automation_suspended)
    )
    return ExitVerdict(
        decision=next(applies, None),
        stop_watch=stop.watch,
        alarms=(
            *stop.alarms,
            *_calendar_alarms(trade, mark, moment, rules),
            *_assignment_alarms(trade, mark, moment),
        ),
    )


def roll_signal(
    trade: Trade, mark: TradeMark, moment: ExitMoment, rules: ExitRules, exits: ExitSettings
) -> RollSignal | None:
    """Find a short strike that is breached, or threatened below the DTE bound."""
    if mark.underlying_price is None:
        return None
    breached = breached_strike(trade.structure, mark.underlying_price)
    if breached is not None:
        return RollSignal(
            breached=True,
            sentence=f"{trade.symbol} at {mark.underlying_price} is through {breached}.",
        )
    threatened = threatened_strike(trade, mark, exits)
    if threatened is None or next_dte(trade, mark, moment) >= rules.exit_below_dte:
        return None
    return RollSignal(
        breached=False,
        sentence=(
            f"{trade.symbol} at {mark.underlying_price} threatens {threatened} with less than "
            f"{rules.exit_below_dte} days left at the next session."
        ),
    )


def next_dte(trade: Trade, mark: TradeMark, moment: ExitMoment) -> int:
    """Count the calendar days to expiration at the next session.

    Where the calendar does not say, the next calendar day is taken to trade.
    """
    following = moment.following_session or new_york_date(mark.as_of) + timedelta(days=1)
    return (trade.structure.expiration - following).days


@dataclass(frozen=True)
class _StopView:
    decision: ExitDecision | None
    watch: StopWatch
    alarms: tuple[ExitAlarm, ...] = ()


def _watch_stop(
    trade: Trade, mark: TradeMark, moment: ExitMoment, rules: ExitRules, exits: ExitSettings
) -> _StopView:
    """Judge the stop, and remember what this pass saw of it.

    Only a valid mid below the stop forgets earlier passes: a model mark or a missing one does not
    contradict what valid quotes have shown. In the first minutes of a session, mids say nothing
    that the underlying does not confirm.
    """
    watch, credit = trade.stop_watch, trade.execution.credit
    if credit is None or credit <= 0:
        sentence = f"{trade.trade_id} has no credit on record: neither stop nor target can act."
        return _StopView(None, watch, (ExitAlarm(ExitAlarmKind.CREDIT_UNKNOWN, sentence),))
    alarms = _mark_alarms(trade, mark)
    if mark.debit is None or not (rules.stops or trade.stop_debit is not None):
        return _StopView(None, watch, alarms)
    spot = mark.underlying_price
    confirmed = spot is not None and breached_strike(trade.structure, spot) is not None
    since_open = market_minutes_since_open(moment.session, mark.as_of)
    if since_open < exits.opening_minutes and not confirmed:
        return _StopView(None, watch, alarms)
    moved = trade.stop_debit
    level = stop_level(credit, rules.stop_loss) if moved is None else moved
    if mark.debit < level:
        return _StopView(None, StopWatch() if mark.is_valid else watch, alarms)
    watch = _counted(watch, moment.slot)
    if not confirmed and watch.passes < exits.stop_confirmation_passes:
        return _StopView(None, watch, alarms)
    how = "with the short strike breached" if confirmed else f"seen in {watch.passes} passes"
    decision = ExitDecision(
        reason=ExitReason.STOP_LOSS,
        urgency=Urgency.URGENT,
        sentence=(
            f"Closing costs {mark.debit:.2f} at {mark.source}, the stop is at {level:.2f}, {how}."
        ),
        protective=True,
    )
    return _StopView(decision, watch, alarms)


def _counted(watch: StopWatch, slot: datetime) -> StopWatch:
    """Count a pass, unless its slot was counted before or is older than one that was."""
    if watch.last_slot is not None and slot <= watch.last_slot:
        return watch
    return StopWatch(passes=watch.passes + 1, last_slot=slot)


def _mark_alarms(trade: Trade, mark: TradeMark) -> tuple[ExitAlarm, ...]:
    if mark.source is MarkSource.MID:
        return ()
    if mark.source is MarkSource.MODEL:
        sentence = f"{trade.trade_id} has no valid quote and is marked by model."
        return (ExitAlarm(ExitAlarmKind.MARK_BY_MODEL, sentence),)
    sentence = f"{trade.trade_id} cannot be marked: its stop cannot be judged."
    return (ExitAlarm(ExitAlarmKind.MARK_UNKNOWN, sentence),)


def _manual(trade: Trade) -> ExitDecision | None:
    if not trade.manual_exit_requested:
        return None
    return ExitDecision(
        reason=ExitReason.MANUAL,
        urgency=Urgency.PATIENT,
        sentence="The owner asked for it.",
        protective=True,
    )


def _expiration_safety(
    trade: Trade, mark: TradeMark, moment: ExitMoment, rules: ExitRules
) -> ExitDecision | None:
    """Leave in the last session that trades before or on expiration day."""
    if rules.may_be_assigned:
        return None
    expiration = trade.structure.expiration
    following = moment.following_session
    is_last = following is not None and following > expiration
    if new_york_date(mark.as_of) < expiration and not is_last:
        return None
    return ExitDecision(
        reason=ExitReason.EXPIRATION_NEAR,
        urgency=Urgency.URGENT,
        sentence=f"It expires on {expiration:%Y-%m-%d}, and no later session is left to close it.",
        protective=True,
    )


def _assignment_risk(trade: Trade, mark: TradeMark, moment: ExitMoment) -> ExitDecision | None:
    sentence = dividend_risk(
        trade, mark, (moment.dividends or {}).get(trade.symbol, ()), moment.following_session
    )
    if sentence is None:
        return None
    return ExitDecision(
        reason=ExitReason.ASSIGNMENT_RISK,
        urgency=Urgency.URGENT,
        sentence=sentence,
        protective=True,
    )


def _assignment_alarms(trade: Trade, mark: TradeMark, moment: ExitMoment) -> tuple[ExitAlarm, ...]:
    likely = tuple(
        ExitAlarm(ExitAlarmKind.ASSIGNMENT_LIKELY, sentence)
        for sentence in puts_better_exercised(trade, mark, moment.rate)
        if mark.is_valid  # A model that knows no early exercise says nothing about one.
    )
    if moment.dividends is not None or not owes_call_in_the_money(trade, mark):
        return likely
    sentence = f"Nobody told the dividends of {trade.symbol}, and a short call is in the money."
    return (*likely, ExitAlarm(ExitAlarmKind.DIVIDENDS_UNKNOWN, sentence))


def _breach(trade: Trade, mark: TradeMark, rules: ExitRules) -> ExitDecision | None:
    if not rules.exit_on_breach or rules.may_be_assigned or mark.underlying_price is None:
        return None
    strike = breached_strike(trade.structure, mark.underlying_price)
    if strike is None:
        return None
    return ExitDecision(
        reason=ExitReason.STRIKE_BREACHED,
        urgency=Urgency.URGENT,
        sentence=f"{trade.symbol} at {mark.underlying_price} is through the short {strike} strike.",
        protective=True,
    )


def _profit_target(trade: Trade, mark: TradeMark, rules: ExitRules) -> ExitDecision | None:
    credit, natural = trade.execution.credit, mark.debit_natural
    if credit is None or credit <= 0 or natural is None:
        return None
    level = credit * (ONE - rules.profit_target)
    if natural > level:
        return None
    return ExitDecision(
        reason=ExitReason.PROFIT_TARGET,
        urgency=Urgency.PATIENT,
        sentence=f"Closing costs {natural:.2f} at natural, the target is {level:.2f}.",
        protective=False,
    )


def _roll(roll: RollSignal | None) -> ExitDecision | None:
    if roll is None:
        return None
    return ExitDecision(
        reason=ExitReason.ROLL,
        urgency=Urgency.PATIENT,
        sentence=roll.sentence,
        protective=False,
    )


def _dte(
    trade: Trade, mark: TradeMark, moment: ExitMoment, rules: ExitRules
) -> ExitDecision | None:
    days = next_dte(trade, mark, moment)
    if rules.may_be_assigned or days >= rules.exit_below_dte:
        return None
    return ExitDecision(
        reason=ExitReason.EXPIRATION_NEAR,
        urgency=Urgency.PATIENT,
        sentence=(f"At the next session {days} days are left, fewer than {rules.exit_below_dte}."),
        protective=False,
    )


def _calendar_alarms(
    trade: Trade, mark: TradeMark, moment: ExitMoment, rules: ExitRules
) -> tuple[ExitAlarm, ...]:
    alarms: list[ExitAlarm] = []
    if moment.following_session is None:
        alarms.append(
            ExitAlarm(
                ExitAlarmKind.CALENDAR_UNKNOWN,
                f"No session after {moment.session.session:%Y-%m-%d} is known.",
            )
        )
    today, expiration = new_york_date(mark.as_of), trade.structure.expiration
    leave_by = moment.leave_by.astimezone(NEW_YORK)
    is_late = today == expiration and mark.as_of >= leave_by and not rules.may_be_assigned
    if is_late or today > expiration:
        alarms.append(
            ExitAlarm(
                ExitAlarmKind.HELD_PAST_LEAVE_BY,
                f"{trade.trade_id} is held past {leave_by:%H:%M} New York on its expiration day.",
            )
        )
    return tuple(alarms)
