"""What befalls companies and markets besides prices, as an exchange has to act on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol, runtime_checkable

from agent.options.contracts import STRIKE_SCALE, OptionContract


@dataclass(frozen=True, slots=True)
class CashDividend:
    """Cash for each share held when the session of `ex_date` opens; `rate` in dollars.

    Nobody speaks of it before `declared_on`; None means it was known all along.
    """

    symbol: str
    ex_date: date
    payable_date: date
    rate: Decimal
    special: bool = False
    declared_on: date | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """`new_rate` shares for every `old_rate` from the session of `ex_date` on.

    Nobody speaks of it before `declared_on`; None means it was known all along.
    """

    symbol: str
    ex_date: date
    new_rate: Decimal
    old_rate: Decimal
    declared_on: date | None = None


CorporateAction = CashDividend | Split


@dataclass(frozen=True, slots=True)
class Halt:
    """An interval in which neither the stock nor its options are quoted; both times in UTC."""

    symbol: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Outage:
    """An interval in which the broker, not the market, is out of reach; both times in UTC."""

    starts_at: datetime
    ends_at: datetime


@runtime_checkable
class CorporateEvents(Protocol):
    """A world that knows what happens to its companies; one that does not lacks the methods."""

    @property
    def outages(self) -> tuple[Outage, ...]:
        """The broker's outages, oldest first: the world goes on, whoever hosts it may not."""
        ...

    def corporate_actions(self, symbol: str, start: date, end: date) -> Sequence[CorporateAction]:
        """List a stock's actions with an ex-date in start..end, oldest first.

        It lists those not declared yet, too: whoever publishes them looks at `declared_on`.
        """
        ...

    def next_ex_dividend(self, symbol: str, known_on: date) -> date | None:
        """Give the first ex-date after `known_on` that has been declared by then."""
        ...

    def earnings_dates(self, symbol: str, start: date, end: date) -> Sequence[date]:
        """List the sessions in start..end after whose close a report comes out, oldest first."""
        ...

    def halts(self, symbol: str, session: date) -> Sequence[Halt]:
        """List the halts of a session, oldest first."""
        ...

    def exercised_early(self, contract: OptionContract, session: date) -> bool:
        """Say whether holders exercise at the close of `session`, before the contract ends."""
        ...


def is_declared(action: CorporateAction, today: date) -> bool:
    """Say whether the public knows of an action `today`."""
    return action.declared_on is None or action.declared_on <= today


def contract_after(contract: OptionContract, split: Split) -> OptionContract:
    """Adjust a contract for a split into whole shares: the strike shrinks, the count grows.

    Each contract held becomes `new_rate / old_rate` of the one given. Raises ValueError for a
    split that would leave a fraction of a contract.
    """
    ratio = split.new_rate / split.old_rate
    if ratio != int(ratio):
        raise ValueError(f"{split.symbol} splits {split.new_rate} for {split.old_rate}: not whole")
    mills = round(contract.strike * STRIKE_SCALE / ratio)
    return replace(contract, strike=(Decimal(mills) / STRIKE_SCALE).normalize() + Decimal(0))
