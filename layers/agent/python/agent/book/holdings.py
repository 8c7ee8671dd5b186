"""What a trade holds beside whole structures."""

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from agent.book.record import Record
from agent.book.states import ExitReason


class SharesHeld(Record):
    """Hold the shares that an assignment or an exercise left in a trade; prices are a share."""

    quantity: int
    """Signed: negative is short."""
    basis: Decimal
    """What the trade manages by: the average strike at which they came."""
    tax_basis: Decimal
    """The strike less a put's premium, or with a call's: what the tax office counts from."""
    since: datetime
    mark: Decimal | None = None
    """The price last seen; None before the first look."""


class Holdings(Record):
    """Keep in what a trade departs from whole structures; empty for nearly every trade."""

    legs_gone: dict[str, int] = Field(default_factory=dict)
    """Contracts of a leg, by OCC symbol, that have gone while others of their unit are held."""
    legs_cash: Decimal = Decimal(0)
    """Dollars, signed, for which those legs were traded."""
    shares: SharesHeld | None = None
    shares_realized: Decimal = Decimal(0)
    """Dollars that shares which are gone have earned, against the strike they came at."""
    reason: ExitReason | None = None
    """What happened to legs that left alone: why, or why the exit began that traded them so."""
    booked: dict[str, int] = Field(default_factory=dict)
    """What was booked to legs and shares, by its id: contracts, or shares. Each is booked once.

    Of a split it is what everything was multiplied by.
    """
    former_symbols: tuple[str, ...] = ()
    """OCC symbols that its contracts bore before splits."""
