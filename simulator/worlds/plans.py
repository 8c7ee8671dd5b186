"""What is decided beforehand about a synthetic market, and what chance is left to decide."""

from dataclasses import dataclass

EVERY_SYMBOL: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Shock:
    """What befalls one session besides chance; returns are logarithmic.

    `position` counts the sessions played from 0, `symbols` None means every symbol. The
    `noise_factor` scales what chance does to prices, but not what options expect of it;
    `width_factor` scales the width of quotes, and `activity_factor` volume and sizes.
    """

    position: int
    overnight_return: float = 0.0
    session_return: float = 0.0
    log_variance_change: float = 0.0
    noise_factor: float = 1.0
    width_factor: float = 1.0
    activity_factor: float = 1.0
    symbols: frozenset[str] | None = EVERY_SYMBOL

    def strikes(self, symbol: str) -> bool:
        return self.symbols is None or symbol in self.symbols


@dataclass(frozen=True, slots=True)
class PlannedDividend:
    """A special dividend going ex at the open of a session, declared `declared_before` sessions
    earlier, worth `fraction` of the symbol's usual price.
    """

    position: int
    fraction: float
    declared_before: int
    symbols: frozenset[str] | None = EVERY_SYMBOL


@dataclass(frozen=True, slots=True)
class PlannedSplit:
    """`ratio` new shares for each old one, from the open of a session on."""

    position: int
    ratio: int
    symbol: str


@dataclass(frozen=True, slots=True)
class PlannedHalt:
    """Trading stops `start_minute` minutes after the opening, for `minutes`."""

    position: int
    start_minute: int
    minutes: int
    symbols: frozenset[str] | None = EVERY_SYMBOL


@dataclass(frozen=True, slots=True)
class PlannedOutage:
    """The broker is out of reach `start_minute` minutes after the opening, for `minutes`."""

    position: int
    start_minute: int
    minutes: int


@dataclass(frozen=True, slots=True)
class MarketPlan:
    """The script of a synthetic market; the default is an ordinary one.

    `put_exercise_chance` is the chance, each session, that the holders of a put without time
    value exercise it; those of a call without time value always do before an ex-date.
    """

    name: str = "synthetic"
    earnings: bool = True
    dividends: bool = True
    halts_per_year: float = 1.0
    put_exercise_chance: float = 0.05
    shocks: tuple[Shock, ...] = ()
    special_dividends: tuple[PlannedDividend, ...] = ()
    splits: tuple[PlannedSplit, ...] = ()
    halts: tuple[PlannedHalt, ...] = ()
    outages: tuple[PlannedOutage, ...] = ()


ORDINARY = MarketPlan()
