"""The odds of what kind of day is drawn: what is carried in, what befalls it, what limits bind."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Climate:
    """State the odds of a day, each between 0 and 1 unless said otherwise.

    The usual ones give days of many kinds. A rule that matters on few of them is looked for in a
    climate that gives more of those.
    """

    expiration_days: float = 0.12
    """Of days on which everything that is carried in expires."""
    old_days: float = 0.0
    """Of days, beyond the usual, whose carried trades are within their last days."""
    assignments: float = 0.4
    early_assignments: float = 0.35
    """On days with assignments: of one that comes before the open."""
    assigned_in_full: float = 0.6
    pins: float = 0.7
    """Of stocks that open near a short strike, where the trades are old."""
    pin_deviations: tuple[float, float] = (0.10, 0.26)
    """How far above a short put, in deviations to its expiration, a stock then opens."""
    pins_at_calls: float = 0.15
    """Of those: of opening near a short call, where there is one."""
    tight_limits: float = 0.3
    """Of days on which limits of the account bind after an entry or two."""
    strategies: tuple[str, ...] | None = None
    """What alone is traded; None where it is drawn."""
    sells_shares: bool | None = None
    """Whether assigned shares are sold all the same; None where it is drawn by symbol."""
    covers_shares: bool = False
    """Whether calls are written on assigned shares."""
    splits: float = 0.0
    """Of stocks that split two for one before the day opens, under the trades carried in."""


USUAL = Climate()
