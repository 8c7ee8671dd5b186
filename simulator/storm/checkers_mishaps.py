"""What befell a trade is noticed, told and wound up: by what the broker's records say of it."""

import re

from agent.book.records import Trade
from agent.book.states import TradeStatus
from agent.options.structures import LegSide
from simulator.storm.view import DayView, MonitorPass

OWN_LEG = re.compile(r"-close-\d+-leg\d+$")
TIME_TO_COVER_MINUTES = 45.0
"""Short stock that is known so long before a close is gone by then."""


class MishapsAreBooked:
    """8 of the design: what the broker did to a position is booked by the first pass that can."""

    name = "mishaps_are_booked"

    def __init__(self) -> None:
        self._passes = 0

    def check(self, view: DayView) -> list[str]:
        found = []
        for one in view.passes[self._passes :]:
            if one.is_clean and not one.unfinished:
                found += [
                    f"{move.quantity:+d} {move.symbol} ({move.kind}) passed by unnoticed"
                    for move in view.unbooked_moves()
                    if move.known_from <= one.began_at and _is_held(view, one, move.symbol)
                ]
        self._passes = len(view.passes)
        return found

    def check_end(self, view: DayView) -> list[str]:
        told = {alert.alert_id for alert in view.alerts.published}
        return self.check(view) + [
            f"the owner never heard of {event} of {trade.trade_id}"
            for trade in view.book.all_trades()
            for event in trade.holdings.booked
            # What an order of ours closed in parts is told once all of it is gone.
            if not OWN_LEG.search(event) and f"{trade.trade_id}-{event}-alert" not in told
        ]


def _is_held(view: DayView, one: MonitorPass, symbol: str) -> bool:
    """Say whether a trade that was open when a pass began has this leg by the book."""
    trades = (view.book.trade(trade_id) for trade_id in one.close_attempts)
    names = view.mishaps.names_of(symbol)
    return any(
        trade is not None and any(trade.leg_quantities.get(name) for name in names)
        for trade in trades
    )


class OrphansAreClosed:
    """4 and 5: a leg left alone, shares nobody wants and a roll's residue go with the next pass."""

    name = "orphans_are_closed"

    def __init__(self) -> None:
        self._passes = 0
        self._closes = 0

    def check(self, view: DayView) -> list[str]:
        found = []
        for one in view.passes[self._passes :]:
            if one.is_clean:
                for trade_id, attempts in one.close_attempts.items():
                    trade = view.book.trade(trade_id)
                    if trade is None or trade.status is not TradeStatus.OPEN:
                        continue
                    if trade.close_attempts == attempts:
                        found += _left_alone(view, trade)
        self._passes = len(view.passes)
        closes = view.exchange.book.closes
        if len(closes) > self._closes:
            self._closes = len(closes)
            found += _short_stock(view)
        return found

    def check_end(self, view: DayView) -> list[str]:
        return self.check(view) + _short_stock(view)


def _left_alone(view: DayView, trade: Trade) -> list[str]:
    if trade.campaign.residue is not None:
        return [f"{trade.trade_id} keeps what its roll left behind"]
    shares = trade.shares_held
    if shares < 0:
        return [f"{trade.trade_id} stays {-shares} shares short"]
    if not trade.holdings.legs_gone:
        is_put = len(trade.structure.legs) == 1
        wanted = is_put and trade.symbol not in view.scenario.settings.exits.sell_assigned_shares
        if not shares or (wanted and not trade.manual_exit_requested):
            return []
        return [f"{trade.trade_id} stays with {shares} shares that nobody wants"]
    held = trade.leg_quantities
    legs = [leg for leg in trade.structure.legs if held[leg.contract.symbol]]
    is_offerless = view.scenario.market.disturbed(trade.symbol, view.now) is not None
    if is_offerless and not shares and all(leg.side is LegSide.LONG for leg in legs):
        return []  # Nobody bids for it now.
    return [f"{trade.trade_id} leaves a leg alone"]


def _short_stock(view: DayView) -> list[str]:
    found = []
    for symbol in view.scenario.market.symbols:
        held = view.own_held[symbol]
        known = [m.known_from for m in view.mishaps.moves if m.symbol == symbol]
        if held >= 0 or not known:
            continue
        if (view.now - max(known)).total_seconds() / 60 >= TIME_TO_COVER_MINUTES:
            found.append(f"{-held} {symbol} are short past their session")
    return found
