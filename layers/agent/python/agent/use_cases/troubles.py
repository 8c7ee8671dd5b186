"""What failed in a pass that has to go on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from agent.book.records import Alert, AlertKind
from agent.market.calendar import new_york_date


class PassIncomplete(Exception):
    """Raised after a pass that failed for some intents or trades; all others were served."""


@dataclass
class Troubles:
    """Keep what failed, so that one broken intent or trade cannot keep others from their stops."""

    found: list[tuple[str, Exception]] = field(default_factory=list)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again once all others are served
            self.found.append((name, error))

    def alerts(self, at: datetime) -> tuple[Alert, ...]:
        """Tell of each name once a day, with all that failed for it in this pass."""
        by_name: dict[str, list[str]] = {}
        for name, error in self.found:
            by_name.setdefault(name, []).append(f"{type(error).__name__}: {error}")
        return tuple(
            Alert(
                alert_id=f"{name}-failed-{new_york_date(at):%Y%m%d}",
                kind=AlertKind.SYSTEM_ERROR,
                at=at,
                subject=f"A monitor pass failed for {name}",
                message=f"{name}: {'; '.join(errors)}",
            )
            for name, errors in by_name.items()
        )

    def raise_any(self) -> None:
        if self.found:
            names = "; ".join(f"{name}: {type(e).__name__}: {e}" for name, e in self.found)
            raise PassIncomplete(names) from self.found[0][1]
