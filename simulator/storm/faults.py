"""What can go wrong in a storm, how likely each is, and the plan that decides where."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from simulator.storm.climate import USUAL, Climate
from simulator.storm.dice import Dice


class FaultKind(StrEnum):
    """Name a fault; `before` means that nothing took effect, `after` that all of it did."""

    DIE_BEFORE = "die_before"
    DIE_AFTER = "die_after"
    DELAY_BEFORE = "delay_before"
    DELAY_AFTER = "delay_after"
    THROTTLED = "http_429"
    SERVER_ERROR_BEFORE = "http_500_before"
    SERVER_ERROR_AFTER = "http_500_after"
    GATEWAY_BEFORE = "http_504_before"
    GATEWAY_AFTER = "http_504_after"
    GARBAGE_AFTER = "http_garbage_after"
    TIMEOUT_BEFORE = "http_timeout_before"
    TIMEOUT_AFTER = "http_timeout_after"
    RESET_BEFORE = "http_reset_before"
    LATE_LANDING = "http_late_landing"
    FILL_AFTER_CANCEL = "fill_after_cancel"
    CLOSE_REFUSED = "close_refused"
    ORDER_REFUSED = "http_403"
    BOOK_BUSY_BEFORE = "book_busy_before"
    BOOK_BUSY_AFTER = "book_busy_after"
    CLOCK_SKEWED = "clock_skewed"
    INDEX_LAG = "index_lag"
    ALERT_LOST_BEFORE = "alert_lost_before"
    ALERT_LOST_AFTER = "alert_lost_after"
    WORKFLOW_LOST_BEFORE = "workflow_lost_before"
    WORKFLOW_LOST_AFTER = "workflow_lost_after"
    INVOCATION_REFUSED = "invocation_refused"
    INVOCATION_LOST = "invocation_lost"
    INVOCATION_DOUBLED = "invocation_doubled"
    SLOT_TWICE = "slot_twice"
    SLOT_LATE = "slot_late"
    SLOT_TOGETHER = "slot_together"
    SLOT_MISSING = "slot_missing"


Menu = tuple[FaultKind, ...]
EVERYWHERE: Menu = (
    FaultKind.DIE_BEFORE,
    FaultKind.DIE_AFTER,
    FaultKind.DELAY_BEFORE,
    FaultKind.DELAY_AFTER,
)
ANYWHERE: Menu = (
    *EVERYWHERE,
    FaultKind.BOOK_BUSY_BEFORE,
    FaultKind.INVOCATION_REFUSED,
    FaultKind.INVOCATION_LOST,
    FaultKind.INVOCATION_DOUBLED,
)
"""Kinds that can strike in every state."""
SELDOM = "roll_position."
"""Steps of a machine that runs seldom: what can strike anywhere strikes them more often."""
DELAYS = frozenset({FaultKind.DELAY_BEFORE, FaultKind.DELAY_AFTER})
DOUBLED_DELAYS_FACTOR = 6.0
HTTP_READ: Menu = (
    *EVERYWHERE,
    FaultKind.THROTTLED,
    FaultKind.SERVER_ERROR_BEFORE,
    FaultKind.GATEWAY_BEFORE,
    FaultKind.GARBAGE_AFTER,
    FaultKind.TIMEOUT_BEFORE,
    FaultKind.RESET_BEFORE,
)
HTTP_CLOCK: Menu = (*HTTP_READ, FaultKind.CLOCK_SKEWED)
HTTP_WRITE: Menu = (
    *HTTP_READ,
    FaultKind.SERVER_ERROR_AFTER,
    FaultKind.GATEWAY_AFTER,
    FaultKind.TIMEOUT_AFTER,
)
HTTP_ORDER: Menu = (
    *HTTP_WRITE,
    FaultKind.LATE_LANDING,
    FaultKind.CLOSE_REFUSED,
    FaultKind.ORDER_REFUSED,
)
HTTP_CANCEL: Menu = (*HTTP_WRITE, FaultKind.FILL_AFTER_CANCEL)
BOOK_READ: Menu = (*EVERYWHERE, FaultKind.BOOK_BUSY_BEFORE)
BOOK_WRITE: Menu = (*BOOK_READ, FaultKind.BOOK_BUSY_AFTER)
BOOK_INDEX: Menu = (*BOOK_READ, FaultKind.INDEX_LAG)
ALERT: Menu = (*EVERYWHERE, FaultKind.ALERT_LOST_BEFORE, FaultKind.ALERT_LOST_AFTER)
WORKFLOW: Menu = (*EVERYWHERE, FaultKind.WORKFLOW_LOST_BEFORE, FaultKind.WORKFLOW_LOST_AFTER)
INVOCATION: Menu = (
    FaultKind.INVOCATION_REFUSED,
    FaultKind.INVOCATION_LOST,
    FaultKind.INVOCATION_DOUBLED,
)
SLOT: Menu = (
    FaultKind.SLOT_TWICE,
    FaultKind.SLOT_LATE,
    FaultKind.SLOT_TOGETHER,
    FaultKind.SLOT_MISSING,
)


@dataclass(frozen=True)
class Profile:
    """State how rough the weather is: probabilities an opportunity, and bounds that go with it."""

    name: str
    probabilities: Mapping[FaultKind, float]
    execution_factor: float
    """So much likelier is a fault in the steps of a state machine, where more is at stake."""
    seldom_factor: float
    """So much likelier again is what can strike anywhere, in a machine that runs seldom."""
    partial_fills: float
    """Of the orders of several contracts."""
    fickleness: float
    """How often, for some seconds, nobody takes an order that is not marketable."""
    disturbances_per_symbol: float
    """Windows of bad quotes a day and symbol, at most so many."""
    foreign_orders: int
    """Orders of somebody else in the account a day, at most so many."""
    pending_bound_seconds: float
    """How long a trade may be pending or closing."""
    tellings_max: int
    """How often one alert may be told."""
    climate: Climate = USUAL


def _scaled(scale: float) -> Mapping[FaultKind, float]:
    usual = {
        FaultKind.DIE_BEFORE: 0.0020,
        FaultKind.DIE_AFTER: 0.0020,
        FaultKind.DELAY_BEFORE: 0.0100,
        FaultKind.DELAY_AFTER: 0.0060,
        FaultKind.SERVER_ERROR_AFTER: 0.0150,
        FaultKind.GATEWAY_AFTER: 0.0150,
        FaultKind.TIMEOUT_AFTER: 0.0150,
        FaultKind.FILL_AFTER_CANCEL: 0.0400,
        FaultKind.LATE_LANDING: 0.0300,
        FaultKind.CLOSE_REFUSED: 0.0100,
        FaultKind.ORDER_REFUSED: 0.0200,
        FaultKind.ALERT_LOST_BEFORE: 0.0200,
        FaultKind.ALERT_LOST_AFTER: 0.0200,
        FaultKind.WORKFLOW_LOST_BEFORE: 0.0200,
        FaultKind.WORKFLOW_LOST_AFTER: 0.0200,
        FaultKind.INVOCATION_REFUSED: 0.0100,
        FaultKind.INVOCATION_LOST: 0.0100,
        FaultKind.INVOCATION_DOUBLED: 0.0100,
        FaultKind.SLOT_TWICE: 0.0300,
        FaultKind.SLOT_LATE: 0.0300,
        FaultKind.SLOT_TOGETHER: 0.0200,
        FaultKind.SLOT_MISSING: 0.0100,
        FaultKind.BOOK_BUSY_BEFORE: 0.0030,
        FaultKind.BOOK_BUSY_AFTER: 0.0060,
        FaultKind.CLOCK_SKEWED: 0.0300,
        FaultKind.INDEX_LAG: 0.5000,
    }
    return {kind: scale * usual.get(kind, 0.0030) for kind in FaultKind}


CALM = Profile(
    name="calm",
    probabilities={},
    execution_factor=1.0,
    seldom_factor=1.0,
    partial_fills=0.10,
    fickleness=0.0,
    disturbances_per_symbol=0.0,
    foreign_orders=0,
    pending_bound_seconds=900.0,
    tellings_max=1,
)
ROUGH = Profile(
    name="rough",
    probabilities=_scaled(1.0),
    execution_factor=3.0,
    seldom_factor=3.0,
    partial_fills=0.60,
    fickleness=0.6,
    disturbances_per_symbol=2.0,
    foreign_orders=3,
    pending_bound_seconds=2_700.0,
    tellings_max=4,
)
HELL = Profile(
    name="hell",
    probabilities=_scaled(4.0),
    execution_factor=2.0,
    seldom_factor=1.0,
    partial_fills=0.80,
    fickleness=0.6,
    disturbances_per_symbol=4.0,
    foreign_orders=5,
    pending_bound_seconds=7_200.0,
    tellings_max=10,
)
PROFILES: Mapping[str, Profile] = {profile.name: profile for profile in (CALM, ROUGH, HELL)}


@dataclass(frozen=True)
class Fault:
    """A fault at its place; `key` names the place, the same in every run of the seed."""

    key: str
    kind: FaultKind
    state: str
    """The step or schedule in which it struck."""
    at: datetime


@dataclass
class FaultPlan:
    """Decide by seed and place what strikes; `only` leaves just these places, for shrinking."""

    dice: Dice
    profile: Profile
    now: Callable[[], datetime]
    only: frozenset[str] | None = None
    is_on: bool = False
    struck: list[Fault] = field(default_factory=list)
    silenced: int = 0
    """Places where `only` held a fault back."""

    def draw(self, key: str, menu: Menu, state: str, *, is_doubled: bool = False) -> Fault | None:
        """Give what strikes at this place, if anything does.

        An invocation that is doubled is delayed more often, so that the two overlap.
        """
        if not self.is_on or not self.profile.probabilities:
            return None
        is_step = "." in state
        left = self.dice.fraction(f"fault/{key}")
        left /= self.profile.execution_factor if is_step else 1.0
        for kind in menu:
            factor = DOUBLED_DELAYS_FACTOR if is_doubled and kind in DELAYS else 1.0
            if kind in ANYWHERE and state.startswith(SELDOM):
                factor *= self.profile.seldom_factor
            left -= factor * self.profile.probabilities[kind]
            if left < 0:
                return self._strike(key, kind, state)
        return None

    def _strike(self, key: str, kind: FaultKind, state: str) -> Fault | None:
        if self.only is not None and key not in self.only:
            self.silenced += 1
            return None
        fault = Fault(key, kind, state, self.now())
        self.struck.append(fault)
        return fault
