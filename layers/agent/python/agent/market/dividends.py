"""Cash dividends, as they are known before they are paid."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ExDividend:
    """Tell of cash for each share held before `ex_date`; `amount` in dollars."""

    ex_date: date
    amount: Decimal
