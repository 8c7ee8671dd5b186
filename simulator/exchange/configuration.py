"""The account's configuration, as GET and PATCH /v2/account/configurations show it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from simulator.exchange.errors import malformed, unprocessable

LEVELS = (0, 1, 2, 3)
EMAILS = ("all", "none")


@dataclass(frozen=True, slots=True)
class AccountConfiguration:
    """What the owner may switch; this exchange obeys the options level and suspend_trade."""

    max_options_trading_level: int
    suspend_trade: bool = False
    no_shorting: bool = True
    fractional_trading: bool = False
    max_margin_multiplier: str = "1"
    trade_confirm_email: str = "none"
    ptp_no_exception_entry: bool = False
    disable_overnight_trading: bool = True

    def as_json(self) -> dict[str, Any]:
        """Spell the configuration."""
        return asdict(self)

    def changed(self, body: Any) -> "AccountConfiguration":
        """Give the configuration after a PATCH; raises RefusalError where it cannot be."""
        if not isinstance(body, Mapping):
            raise malformed("request body format is invalid")
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        # The SDK sends what it does not set as null.
        changes = {
            name: value for name, value in body.items() if name in known and value is not None
        }
        for name, value in changes.items():
            if type(value) is not type(known[name]):
                raise unprocessable(f"invalid {name}: {value!r}")
        changed = replace(self, **changes)
        if changed.max_options_trading_level not in LEVELS:
            raise unprocessable("max_options_trading_level must be between 0 and 3")
        if changed.trade_confirm_email not in EMAILS:
            raise unprocessable("trade_confirm_email must be all or none")
        return changed
