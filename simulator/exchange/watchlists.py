"""Watchlists: named lists of stocks that the account keeps and nothing acts on."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Watchlist:
    """One list, in the order in which its symbols were added."""

    watchlist_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    symbols: list[str] = field(default_factory=list)
