"""The tables of the book, the agent's state and the owner's switches."""

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct


@dataclass(frozen=True)
class Index:
    """Describe a secondary index: it lists, and no decision rests on it."""

    name: str
    hash_key: str
    range_key: str | None = None


@dataclass(frozen=True)
class TableKeys:
    """Describe a table's keys; every key attribute is a string."""

    hash_key: str
    range_key: str | None = None
    index: Index | None = None
    ttl_attribute: str | None = None


TABLES: Mapping[str, TableKeys] = {
    "trades": TableKeys(
        hash_key="trade_id",
        index=Index("status-timestamp_enter-index", "status", "timestamp_enter"),
    ),
    "positions": TableKeys(hash_key="position_id", index=Index("trade_id-index", "trade_id")),
    "performance_metrics": TableKeys(
        hash_key="metric_id",
        index=Index("period_type-period_start-index", "period_type", "period_start"),
    ),
    "learning_logs": TableKeys(
        hash_key="log_id",
        index=Index("update_type-timestamp-index", "update_type", "timestamp"),
    ),
    "agent_state": TableKeys(hash_key="pk", range_key="sk", ttl_attribute="expires_at"),
    "agent_control": TableKeys(hash_key="pk", range_key="sk"),
}


class Tables(Construct):
    """Create the tables: paid by request, restorable to any second of 35 days, never deleted."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "Tables")
        self.by_name = {name: self._table(name, keys) for name, keys in TABLES.items()}

    def index_arn(self, name: str) -> str:
        """Name the index of a table; raise ValueError where it has none."""
        index = TABLES[name].index
        if index is None:
            raise ValueError(f"the table {name} has no index to list by")
        return f"{self.by_name[name].table_arn}/index/{index.name}"

    def _table(self, name: str, keys: TableKeys) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            pascal_case(name),
            partition_key=_string(keys.hash_key),
            sort_key=_string(keys.range_key) if keys.range_key else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
            time_to_live_attribute=keys.ttl_attribute,
        )
        if keys.index is not None:
            table.add_global_secondary_index(
                index_name=keys.index.name,
                partition_key=_string(keys.index.hash_key),
                sort_key=_string(keys.index.range_key) if keys.index.range_key else None,
            )
        return table


def pascal_case(name: str) -> str:
    """Turn a name of this project into one that CloudFormation takes as a logical id."""
    return name.title().replace("_", "")


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
