"""What outlives a process is noted as it changes, and stands again in the next one."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from simulator.cloud.local_cloud import EXECUTION
from simulator.cloud.moto_recording import ITEMS, MESSAGE, OBJECT
from tests.simulation.cloud.test_local_cloud import open_cloud

KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
OTHER = {"pk": {"S": "b"}, "sk": {"S": "1"}}


class Notes(list[tuple[str, Any]]):
    """Keep what is noted, as JSON."""

    def note(self, kind: str, body: Any) -> None:
        self.append((kind, json.loads(json.dumps(body))))


def items_of(table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = boto3.client("dynamodb").scan(TableName=table)["Items"]
    return found


def test_items_objects_messages_and_started_names_stand_again(tmp_path: Path) -> None:
    notes = Notes()
    with open_cloud(tmp_path, {}, note=notes.note) as cloud:
        variables = cloud.environment("scan_market")
        dynamodb, table = boto3.client("dynamodb"), variables["TABLE"]
        dynamodb.put_item(TableName=table, Item={**KEY, "n": {"N": "1"}})
        dynamodb.put_item(TableName=table, Item=OTHER)
        dynamodb.update_item(
            TableName=table,
            Key=KEY,
            UpdateExpression="SET n = n + :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
        dynamodb.delete_item(TableName=table, Key=OTHER)
        boto3.client("sns").publish(TopicArn=variables["TOPIC"], Message="told", Subject="s")
        s3, bucket = boto3.client("s3"), variables["BUCKET"]
        s3.put_object(Bucket=bucket, Key="day", Body="kept, too: \u20ac".encode())
        states, machine = boto3.client("stepfunctions"), variables["MACHINE"]
        states.start_execution(stateMachineArn=machine, name="one", input="{}")
    with open_cloud(tmp_path, {}, before=notes) as again:
        assert items_of(table) == [{**KEY, "n": {"N": "2"}}]
        kept = boto3.client("s3").get_object(Bucket=bucket, Key="day")["Body"].read()
        assert kept.decode() == "kept, too: \u20ac"
        assert [message.message for message in again.published] == ["told"]
        states = boto3.client("stepfunctions")
        execution = f"{machine.replace(':stateMachine:', ':execution:')}:one"
        assert states.describe_execution(executionArn=execution)["status"] == "ABORTED"
        with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
            states.start_execution(stateMachineArn=machine, name="one", input='{"other": 1}')
        again.drain()
        assert again.executions == []


def test_a_transaction_is_one_record_and_a_refused_one_is_none(tmp_path: Path) -> None:
    notes = Notes()
    with open_cloud(tmp_path, {}, note=notes.note) as cloud:
        table = cloud.environment("scan_market")["TABLE"]
        both: list[Any] = [
            {
                "Put": {
                    "TableName": table,
                    "Item": key,
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for key in (KEY, OTHER)
        ]
        boto3.client("dynamodb").transact_write_items(TransactItems=both)
        with pytest.raises(ClientError, match="TransactionCanceled"):
            boto3.client("dynamodb").transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": table, "Item": {**KEY, "n": {"N": "9"}}}},
                    both[1],
                ]
            )
    assert [kind for kind, _ in notes] == [ITEMS]
    assert [[key, item] for _, key, item in notes[0][1]] == [[KEY, KEY], [OTHER, OTHER]]


def test_kinds_of_records_are_told_apart() -> None:
    assert len({ITEMS, MESSAGE, OBJECT, EXECUTION}) == 4
