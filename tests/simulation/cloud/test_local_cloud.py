"""A template's resources stand in one process, and runs of it are reproducible."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from simulator.cloud.lambda_runtime import Handler, LocalCloudError
from simulator.cloud.local_cloud import LocalCloud
from simulator.cloud.template import TemplateError
from tests.simulation.cloud.builders import (
    SECRET,
    START,
    FakeClock,
    arn_of,
    function_resource,
    handlers_of,
    machine,
    machine_resource,
    schedule_resource,
    task,
    write_template,
)

TABLE: dict[str, Any] = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "status")
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by-status",
                "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
        "BillingMode": "PAY_PER_REQUEST",
    },
}
WORKFLOW = machine(
    {
        "Check": task("check_risk", Next="Pause"),
        "Pause": {"Type": "Wait", "Seconds": 30, "Next": "Place"},
        "Place": task(
            "place_order",
            Retry=[
                {
                    "ErrorEquals": ["BookBusy"],
                    "IntervalSeconds": 2,
                    "MaxAttempts": 3,
                    "BackoffRate": 2,
                    "JitterStrategy": "FULL",
                }
            ],
        ),
    },
    TimeoutSeconds=3600,
)
RESOURCES = {
    "Book": TABLE,
    "Alerts": {"Type": "AWS::SNS::Topic", "Properties": {}},
    "Journal": {"Type": "AWS::S3::Bucket", "Properties": {}},
    "Keys": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "alpaca"}},
    "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
    "ScanMarket": function_resource(
        "scan_market",
        {
            "TABLE": {"Ref": "Book"},
            "TOPIC": {"Ref": "Alerts"},
            "BUCKET": {"Ref": "Journal"},
            "SECRET": {"Ref": "Keys"},
            "MACHINE": {"Ref": "Machine"},
        },
    ),
    "CheckRisk": function_resource("check_risk"),
    "PlaceOrder": function_resource("place_order"),
    "Machine": machine_resource(
        WORKFLOW, {"check_risk": arn_of("CheckRisk"), "place_order": arn_of("PlaceOrder")}
    )
    | {"Metadata": {"agent:workflow": "open_position"}},
    "ScanSchedule": schedule_resource("ScanMarket", "cron(*/30 9-16 ? * MON-FRI *)"),
}


class BookBusy(Exception):
    """Stands for one of the agent's named errors."""


def start(name: str, **start_input: Any) -> None:
    boto3.client("stepfunctions").start_execution(
        stateMachineArn=os.environ["MACHINE"], name=name, input=json.dumps(start_input)
    )


def idle(_event: Any, _context: Any) -> None:
    return None


def echo(event: Any, _context: Any) -> Any:
    return event


def open_cloud(
    directory: Path,
    functions: Mapping[str, Handler],
    *,
    resources: Mapping[str, Any] = RESOURCES,
    clock: FakeClock | None = None,
    **options: Any,
) -> LocalCloud:
    usual = {"scan_market": idle, "check_risk": echo, "place_order": echo}
    return LocalCloud(
        write_template(directory, resources),
        clock=clock or FakeClock(),
        secrets=options.pop("secrets", SECRET),
        handlers=handlers_of({**usual, **functions}),
        **options,
    )


class TestResources:
    def test_a_table_has_its_keys_indexes_and_expiry(self, tmp_path: Path) -> None:
        def handler(_event: Any, _context: Any) -> Any:
            name = os.environ["TABLE"]
            client = boto3.client("dynamodb")
            client.put_item(
                TableName=name,
                Item={"pk": {"S": "a"}, "sk": {"S": "b"}, "status": {"S": "open"}},
            )
            listed = client.query(
                TableName=name,
                IndexName="by-status",
                KeyConditionExpression="#s = :open",
                ExpressionAttributeNames={"#s": "status"},
                ExpressionAttributeValues={":open": {"S": "open"}},
            )
            expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
            return [listed["Count"], expiry["AttributeName"]]

        with open_cloud(tmp_path, {"scan_market": handler}) as cloud:
            assert cloud.invoke("scan_market", {}).payload == [1, "expires_at"]

    def test_a_global_table_is_a_table(self, tmp_path: Path) -> None:
        table = {
            "Type": "AWS::DynamoDB::GlobalTable",
            "Properties": {**TABLE["Properties"], "Replicas": [{"Region": {"Ref": "Elsewhere"}}]},
        }
        with open_cloud(tmp_path, {}, resources={**RESOURCES, "Book": table}):
            assert boto3.client("dynamodb").list_tables()["TableNames"] == ["Book"]

    def test_the_secret_holds_what_it_was_given(self, tmp_path: Path) -> None:
        def handler(_event: Any, _context: Any) -> Any:
            manager = boto3.client("secretsmanager")
            text = manager.get_secret_value(SecretId=os.environ["SECRET"])["SecretString"]
            return json.loads(text)

        with open_cloud(tmp_path, {"scan_market": handler}) as cloud:
            assert cloud.invoke("scan_market", {}).payload == SECRET["broker"]

    @pytest.mark.parametrize(
        ("secrets", "complaint"),
        [({}, "no value was given for the secret Keys"), ({"a": {}, "b": {}}, "Keys")],
    )
    def test_a_secret_without_its_value_is_an_error(
        self, tmp_path: Path, secrets: dict[str, Any], complaint: str
    ) -> None:
        with pytest.raises(TemplateError, match=complaint):
            open_cloud(tmp_path, {}, secrets=secrets).__enter__()

    def test_what_is_published_can_be_read(self, tmp_path: Path) -> None:
        def handler(_event: Any, _context: Any) -> None:
            boto3.client("sns").publish(
                TopicArn=os.environ["TOPIC"],
                Subject="trade_executed",
                Message="SPY",
                MessageAttributes={"kind": {"DataType": "String", "StringValue": "trade"}},
            )

        with open_cloud(tmp_path, {"scan_market": handler}) as cloud:
            cloud.invoke("scan_market", {})
            (message,) = cloud.published
        assert (message.topic, message.subject, message.message) == (
            "Alerts",
            "trade_executed",
            "SPY",
        )
        assert message.attributes == {"kind": "trade"}

    def test_an_unknown_intrinsic_stops_the_cloud_and_leaves_nothing_mocked(
        self, tmp_path: Path
    ) -> None:
        before = dict(os.environ)
        broken = function_resource("scan_market", {"X": {"Fn::ImportValue": "y"}})
        with pytest.raises(TemplateError, match="does not know Fn::ImportValue"):
            open_cloud(tmp_path, {}, resources={"ScanMarket": broken}, secrets={}).__enter__()
        assert dict(os.environ) == before

    def test_two_functions_of_one_folder_are_an_error(self, tmp_path: Path) -> None:
        twice = {"A": function_resource("scan_market"), "B": function_resource("scan_market")}
        with pytest.raises(TemplateError, match="two functions run the folder scan_market"):
            open_cloud(tmp_path, {}, resources=twice, secrets={}).__enter__()

    def test_a_machine_whose_order_would_be_chance_is_refused(self, tmp_path: Path) -> None:
        states = {"Both": {"Type": "Parallel", "Branches": [], "End": True}}
        with pytest.raises(TemplateError, match="no Map or Parallel: Both"):
            open_cloud(
                tmp_path, {}, resources={"M": machine_resource(machine(states))}, secrets={}
            ).__enter__()

    def test_nothing_is_there_outside_the_with_block(self, tmp_path: Path) -> None:
        cloud = open_cloud(tmp_path, {})
        with pytest.raises(LocalCloudError, match="only within its `with` block"):
            cloud.invoke("scan_market", {})
        with cloud:
            assert cloud.invoke("scan_market", {}).error_type is None
        with pytest.raises(LocalCloudError, match="only within its `with` block"):
            cloud.drain()

    def test_a_second_cloud_starts_empty(self, tmp_path: Path) -> None:
        def handler(_event: Any, _context: Any) -> Any:
            client = boto3.client("dynamodb")
            client.put_item(
                TableName=os.environ["TABLE"], Item={"pk": {"S": "a"}, "sk": {"S": "b"}}
            )
            return client.scan(TableName=os.environ["TABLE"])["Count"]

        for _ in range(2):
            with open_cloud(tmp_path, {"scan_market": handler}) as cloud:
                assert cloud.invoke("scan_market", {}).payload == 1


class TestSchedules:
    def test_slots_are_those_of_the_template_in_its_time_zone(self, tmp_path: Path) -> None:
        with open_cloud(tmp_path, {}) as cloud:
            whole_day = cloud.slots(date(2026, 6, 9))["scan_market"]
            session = cloud.slots(
                date(2026, 6, 9),
                datetime(2026, 6, 9, 13, 30, tzinfo=UTC),
                datetime(2026, 6, 9, 20, 0, tzinfo=UTC),
            )["scan_market"]
        assert len(whole_day) == 16
        assert (session[0].hour, session[0].minute) == (13, 30)
        assert (session[-1].hour, session[-1].minute) == (20, 0)

    def test_a_disabled_schedule_has_no_slots(self, tmp_path: Path) -> None:
        off = schedule_resource("ScanMarket", "cron(0 9 * * ? *)", State="DISABLED")
        with open_cloud(tmp_path, {}, resources={**RESOURCES, "ScanSchedule": off}) as cloud:
            assert cloud.slots(date(2026, 6, 9)) == {"scan_market": []}

    def test_firing_sends_the_schedules_own_input_with_the_slot(self, tmp_path: Path) -> None:
        with open_cloud(tmp_path, {"scan_market": echo}) as cloud:
            result = cloud.fire("scan_market", START)
        assert result.payload == {"slot": "2026-06-09T14:00:00Z"}

    def test_firing_runs_what_the_function_started(self, tmp_path: Path) -> None:
        def handler(_event: Any, _context: Any) -> None:
            start("i-1", intent_id="i-1")

        with open_cloud(tmp_path, {"scan_market": handler}) as cloud:
            cloud.fire("scan_market", START)
            (execution,) = cloud.executions
        assert execution.status == "SUCCEEDED"

    def test_of_two_schedules_the_one_of_the_slot_fires(self, tmp_path: Path) -> None:
        late = schedule_resource("ScanMarket", "cron(0 17 ? * MON-FRI *)")
        late["Properties"]["Target"]["Input"] = '{"late": true}'
        with open_cloud(
            tmp_path, {"scan_market": echo}, resources={**RESOURCES, "Late": late}
        ) as cloud:
            assert cloud.fire("scan_market", START.replace(hour=21)).payload == {"late": True}

    def test_firing_what_no_schedule_calls_is_an_error(self, tmp_path: Path) -> None:
        with (
            open_cloud(tmp_path, {}) as cloud,
            pytest.raises(LocalCloudError, match="0 schedules of the template call place_order"),
        ):
            cloud.fire("place_order", START)


class TestExecutions:
    def test_a_start_only_queues(self, tmp_path: Path) -> None:
        statuses: list[str] = []

        def handler(_event: Any, _context: Any) -> None:
            start("i-1")
            arn = os.environ["MACHINE"].replace("stateMachine", "execution") + ":i-1"
            found = boto3.client("stepfunctions").describe_execution(executionArn=arn)
            statuses.append(found["status"])

        with open_cloud(tmp_path, {"scan_market": handler}) as cloud:
            cloud.invoke("scan_market", {})
            (queued,) = cloud.executions
            cloud.drain()
            (ran,) = cloud.executions
        assert statuses == ["RUNNING"]
        assert (queued.status, queued.tasks_invoked) == ("RUNNING", ())
        assert (ran.status, ran.tasks_invoked) == ("SUCCEEDED", ("check_risk", "place_order"))

    def test_a_record_tells_what_went_in_and_what_came_out(self, tmp_path: Path) -> None:
        def handler(_event: Any, _context: Any) -> None:
            start("i-1", intent_id="i-1", note='a "quoted" word')

        with open_cloud(tmp_path, {"scan_market": handler}) as cloud:
            cloud.fire("scan_market", START)
            (record,) = cloud.executions
        assert (record.machine, record.name) == ("open_position", "i-1")
        assert record.input == record.output == {"intent_id": "i-1", "note": 'a "quoted" word'}
        assert (record.error, record.cause) == (None, None)
        assert record.history_event_count > 10

    def test_a_wait_and_a_retry_advance_the_clock_and_nothing_sleeps(self, tmp_path: Path) -> None:
        attempts: list[int] = []

        def busy_once(event: Any, _context: Any) -> Any:
            attempts.append(1)
            if len(attempts) == 1:
                raise BookBusy("once")
            return event

        clock = FakeClock()
        functions = {"scan_market": lambda _event, _context: start("i"), "place_order": busy_once}
        with open_cloud(tmp_path, functions, clock=clock) as cloud:
            cloud.fire("scan_market", START)
            (record,) = cloud.executions
        assert record.tasks_invoked == ("check_risk", "place_order", "place_order")
        wait, pause = clock.advances
        assert wait == 30
        assert 0 <= pause <= 2

    def test_an_uncaught_error_fails_the_execution_by_its_name(self, tmp_path: Path) -> None:
        def refuse(_event: Any, _context: Any) -> None:
            raise ValueError("no")

        functions = {"scan_market": lambda _event, _context: start("i"), "check_risk": refuse}
        with open_cloud(tmp_path, functions) as cloud:
            cloud.fire("scan_market", START)
            (record,) = cloud.executions
        assert (record.status, record.error) == ("FAILED", "ValueError")
        assert record.output is None
        assert json.loads(str(record.cause))["errorMessage"] == "no"

    def test_the_same_name_is_started_once(self, tmp_path: Path) -> None:
        codes: list[str] = []

        def handler(_event: Any, _context: Any) -> None:
            try:
                start("i", n=1)
            except ClientError as error:
                codes.append(error.response["Error"]["Code"])

        with open_cloud(tmp_path, {"scan_market": handler}) as cloud:
            cloud.invoke("scan_market", {})
            cloud.invoke("scan_market", {})
            assert codes == [], "the same input while it runs is the same execution"
            cloud.drain()
            cloud.invoke("scan_market", {})
            assert codes == ["ExecutionAlreadyExists"]
            assert len(cloud.executions) == 1

    @pytest.mark.parametrize("name", ["a b", "a/b", "x" * 81, "é"])
    def test_a_name_that_aws_refuses_is_refused(self, tmp_path: Path, name: str) -> None:
        functions = {"scan_market": lambda _event, _context: start(name)}
        with open_cloud(tmp_path, functions) as cloud:
            result = cloud.invoke("scan_market", {})
            assert cloud.executions == []
        assert "InvalidName" in str(result.error_message)

    def test_an_execution_stopped_in_the_queue_never_runs(self, tmp_path: Path) -> None:
        def handler(_event: Any, _context: Any) -> None:
            start("i")
            arn = os.environ["MACHINE"].replace("stateMachine", "execution") + ":i"
            boto3.client("stepfunctions").stop_execution(executionArn=arn)

        with open_cloud(tmp_path, {"scan_market": handler}) as cloud:
            cloud.fire("scan_market", START)
            (record,) = cloud.executions
        assert (record.status, record.tasks_invoked) == ("ABORTED", ())

    def test_what_an_execution_starts_runs_after_it(self, tmp_path: Path) -> None:
        machines: dict[str, str] = {}

        def scan(_event: Any, _context: Any) -> None:
            machines["arn"] = os.environ["MACHINE"]
            start("first", next="second")
            start("third")

        def check(event: Any, _context: Any) -> Any:
            if "next" in event:
                boto3.client("stepfunctions").start_execution(
                    stateMachineArn=machines["arn"], name=event["next"], input="{}"
                )
            return event

        with open_cloud(tmp_path, {"scan_market": scan, "check_risk": check}) as cloud:
            cloud.fire("scan_market", START)
            assert [record.name for record in cloud.executions] == ["first", "third", "second"]
            assert {record.status for record in cloud.executions} == {"SUCCEEDED"}

    def test_draining_from_within_an_execution_is_an_error(self, tmp_path: Path) -> None:
        clouds: list[LocalCloud] = []
        functions = {
            "scan_market": lambda _event, _context: start("i"),
            "check_risk": lambda _event, _context: clouds[0].drain(),
        }
        with open_cloud(tmp_path, functions) as cloud:
            clouds.append(cloud)
            cloud.fire("scan_market", START)
            (record,) = cloud.executions
        assert record.error == "LocalCloudError"


def test_the_same_seed_gives_the_same_run_three_times(tmp_path: Path) -> None:
    assert story(tmp_path, 7) == story(tmp_path, 7) == story(tmp_path, 7)


def test_another_seed_pauses_otherwise(tmp_path: Path) -> None:
    assert story(tmp_path, 7) != story(tmp_path, 8)


def story(directory: Path, seed: int) -> list[Any]:
    """Run ten executions of which many retry; tell everything that could differ."""
    told: list[Any] = []
    attempts: dict[str, int] = {}
    clock = FakeClock()

    def scan(event: Any, context: Any) -> None:
        told.append(("scan", event, context.aws_request_id, os.environ["SECRET"]))
        message_id = boto3.client("sns").publish(TopicArn=os.environ["TOPIC"], Message="m")
        told.append(message_id["MessageId"])
        for number in range(5):
            start(f"{event['slot'][11:13]}-{number}", n=number)

    def place(event: Any, context: Any) -> Any:
        attempts[context.aws_request_id] = event["n"]
        told.append(("place", event, clock.now))
        if len(attempts) % 3:
            raise BookBusy("two of three")
        return event

    functions = {"scan_market": scan, "place_order": place}
    with open_cloud(directory, functions, clock=clock, seed=seed) as cloud:
        cloud.fire("scan_market", START)
        cloud.fire("scan_market", START.replace(hour=15))
        return [*told, *cloud.executions, *cloud.published, clock.advances]
