"""What the steps of a state machine take and give.

Every key of a result is always there: a definition file that reads a missing one fails.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from agent.book.intents import Intent
from agent.book.records import Trade
from agent.book.roll_settlement import residue_view
from agent.book.winding_up import leg_alone_view
from agent.ports import Book


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def counts(self) -> dict[str, int]:
        """Give what a metric should count of this result, by names in CamelCase."""
        return {}


class StepInput(Message):
    """Name the intent that an execution carries."""

    intent_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")


class RiskVerdict(Message):
    intent_id: str
    approved: bool
    reason: str | None


class SizingResult(Message):
    intent_id: str
    reserved: bool
    contracts: int
    reason: str | None


class PlacementResult(Message):
    intent_id: str
    placed: bool
    """True where an order may be at the broker: poll it."""
    polls_left: int
    wait_seconds: int
    reason: str | None


class FillStatus(StrEnum):
    WORKING = "working"
    COMPLETE = "complete"
    ENDED = "ended"
    """The order can fill no more, and something is left."""


class FillResult(Message):
    intent_id: str
    status: FillStatus
    rungs_left: int


class CancelResult(Message):
    intent_id: str
    requested: bool


class SettlementResult(Message):
    intent_id: str
    settled: bool
    outcome: str


class IntentMissing(Exception):
    """Raised where an execution names an intent that the book does not have."""


class TradeMissing(Exception):
    """Raised where an intent names a trade that the book does not have."""


class OrderStillWorking(Exception):
    """Raised where an order may still fill: ask again later."""


def intent_of(book: Book, intent_id: str) -> Intent:
    intent = book.intent(intent_id)
    if intent is None:
        raise IntentMissing(f"no intent {intent_id} in the book")
    return intent


def trade_of(book: Book, intent: Intent) -> Trade:
    trade = book.trade(intent.trade_id)
    if trade is None:
        raise TradeMissing(f"no trade {intent.trade_id} in the book")
    return as_carried(trade, intent)


def as_carried(trade: Trade, intent: Intent) -> Trade:
    """Show a trade as an intent carries it: of what is closed alone, nothing but that."""
    if intent.of_residue and trade.campaign.residue is not None:
        return residue_view(trade)
    if intent.leg is not None:
        return leg_alone_view(trade, intent.leg)
    return trade
