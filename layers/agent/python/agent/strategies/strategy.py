"""What every strategy answers: what it needs of a chain, what to enter, when to leave."""

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from agent.book.intents import Signal
from agent.book.records import Trade
from agent.config.settings import ExitSettings, Settings
from agent.market.chain import ChainAnalytics, OptionChain
from agent.market.outlook import ReportOutlook
from agent.market.quotes import UnderlyingSnapshot
from agent.market.volatility import IvRankBand
from agent.options.contracts import OptionContract, OptionType
from agent.strategies.exit_moment import ExitMoment
from agent.strategies.exits import ExitRules, ExitVerdict, RollSignal
from agent.strategies.exits import exit_decision as decide_exit
from agent.strategies.exits import roll_signal as decide_roll
from agent.strategies.marks import TradeMark


@dataclass(frozen=True)
class ChainBounds:
    """Bound the contracts a strategy looks at, inclusive; outside there are no candidates."""

    expiration_min: date
    expiration_max: date
    strike_min: Decimal
    strike_max: Decimal
    option_type: OptionType | None
    """None takes calls and puts."""

    def contains(self, contract: OptionContract) -> bool:
        """Say whether a contract is within every bound."""
        return (
            self.expiration_min <= contract.expiration <= self.expiration_max
            and self.strike_min <= contract.strike <= self.strike_max
            and self.option_type in (None, contract.option_type)
        )


def days_ahead(session: date, dte_min: int, dte_max: int) -> tuple[date, date]:
    """Give the expirations that lie `dte_min` to `dte_max` calendar days after `session`."""
    return session + timedelta(days=dte_min), session + timedelta(days=dte_max)


@dataclass(frozen=True)
class MarketView:
    """Show one symbol to a strategy as of one instant (aware UTC)."""

    underlying: UnderlyingSnapshot
    chain: OptionChain
    analytics: ChainAnalytics
    iv30: float | None
    """Annual fraction; None where unknown."""
    iv_rank_band: IvRankBand
    """The rank that decides, at the bid, mid and ask of today's volatility."""
    report: ReportOutlook
    as_of: datetime
    settings: Settings

    @property
    def iv_rank(self) -> float | None:
        """Give the rank at mid, 0-100; None where unknown."""
        return self.iv_rank_band.mid


@dataclass(frozen=True)
class ScanOutcome:
    """Keep what a scan of one symbol by one strategy found; signals best first."""

    signals: tuple[Signal, ...]
    rejections: Counter[str]
    """Reason to number of candidates dropped for it, one reason a candidate."""

    @property
    def candidates(self) -> int:
        """Count what was looked at: each candidate became a signal or a counted rejection."""
        return len(self.signals) + self.rejections.total()


class Strategy(ABC):
    """Decide entries and exits of one structure, from what is shown and nothing else."""

    name: ClassVar[str]
    """The name in settings, trades and reports."""
    code: ClassVar[str]
    """The name in three letters."""

    @property
    @abstractmethod
    def exit_rules(self) -> ExitRules:
        """Give the rules that end a trade of this strategy."""

    @property
    def assignable_symbols(self) -> frozenset[str]:
        """Name the symbols whose trades may expire or be assigned; none unless said otherwise."""
        return frozenset()

    def exit_rules_for(self, symbol: str) -> ExitRules:
        """Give the rules that end a trade in a symbol."""
        may_be_assigned = symbol in self.assignable_symbols
        return self.exit_rules.in_symbol(symbol, may_be_assigned=may_be_assigned)

    @abstractmethod
    def chain_bounds(self, spot: Decimal, session: date) -> ChainBounds:
        """Bound what the strategy needs of a chain on a New York date."""

    @abstractmethod
    def generate_signals(self, view: MarketView) -> ScanOutcome:
        """Find every acceptable entry, best first; each candidate dropped is counted."""

    def should_exit(
        self,
        trade: Trade,
        mark: TradeMark,
        moment: ExitMoment,
        exits: ExitSettings,
        *,
        roll: RollSignal | None = None,
        awaits_roll: bool = False,
    ) -> ExitVerdict:
        """Decide whether an open trade ends now.

        `roll` is one that the caller can carry out; `awaits_roll` says that one is due that it
        cannot, and is to be waited for.
        """
        rules = self.exit_rules_for(trade.symbol)
        return decide_exit(trade, mark, moment, rules, exits, roll=roll, awaits_roll=awaits_roll)

    def should_roll(
        self, trade: Trade, mark: TradeMark, moment: ExitMoment, exits: ExitSettings
    ) -> RollSignal | None:
        """Say whether a trade should move on; None where its policy or its state forbids it."""
        rules = self.exit_rules_for(trade.symbol)
        if not rules.rolls or trade.campaign.rolls >= exits.rolls_max or not trade.is_whole:
            return None
        return decide_roll(trade, mark, moment, rules, exits)
