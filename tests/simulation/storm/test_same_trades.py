"""Without faults a day's seed gives the same trades through the whole local cloud.

The storm lets executions run side by side, the local cloud one after another. Where two entries
compete for the last of a limit, who comes first decides; the days here have no such race.
"""

from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest

from agent.adapters.dynamodb.book import DynamoBook
from agent.adapters.dynamodb.reports import DynamoReportDates
from agent.adapters.dynamodb.tables import Tables
from agent.adapters.dynamodb.volatility import DynamoVolatilityHistory
from agent.book.records import Trade
from agent.config.environment import FunctionEnvironment
from agent.config.sources import overrides_of
from simulator.cloud.local_cloud import LocalCloud
from simulator.exchange import serve
from simulator.rehearsal.synthesis import begin_synthesis
from simulator.storm.day import REPORTS_AHEAD, StormDay, exchange_of
from simulator.storm.dice import Dice
from simulator.storm.faults import CALM
from simulator.storm.scenario import Scenario, draw_scenario
from simulator.storm.timetable import delivery_seconds, slots_of

PRICE_APART = Decimal("0.03")
"""How far two fills of one order may lie apart: side by side orders are sent some seconds apart,
one after another they are not, and the market moves meanwhile."""


def prepare_tables(cloud: LocalCloud, scenario: Scenario) -> Tables:
    """Give the cloud the history that the storm's memory begins with."""
    environment = FunctionEnvironment.parse(dict(cloud.environment("scan_market")))
    tables = Tables.named(
        trades=environment.trades_table,
        positions=environment.positions_table,
        agent_state=environment.agent_state_table,
        agent_control=environment.agent_control_table,
    )
    for symbol, samples in scenario.samples.items():
        DynamoVolatilityHistory(tables).record(symbol, samples)
        report = scenario.day.session + REPORTS_AHEAD
        DynamoReportDates(tables).replace_reports(symbol, [report])
    return tables


def trades_through_the_cloud(seed: int, template: Path) -> tuple[Trade, ...]:
    """Play a calm day with the template, moto's machines and tables, the handlers and HTTP."""
    dice = Dice(seed)
    scenario = draw_scenario(seed, CALM, dice)
    exchange = exchange_of(scenario, CALM, dice)
    with serve(exchange) as server:
        secret = {
            "key_id": exchange.key_id,
            "secret_key": exchange.secret_key,
            "endpoint": server.url,
            "answer_seconds": 25,
        }
        with LocalCloud(
            template,
            clock=exchange.clock,
            secrets={"alpaca": secret},
            settings_overrides=overrides_of(scenario.settings),
            seed=seed,
        ) as cloud:
            tables = prepare_tables(cloud, scenario)
            for slot, together in groupby(slots_of(scenario), key=itemgetter(1)):
                functions = sorted(
                    (delivery_seconds(dice, function, slot), function) for function, _ in together
                )
                for seconds, function in functions:
                    arrives_at = slot + timedelta(seconds=seconds)
                    if exchange.now < arrives_at:
                        exchange.clock.advance_to(arrives_at)
                    result = cloud.invoke(function, {"slot": slot.isoformat()})
                    assert result.error_type is None, result.error_message
                cloud.drain()
            return DynamoBook(tables).all_trades()


def what_was_traded(trades: tuple[Trade, ...]) -> dict[str, tuple[object, ...]]:
    return {
        trade.trade_id: (
            trade.structure.symbols,
            trade.execution.contracts,
            trade.execution.contracts_closed,
            trade.status,
            trade.exit_reason,
        )
        for trade in trades
    }


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [4])
def test_a_calm_day_gives_the_same_trades_through_the_local_cloud(
    seed: int, tmp_path: Path
) -> None:
    template = tmp_path / "template.json"
    template.write_text(begin_synthesis().result(), encoding="utf-8")
    day = StormDay(seed, CALM)
    assert day.run().violation is None
    in_memory = day.view.book.all_trades()
    through_cloud = trades_through_the_cloud(seed, template)
    assert what_was_traded(through_cloud) == what_was_traded(in_memory)
    assert any(trade.exit_reason for trade in in_memory)
    for ours, theirs in zip(in_memory, through_cloud, strict=True):
        for one, other in (
            (ours.execution.credit, theirs.execution.credit),
            (ours.execution.exit_debit, theirs.execution.exit_debit),
        ):
            assert (one is None) is (other is None)
            assert abs((one or Decimal(0)) - (other or Decimal(0))) <= PRICE_APART
