"""Volatilities and greeks against those a vendor published.

SPX (European, January 2011) comes with the vendor's forward, so only the rate is ours: a line
through the dollar rates of those days (0.25 % now, 0.3 % more for each year). What is left of the
difference is the vendor's time to expiration, shorter by a fraction of a day. AAPL (American,
August 2014, over an ex-dividend date) has no forward: ours comes from put-call parity, and the
early exercise that our European formula ignores sits in its puts.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from agent.market.forward import StrikePairs, forward_from_carry, forward_from_parity
from agent.options.black_scholes import BoolArray, FloatArray, spot_greeks
from agent.options.implied_volatility import implied_volatility

pytestmark = pytest.mark.shared_data

Row = dict[str, str]


@dataclass(frozen=True, eq=False)
class VendorTable:
    """Hold the rows whose volatility the vendor implied from a quote, not from neighbours."""

    rows: list[Row]

    def column(self, name: str) -> FloatArray:
        return np.array([float(row[name]) for row in self.rows], dtype=np.float64)

    @property
    def is_call(self) -> BoolArray:
        return np.array([row["call/put"] == "C" for row in self.rows], dtype=np.bool_)

    @property
    def mid(self) -> FloatArray:
        mid: FloatArray = 0.5 * (self.column("bid") + self.column("ask"))
        return mid

    @property
    def time_years(self) -> FloatArray:
        return np.array([_days(row) / 365.0 for row in self.rows], dtype=np.float64)


def _days(row: Row) -> int:
    start, end = (
        datetime.strptime(row[name], "%m/%d/%Y").replace(tzinfo=UTC)
        for name in ("date", "option_expiration")
    )
    return (end - start).days


def _rows(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["isinterpolated"] != "*" and float(row["bid"]) > 0 and _days(row) >= 7:
                yield row


@pytest.fixture(scope="module")
def spx(shared_data_directory: Path) -> VendorTable:
    path = shared_data_directory / "vendor_greeks" / "spx_sample_ivolatility.csv.gz"
    return VendorTable(list(_rows(path)))


@pytest.fixture(scope="module")
def aapl(shared_data_directory: Path) -> VendorTable:
    path = shared_data_directory / "vendor_greeks" / "aapl_sample_ivolatility.csv.gz"
    return VendorTable(list(_rows(path)))


def spx_rates(table: VendorTable) -> FloatArray:
    rates: FloatArray = 0.0025 + 0.003 * table.time_years
    return rates


def aapl_forwards(table: VendorTable, rate: float) -> FloatArray:
    forwards: list[float] = []
    for _, group in groupby(table.rows, key=lambda row: (row["date"], row["option_expiration"])):
        rows = list(group)
        sides: dict[float, dict[str, Row]] = {}
        for row in rows:
            sides.setdefault(float(row["strike"]), {})[row["call/put"]] = row
        pairs = [(strike, side) for strike, side in sorted(sides.items()) if len(side) == 2]
        spot, time_years = float(rows[0]["stock_price_for_iv"]), _days(rows[0]) / 365.0
        implied = forward_from_parity(
            StrikePairs(
                np.array([strike for strike, _ in pairs]),
                *(
                    np.array([float(side[letter][name]) for _, side in pairs])
                    for letter in "CP"
                    for name in ("bid", "ask")
                ),
            ),
            spot=spot,
            discount_factor=float(np.exp(-rate * time_years)),
        )
        carried = forward_from_carry(spot=spot, rate=rate, time_years=time_years)
        forwards.extend([carried if implied is None else implied] * len(rows))
    return np.array(forwards, dtype=np.float64)


def test_spx_volatilities_agree_within_a_tenth_of_a_point_out_of_the_money(
    spx: VendorTable,
) -> None:
    forward, strike = spx.column("forward_price"), spx.column("strike")
    found = implied_volatility(
        price=spx.mid,
        is_call=spx.is_call,
        forward=forward,
        strike=strike,
        time_years=spx.time_years,
        discount_factor=np.exp(-spx_rates(spx) * spx.time_years),
    )
    chosen = (spx.is_call == (strike > forward)) & (spx.column("vega") > 0.5)
    points = (found - spx.column("iv"))[chosen] * 100.0
    assert len(points) > 1500
    assert not np.isnan(points).any()
    assert np.median(np.abs(points)) < 0.05
    assert np.percentile(np.abs(points), 90) < 0.10


def test_spx_greeks_agree_at_the_vendors_volatility(spx: VendorTable) -> None:
    spot, time_years, rate = spx.column("stock_price_for_iv"), spx.time_years, spx_rates(spx)
    greeks = spot_greeks(
        is_call=spx.is_call,
        spot=spot,
        strike=spx.column("strike"),
        time_years=time_years,
        volatility=spx.column("iv"),
        rate=rate,
        dividend_yield=rate - np.log(spx.column("forward_price") / spot) / time_years,
    )
    # The vendor writes a theta of zero deep in the money; there is no ratio to that.
    chosen = (spx.column("vega") > 0.5) & (spx.column("theta") != 0.0)
    for name, ours, tolerance in [
        ("delta", greeks.delta, 0.01),
        ("gamma", greeks.gamma, 0.01),
        ("vega", greeks.vega / 100.0, 0.01),
        ("rho", greeks.rho / 100.0, 0.02),
        ("theta", greeks.theta / 365.0, 0.05),
    ]:
        ratio = ours[chosen] / spx.column(name)[chosen]
        assert np.median(ratio) == pytest.approx(1.0, abs=0.005), name
        assert np.percentile(np.abs(ratio - 1.0), 85) < tolerance, name


def test_aapl_agrees_more_loosely_because_its_options_are_american(aapl: VendorTable) -> None:
    rate = 0.002
    forward, strike, time_years = aapl_forwards(aapl, rate), aapl.column("strike"), aapl.time_years
    found = implied_volatility(
        price=aapl.mid,
        is_call=aapl.is_call,
        forward=forward,
        strike=strike,
        time_years=time_years,
        discount_factor=np.exp(-rate * time_years),
    )
    chosen = np.abs(np.log(strike / forward)) < 0.1
    points = (found - aapl.column("iv"))[chosen] * 100.0
    assert len(points) > 700
    assert np.nanmedian(np.abs(points)) < 0.3
    spot = aapl.column("stock_price_for_iv")
    greeks = spot_greeks(
        is_call=aapl.is_call,
        spot=spot,
        strike=strike,
        time_years=time_years,
        volatility=found,
        rate=rate,
        dividend_yield=rate - np.log(forward / spot) / time_years,
    )
    delta = np.abs(greeks.delta - aapl.column("delta"))[chosen]
    assert np.nanmedian(delta) < 0.003
    assert np.nanpercentile(delta, 95) < 0.03
