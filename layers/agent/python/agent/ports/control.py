"""What steers the agent: the owner's word, signs of life, and the state machines."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from agent.book.intents import Intent


class TradingState(StrEnum):
    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class BlockScope(StrEnum):
    """Say how long a block of entries holds."""

    DAY = "day"
    """Until the session is over."""
    ACCOUNT = "account"
    """Until the owner lifts it."""


@dataclass(frozen=True)
class EntryBlock:
    """Say why nothing may be entered, and since when."""

    scope: BlockScope
    reason: str
    at: datetime


class Control(Protocol):
    def trading_state(self) -> TradingState: ...

    def block_entries(self, block: EntryBlock) -> bool:
        """Block entries; False where a block of this scope (and day) stands, which is kept."""
        ...

    def entry_block(self, session: date) -> EntryBlock | None:
        """Give what blocks entries on `session`: the account's block before the day's."""
        ...

    def lift_entry_block(self) -> None:
        """Lift the account's block; a day's ends with its session."""
        ...

    def set_trading_state(self, state: TradingState) -> None: ...

    def pause_entries(self) -> None:
        """Tighten trading from active to reducing; what the owner has tightened further stays."""
        ...

    def account_number(self) -> str | None:
        """Give the broker account this stage belongs to, or None before the first bind."""
        ...

    def bind_account(self, account_number: str) -> str:
        """Bind the stage to an account unless it is bound; give the one it is bound to."""
        ...

    def claim_slot(self, schedule: str, slot: datetime) -> bool:
        """Claim a schedule slot; False where it was claimed before."""
        ...


class Beats(Protocol):
    """The signs of life that the scheduled functions leave."""

    def beat(self, function: str, slot: datetime) -> None:
        """Remember that a function ran for a slot; one older than what is known moves nothing."""
        ...

    def last_beat(self, function: str) -> datetime | None:
        """Give the newest slot that a function ran for, as aware UTC; None where it never did."""
        ...


class ExecutionState(StrEnum):
    ABSENT = "absent"
    RUNNING = "running"
    ENDED = "ended"


class Workflows(Protocol):
    """The state machines; an execution bears the name of its intent."""

    def start(self, intent: Intent) -> None:
        """Start the machine for the intent; one started before is no error: it means started."""
        ...

    def state(self, intent: Intent) -> ExecutionState: ...
