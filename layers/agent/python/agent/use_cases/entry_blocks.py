"""Whether anything may be entered now: the owner's word, the broker's refusals, the hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from agent.book.changes import BookChange
from agent.book.intents import RefusalKind
from agent.book.records import Alert, AlertKind
from agent.market.calendar import new_york_date
from agent.ports import BlockScope, BrokerRefused, EntryBlock, MarketClock, TradingState
from agent.use_cases.desk import Desk

SCOPES: Mapping[RefusalKind, BlockScope] = MappingProxyType(
    {RefusalKind.DAY: BlockScope.DAY, RefusalKind.ACCOUNT: BlockScope.ACCOUNT}
)
ENDINGS: Mapping[BlockScope, str] = MappingProxyType(
    {
        BlockScope.DAY: "for the rest of the session",
        BlockScope.ACCOUNT: "until it is lifted: options-agent state --lift-block",
    }
)


@dataclass(frozen=True)
class EntryBar:
    """Say what bars entries now: a name to count it by, and a sentence."""

    name: str
    sentence: str


def entry_bar(desk: Desk, now: datetime) -> EntryBar | None:
    """Find what bars every entry: quotes too poor for real money, the owner's word, a refusal."""
    if desk.settings.live_trading and not desk.settings.market.quotes_are_consolidated:
        return EntryBar(
            "quotes_not_consolidated",
            "with real money nothing is entered but on market.stock_feed sip and"
            " market.option_feed opra",
        )
    state = desk.control.trading_state()
    if state is not TradingState.ACTIVE:
        return EntryBar(f"trading_{state}", f"trading is {state}")
    block = desk.control.entry_block(new_york_date(now))
    if block is None:
        return None
    return EntryBar(
        f"entries_blocked_{block.scope}", f"entries are blocked ({block.scope}): {block.reason}"
    )


def closes_soon(desk: Desk, clock: MarketClock) -> bool:
    """Say whether the session is in its last minutes, in which nothing is entered."""
    minutes = desk.settings.schedule.entry_closing_minutes
    return clock.next_close - clock.now <= timedelta(minutes=minutes)


def opened_just_now(desk: Desk, now: datetime) -> bool:
    """Say whether the session is in its first minutes; where it is unknown, it is."""
    minutes = desk.settings.schedule.entry_opening_minutes
    today = new_york_date(now)
    sessions = desk.calendar.sessions(today, today)
    return not sessions or now - sessions[0].opens_at < timedelta(minutes=minutes)


def block_entries_after(desk: Desk, refusal: BrokerRefused, at: datetime) -> None:
    """Block entries as long as a refusal says nothing can be entered, and tell it once.

    Exits go on: each is tried as if nothing had been said.
    """
    scope = SCOPES.get(refusal.kind)
    if scope is None:
        return
    # Told first: an alert of the same id is written once, a block that stands tells nobody.
    desk.book.commit(
        BookChange(
            alerts=(
                Alert(
                    alert_id=f"entries-blocked-{scope}-{new_york_date(at):%Y%m%d}",
                    kind=AlertKind.SYSTEM_ERROR,
                    at=at,
                    subject="Entries are blocked",
                    message=f"Nothing is entered {ENDINGS[scope]}. The broker said: {refusal}",
                ),
            )
        )
    )
    desk.control.block_entries(EntryBlock(scope, str(refusal), at))
