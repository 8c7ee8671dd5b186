"""Rebuild a lost book from the broker: what its orders tell beyond doubt, and nothing else."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.book.changes import BookChange, LedgerMove, TradeWrite
from agent.book.comparison import PositionDifference, compare_positions
from agent.book.identifiers import read_order_name
from agent.book.intents import TERMINAL_ORDER_STATUSES
from agent.book.records import JournalEvent
from agent.book.states import TradeStatus
from agent.config.settings import Settings
from agent.market.calendar import new_york_date
from agent.ports import Book, Broker, Control, OptionEvent, OrderHistory, PastOrder
from agent.risk.reservation import STREAK_KEY, entered_move, held_moves, outcome_moves
from agent.use_cases.rebuilding import rebuild_trade
from agent.use_cases.rebuilt import Doubtful, NamedOrder, RebuiltTrade


class RebuildRefused(Exception):
    """Raised where nothing may be rebuilt; the sentence says why."""


@dataclass(frozen=True)
class Site:
    """Gather what a rebuild needs."""

    settings: Settings
    strategies: Mapping[str, str]
    """Code of a strategy to its name."""
    broker: Broker
    history: OrderHistory
    book: Book
    control: Control


@dataclass(frozen=True)
class RebuildPlan:
    """Say what can be rebuilt, and what is left to a person."""

    account_number: str
    trades: tuple[RebuiltTrade, ...]
    """By the time they were entered."""
    doubts: Mapping[str, str]
    """A trade's id, or that of an order nobody understands, to why it is left out."""
    unexplained: tuple[PositionDifference, ...]
    """What the broker holds otherwise than all of this says: an owner's own, or of a doubt."""


def plan_rebuild(site: Site) -> RebuildPlan:
    """Read the broker and work out the book; nothing is written.

    Raises RebuildRefused where the stage's book is not empty, where it belongs to another account,
    and where an order of this stage still works.
    """
    if site.book.all_trades() or site.book.all_intents():
        raise RebuildRefused(
            f"the book of {site.settings.stage} is not empty: only an empty one is rebuilt"
        )
    account = site.broker.account().account_number
    bound = site.control.account_number()
    if bound not in {None, account}:
        raise RebuildRefused(f"the keys open account {account}, but this stage belongs to {bound}")
    past = site.history.past_orders(f"{site.settings.stage}-")
    working = [each.order for each in past if each.order.status not in TERMINAL_ORDER_STATUSES]
    if working:
        names = ", ".join(order.client_order_id for order in working)
        raise RebuildRefused(f"orders still work, cancel them or wait for their end: {names}")
    doubts: dict[str, str] = {}
    found = list(_each_trade(site, past, doubts))
    held = {position.symbol: position.quantity for position in site.broker.holdings()}
    differences = compare_positions([each.trade for each in found], held)
    sure = [each for each in found if not _is_contradicted(each, differences, doubts)]
    return RebuildPlan(
        account_number=account,
        trades=tuple(sorted(sure, key=_entered)),
        doubts=dict(sorted(doubts.items())),
        unexplained=compare_positions([each.trade for each in sure], held),
    )


def write_rebuild(site: Site, plan: RebuildPlan, now: datetime) -> None:
    """Write the plan into the empty book, a trade at a time, and bind the stage to the account.

    Closed trades come in the order of their ends, so that a losing streak is counted as it was.
    """
    site.control.bind_account(plan.account_number)
    ended = [each for each in plan.trades if each.trade.status is TradeStatus.CLOSED]
    ended.sort(key=lambda each: (each.trade.timestamp_exit or now, each.trade.trade_id))
    open_still = [each for each in plan.trades if each.trade.status is not TradeStatus.CLOSED]
    for each in (*ended, *open_still):
        trade = each.trade
        site.book.commit(
            BookChange(
                trade=TradeWrite(trade, None, None),
                positions=each.positions,
                ledger=tuple(_ledger(site, each)),
                events=(
                    JournalEvent(
                        event_id=f"{trade.trade_id}-rebuilt",
                        at=now,
                        kind="trade_rebuilt",
                        trade_id=trade.trade_id,
                    ),
                ),
            )
        )


def _entered(each: RebuiltTrade) -> tuple[datetime, str]:
    return each.trade.timestamp_enter, each.trade.trade_id


def _ledger(site: Site, each: RebuiltTrade) -> Iterable[LedgerMove]:
    trade = each.trade
    session = new_york_date(trade.timestamp_enter)
    if trade.pnl is None:
        return held_moves(trade.risk, symbol=trade.symbol, session=session)
    return (entered_move(session), *outcome_moves(trade.pnl, site.book.ledger(STREAK_KEY)))


def _each_trade(
    site: Site, past: Sequence[PastOrder], doubts: dict[str, str]
) -> Iterable[RebuiltTrade]:
    orders: dict[str, list[NamedOrder]] = defaultdict(list)
    for each in past:
        name = read_order_name(each.order.client_order_id)
        if name is not None and name.stage == site.settings.stage:
            orders[name.trade_id].append(NamedOrder(name, each))
        elif name is None and each.order.filled_contracts:
            doubts[each.order.client_order_id] = "its name tells no trade"
    told: dict[str, tuple[list[NamedOrder], str]] = {}
    for trade_id, group in orders.items():
        strategy = site.strategies.get(group[0].name.strategy)
        if strategy is None:
            doubts[trade_id] = f"no strategy has the code {group[0].name.strategy}"
            continue
        told[trade_id] = (group, strategy)
    events = _events(site, past)
    claims = _claims(told, events, site.settings)
    for trade_id, (group, strategy) in told.items():
        own = [event for event in events if trade_id in claims.get(event.symbol, ())]
        shared = sorted({event.symbol for event in own if len(claims[event.symbol]) > 1})
        if shared:
            doubts[trade_id] = f"{', '.join(shared)} may be what another trade lost"
            continue
        try:
            rebuilt = rebuild_trade(group, strategy, site.settings, own)
        except Doubtful as doubt:
            doubts[trade_id] = str(doubt)
            continue
        if rebuilt is not None:
            yield rebuilt


def _events(site: Site, past: Sequence[PastOrder]) -> tuple[OptionEvent, ...]:
    if not past:
        return ()
    return site.broker.option_events(new_york_date(past[0].order.submitted_at))


def _claims(
    told: Mapping[str, tuple[list[NamedOrder], str]],
    events: Sequence[OptionEvent],
    settings: Settings,
) -> dict[str, list[str]]:
    """Name, for each contract that something befell, the trades that held it by orders alone."""
    befallen = {event.symbol for event in events}
    claims: dict[str, list[str]] = defaultdict(list)
    for trade_id, (group, strategy) in told.items():
        left = befallen & {
            leg.contract.symbol
            for order in group
            if order.name.purpose in {"entry", "roll"} and order.filled
            for leg in order.past.legs
        }
        if not left:
            continue
        try:
            alone = rebuild_trade(group, strategy, settings)
        except Doubtful:
            alone = None  # Its orders need what befell it.
        if alone is not None:
            left &= {symbol for symbol, count in alone.trade.leg_quantities.items() if count}
        for symbol in left:
            claims[symbol].append(trade_id)
    return claims


def _is_contradicted(
    each: RebuiltTrade, differences: Sequence[PositionDifference], doubts: dict[str, str]
) -> bool:
    """Leave out a trade of which the broker holds something else than its orders say."""
    held = {symbol for symbol, count in each.trade.leg_quantities.items() if count}
    for difference in differences:
        # Of shares, more than the book has may be its owner's.
        short_of = not 0 <= difference.booked <= difference.held
        is_share = difference.symbol == each.trade.symbol and each.trade.shares_held != 0
        if difference.symbol in held or (is_share and short_of):
            doubts[each.trade.trade_id] = (
                f"its orders leave {difference.booked} of {difference.symbol}, the broker holds"
                f" {difference.held}: expired, assigned, or traded by others"
            )
            return True
    return False
