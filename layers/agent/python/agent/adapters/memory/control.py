"""The owner's switches and the claims on schedule slots, in memory."""

from datetime import UTC, date, datetime
from threading import Lock

from agent.market.calendar import new_york_date
from agent.ports import BlockScope, EntryBlock, TradingState


class MemoryControl:
    """Start active, unbound and with every slot free."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._trading_state = TradingState.ACTIVE
        self._account_number: str | None = None
        self._blocks: dict[date | None, EntryBlock] = {}
        self._claimed: set[tuple[str, datetime]] = set()

    def trading_state(self) -> TradingState:
        with self._lock:
            return self._trading_state

    def set_trading_state(self, state: TradingState) -> None:
        with self._lock:
            self._trading_state = state

    def block_entries(self, block: EntryBlock) -> bool:
        session = new_york_date(block.at) if block.scope is BlockScope.DAY else None
        with self._lock:
            return self._blocks.setdefault(session, block) is block

    def entry_block(self, session: date) -> EntryBlock | None:
        with self._lock:
            return self._blocks.get(None) or self._blocks.get(session)

    def lift_entry_block(self) -> None:
        with self._lock:
            self._blocks.pop(None, None)

    def pause_entries(self) -> None:
        with self._lock:
            if self._trading_state is TradingState.ACTIVE:
                self._trading_state = TradingState.REDUCING

    def account_number(self) -> str | None:
        with self._lock:
            return self._account_number

    def bind_account(self, account_number: str) -> str:
        with self._lock:
            if self._account_number is None:
                self._account_number = account_number
            return self._account_number

    def claim_slot(self, schedule: str, slot: datetime) -> bool:
        """Claim a schedule slot; raise ValueError for a slot without a time zone."""
        if slot.tzinfo is None:
            raise ValueError(f"a slot needs a time zone: {slot.isoformat()}")
        claim = (schedule, slot.astimezone(UTC))
        with self._lock:
            if claim in self._claimed:
                return False
            self._claimed.add(claim)
            return True
