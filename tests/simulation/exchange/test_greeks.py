"""Greeks and implied volatilities of snapshots, as clients that filter on them read them."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from alpaca.data.requests import OptionChainRequest, OptionSnapshotRequest

from simulator.exchange import Exchange
from simulator.exchange.calls import Call
from simulator.exchange.greeks import RISK_FREE_RATE, Terms, implied_volatilities
from simulator.exchange.option_endpoints import get_chain, get_snapshots
from simulator.worlds.synthetic import SyntheticWorld
from tests.simulation.exchange.alpaca_clients import Clients
from tests.simulation.exchange.builders import (
    CALL_110,
    PUT_95,
    PUT_100,
    at_close,
    exchange_at_noon,
    usual_world,
)
from tests.simulation.exchange.small_world import FRIDAY, contract_symbol

DECEMBER = FRIDAY + timedelta(days=182)
LONG_CALL = contract_symbol("C", 105, DECEMBER)
LONG_PUT = contract_symbol("P", 105, DECEMBER)


def snapshots(exchange: Exchange, *symbols: str) -> dict[str, Any]:
    answer = get_snapshots(exchange, Call(query={"symbols": ",".join(symbols)}))
    found: dict[str, Any] = answer.body["snapshots"]
    return found


def terms(strikes: list[float], years: float, *, is_call: bool, spot: float = 105.0) -> Terms:
    shape = len(strikes)
    discount = np.full(shape, np.exp(-RISK_FREE_RATE * years))
    return Terms(
        is_call=np.full(shape, is_call),
        forward=spot / discount,
        strike=np.array(strikes),
        years=np.full(shape, years),
        discount=discount,
    )


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("years", [1 / 365, 0.1, 2.0])
@pytest.mark.parametrize("volatility", [0.08, 0.35, 1.5])
def test_a_price_gives_back_the_volatility_it_was_made_of(
    is_call: bool, years: float, volatility: float
) -> None:
    priced = terms([80.0, 100.0, 105.0, 112.0, 140.0], years, is_call=is_call)
    spread = np.full(5, volatility)
    prices = priced.value(spread)
    # Prices under a tenth of a cent say nothing of the volatility, nor do those without time value.
    intrinsic = np.maximum(
        priced.discount * np.where(is_call, 1, -1) * (priced.forward - priced.strike), 0
    )
    telling = prices - intrinsic > 1e-3
    found = implied_volatilities(priced, prices)
    assert telling.any()
    assert found[telling] == pytest.approx(spread[telling], rel=0.02)


def test_a_price_that_no_volatility_explains_has_none() -> None:
    priced = terms([80.0, 105.0, 105.0], 0.1, is_call=True)
    assert np.isnan(implied_volatilities(priced, np.array([24.0, 0.0, 106.0]))).all()


def test_greeks_are_the_slopes_of_the_price() -> None:
    exchange = exchange_at_noon(
        usual_world().with_option(LONG_CALL, "9.00", "9.20").with_option(LONG_PUT, "7.00", "7.20")
    )
    found = snapshots(exchange, LONG_CALL, LONG_PUT)
    years = (at_close(4) + timedelta(days=182) - exchange.now).total_seconds() / 86_400 / 365
    # New York's clock is an hour further from UTC in December.
    years += 1 / 24 / 365
    for symbol, is_call in ((LONG_CALL, True), (LONG_PUT, False)):
        greeks = found[symbol]["greeks"]
        volatility = np.array([found[symbol]["impliedVolatility"]])

        def price(spot: float, sigma: Any, life: float, is_call: bool = is_call) -> float:
            return float(terms([105.0], life, is_call=is_call, spot=spot).value(sigma)[0])

        up, down = (price(105 + step, volatility, years) for step in (0.01, -0.01))
        middle = price(105, volatility, years)
        assert middle == pytest.approx(9.10 if is_call else 7.10, abs=1e-3)
        assert greeks["delta"] == pytest.approx((up - down) / 0.02, abs=1e-4)
        assert greeks["gamma"] == pytest.approx((up - 2 * middle + down) / 1e-4, abs=1e-3)
        later = price(105, volatility, years - 1 / 365)
        assert greeks["theta"] == pytest.approx(later - middle, rel=0.01)
        dearer = price(105, volatility + 0.01, years)
        assert greeks["vega"] == pytest.approx(dearer - middle, rel=0.01)
        assert np.sign(greeks["rho"]) == (1 if is_call else -1)


@pytest.mark.parametrize(
    ("bid", "ask"), [(None, "1.60"), ("1.40", None), ("1.60", "1.40"), (None, None)]
)
def test_without_a_two_sided_quote_greeks_are_unknown(bid: str | None, ask: str | None) -> None:
    world = usual_world().with_option(contract_symbol("P", 99), bid, ask)
    found = snapshots(exchange_at_noon(world), contract_symbol("P", 99), PUT_100)
    assert "greeks" not in found[contract_symbol("P", 99)]
    assert "impliedVolatility" not in found[contract_symbol("P", 99)]
    assert set(found[PUT_100]["greeks"]) == {"delta", "gamma", "theta", "vega", "rho"}


def test_on_the_day_of_expiration_greeks_are_unknown() -> None:
    exchange = exchange_at_noon(starts_at=at_close(4) - timedelta(hours=3))
    assert "greeks" not in snapshots(exchange, PUT_100)[PUT_100]


def test_greeks_go_missing_where_the_fault_says_so() -> None:
    exchange = exchange_at_noon()
    exchange.faults.greeks_missing = True
    assert "greeks" not in snapshots(exchange, PUT_100)[PUT_100]
    exchange.faults.clear()
    assert "greeks" in snapshots(exchange, PUT_100)[PUT_100]


def test_an_exchange_shows_greeks_only_where_asked_to() -> None:
    assert "greeks" not in snapshots(exchange_at_noon(shows_greeks=False), PUT_100)[PUT_100]


def test_typed_clients_read_them(clients: Clients) -> None:
    chain = clients.options.get_option_chain(OptionChainRequest(underlying_symbol="ACME"))
    assert chain[PUT_100].greeks.delta < 0 < chain[CALL_110].greeks.delta
    assert chain[PUT_95].implied_volatility > 0
    one = clients.options.get_option_snapshot(OptionSnapshotRequest(symbol_or_symbols=PUT_100))
    assert one[PUT_100].greeks == chain[PUT_100].greeks


def test_a_made_up_chain_has_greeks_in_order_of_its_strikes() -> None:
    exchange = Exchange(SyntheticWorld(1, session_count=2), shows_greeks=True)
    exchange.clock.advance(3600)
    query = {"limit": "1000", "type": "put", "expiration_date_gte": "2026-02-01"}
    rows = get_chain(exchange, Call(path={"underlying_symbol": "ALFA"}, query=query))
    known = {
        symbol: row["greeks"]["delta"]
        for symbol, row in rows.body["snapshots"].items()
        if "greeks" in row
    }
    assert len(known) > 50
    by_expiration: dict[str, list[float]] = {}
    for symbol, delta in sorted(known.items()):
        by_expiration.setdefault(symbol[:10], []).append(delta)
    for deltas in by_expiration.values():
        assert all(a >= b - 0.02 for a, b in pairwise(deltas))
        assert min(deltas) < Decimal("-0.15") < max(deltas)
