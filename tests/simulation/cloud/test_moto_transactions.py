"""A transaction that fails leaves every item as it was, although moto's backup is smaller."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from simulator.cloud.moto_patches import simulated_aws


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    with simulated_aws(0):
        client = boto3.client("dynamodb", "us-east-1")
        for name, keys in (("pairs", ("pk", "sk")), ("singles", ("id",))):
            client.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind}
                    for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            )
        client.put_item(
            TableName="pairs", Item={"pk": {"S": "a"}, "sk": {"S": "1"}, "n": {"N": "1"}}
        )
        client.put_item(TableName="singles", Item={"id": {"S": "x"}, "n": {"N": "1"}})
        yield client


def everything(client: Any) -> list[Any]:
    return [client.scan(TableName=name)["Items"] for name in ("pairs", "singles")]


def increment(table: str, key: dict[str, Any]) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": table,
            "Key": key,
            "UpdateExpression": "SET n = n + :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }


OPERATIONS = [
    increment("pairs", {"pk": {"S": "a"}, "sk": {"S": "1"}}),
    increment("singles", {"id": {"S": "x"}}),
    {"Put": {"TableName": "pairs", "Item": {"pk": {"S": "b"}, "sk": {"S": "1"}}}},
]
REFUSED = {
    "ConditionCheck": {
        "TableName": "singles",
        "Key": {"id": {"S": "nobody"}},
        "ConditionExpression": "attribute_exists(id)",
    }
}


def test_a_transaction_writes_all(client: Any) -> None:
    client.transact_write_items(TransactItems=OPERATIONS)
    pairs, singles = everything(client)
    assert sorted(item.get("n", {}).get("N", "-") for item in pairs) == ["-", "2"]
    assert singles[0]["n"] == {"N": "2"}


def test_or_nothing(client: Any) -> None:
    before = everything(client)
    with pytest.raises(ClientError, match="TransactionCanceled"):
        client.transact_write_items(TransactItems=[*OPERATIONS, REFUSED])
    assert everything(client) == before
