"""A sandbox: one process with a desk of its own, whose every call may meet a fault."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from agent.ports import BrokerUnavailable
from simulator.storm.faults import Fault, FaultKind, FaultPlan, Menu
from simulator.storm.scheduler import Fiber, ProcessDied, SandboxTimedOut, Scheduler

T = TypeVar("T")
HANDLER_SECONDS_MAX = 30.0
"""The functions' own timeout."""
LONG_DELAY_SHARE = 0.08


@dataclass
class Invocation:
    """One run of a function in a sandbox."""

    key: str
    state: str
    fiber: Fiber
    deadline: datetime
    is_doubled: bool
    effects: int = 0


class Sandbox:
    """Run invocations one after another; the ports of its desk ask it before every call."""

    def __init__(self, scheduler: Scheduler, plan: FaultPlan) -> None:
        self.scheduler = scheduler
        self.plan = plan
        self.current: Invocation | None = None

    def begin(self, key: str, state: str, fiber: Fiber, *, is_doubled: bool) -> Invocation:
        deadline = self.scheduler.now + timedelta(seconds=HANDLER_SECONDS_MAX)
        self.current = Invocation(key, state, fiber, deadline, is_doubled)
        return self.current

    def fault_at(self, call: str, menu: Menu) -> Fault | None:
        """Give what strikes at this call, the next one of the invocation."""
        invocation = self._invocation
        invocation.effects += 1
        key = f"{invocation.key}|{invocation.effects}|{call}"
        return self.plan.draw(key, menu, invocation.state, is_doubled=invocation.is_doubled)

    def effect(
        self,
        call: str,
        menu: Menu,
        act: Callable[[], T],
        special: Callable[[Fault, Callable[[], T]], T] | None = None,
    ) -> T:
        """Call out, unless a fault has it otherwise; `special` knows the port's own faults."""
        fault = self.fault_at(call, menu)
        return act() if fault is None else self.meet(fault, act, special)

    def meet(
        self,
        fault: Fault,
        act: Callable[[], T],
        special: Callable[[Fault, Callable[[], T]], T] | None = None,
    ) -> T:
        """Let a fault strike a call."""
        if fault.kind is FaultKind.DIE_BEFORE:
            raise ProcessDied
        if fault.kind is FaultKind.DIE_AFTER:
            act()
            raise ProcessDied
        if fault.kind is FaultKind.DELAY_BEFORE:
            self.pause(self._delay_seconds(fault))
            return act()
        if fault.kind is FaultKind.DELAY_AFTER:
            result = act()
            self.pause(self._delay_seconds(fault))
            return result
        if special is None:
            raise BrokerUnavailable(f"nobody answers: {fault.kind}")
        return special(fault, act)

    def pause(self, seconds: float) -> None:
        """Let time pass within the invocation, to its timeout at most."""
        invocation = self._invocation
        left = (invocation.deadline - self.scheduler.now).total_seconds()
        self.scheduler.pause(invocation.fiber, min(seconds, max(left, 0.0)))
        if seconds >= left:
            raise SandboxTimedOut

    def _delay_seconds(self, fault: Fault) -> float:
        dice = self.plan.dice
        is_long = dice.chance(f"long/{fault.key}", LONG_DELAY_SHARE)
        low, high = (8.0, 45.0) if is_long else (0.01, 8.0)
        return dice.between(f"delay/{fault.key}", low, high)

    @property
    def _invocation(self) -> Invocation:
        assert self.current is not None, "a call outside of an invocation"
        return self.current
