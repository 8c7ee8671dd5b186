"""Rule 7: exits fire by their triggers while the broker answers, and never without one.

The triggers are reckoned here anew, from the market's own prices: a pass in which nothing went
wrong must begin the exit of every trade whose trigger holds with a margin.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from agent.book.covering import is_written_call
from agent.book.intents import Intent, IntentKind
from agent.book.records import Trade
from agent.book.states import ExitReason, TradeStatus
from agent.config.settings import Settings
from agent.config.strategy_settings import PremiumSettings
from agent.options.contracts import OptionType
from agent.options.structures import LegSide
from agent.ports import TradingState
from agent.strategies.exits import ExitRules
from simulator.exchange.calendar import new_york_date
from simulator.storm.market import Disturbance, StormMarket
from simulator.storm.mishaps import ADJUSTED
from simulator.storm.view import DayView, MonitorPass, is_touched

STOP_MARGIN = 1.03
MODEL_MARGIN = 1.12
"""A model mark rests on volatilities of before: only what is far beyond the stop must fire."""
TARGET_MARGIN = 0.02
BREACH_MARGIN_FRACTION = 0.002
STALE_SECONDS = 130.0
OPENING_MINUTES = 11.0
LOOSENESS_FRACTION = 0.03
MODEL_LOOSENESS_FRACTION = 0.35
LOOSENESS = 0.006
"""How far from its trigger an exit may begin: by rounding, and by what a model mark may be off."""
MOMENTS = 4
BEFALLEN = frozenset({ExitReason.ASSIGNED, ExitReason.EXPIRED, ExitReason.BROKER_LIQUIDATED})
"""Reasons that are no rule's: something befell the trade before."""


@dataclass(frozen=True)
class Sight:
    """What a trade costs to close at a moment, in dollars a share."""

    worth: float
    """By the market's own prices."""
    natural: float | None
    """By the quotes shown; None where they are disturbed or a leg is not offered."""
    is_disturbed: bool
    is_stale: bool
    """Disturbed, and for so long that no quote of before counts any more."""
    breached_by: float
    """How far the spot is through a short strike, as a fraction of it; negative where it is not."""


def see(market: StormMarket, trade: Trade, at: datetime) -> Sight:
    """Look at a trade by the market's own prices."""
    window = market.disturbed(trade.symbol, at)
    spot = market.spot(trade.symbol, at)
    worth, natural, through = 0.0, 0.0, -1.0
    offered = window is None
    for leg in trade.structure.legs:
        sign = -leg.signed_ratio
        worth += sign * market.value(leg.contract, at)
        listing = market.option(leg.contract, at)
        price = None
        if listing is not None:
            price = listing.ask if leg.side is LegSide.SHORT else listing.bid or Decimal(0)
        offered = offered and price is not None
        natural += sign * float(price or 0)
        if leg.side is LegSide.SHORT:
            strike = float(leg.contract.strike)
            is_call = leg.contract.option_type is OptionType.CALL
            through = max(through, (spot - strike if is_call else strike - spot) / strike)
    is_stale = window is not None and (
        window.kind is not Disturbance.STALE or (at - window.since).total_seconds() > STALE_SECONDS
    )
    return Sight(worth, natural if offered else None, window is not None, is_stale, through)


class ExitsFire:
    """7: what must be left is left, and what is left must be."""

    name = "exits_fire"

    def __init__(self) -> None:
        self._passes = 0
        self._stop_seen: dict[str, tuple[int, datetime]] = {}
        self._justified: set[str] = set()
        self.required: dict[str, int] = {}
        """Exits that a clean pass had to begin, by reason."""

    def check(self, view: DayView) -> list[str]:
        found: list[str] = []
        for one in view.passes[self._passes :]:
            found += self._after_pass(view, one)
        self._passes = len(view.passes)
        for intent in view.book.unfinished_intents():
            if intent.exit_reason is None or intent.intent_id in self._justified:
                continue
            self._justified.add(intent.intent_id)
            trade = view.book.trade(intent.trade_id)
            if trade is None or _bears_an_old_name(view, trade):
                continue
            if not _justified(view, trade, intent):
                found.append(f"{trade.trade_id} is closed for {intent.exit_reason} without cause")
        return found

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view)

    def _after_pass(self, view: DayView, one: MonitorPass) -> list[str]:
        if not one.is_clean:
            self._stop_seen.clear()
            return []
        found = []
        view.unbooked_moves()
        excused = view.mishaps.pending_symbols
        for trade_id, attempts in one.close_attempts.items():
            trade = view.book.trade(trade_id)
            if trade is None or not trade.is_whole or not excused.isdisjoint(trade.leg_quantities):
                continue  # What is left of a trade goes leg by leg, whatever its rules say.
            reason = self._must_leave(view, trade, one)
            if reason is None:
                continue
            self.required[reason] = self.required.get(reason, 0) + 1
            if trade.status is TradeStatus.OPEN and trade.close_attempts == attempts:
                found.append(f"{trade_id} should have been closed for {reason}")
        return found

    def _must_leave(self, view: DayView, trade: Trade, one: MonitorPass) -> str | None:
        """Give the first reason that holds with a margin, in no particular order."""
        at = one.began_at
        rules = rules_of(trade, view.scenario.settings)
        credit = float(trade.execution.credit or 0)
        sight = see(view.scenario.market, trade, at)
        days = _dte_then(view, trade, at)
        target = credit * (1 - float(rules.profit_target)) - TARGET_MARGIN
        is_halted = view.control.trading_state() is TradingState.HALTED
        stays = may_be_assigned(trade, view.scenario.settings)
        level = credit * (1 + float(rules.stop_loss))
        is_call = is_written_call(trade.structure)
        stops = not is_call and self._stop_holds(view, trade, one, sight, level)
        triggers = {
            ExitReason.MANUAL: trade.manual_exit_requested,
            ExitReason.STOP_LOSS: stops,
            ExitReason.EXPIRATION_NEAR: not stays
            and (days < 0 or (days < rules.exit_below_dte and not is_halted)),
            ExitReason.STRIKE_BREACHED: rules.exit_on_breach
            and not stays
            and sight.breached_by > BREACH_MARGIN_FRACTION,
            ExitReason.PROFIT_TARGET: sight.natural is not None
            and sight.natural <= target
            and not is_halted,
        }
        return next((reason for reason, holds in triggers.items() if holds), None)

    def _stop_holds(
        self, view: DayView, trade: Trade, one: MonitorPass, sight: Sight, level: float
    ) -> bool:
        margin = MODEL_MARGIN if sight.is_disturbed else STOP_MARGIN
        is_readable = sight.is_stale or not sight.is_disturbed
        if sight.worth < level * margin or not is_readable:
            self._stop_seen.pop(trade.trade_id, None)
            return False
        opens_at = max(o for o in view.scenario.opens_at if o <= one.began_at)
        minutes = (one.began_at - opens_at).total_seconds() / 60
        if sight.breached_by > BREACH_MARGIN_FRACTION:
            return True
        if minutes < OPENING_MINUTES:
            return False
        count, last = self._stop_seen.get(trade.trade_id, (0, one.slot - timedelta(days=1)))
        if one.slot > last:
            count += 1
        self._stop_seen[trade.trade_id] = (count, max(last, one.slot))
        return count >= view.scenario.settings.exits.stop_confirmation_passes


def _bears_an_old_name(view: DayView, trade: Trade) -> bool:
    """Say whether a split has taken away what a trade has by the book: its order is refused.

    A pass that cannot ask what is held judges by the book all the same: no stop waits for answers.
    """
    adjusted = {move.symbol for move in view.unbooked_moves() if move.kind == ADJUSTED}
    return not adjusted.isdisjoint(trade.leg_quantities)


def _justified(view: DayView, trade: Trade, intent: Intent) -> bool:  # noqa: PLR0911 - a table
    """Say whether a reason held at a moment that its pass may have looked at."""
    market, reason = view.scenario.market, intent.exit_reason
    step = (view.now - intent.created_at) / MOMENTS
    sights = [see(market, trade, intent.created_at + step * n) for n in range(MOMENTS + 1)]
    rules = rules_of(trade, view.scenario.settings)
    credit = float(trade.execution.credit or 0)
    is_disturbed = any(sight.is_disturbed for sight in sights)
    if reason is ExitReason.PROFIT_TARGET:
        target = credit * (1 - float(rules.profit_target)) + LOOSENESS
        return is_disturbed or min(s.natural or 0.0 for s in sights) <= target
    if reason is ExitReason.STOP_LOSS:
        looseness = MODEL_LOOSENESS_FRACTION if is_disturbed else LOOSENESS_FRACTION
        level = credit * (1 + float(rules.stop_loss)) * (1 - looseness) - LOOSENESS
        return max(sight.worth for sight in sights) >= level
    if reason is ExitReason.STRIKE_BREACHED:
        return max(s.breached_by for s in sights) >= -BREACH_MARGIN_FRACTION
    if reason is ExitReason.EXPIRATION_NEAR:
        return _dte_then(view, trade, view.now) < rules.exit_below_dte
    if intent.kind is IntentKind.ROLL:
        is_late = _dte_then(view, trade, view.now) < rules.exit_below_dte
        return is_late or max(s.breached_by for s in sights) >= -BREACH_MARGIN_FRACTION
    if reason is ExitReason.MANUAL:
        return trade.manual_exit_requested or is_touched(trade)
    return reason not in BEFALLEN or bool(trade.holdings.booked)


def may_be_assigned(trade: Trade, settings: Settings) -> bool:
    """Say whether the owner lets a trade expire, or take shares."""
    is_call = is_written_call(trade.structure)
    section = settings.covered_call if is_call else settings.cash_secured_put
    accepted = section.accept_assignment
    return len(trade.structure.legs) == 1 and trade.symbol in accepted


def rules_of(trade: Trade, settings: Settings) -> PremiumSettings | ExitRules:
    """Give the exit rules of a trade now: its strategy's, or those of the call on its shares."""
    if is_written_call(trade.structure):
        written = settings.covered_call
        return ExitRules(
            profit_target=written.profit_target,
            stop_loss=Decimal(0),
            exit_below_dte=written.exit_below_dte,
            exit_on_breach=False,
            stops=False,
        )
    rules: PremiumSettings = getattr(settings, trade.strategy)
    return rules


def _dte_then(view: DayView, trade: Trade, at: datetime) -> int:
    """Count the days from the next session to expiration; negative where it comes too late."""
    today: date = new_york_date(at)
    following = next(s.session for s in view.scenario.market.sessions if s.session > today)
    return (trade.structure.expiration - following).days
