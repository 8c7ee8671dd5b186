"""When the holders of options exercise early: the exchange's rule of assignment, from a world."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from agent.options.contracts import OptionContract
from simulator.worlds.events import CorporateEvents

NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class RationalHolders:
    """Holders who exercise when the world says that holding on is worth no more."""

    events: CorporateEvents

    def contracts_assigned(
        self,
        contract: OptionContract,
        short_contracts: int,
        spot: Decimal,  # noqa: ARG002 - the world knows its own prices
        at: datetime,
    ) -> int:
        """Count the short contracts assigned after the close of the New York day of `at`."""
        session = at.astimezone(NEW_YORK).date()
        return short_contracts if self.events.exercised_early(contract, session) else 0
