"""What a synthetic underlying's options are worth at a moment, given all the market expects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from simulator.worlds.calendar import Expiration
from simulator.worlds.events import CashDividend
from simulator.worlds.listings import ContractTable, IntArray
from simulator.worlds.paths import PricePath
from simulator.worlds.pricing import european_value
from simulator.worlds.randomness import FloatArray
from simulator.worlds.schedules import EARNINGS_MOVE_FRACTION

RISK_PREMIUM_FRACTION = 0.09
"""By how much implied volatility exceeds what the price process is expected to realise."""
SECONDS_PER_YEAR = 365.0 * 86_400.0
THIRTY_DAYS_YEARS = 30.0 / 365.0
WEEK_SECONDS = 7 * 86_400.0
SHORTEST_LIFE_YEARS = 60.0 / SECONDS_PER_YEAR


@dataclass(frozen=True, slots=True)
class OptionValues:
    """Dollars a share, one number a contract."""

    european: FloatArray
    intrinsic: FloatArray

    @property
    def american(self) -> FloatArray:
        """Never below what exercising at once pays, the least an American option is worth.

        What else early exercise may be worth is neglected.
        """
        return np.maximum(self.european, self.intrinsic)


@dataclass(frozen=True, slots=True)
class OptionValuation:
    """Values the options of one underlying.

    Expected variance comes from the price process, reports ahead add theirs, and the whole is
    raised by the risk premium. Forwards know the dividends ahead; special ones once declared.
    """

    path: PricePath
    risk_free_rate: float

    def at_the_money(
        self, log_variance: float, at: datetime, years: FloatArray, *, reports: bool = True
    ) -> FloatArray:
        """Give the at-the-money implied volatility of each horizon, seen from `at`.

        Without `reports` it is what it would be if none lay ahead.
        """
        variance = self.path.dynamics.expected_variance(log_variance, years)
        total = (variance + self.path.jump_variance) * years
        move = EARNINGS_MOVE_FRACTION * self.path.profile.annual_volatility
        for report in self.path.schedule.earnings if reports else ():
            # A report comes out just after its close, when quotes still bear the close's time.
            ahead = (report.session.closes_at - at).total_seconds() / SECONDS_PER_YEAR
            total += np.where((ahead >= 0) & (ahead < years), move**2, 0.0)
        volatility: FloatArray = np.sqrt(total / years) * (1.0 + RISK_PREMIUM_FRACTION)
        return volatility

    def thirty_days(
        self,
        log_variance: float,
        at: datetime,
        expirations: Sequence[Expiration],
        *,
        reports: bool = True,
    ) -> float:
        """Give IV30 as its definition reads it: between the expirations around 30 days.

        Interpolated in total variance, from expirations at least a week ahead.
        """
        lives = [(each.session.closes_at - at).total_seconds() for each in expirations]
        years = np.array([life / SECONDS_PER_YEAR for life in lives if life >= WEEK_SECONDS])
        total = self.at_the_money(log_variance, at, years, reports=reports) ** 2 * years
        return float(np.sqrt(np.interp(THIRTY_DAYS_YEARS, years, total) / THIRTY_DAYS_YEARS))

    def values(
        self, table: ContractTable, rows: IntArray, position: int, minute: int, at: datetime
    ) -> OptionValues:
        """Value some rows of the contracts listed in the session at `position`."""
        minutes = self.path.minutes(position)
        spot = float(minutes.prices[minute])
        today = self.path.sessions[position].session
        ends, which = np.unique(table.closing_seconds[rows], return_inverse=True)
        years = np.maximum((ends - at.timestamp()) / SECONDS_PER_YEAR, SHORTEST_LIFE_YEARS)
        level = self.at_the_money(float(minutes.log_variances[minute]), at, years)
        discount = np.exp(-self.risk_free_rate * years)
        days = np.zeros(len(ends), dtype=np.int64)
        days[which] = table.expiration_days[rows]
        forward = (spot - self._dividends_ahead(today, days)) / discount
        strikes, is_call = table.strikes[rows], table.is_call[rows]
        european = european_value(
            is_call=is_call,
            forward=forward[which],
            strike=strikes,
            years=years[which],
            discount=discount[which],
            volatility=self.path.profile.smile.volatility(
                level[which], np.log(strikes / forward[which]), years[which]
            ),
        )
        payoff = np.where(is_call, spot - strikes, strikes - spot)
        return OptionValues(european, np.maximum(payoff, 0.0))

    def _dividends_ahead(self, today: date, expiration_days: IntArray) -> FloatArray:
        """Give the present value of what goes ex after `today` and by each expiration."""
        present = np.zeros(len(expiration_days))
        for dividend in self.path.schedule.dividends:
            if dividend.ex_date > today and _foreseen(dividend, today):
                ahead = (dividend.ex_date - today).days / 365.0
                worth = float(dividend.rate) * np.exp(-self.risk_free_rate * ahead)
                present += np.where(expiration_days >= dividend.ex_date.toordinal(), worth, 0.0)
        return present


def _foreseen(dividend: CashDividend, today: date) -> bool:
    """Say whether the market counts on a dividend: on usual ones always."""
    return not dividend.special or dividend.declared_on is None or dividend.declared_on <= today
