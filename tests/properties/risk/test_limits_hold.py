"""Whatever the account and the trade, no acceptance exceeds a limit."""

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agent.book.changes import LedgerEntry, LedgerField, LedgerMove
from agent.config.settings import FeeSettings, RiskSettings
from agent.risk.checks import Check, RiskContext, check_entry, is_approved
from agent.risk.limits import AccountLimits, account_limits
from agent.risk.reservation import adjust_moves, release_moves, reserve_moves
from agent.risk.sizing import (
    ContractExposure,
    defined_risk_exposure,
    kelly_fraction,
    kelly_risk_cents,
    scaled_risk,
    size_entry,
    smallest_account,
    trade_risk,
    wilson_lower_bound,
)
from tests.builders import SESSION, a_put_spread

dollars = st.decimals(min_value=0, max_value=2_000_000, places=2)
fractions = st.decimals(min_value="0.001", max_value=1, places=3)
losses = st.decimals(min_value="0.0001", max_value=30_000, places=4)
exposures = st.builds(ContractExposure, sizing_loss=losses, capital=losses)
settings = st.builds(
    RiskSettings,
    trade_risk_fraction=fractions,
    trade_capital_max_fraction=fractions,
    symbol_capital_max_fraction=fractions,
    heat_max_fraction=fractions,
)
cents = st.integers(min_value=0, max_value=100_000_000)


def applied(moves: tuple[LedgerMove, ...], ledger: Counter[tuple[str, LedgerField]]) -> bool:
    """Apply moves as the store does: all, unless an increase would pass its bound."""
    for move in moves:
        for field, delta in move.deltas.items():
            bound = move.bounds.get(field)
            if delta > 0 and bound is not None and ledger[move.key, field] + delta > bound:
                return False
    for move in moves:
        for field, delta in move.deltas.items():
            ledger[move.key, field] += delta
    return True


@given(equity=dollars, exposure=exposures, risk=settings, held=cents)
def test_no_size_exceeds_a_limit(
    equity: Decimal, exposure: ContractExposure, risk: RiskSettings, held: int
) -> None:
    limits = account_limits(equity, risk)
    sizing = size_entry(
        exposure, limits, symbol_capital_cents=held, contracts_max=risk.contracts_max
    )
    reserved = trade_risk(exposure, sizing.contracts)
    assert reserved.heat_cents <= equity * risk.trade_risk_fraction * 100
    assert reserved.capital_cents <= equity * risk.trade_capital_max_fraction * 100
    assert sizing.contracts <= risk.contracts_max
    if sizing.contracts:
        assert held + reserved.capital_cents <= limits.symbol_capital_cents


@given(equity=dollars, exposure=exposures, heat=cents, capital=cents, entries=st.integers(0, 20))
def test_what_the_checks_approve_the_ledger_accepts_within_every_limit(
    equity: Decimal, exposure: ContractExposure, heat: int, capital: int, entries: int
) -> None:
    risk = RiskSettings()
    limits = account_limits(equity, risk)
    sizing = size_entry(
        exposure, limits, symbol_capital_cents=capital, contracts_max=risk.contracts_max
    )
    proposed = trade_risk(exposure, max(sizing.contracts, 1))
    context = RiskContext(
        equity=equity,
        last_equity=equity,
        session=SESSION,
        symbol="AAPL",
        portfolio_entry=LedgerEntry("portfolio", heat_cents=heat),
        day_entry=LedgerEntry("day", entries=entries),
        symbol_entry=LedgerEntry("symbol", capital_cents=capital, positions=1),
        settings=risk,
    )
    ledger = Counter(
        {
            ("portfolio", LedgerField.HEAT_CENTS): heat,
            ("day#2026-06-09", LedgerField.ENTRIES): entries,
            ("symbol#AAPL", LedgerField.CAPITAL_CENTS): capital,
            ("symbol#AAPL", LedgerField.POSITIONS): 1,
        }
    )
    findings = check_entry(context, proposed)
    moves = reserve_moves(proposed, symbol="AAPL", session=SESSION, limits=limits, reservations=0)
    accepted = applied(moves, ledger)
    by_ledger = {
        Check.PORTFOLIO_HEAT,
        Check.TRADES_PER_DAY,
        Check.SYMBOL_CAPITAL,
        Check.SYMBOL_POSITIONS,
    }
    assert accepted == all(found.passed for found in findings if found.check in by_ledger)
    if is_approved(findings):
        assert accepted
        assert ledger["portfolio", LedgerField.HEAT_CENTS] <= limits.heat_cents
        assert ledger["symbol#AAPL", LedgerField.CAPITAL_CENTS] <= limits.symbol_capital_cents


@given(
    exposure=exposures,
    contracts=st.integers(1, 50),
    filled=st.integers(0, 50),
    better=st.decimals(min_value=0, max_value=1, places=2),
)
def test_reserving_adjusting_and_releasing_sum_to_nothing_but_the_count_of_a_filled_entry(
    exposure: ContractExposure, contracts: int, filled: int, better: Decimal
) -> None:
    filled = min(filled, contracts)
    limits = AccountLimits(0, 0, 10**12, 10, 10**12, 10)
    ledger: Counter[tuple[str, LedgerField]] = Counter()
    reserved = trade_risk(exposure, contracts)
    assert applied(
        reserve_moves(reserved, symbol="AAPL", session=SESSION, limits=limits, reservations=0),
        ledger,
    )
    if filled:
        cheaper = ContractExposure(exposure.sizing_loss * better, exposure.capital * better)
        held = trade_risk(cheaper, filled)
        applied(adjust_moves(reserved, held, symbol="AAPL"), ledger)
        half = scaled_risk(held, filled // 2)
        applied(adjust_moves(held, half, symbol="AAPL"), ledger)
        applied(release_moves(half, symbol="AAPL"), ledger)
    else:
        applied(release_moves(reserved, symbol="AAPL", unfilled_session=SESSION), ledger)
    del ledger["portfolio", LedgerField.RESERVATIONS]  # counts all that ever were
    left = {key: value for key, value in ledger.items() if value}
    assert left == ({("day#2026-06-09", LedgerField.ENTRIES): 1} if filled else {})


@given(credit=st.decimals("0.01", "4.99", places=2), more=st.decimals("0.01", "1.00", places=2))
def test_a_larger_credit_never_risks_more(credit: Decimal, more: Decimal) -> None:
    spread, fees = a_put_spread(), FeeSettings()
    less_paid = defined_risk_exposure(spread, credit, fees)
    better_paid = defined_risk_exposure(spread, credit + more, fees)
    assert better_paid.sizing_loss <= less_paid.sizing_loss
    assert better_paid.capital <= less_paid.capital


@given(equity=dollars, more=dollars, exposure=exposures)
def test_a_larger_account_never_trades_less(
    equity: Decimal, more: Decimal, exposure: ContractExposure
) -> None:
    def contracts(of_equity: Decimal) -> int:
        limits = account_limits(of_equity, RiskSettings())
        return size_entry(exposure, limits, symbol_capital_cents=0, contracts_max=50).contracts

    assert contracts(equity) <= contracts(equity + more)


@given(exposure=exposures, risk=settings)
def test_the_smallest_account_is_the_smallest(
    exposure: ContractExposure, risk: RiskSettings
) -> None:
    least = smallest_account(exposure, risk)
    assert least is not None

    def trades(equity: Decimal) -> bool:
        limits = account_limits(equity, risk)
        size = size_entry(exposure, limits, symbol_capital_cents=0, contracts_max=1)
        return size.contracts == 1 and trade_risk(exposure, 1).heat_cents <= limits.heat_cents

    assert trades(least)
    assert not trades(least - Decimal("0.01"))


@given(
    pnls=st.lists(
        st.decimals(min_value=-1_000, max_value=1_000, places=2), min_size=100, max_size=120
    ),
    exposure=exposures,
)
def test_kelly_only_shrinks(pnls: list[Decimal], exposure: ContractExposure) -> None:
    risk, equity = RiskSettings(), Decimal(250_000)
    fraction = kelly_fraction(pnls, risk)
    assert fraction is not None
    assert 0 <= fraction <= risk.kelly_fraction
    limits = account_limits(equity, risk)
    sizes = [
        size_entry(
            exposure,
            limits,
            symbol_capital_cents=0,
            contracts_max=50,
            kelly_risk_cents=budget,
        ).contracts
        for budget in (kelly_risk_cents(fraction, equity), None)
    ]
    assert sizes[0] <= sizes[1]


@given(trials=st.integers(1, 2_000), data=st.data())
def test_the_lower_bound_is_below_the_share_and_never_negative(
    trials: int, data: st.DataObject
) -> None:
    successes = data.draw(st.integers(0, trials))
    bound = wilson_lower_bound(successes, trials, Decimal("1.645"))
    assert 0 <= bound <= Decimal(successes) / trials
