"""The tables as data, and the items bound to the names they have in this deployment."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self, TypeVar, cast

from pynamodb.attributes import Attribute
from pynamodb.connection import Connection
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from agent.adapters.dynamodb.items import (
    AgentControlItem,
    AgentStateItem,
    Item,
    LearningLogItem,
    PerformanceMetricItem,
    PositionItem,
    TradeItem,
)

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 2
RETRIES_MAX = 2


@dataclass(frozen=True)
class IndexSchema:
    """Describe a global secondary index; it projects all attributes."""

    name: str
    hash_key: str
    range_key: str | None = None


@dataclass(frozen=True)
class TableSchema:
    """Describe a table; every key attribute, also of an index, is a string."""

    hash_key: str
    range_key: str | None = None
    indexes: tuple[IndexSchema, ...] = ()
    ttl_attribute: str | None = None


SCHEMAS: Mapping[str, TableSchema] = MappingProxyType(
    {
        "trades": TableSchema(
            hash_key="trade_id",
            indexes=(
                IndexSchema(
                    name="status-timestamp_enter-index",
                    hash_key="status",
                    range_key="timestamp_enter",
                ),
            ),
        ),
        "positions": TableSchema(
            hash_key="position_id",
            indexes=(IndexSchema(name="trade_id-index", hash_key="trade_id"),),
        ),
        "performance_metrics": TableSchema(
            hash_key="metric_id",
            indexes=(
                IndexSchema(
                    name="period_type-period_start-index",
                    hash_key="period_type",
                    range_key="period_start",
                ),
            ),
        ),
        "learning_logs": TableSchema(
            hash_key="log_id",
            indexes=(
                IndexSchema(
                    name="update_type-timestamp-index",
                    hash_key="update_type",
                    range_key="timestamp",
                ),
            ),
        ),
        "agent_state": TableSchema(hash_key="pk", range_key="sk", ttl_attribute="expires_at"),
        "agent_control": TableSchema(hash_key="pk", range_key="sk"),
    }
)

BoundItem = TypeVar("BoundItem", bound=Item)


@dataclass(frozen=True)
class Tables:
    """Hold the item classes of one deployment and the connection they share."""

    connection: Connection
    trades: type[TradeItem]
    positions: type[PositionItem]
    agent_state: type[AgentStateItem]
    agent_control: type[AgentControlItem]
    performance_metrics: type[PerformanceMetricItem] | None = None
    learning_logs: type[LearningLogItem] | None = None

    @classmethod
    def named(
        cls,
        *,
        trades: str,
        positions: str,
        agent_state: str,
        agent_control: str,
        performance_metrics: str | None = None,
        learning_logs: str | None = None,
        region: str | None = None,
    ) -> Self:
        """Bind the items to table names; credentials are the environment's, a region None too.

        Nothing is sent until the first read or write. Each call makes classes of its own, so
        deployments in one process do not disturb one another.
        """
        connection = Connection(
            region=region,
            connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
            read_timeout_seconds=READ_TIMEOUT_SECONDS,
            max_retry_attempts=RETRIES_MAX,
        )
        return cls(
            connection=connection,
            trades=_bind(TradeItem, SCHEMAS["trades"], trades, connection),
            positions=_bind(PositionItem, SCHEMAS["positions"], positions, connection),
            agent_state=_bind(AgentStateItem, SCHEMAS["agent_state"], agent_state, connection),
            agent_control=_bind(
                AgentControlItem, SCHEMAS["agent_control"], agent_control, connection
            ),
            performance_metrics=(
                None
                if performance_metrics is None
                else _bind(
                    PerformanceMetricItem,
                    SCHEMAS["performance_metrics"],
                    performance_metrics,
                    connection,
                )
            ),
            learning_logs=(
                None
                if learning_logs is None
                else _bind(LearningLogItem, SCHEMAS["learning_logs"], learning_logs, connection)
            ),
        )


def _bind(
    item: type[BoundItem], schema: TableSchema, name: str, connection: Connection
) -> type[BoundItem]:
    meta = type(
        "Meta",
        (),
        {
            "table_name": name,
            "connect_timeout_seconds": CONNECT_TIMEOUT_SECONDS,
            "read_timeout_seconds": READ_TIMEOUT_SECONDS,
            "max_retry_attempts": RETRIES_MAX,
        },
    )
    indexes = {
        f"by_{index.hash_key}": _index(item.get_attributes(), index) for index in schema.indexes
    }
    bound = cast("type[BoundItem]", type(item.__name__, (item,), {"Meta": meta, **indexes}))
    bound.connect(connection)
    return bound


def _index(
    attributes: Mapping[str, Attribute[Any]], schema: IndexSchema
) -> GlobalSecondaryIndex[Any]:
    meta = type("Meta", (), {"index_name": schema.name, "projection": AllProjection()})
    keys = {schema.hash_key: type(attributes[schema.hash_key])(hash_key=True)}
    if schema.range_key is not None:
        keys[schema.range_key] = type(attributes[schema.range_key])(range_key=True)
    made = type("Index", (GlobalSecondaryIndex,), {"Meta": meta, **keys})
    return cast("GlobalSecondaryIndex[Any]", made())
