"""Faults that a test or a storm switches on; only a world's outages happen by themselves."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from simulator.worlds.events import Outage

HANG_SECONDS = 30.0


class HttpFaultKind(StrEnum):
    """What goes wrong between client and exchange.

    `before` means that the exchange never saw the request, `after` that it did what was asked
    and only the answer is lost.
    """

    TOO_MANY_REQUESTS = "too_many_requests"
    SERVER_ERROR = "server_error"
    GATEWAY_TIMEOUT_BEFORE = "gateway_timeout_before"
    GATEWAY_TIMEOUT_AFTER = "gateway_timeout_after"
    HANG_BEFORE = "hang_before"
    HANG_AFTER = "hang_after"
    GARBAGE_AFTER = "garbage_after"


@dataclass(slots=True)
class HttpFault:
    """A fault that awaits the next requests of a method and path."""

    kind: HttpFaultKind
    method: str | None
    path_prefix: str
    times: int
    seconds: float

    @property
    def is_before(self) -> bool:
        return self.kind in {
            HttpFaultKind.TOO_MANY_REQUESTS,
            HttpFaultKind.SERVER_ERROR,
            HttpFaultKind.GATEWAY_TIMEOUT_BEFORE,
            HttpFaultKind.HANG_BEFORE,
        }


class Faults:
    """The switchboard of one exchange; `injected` counts what took effect, by name."""

    def __init__(self, outages: Sequence[Outage] = ()) -> None:
        """Make the switchboard; during `outages` every request is answered 500, and none acted on.

        They are the market's own, so `clear` leaves them.
        """
        self.injected: Counter[str] = Counter()
        self.late_fills_after_cancel = 0
        """So many of the next cancels are answered with 204 and fill nevertheless."""
        self.multileg_closes_refused = 0
        """So many of the next multi-leg closing orders are refused."""
        self.multileg_replaces_refused = 0
        """So many of the next replacements of multi-leg orders are refused."""
        self.multileg_submits_refused = 0
        """So many of the next multi-leg orders are refused."""
        self.multileg_cancels_refused = 0
        """So many of the next cancels of multi-leg orders are refused."""
        self.greeks_missing = False
        """Set it, and snapshots carry neither greeks nor implied volatility."""
        self._hidden: frozenset[str] = frozenset()
        self._http: list[HttpFault] = []
        self._outages = tuple(outages)

    def on_http(
        self,
        kind: HttpFaultKind | str,
        *,
        method: str | None = None,
        path_prefix: str = "",
        times: int = 1,
        seconds: float = HANG_SECONDS,
    ) -> None:
        """Let the next `times` requests of this method and path go wrong.

        `seconds` is real time, and matters to hangs only.
        """
        self._http.append(HttpFault(HttpFaultKind(kind), method, path_prefix, times, seconds))

    def hide_quotes(self, *symbols: str) -> None:
        """Let these contracts or stocks show neither bid nor ask until they are shown again."""
        self._hidden |= set(symbols)

    def show_quotes(self) -> None:
        """Show all quotes again."""
        self._hidden = frozenset()

    def clear(self) -> None:
        """Switch everything off; what was injected stays counted."""
        self.show_quotes()
        self._http.clear()
        self.greeks_missing = False
        self.multileg_submits_refused = 0
        self.multileg_cancels_refused = 0
        self.late_fills_after_cancel = 0
        self.multileg_closes_refused = 0
        self.multileg_replaces_refused = 0

    @property
    def hidden(self) -> frozenset[str]:
        """Give the symbols whose quotes are hidden now."""
        return self._hidden

    def is_out_of_reach(self, at: datetime) -> bool:
        """Say whether one of the market's outages lasts at `at`."""
        return any(outage.starts_at <= at < outage.ends_at for outage in self._outages)

    def take_http(self, method: str, path: str, at: datetime) -> HttpFault | None:
        """Give the fault that this request meets at `at`, and count it as used."""
        if self.is_out_of_reach(at):
            self.injected["outage"] += 1
            return HttpFault(HttpFaultKind.SERVER_ERROR, method, path, times=1, seconds=0)
        for fault in self._http:
            if fault.method in {None, method} and path.startswith(fault.path_prefix):
                fault.times -= 1
                if fault.times <= 0:
                    self._http.remove(fault)
                self.injected[fault.kind.value] += 1
                return fault
        return None

    def take_late_fill(self) -> bool:
        """Say whether this cancel is to fill nevertheless, and count it as used."""
        taken = self.late_fills_after_cancel > 0
        if taken:
            self.late_fills_after_cancel -= 1
            self.injected["late_fill_after_cancel"] += 1
        return taken

    def take_close_refusal(self) -> bool:
        """Say whether this multi-leg close, or roll, is to be refused, and count it as used."""
        taken = self.multileg_closes_refused > 0
        if taken:
            self.multileg_closes_refused -= 1
            self.injected["multileg_close_refused"] += 1
        return taken

    def take_replace_refusal(self) -> bool:
        """Say whether this replacement is to be refused, and count it as used."""
        taken = self.multileg_replaces_refused > 0
        if taken:
            self.multileg_replaces_refused -= 1
            self.injected["multileg_replace_refused"] += 1
        return taken

    def take_submit_refusal(self) -> bool:
        """Say whether this multi-leg order is to be refused, and count it as used."""
        taken = self.multileg_submits_refused > 0
        if taken:
            self.multileg_submits_refused -= 1
            self.injected["multileg_submit_refused"] += 1
        return taken

    def take_cancel_refusal(self) -> bool:
        """Say whether this cancel of a multi-leg order is to be refused, and count it as used."""
        taken = self.multileg_cancels_refused > 0
        if taken:
            self.multileg_cancels_refused -= 1
            self.injected["multileg_cancel_refused"] += 1
        return taken
