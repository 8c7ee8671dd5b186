"""The tables are those that the book's adapter expects, and are hard to lose."""

from typing import Any

import pytest

from agent.adapters.dynamodb.tables import SCHEMAS
from tests.infra.synthesized import Synthesized


def keys_of(properties: dict[str, Any]) -> tuple[str, str | None]:
    keys = {key["KeyType"]: key["AttributeName"] for key in properties["KeySchema"]}
    return keys["HASH"], keys.get("RANGE")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_table_has_the_keys_that_the_adapter_uses(template: Synthesized, name: str) -> None:
    schema = SCHEMAS[name]
    properties = template.tables()[name].properties
    assert keys_of(properties) == (schema.hash_key, schema.range_key)
    indexes = {
        index["IndexName"]: keys_of(index) for index in properties.get("GlobalSecondaryIndexes", [])
    }
    assert indexes == {index.name: (index.hash_key, index.range_key) for index in schema.indexes}
    assert {kind["AttributeType"] for kind in properties["AttributeDefinitions"]} == {"S"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_items_expire_only_where_the_adapter_says_when(template: Synthesized, name: str) -> None:
    expiry = template.tables()[name].properties.get("TimeToLiveSpecification")
    wanted = SCHEMAS[name].ttl_attribute
    assert expiry == (None if wanted is None else {"AttributeName": wanted, "Enabled": True})


def test_there_is_no_table_beside_those_of_the_adapter(template: Synthesized) -> None:
    assert set(template.tables()) == set(SCHEMAS)
    assert len(template.of_type("AWS::DynamoDB::Table")) == len(SCHEMAS)


def test_tables_outlive_the_stack_and_can_be_restored(template: Synthesized) -> None:
    for table in template.of_type("AWS::DynamoDB::Table"):
        assert table.body["DeletionPolicy"] == "Retain"
        assert table.body["UpdateReplacePolicy"] == "Retain"
        assert table.properties["DeletionProtectionEnabled"] is True
        recovery = table.properties["PointInTimeRecoverySpecification"]
        assert recovery == {"PointInTimeRecoveryEnabled": True}
        assert table.properties["SSESpecification"] == {"SSEEnabled": True}
        assert table.properties["BillingMode"] == "PAY_PER_REQUEST"
