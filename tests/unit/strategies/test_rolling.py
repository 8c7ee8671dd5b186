"""Where a trade rolls to, and what speaks against it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.book.records import Campaign, Trade
from agent.book.rolling import RollPlan
from agent.config.section import RollPolicy
from agent.config.settings import ExitSettings, RiskSettings, Settings
from agent.config.strategy_settings import BullPutSpreadSettings, CashSecuredPutSettings
from agent.market.quotes import StructureQuote, quote_structure
from agent.options.structures import Structure
from agent.risk.limits import account_limits
from agent.strategies.bull_put_spread import BullPutSpread
from agent.strategies.cash_secured_put import CashSecuredPut
from agent.strategies.exits import RollSignal
from agent.strategies.rolling import RollRefusal, RollSearch, choose_roll, may_seek
from tests.builders import AS_OF, EXPIRATION, SESSION, a_put_spread, a_risk, a_trade, an_execution
from tests.unit.strategies.market import a_quote, a_view
from tests.unit.strategies.moments import a_mark, a_moment
from tests.unit.strategies.test_exits import EXITS, THROUGH

SPREAD = BullPutSpread(BullPutSpreadSettings())
ENDING = SESSION + timedelta(days=3)
THREAT = RollSignal(breached=False, sentence="AAPL threatens 195.")


def held_structure() -> Structure:
    """Hold the 195/190 put spread that ends in three days, with the stock at 200."""
    return a_put_spread(short_strike="195", long_strike="190", expiration=ENDING)


def a_held_trade(**changes: Any) -> Trade:
    given: dict[str, Any] = {
        "structure": held_structure(),
        "risk": a_risk(sizing_loss_per_contract=Decimal(390)),
    }
    return a_trade(**(given | changes))


def held_quote(**legs: Any) -> StructureQuote:
    quotes = {leg.contract.symbol: a_quote(leg.contract, **legs) for leg in held_structure().legs}
    found = quote_structure(held_structure(), quotes)
    assert found is not None
    return found


def search(**changes: Any) -> RollSearch:
    return replace(
        RollSearch(
            trade=a_held_trade(),
            quote=held_quote(),
            signal=THREAT,
            rules=SPREAD.exit_rules_for("AAPL"),
            taken=frozenset(),
            limits=account_limits(Decimal(100_000), RiskSettings()),
        ),
        **changes,
    )


def chosen(of: RollSearch | None = None) -> RollPlan | str:
    view = a_view()
    return choose_roll(of or search(), SPREAD.generate_signals(view).signals, view)


def plan(of: RollSearch | None = None) -> RollPlan:
    found = chosen(of)
    assert isinstance(found, RollPlan), found
    return found


def test_a_trade_rolls_to_the_best_that_its_strategy_would_enter() -> None:
    signals = SPREAD.generate_signals(a_view()).signals
    found = plan()
    assert found.signal in signals
    assert found.signal.structure.expiration > ENDING
    better = signals[: signals.index(found.signal)]
    for signal in better:
        assert isinstance(choose_roll(search(), [signal], a_view()), str)


def test_the_net_credit_pays_for_the_fees() -> None:
    found = plan()
    assert found.net_credit_min == Decimal("0.01")
    held = held_quote().debit_mid
    assert held is not None
    assert found.signal.credit_mid - held > found.net_credit_min


def test_the_reopened_part_is_sized_as_the_trade_is() -> None:
    found = plan()
    assert found.risk.contracts_reserved == 2
    width = found.signal.structure.width
    assert width is not None
    assert found.risk.sizing_loss_per_contract < (width - Decimal("1.20")) * 100 + 5


def test_the_plan_says_where_it_goes_and_what_it_risks() -> None:
    assert plan().sentence.startswith("AAPL threatens 195. It rolls to ")
    assert "USD a contract" in plan().sentence


def refused(**changes: Any) -> str:
    found = chosen(search(**changes))
    assert isinstance(found, str), found
    return found


def test_nothing_rolls_to_an_expiration_that_is_no_further() -> None:
    far = a_held_trade(structure=a_put_spread("AAPL", "195", "190", SESSION + timedelta(days=45)))
    assert RollRefusal.NO_FURTHER_EXPIRATION in refused(trade=far)


def test_nothing_rolls_into_a_contract_of_another_trade() -> None:
    symbols = {
        symbol
        for signal in SPREAD.generate_signals(a_view()).signals
        for symbol in signal.structure.symbols
    }
    assert RollRefusal.CONTRACT_TAKEN in refused(taken=symbols)


def test_a_net_debit_is_no_roll() -> None:
    dear = held_quote(spot=185.0)
    assert RollRefusal.NO_NET_CREDIT in refused(quote=dear)


def test_a_campaign_does_not_outgrow_the_budget_of_its_entry() -> None:
    small = a_held_trade(campaign=Campaign(budget_per_contract=Decimal(50)))
    assert RollRefusal.BUDGET_EXCEEDED in refused(trade=small)


def test_no_single_trade_outgrows_its_limits() -> None:
    poor = account_limits(Decimal(1_000), RiskSettings())
    assert RollRefusal.LIMIT_EXCEEDED in refused(limits=poor)


def test_a_credit_that_nobody_knows_rolls_nowhere() -> None:
    unknown = a_held_trade(execution=an_execution(credit=None))
    assert RollRefusal.QUOTE_MISSING in refused(trade=unknown)


def test_what_has_no_two_sided_quote_is_not_rolled() -> None:
    assert "no two-sided quote" in refused(quote=held_quote(bid=None))


def test_where_the_strategy_would_enter_nothing_there_is_nothing_to_roll_to() -> None:
    assert choose_roll(search(), [], a_view()) == "the strategy would enter nothing now"


def test_a_roll_is_not_sought_again_at_once() -> None:
    exits = ExitSettings(roll_search_minutes=15)
    assert may_seek(a_trade(), exits, AS_OF)
    sought = a_trade(campaign=Campaign(sought_at=AS_OF))
    assert not may_seek(sought, exits, AS_OF + timedelta(minutes=14))
    assert may_seek(sought, exits, AS_OF + timedelta(minutes=15))


# Policies


def should_roll(trade: Trade | None = None, **settings: Any) -> RollSignal | None:
    spread = BullPutSpread(BullPutSpreadSettings(**settings))
    return spread.should_roll(trade or a_trade(), a_mark(**THROUGH), a_moment(), EXITS)


@pytest.mark.parametrize(("policy", "rolls"), [("roll", 1), ("close", 0), ("roll_or_close", 1)])
def test_a_policy_says_whether_a_trade_rolls(policy: RollPolicy, rolls: int) -> None:
    assert (should_roll(roll_policy=policy) is not None) is bool(rolls)


def test_a_symbol_may_have_a_policy_of_its_own() -> None:
    assert should_roll(roll_policy_by_symbol={"AAPL": "close"}) is None
    assert should_roll(roll_policy_by_symbol={"MSFT": "close"}) is not None


def test_a_trade_rolls_twice_at_most() -> None:
    assert should_roll(a_trade(campaign=Campaign(rolls=1))) is not None
    assert should_roll(a_trade(campaign=Campaign(rolls=2))) is None


def test_verticals_roll_by_default_and_puts_do_not() -> None:
    settings = Settings()
    assert settings.bull_put_spread.roll_policy == "roll_or_close"
    assert settings.cash_secured_put.roll_policy == settings.iron_condor.roll_policy == "close"


def test_what_may_be_assigned_needs_no_roll() -> None:
    puts = CashSecuredPut(
        CashSecuredPutSettings(
            roll_policy="roll", willing_to_own=("AAPL", "MSFT"), accept_assignment=("MSFT",)
        )
    )
    assert puts.exit_rules_for("AAPL").rolls
    assert not puts.exit_rules_for("MSFT").rolls


def test_the_exit_by_days_waits_for_a_roll_only_where_the_policy_says_so() -> None:
    late = a_moment(EXPIRATION - timedelta(days=6))
    waiting = SPREAD.should_exit(a_trade(), a_mark(late), late, EXITS, awaits_roll=True)
    assert waiting.decision is None
    leaving = SPREAD.should_exit(a_trade(), a_mark(late), late, EXITS)
    assert leaving.decision is not None
