"""The tables are what the schema says, under whatever names they were deployed."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import boto3
import pytest
from pydantic import BaseModel

from agent.adapters.dynamodb.book import DynamoBook
from agent.adapters.dynamodb.control import DynamoControl
from agent.adapters.dynamodb.items import Item
from agent.adapters.dynamodb.outbox import DynamoAlertOutbox
from agent.adapters.dynamodb.tables import SCHEMAS, IndexSchema, Tables, TableSchema
from agent.adapters.dynamodb.volatility import DynamoVolatilityHistory
from agent.book.changes import BookChange, LedgerField
from agent.book.records import Position, Trade
from agent.book.states import TradeStatus
from tests.builders import AS_OF, a_creation, a_move, a_sample, a_trade, an_alert
from tests.dynamodb import create, dynamodb_in_process, items_of, new_tables

ORIGINAL_SCHEMA = {
    "trades": "trade_id timestamp_enter timestamp_exit symbol strategy params market_snapshot "
    "execution risk pnl pnl_pct days_held exit_reason reason_tags notes status",
    "positions": "position_id trade_id option_symbol option_type strike expiration side quantity "
    "entry_price exit_price entry_delta current_delta unrealized_pnl realized_pnl status",
    "performance_metrics": "metric_id period_type period_start period_end total_pnl win_rate "
    "profit_factor sharpe_ratio sortino_ratio max_drawdown strategy_performance error_counts",
    "learning_logs": "log_id timestamp update_type strategy old_params new_params reason "
    "confidence trades_analyzed expected_improvement status",
}


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    with dynamodb_in_process():
        made = new_tables()
        create(made)
        yield made


def item_of(tables: Tables, name: str) -> type[Item]:
    found: type[Item] = getattr(tables, name)
    return found


def described(item: type[Item]) -> TableSchema:
    client = boto3.client("dynamodb")
    name = item.Meta.table_name
    table: dict[str, Any] = client.describe_table(TableName=name)["Table"]
    assert {found["AttributeType"] for found in table["AttributeDefinitions"]} == {"S"}
    expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    return TableSchema(
        **keys(table),
        indexes=tuple(
            IndexSchema(index["IndexName"], **keys(index))
            for index in table.get("GlobalSecondaryIndexes", [])
        ),
        ttl_attribute=expiry.get("AttributeName"),
    )


def keys(described: dict[str, Any]) -> dict[str, Any]:
    found = {key["KeyType"]: key["AttributeName"] for key in described["KeySchema"]}
    return {"hash_key": found["HASH"], "range_key": found.get("RANGE")}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_table_is_made_as_the_schema_says(tables: Tables, name: str) -> None:
    assert described(item_of(tables, name)) == SCHEMAS[name]


@pytest.mark.parametrize(("name", "attributes"), ORIGINAL_SCHEMA.items())
def test_every_attribute_of_the_original_schema_is_there(
    tables: Tables, name: str, attributes: str
) -> None:
    assert set(attributes.split()) <= set(item_of(tables, name).get_attributes())


@pytest.mark.parametrize(("name", "record"), [("trades", Trade), ("positions", Position)])
def test_every_field_of_a_record_has_its_attribute(
    tables: Tables, name: str, record: type[BaseModel]
) -> None:
    assert set(record.model_fields) <= set(item_of(tables, name).get_attributes())


def test_the_schema_names_every_table() -> None:
    assert set(SCHEMAS) == {field.name for field in fields(Tables)} - {"connection"}


def test_timeouts_and_retries_are_bounded(tables: Tables) -> None:
    config = boto3.client("dynamodb").meta.config.merge(tables.connection.client.meta.config)

    assert (config.connect_timeout, config.read_timeout) == (1, 2)
    assert config.retries["total_max_attempts"] == 3


def test_deployments_in_one_process_do_not_disturb_one_another(tables: Tables) -> None:
    other = new_tables()
    create(other)
    first = a_trade(TradeStatus.PENDING, trade_id="paper-isolated", notes="first")
    second = first.model_copy(update={"notes": "second"})

    DynamoBook(tables).commit(a_creation(first, ledger=(a_move("isolated"),)))
    DynamoBook(other).commit(a_creation(second))

    assert DynamoBook(tables).trade("paper-isolated") == first
    assert DynamoBook(other).trade("paper-isolated") == second
    assert DynamoBook(other).ledger("isolated").heat_cents == 0
    assert {index.Meta.index_name for item in items_of(other) for index in item._indexes.values()}


def test_tables_that_no_function_uses_yet_may_stay_unnamed() -> None:
    tables = Tables.named(
        trades="trades", positions="positions", agent_state="state", agent_control="control"
    )

    assert tables.performance_metrics is None
    assert tables.learning_logs is None


def test_only_claims_and_sent_alerts_expire(tables: Tables) -> None:
    create(tables)
    book, outbox = DynamoBook(tables), DynamoAlertOutbox(tables)
    book.commit(
        a_creation(
            a_trade(TradeStatus.PENDING),
            ledger=(a_move(deltas={LedgerField.ENTRIES: 1}),),
            alerts=(an_alert("waiting"), an_alert("told")),
        )
    )
    outbox.mark_sent("told")
    outbox.mark_sent("never heard of")
    DynamoVolatilityHistory(tables).record("AAPL", [a_sample()])
    DynamoControl(tables).claim_slot("scan", AS_OF)

    expiring = {item.pk: item.expires_at for item in tables.agent_state.scan() if item.expires_at}

    week_later = AS_OF.replace(day=AS_OF.day + 7)
    assert expiring == {"outbox": week_later, "slot#scan": week_later}
    assert len(list(tables.agent_state.query("outbox"))) == 2


def test_an_empty_change_sends_nothing(tables: Tables) -> None:
    unreachable = Tables.named(
        trades="absent", positions="absent-2", agent_state="absent-3", agent_control="absent-4"
    )

    DynamoBook(unreachable).commit(BookChange())
    with pytest.raises(Exception, match="Failed to write transaction items"):
        DynamoBook(unreachable).commit(BookChange(alerts=(an_alert(),)))
