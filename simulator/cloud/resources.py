"""The resources of a template, created in moto; those no emulator here keeps are left out.

Created: tables, buckets, secrets, topics, functions, state machines and the schedules that call
functions.
Not emulated: roles and policies, keys, alarms, dashboards, log groups, subscriptions, retention,
point-in-time recovery and the expiry of items. Tests assert those on the template itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import boto3

from simulator.cloud.cron import CronError, CronExpression
from simulator.cloud.lambda_runtime import Function
from simulator.cloud.template import (
    ACCOUNT,
    PARTITION,
    REGION,
    Identifiers,
    Resource,
    Template,
    TemplateError,
    function_folder,
)

TABLE_TYPES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
ROLE_ARN = f"arn:{PARTITION}:iam::{ACCOUNT}:role/local"
SETTINGS_VARIABLE = "AGENT_SETTINGS"


@dataclass(frozen=True)
class Schedule:
    """Describe a schedule that calls a function."""

    logical_id: str
    function: str
    """The folder in functions/."""
    expression: str
    zone: ZoneInfo
    enabled: bool
    input: str | None

    def cron(self) -> CronExpression:
        """Read the expression; raise TemplateError naming the schedule."""
        try:
            return CronExpression.parse(self.expression)
        except CronError as error:
            raise TemplateError(f"the schedule {self.logical_id}: {error}") from error


def identify(template: Template) -> Identifiers:
    """Give each resource its physical name and ARN, before any exists; secrets come later."""
    identifiers = template.identifiers()
    for table in template.of_type(*TABLE_TYPES):
        name = _name(template, table, "TableName", identifiers)
        identifiers.add(table.logical_id, name, Arn=_arn("dynamodb", f"table/{name}"))
    for bucket in template.of_type("AWS::S3::Bucket"):
        # Buckets alone are named in small letters.
        name = _name(template, bucket, "BucketName", identifiers).lower()
        identifiers.add(bucket.logical_id, name, Arn=f"arn:{PARTITION}:s3:::{name}")
    for topic in template.of_type("AWS::SNS::Topic"):
        name = _name(template, topic, "TopicName", identifiers)
        arn = _arn("sns", name)
        identifiers.add(topic.logical_id, arn, TopicArn=arn, TopicName=name)
    for function in template.of_type("AWS::Lambda::Function"):
        name = _name(template, function, "FunctionName", identifiers)
        identifiers.add(function.logical_id, name, Arn=_arn("lambda", f"function:{name}"))
    for machine in template.of_type("AWS::StepFunctions::StateMachine"):
        name = _name(template, machine, "StateMachineName", identifiers)
        arn = _arn("states", f"stateMachine:{name}")
        identifiers.add(machine.logical_id, arn, Arn=arn, Name=name)
    return identifiers


def create_tables(template: Template, identifiers: Identifiers) -> None:
    """Create the tables with their keys, indexes and expiry attribute; capacity is on demand."""
    tables = template.of_type(*TABLE_TYPES)
    if not tables:
        return
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    for table in tables:
        properties = template.resolve(_without(table.properties, "Replicas"), identifiers)
        name = identifiers.reference(table.logical_id)
        indexes = {
            kind: [
                {key: index[key] for key in ("IndexName", "KeySchema", "Projection")}
                for index in properties[kind]
            ]
            for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
            if properties.get(kind)
        }
        dynamodb.create_table(
            TableName=name,
            KeySchema=properties["KeySchema"],
            AttributeDefinitions=properties["AttributeDefinitions"],
            BillingMode="PAY_PER_REQUEST",
            **indexes,
        )
        expiry = properties.get("TimeToLiveSpecification")
        if expiry and expiry.get("Enabled"):
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)


def create_buckets(template: Template, identifiers: Identifiers) -> None:
    """Create the buckets, empty."""
    buckets = template.of_type("AWS::S3::Bucket")
    if not buckets:
        return
    s3 = boto3.client("s3", region_name=REGION)
    for bucket in buckets:
        s3.create_bucket(Bucket=identifiers.reference(bucket.logical_id))


def create_secrets(
    template: Template, identifiers: Identifiers, secrets: Mapping[str, Mapping[str, Any]]
) -> None:
    """Create the secrets and store their JSON.

    With one secret in the template and one given, they belong together whatever the key says;
    otherwise each key is a logical id. Raise TemplateError where one is left over.
    """
    declared = template.of_type("AWS::SecretsManager::Secret")
    if not declared and not secrets:
        return
    manager = boto3.client("secretsmanager", region_name=REGION)
    values = dict(secrets)
    if len(declared) == len(values) == 1:
        values = {declared[0].logical_id: next(iter(values.values()))}
    for secret in declared:
        if secret.logical_id not in values:
            raise TemplateError(f"no value was given for the secret {secret.logical_id}")
        name = _name(template, secret, "Name", identifiers)
        arn = manager.create_secret(
            Name=name, SecretString=json.dumps(values.pop(secret.logical_id))
        )["ARN"]
        identifiers.add(secret.logical_id, arn, Id=arn)
    if values:
        raise TemplateError(f"the template has no secret {', '.join(sorted(values))}")


def create_topics(template: Template, identifiers: Identifiers) -> None:
    """Create the topics; what is published to them is kept, and sent nowhere."""
    topics = template.of_type("AWS::SNS::Topic")
    if not topics:
        return
    sns = boto3.client("sns", region_name=REGION)
    for topic in topics:
        sns.create_topic(Name=identifiers.attribute(topic.logical_id, "TopicName"))


def create_state_machines(template: Template, identifiers: Identifiers) -> dict[str, str]:
    """Create the state machines; give the name of each by its ARN.

    The name is metadata `agent:workflow` where there is such, else the machine's own.
    """
    states = boto3.client("stepfunctions", region_name=REGION)
    names: dict[str, str] = {}
    for machine in template.of_type("AWS::StepFunctions::StateMachine"):
        definition = template.definition(machine, identifiers)
        _check_runs_in_one_thread(machine, definition)
        name = identifiers.attribute(machine.logical_id, "Name")
        arn = states.create_state_machine(name=name, definition=definition, roleArn=ROLE_ARN)[
            "stateMachineArn"
        ]
        names[arn] = str(machine.metadata.get("agent:workflow", name))
    return names


def end_executions(started: Sequence[Sequence[Any]]) -> None:
    """Start and stop executions, each given by its machine's ARN, its name and its input."""
    states = boto3.client("stepfunctions", region_name=REGION)
    for machine, name, given in started:
        execution = states.start_execution(
            stateMachineArn=machine, name=name, input=json.dumps(given)
        )
        states.stop_execution(executionArn=execution["executionArn"], error="ProcessEnded")


def functions(
    template: Template, identifiers: Identifiers, settings_overrides: Mapping[str, Any]
) -> dict[str, Function]:
    """Give the functions by folder, their environment resolved and the settings merged in."""
    found: dict[str, Function] = {}
    for resource in template.of_type("AWS::Lambda::Function"):
        name = function_folder(resource)
        if name in found:
            raise TemplateError(f"two functions run the folder {name}: {resource.logical_id} too")
        properties = resource.properties
        variables = {
            key: template.text(value, identifiers)
            for key, value in properties.get("Environment", {}).get("Variables", {}).items()
        }
        if settings_overrides:
            own = json.loads(variables.get(SETTINGS_VARIABLE) or "{}")
            variables[SETTINGS_VARIABLE] = json.dumps(_merged(own, settings_overrides))
        found[name] = Function(
            name=name,
            function_name=identifiers.reference(resource.logical_id),
            arn=identifiers.attribute(resource.logical_id, "Arn"),
            environment=variables,
            memory_megabytes=int(properties.get("MemorySize", 128)),
            timeout_seconds=int(properties.get("Timeout", 3)),
        )
    return found


def schedules(
    template: Template, identifiers: Identifiers, deployed: Mapping[str, Function]
) -> tuple[Schedule, ...]:
    """Give the schedules whose target is one of the functions."""
    by_arn = {function.arn: function.name for function in deployed.values()}
    found: list[Schedule] = []
    for resource in template.of_type("AWS::Scheduler::Schedule"):
        properties = resource.properties
        target = properties.get("Target", {})
        arn = template.text(target.get("Arn", ""), identifiers)
        if arn not in by_arn:
            continue
        zone = template.text(properties.get("ScheduleExpressionTimezone", "UTC"), identifiers)
        try:
            zone_info = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise TemplateError(f"{resource.logical_id}: no time zone {zone!r}") from error
        found.append(
            Schedule(
                logical_id=resource.logical_id,
                function=by_arn[arn],
                expression=template.text(properties["ScheduleExpression"], identifiers),
                zone=zone_info,
                enabled=properties.get("State", "ENABLED") == "ENABLED",
                input=template.text(target["Input"], identifiers) if "Input" in target else None,
            )
        )
    return tuple(found)


def _name(template: Template, resource: Resource, name: str, identifiers: Identifiers) -> str:
    if name in resource.properties:
        return template.text(resource.properties[name], identifiers)
    return resource.logical_id


def _arn(service: str, resource: str) -> str:
    return f"arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:{resource}"


def _without(properties: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in names}


def _merged(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in overrides.items():
        below = merged.get(name)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[name] = _merged(below, value)
        else:
            merged[name] = value
    return merged


def _check_runs_in_one_thread(machine: Resource, definition: str) -> None:
    """Refuse states that the interpreter runs in threads of their own: their order is chance."""
    try:
        states = json.loads(definition)["States"]
    except (ValueError, KeyError) as error:
        raise TemplateError(f"{machine.logical_id}: the definition has no States") from error
    threaded = sorted(
        name for name, state in states.items() if state.get("Type") in {"Map", "Parallel"}
    )
    if threaded:
        raise TemplateError(
            f"{machine.logical_id}: the local cloud runs no Map or Parallel: {', '.join(threaded)}"
        )
