"""Alarms reach the owner, and nothing personal or secret is in the template."""

import json

from infra.timetable import TIMETABLE
from tests.infra.synthesized import Synthesized


def test_every_alarm_tells_the_topic_when_it_goes_off_and_when_it_is_over(
    template: Synthesized,
) -> None:
    (topic,) = template.of_type("AWS::SNS::Topic")
    alarms = template.of_type("AWS::CloudWatch::Alarm")
    assert alarms
    for alarm in alarms:
        assert alarm.properties["AlarmActions"] == [{"Ref": topic.logical_id}], alarm.logical_id
        assert alarm.properties["OKActions"] == [{"Ref": topic.logical_id}], alarm.logical_id
        assert alarm.properties.get("ActionsEnabled", True) is True, alarm.logical_id


def test_no_data_is_good_news_to_those_that_count_failures_and_silence_to_the_heartbeat(
    template: Synthesized,
) -> None:
    alarms = template.of_type("AWS::CloudWatch::Alarm")
    hearts = [alarm for alarm in alarms if alarm.properties.get("MetricName") == "Heartbeat"]
    (heart,) = hearts
    for alarm in alarms:
        expected = "breaching" if alarm is heart else "notBreaching"
        assert alarm.properties["TreatMissingData"] == expected, alarm.logical_id
    properties = heart.properties
    assert properties["Statistic"] == "Minimum"
    assert properties["ComparisonOperator"] == "LessThanThreshold"
    assert properties["Threshold"] == 1
    # A period as long as the schedule's: each holds one look, or none where nobody looked.
    assert (properties["Period"], properties["EvaluationPeriods"]) == (300, 2)
    assert properties["Namespace"] == "OptionsAgent/paper"
    assert properties["Dimensions"] == [{"Name": "service", "Value": "watch_heartbeat"}]


def test_cloudwatch_may_publish_to_the_encrypted_topic(template: Synthesized) -> None:
    (topic,) = template.of_type("AWS::SNS::Topic")
    (key,) = template.of_type("AWS::KMS::Key")
    assert template.resolve(topic.properties["KmsMasterKeyId"]) == f"{key.logical_id}.Arn"
    (policy,) = template.of_type("AWS::SNS::TopicPolicy")
    statements = [
        statement
        for document in (policy.properties["PolicyDocument"], key.properties["KeyPolicy"])
        for statement in document["Statement"]
        if statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    ]
    actions = [statement["Action"] for statement in statements]
    assert actions == ["sns:Publish", ["kms:Decrypt", "kms:GenerateDataKey"]]
    for statement in statements:
        assert statement["Condition"] == {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        }


def test_every_function_and_every_workflow_has_an_alarm_on_its_failures(
    template: Synthesized,
) -> None:
    alarms = [
        template.resolve(alarm.properties) for alarm in template.of_type("AWS::CloudWatch::Alarm")
    ]
    watched = {
        dimension["Value"]
        for alarm in alarms
        if alarm.get("MetricName") == "Errors"
        for dimension in alarm["Dimensions"]
    }
    functions = {name: found.logical_id for name, found in template.functions().items()}
    # What alarms call must not ring an alarm when it fails: that would call it again.
    del functions["notify_webhook"]
    assert watched == set(functions.values())
    expressions = [alarm["Metrics"] for alarm in alarms if "Metrics" in alarm]
    machines = {
        dimension["Value"]
        for metrics in expressions
        for metric in metrics
        if "MetricStat" in metric
        for dimension in metric["MetricStat"]["Metric"]["Dimensions"]
    }
    assert machines == {machine.logical_id for machine in template.workflows().values()}
    for metrics in expressions:
        names = {m["MetricStat"]["Metric"]["MetricName"] for m in metrics if "MetricStat" in m}
        assert names == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}


def test_lost_slots_unresolved_intents_and_differences_go_off(template: Synthesized) -> None:
    names = [
        alarm.properties.get("MetricName") for alarm in template.of_type("AWS::CloudWatch::Alarm")
    ]
    assert names.count("AsyncEventsDropped") == len(TIMETABLE)
    assert names.count("ApproximateNumberOfMessagesVisible") == 1
    assert names.count("UnresolvedIntents") == 1
    assert names.count("BookDifferences") == 1


def test_the_address_of_the_owner_is_a_parameter_that_is_never_shown(
    template: Synthesized,
) -> None:
    parameter = template.document["Parameters"]["AlertEmail"]
    assert parameter["NoEcho"] is True
    assert parameter["Default"] == ""
    (subscription,) = (
        found
        for found in template.of_type("AWS::SNS::Subscription")
        if found.properties["Protocol"] == "email"
    )
    assert subscription.properties["Endpoint"] == {"Ref": "AlertEmail"}
    condition = template.document["Conditions"][subscription.body["Condition"]]
    assert condition == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlertEmail"}, ""]}]}
    assert "@" not in template.text


def test_the_secret_is_made_with_a_placeholder_and_outlives_the_stack(
    template: Synthesized,
) -> None:
    (secret,) = template.of_type("AWS::SecretsManager::Secret")
    generated = secret.properties["GenerateSecretString"]
    assert generated["GenerateStringKey"] == "secret_key"
    assert json.loads(generated["SecretStringTemplate"]) == {"key_id": "replace-me"}
    assert "SecretString" not in secret.properties
    assert secret.body["DeletionPolicy"] == "Retain"


def test_the_dashboard_shows_every_function_and_workflow(template: Synthesized) -> None:
    (board,) = template.of_type("AWS::CloudWatch::Dashboard")
    body = template.resolve(board.properties["DashboardBody"])
    for resource in (*template.functions().values(), *template.workflows().values()):
        assert resource.logical_id in body


def test_a_webhook_is_fed_and_may_read_its_url_only_where_the_owner_names_one(
    template: Synthesized,
) -> None:
    (topic,) = template.of_type("AWS::SNS::Topic")
    function = template.functions()["notify_webhook"]
    assert template.document["Parameters"]["AlertWebhookSecretArn"]["Default"] == ""
    fed = [
        found
        for found in template.of_type("AWS::SNS::Subscription")
        if found.properties["Protocol"] == "lambda"
    ]
    (permission,) = template.of_type("AWS::Lambda::Permission")
    policies = [
        policy
        for policy in template.of_type("AWS::IAM::Policy")
        if policy.properties["PolicyName"] == "ReadWebhookUrl"
    ]
    for found in (*fed, permission, *policies):
        assert found.body["Condition"] == "AlertWebhookIsGiven", found.logical_id
    (subscription,) = fed
    arn = {"Fn::GetAtt": [function.logical_id, "Arn"]}
    assert subscription.properties["Endpoint"] == permission.properties["FunctionName"] == arn
    assert permission.properties["SourceArn"] == {"Ref": topic.logical_id}
    (policy,) = policies
    assert policy.properties["Roles"] == [{"Ref": template.role_of(function)}]


def test_the_dashboard_asks_the_agents_own_widget(template: Synthesized) -> None:
    (board,) = template.of_type("AWS::CloudWatch::Dashboard")
    body = template.resolve(board.properties["DashboardBody"])
    assert f"{template.functions()['render_dashboard'].logical_id}.Arn" in body
    assert '"type":"custom"' in body
