"""The owner of a rehearsed desk: what a profile has them say of trades, and what came of it."""

from collections.abc import Sequence
from datetime import datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.book.overrides import OverrideRefused
from agent.book.records import Trade
from agent.book.states import TradeStatus
from agent.book.transitions import describe
from agent.market.calendar import NEW_YORK
from agent.ports import Book
from agent.use_cases.override_trade import Override, OverrideRequest, override_trade

CENT = Decimal("0.01")


class Deed(BaseModel):
    """State one word of the owner: in which session, at which New York time, of which trade."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: int = Field(ge=1)
    at: time
    override: Override
    trade: Literal["oldest", "newest"]
    """Which of the open trades, by the time they were decided."""
    note: str | None = None
    stop_credits: Decimal | None = None
    """Where a stop is moved to: closing costs so many times the trade's credit."""


class DeedReport(BaseModel):
    """Tell what the owner said, of which trade, and why it was refused where it was."""

    model_config = ConfigDict(frozen=True)

    at: str
    said: str
    trade: str | None
    refusal: str | None


class Owner:
    """Say to the book what the profile has the owner say."""

    def __init__(self, deeds: Sequence[Deed], book: Book) -> None:
        self._deeds = deeds
        self._book = book
        self.reports: list[DeedReport] = []

    def deeds_of(self, session_number: int) -> list[Deed]:
        """Give what is to be said in a session, counted from 1."""
        return [deed for deed in self._deeds if deed.session == session_number]

    def act(self, deed: Deed, now: datetime) -> DeedReport:
        """Override the trade that the deed means, as the owner's command would; tell of it."""
        held = [t for t in self._book.active_trades() if t.status is TradeStatus.OPEN]
        held.sort(key=lambda trade: (trade.timestamp_enter, trade.trade_id))
        said = str(deed.override).replace("_", " ")
        if not held:
            return self._tell(now, said, None, "no trade was open")
        trade = held[0] if deed.trade == "oldest" else held[-1]
        request = OverrideRequest(
            trade_id=trade.trade_id,
            override=deed.override,
            note=deed.note,
            stop_debit=_stop(trade, deed),
        )
        refusal: str | None = None
        try:
            override_trade(self._book, request, now)
        except OverrideRefused as refused:
            refusal = str(refused)
        return self._tell(now, said, describe(trade), refusal)

    def _tell(self, now: datetime, said: str, trade: str | None, refusal: str | None) -> DeedReport:
        at = f"{now.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"
        self.reports.append(DeedReport(at=at, said=said, trade=trade, refusal=refusal))
        return self.reports[-1]


def _stop(trade: Trade, deed: Deed) -> Decimal | None:
    credit = trade.execution.credit
    if deed.stop_credits is None or credit is None:
        return None
    return (deed.stop_credits * credit).quantize(CENT, ROUND_HALF_EVEN)
