"""What is the same with less work is the same: moto alone and with the shortcuts answer alike."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.request import normalize_request
from moto.dynamodb.parsing.ast_nodes import Node
from moto.dynamodb.parsing.expressions import UpdateExpressionParser

from simulator.cloud import moto_shortcuts
from simulator.cloud.moto_patches import simulated_aws
from simulator.cloud.moto_shortcuts import (
    copy_tree,
    parse_update_expression,
    request_to_dynamodb,
)

TABLE = "things"
KEY: Mapping[str, Any] = {"pk": {"S": "a"}, "sk": {"S": "1"}}
ITEM: Mapping[str, Any] = {
    **KEY,
    "count": {"N": "3"},
    "legs": {"L": [{"S": "short"}, {"S": "long"}]},
    "nested": {"M": {"deep": {"S": "down"}}},
    "tags": {"SS": ["x", "y"]},
}
VALUES: Mapping[str, Any] = {
    ":one": {"N": "1"},
    ":word": {"S": "word"},
    ":empty": {"S": ""},
    ":list": {"L": [{"S": "third"}]},
    ":tag": {"SS": ["y", "z"]},
}
NAMES: Mapping[str, str] = {"#n": "count", "#d": "deep", "#k": "pk", "#s": "status"}
EXPRESSIONS = (
    "SET #n = :one",
    "SET #n = #n + :one, fresh = :word, #s = :word",
    "SET #n = #n - :one REMOVE legs[0], legs[1]",
    "SET fresh = if_not_exists(fresh, :word), #n = if_not_exists(#n, :one)",
    "SET legs = list_append(legs, :list)",
    "SET nested.#d = :word, legs[1] = :word",
    "SET nested.absent.deeper = :word",
    "ADD #n :one, tags :tag",
    "DELETE tags :tag",
    "REMOVE tags, absent",
    "SET a1=:one, a2=:one, a3=:one, a4=:one, a5=:one, a6=:one, a7=:one, a8=:one, a9=:one",
    # Refused, each for another reason.
    "SET #k = :word",
    "SET #n = :one, #n = :one",
    "SET tags = :one, nested = :one, nested.deep = :one, tags = :word",
    "SET #absent = :one, tags = :one, tags = :word",
    "SET tags = :one, tags = :word, #absent = :one",
    "SET #n = :absent",
    "SET #n = #absent",
    "SET #n = nowhere + :one",
    "SET fresh = :word + :one",
    "SET status = :word",
    "SET gsi = :empty",
    "SET gsi = :one",
    "SET #n = :one SET fresh = :one",
    "SET legs.x = :one",
    "SET",
)


def outcomes(cloud: AbstractContextManager[Any]) -> Iterator[tuple[Any, Any]]:
    """Give for each expression, done twice and in a transaction, what it answers and leaves."""
    with cloud:
        client = boto3.client("dynamodb", "us-east-1")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "gsi")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-gsi",
                    "KeySchema": [{"AttributeName": "gsi", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        for expression in EXPRESSIONS:
            for item in (ITEM, {}):
                client.delete_item(TableName=TABLE, Key=KEY)
                if item:
                    client.put_item(TableName=TABLE, Item=item)
                update = {
                    "TableName": TABLE,
                    "Key": KEY,
                    "UpdateExpression": expression,
                    "ExpressionAttributeNames": used(NAMES, expression),
                    "ExpressionAttributeValues": used(VALUES, expression),
                }
                update = {name: value for name, value in update.items() if value}
                for send in (
                    lambda told: client.update_item(**told, ReturnValues="ALL_NEW"),
                    lambda told: client.update_item(**told, ReturnValues="ALL_NEW"),
                    lambda told: client.transact_write_items(TransactItems=[{"Update": told}]),
                ):
                    yield answer(send, update), client.scan(TableName=TABLE)["Items"]


STORED: tuple[Mapping[str, Any], ...] = (
    {
        "text": {"S": "é\u2028"},
        "number": {"N": "12.50"},
        "yes": {"BOOL": True},
        "no": {"NULL": True},
    },
    {"empty": {"S": ""}, "nothing": {"L": []}, "none": {"M": {}}, "sets": {"SS": ["b", "a"]}},
    {"numbers": {"NS": ["3", "1.0"]}, "deep": {"M": {"list": {"L": [{"M": {"x": {"N": "1"}}}]}}}},
    {"bytes": {"B": b"\x00\xff"}, "beside": {"S": "text"}},
    {"many": {"BS": [b"one", b"two"]}, "within": {"M": {"list": {"L": [{"B": b"deep"}]}}}},
)
"""What a table can hold; what is binary is spelt otherwise in an answer than it is held."""


def readings(cloud: AbstractContextManager[Any], sort: str) -> list[Any]:
    """Give what a table with such sort keys answers to reads, put in no order."""
    keys = {"S": ("10", "9", "é", "a", "B", "1"), "N": ("10", "9", "-1", "1.5"), "B": (b"b", b"a")}
    with cloud:
        client = boto3.client("dynamodb", "us-east-1")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": sort},
                {"AttributeName": "gsi", "AttributeType": "S"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-gsi",
                    "KeySchema": [{"AttributeName": "gsi", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        for number, key in enumerate(keys[sort]):
            for partition in ("b", "a"):
                client.put_item(
                    TableName=TABLE,
                    Item={
                        "pk": {"S": partition},
                        "sk": {sort: key},
                        "gsi": {"S": "same"},
                        **STORED[number % len(STORED)],
                    },
                )
        of_a: dict[str, Any] = {
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :a",
            "ExpressionAttributeValues": {":a": {"S": "a"}},
        }
        by_index = {
            "TableName": TABLE,
            "IndexName": "by-gsi",
            "KeyConditionExpression": "gsi = :same",
            "ExpressionAttributeValues": {":same": {"S": "same"}},
        }
        first = {"TableName": TABLE, "Key": {"pk": {"S": "a"}, "sk": {sort: keys[sort][0]}}}
        answers = [
            client.query(**of_a),
            client.query(**of_a, ScanIndexForward=False, Limit=1),
            client.query(**by_index),
            client.scan(TableName=TABLE),
            client.scan(TableName=TABLE, Limit=3),
            client.get_item(**first),
            client.get_item(**first, ProjectionExpression="pk"),
            client.delete_item(**first, ReturnValues="ALL_OLD"),
        ]
    return [
        {name: told for name, told in each.items() if name != "ResponseMetadata"}
        for each in answers
    ]


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("sort", ["S", "N", "B"])
def test_reads_answer_what_moto_alone_answers_in_its_order(sort: str) -> None:
    alone = readings(mock_aws(), sort)
    assert readings(simulated_aws(0), sort) == alone
    assert len(alone[3]["Items"]) > len(alone[0]["Items"]) > 1


@pytest.mark.usefixtures("credentials")
def test_a_request_is_to_dynamodb_what_moto_makes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def request_seen(request: Any) -> Any:
        seen.append(request)
        return request_to_dynamodb(request)

    monkeypatch.setattr(moto_shortcuts, "request_to_dynamodb", request_seen)
    list(outcomes(simulated_aws(0)))
    assert len({request.headers["X-Amz-Target"] for request in seen}) > 3
    for request in seen:
        ours, theirs = request_to_dynamodb(request), normalize_request(request)
        assert ours.data == theirs.data
        assert dict(ours.headers) == dict(theirs.headers)
        assert ours.raw_url == theirs.raw_url == request.url
        assert told_by(ours) == told_by(theirs)


def told_by(request: Any) -> dict[str, Any]:
    """Give what a request's environment tells but for streams and the request itself."""
    other = {"wsgi.input", "wsgi.errors", "werkzeug.request"}
    return {name: told for name, told in request.environ.items() if name not in other}


def used(known: Mapping[str, Any], expression: str) -> dict[str, Any]:
    return {name: value for name, value in known.items() if name in expression}


def answer(send: Any, update: Mapping[str, Any]) -> Any:
    try:
        told = send(update)
    except ClientError as error:
        return error.response["Error"], error.response.get("CancellationReasons")
    except KeyError as error:  # moto trips over what DynamoDB refuses.
        return {"tripped": str(error)}, None
    return told["ResponseMetadata"]["HTTPStatusCode"], told.get("Attributes")


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")


@pytest.mark.usefixtures("credentials")
def test_updates_answer_and_leave_what_moto_alone_answers_and_leaves() -> None:
    alone = list(outcomes(mock_aws()))
    assert list(outcomes(simulated_aws(0))) == alone
    refused = [told for told, _ in alone if isinstance(told[0], dict)]
    assert 0 < len(refused) < len(alone)


@pytest.mark.parametrize("expression", EXPRESSIONS[:11])
def test_a_copied_tree_is_what_a_deep_copy_is_and_nothing_of_the_original(expression: str) -> None:
    tree = UpdateExpressionParser.make(expression)
    copied = copy_tree(tree)
    assert shape(copied) == shape(copy.deepcopy(tree)) == shape(tree)
    assert not {id(node) for node in nodes(copied)} & {id(node) for node in nodes(tree)}
    assert {id(node.parent) for node in nodes(copied) if node.parent is not None} <= {
        id(node) for node in nodes(copied)
    }


def test_what_is_no_tree_is_copied_deeply() -> None:
    original = {"list": [1]}
    copied = copy_tree(original)
    copied["list"].append(2)
    assert original == {"list": [1]}


def test_an_expression_is_parsed_once_however_often_it_comes() -> None:
    assert parse_update_expression("SET a = :a") is parse_update_expression("SET a = :a")


def nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in node.children or ():
        if isinstance(child, Node):
            yield from nodes(child)


def shape(node: Any) -> Any:
    if not isinstance(node, Node):
        return node
    parent = None if node.parent is None else type(node.parent).__name__
    return type(node).__name__, parent, [shape(child) for child in node.children or ()]
