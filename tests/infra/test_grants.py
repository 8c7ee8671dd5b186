"""What each role may do, and above all what none may."""

import pytest

from agent.adapters.dynamodb import keys
from agent.config.environment import ENVIRONMENTS, AlertingEnvironment, FunctionEnvironment
from infra.constructs.grants import RIGHTS
from tests.infra.synthesized import Synthesized

CHANGES = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
BINDS = {"scan_market", "place_order"}
PAUSES = {"monitor_positions"}


def allowed_on(template: Synthesized, function: str, table: str) -> set[str]:
    arn = f"{template.tables()[table].logical_id}.Arn"
    role = template.role_of(template.functions()[function])
    return {action for action, resource in template.allowed(role) if resource == arn}


def test_rights_are_stated_for_every_function() -> None:
    assert set(RIGHTS) == set(ENVIRONMENTS)


def test_each_function_has_a_role_of_its_own(template: Synthesized) -> None:
    roles = [template.role_of(function) for function in template.functions().values()]
    assert len(set(roles)) == len(roles)


def test_no_role_of_a_function_is_wider_than_what_is_written_here(template: Synthesized) -> None:
    for role in template.of_type("AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role.properties, role.logical_id
    for name, function in template.functions().items():
        for action, resource in template.allowed(template.role_of(function)):
            assert "*" not in action, name
            # X-Ray knows no resources; every other right names what it is about.
            assert resource != "*" or action.startswith("xray:"), name


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_function_can_delete_a_trade_or_a_position(template: Synthesized, name: str) -> None:
    for table in ("trades", "positions"):
        assert "dynamodb:DeleteItem" not in allowed_on(template, name, table)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_only_those_that_check_the_account_or_pause_entries_write_to_the_control_table(
    template: Synthesized, name: str
) -> None:
    changes = allowed_on(template, name, "agent_control") & CHANGES
    binding = {"dynamodb:PutItem"} if name in BINDS else set()
    pausing = {"dynamodb:UpdateItem"} if name in PAUSES else set()
    assert changes == binding | pausing


def test_pausing_entries_writes_to_the_trading_state_only(template: Synthesized) -> None:
    arn = f"{template.tables()['agent_control'].logical_id}.Arn"
    (pausing,) = (
        statement
        for statement in template.statements(
            template.role_of(template.functions()["monitor_positions"])
        )
        if statement["Resource"] == [arn] and "dynamodb:UpdateItem" in statement["Action"]
    )
    condition = pausing["Condition"]["ForAllValues:StringEquals"]
    assert condition == {"dynamodb:LeadingKeys": [keys.TRADING_STATE.pk]}


@pytest.mark.parametrize("name", sorted(BINDS))
def test_what_functions_write_of_the_control_table_is_in_partitions_of_its_own(
    template: Synthesized, name: str
) -> None:
    arn = f"{template.tables()['agent_control'].logical_id}.Arn"
    (binding,) = (
        statement
        for statement in template.statements(template.role_of(template.functions()[name]))
        if statement["Resource"] == [arn] and "dynamodb:PutItem" in statement["Action"]
    )
    condition = binding["Condition"]["ForAllValues:StringEquals"]
    partitions = [keys.ACCOUNT_NUMBER.pk]
    if name == "place_order":
        # It meets the broker's refusals; what they block only the owner lifts.
        partitions.append(keys.BLOCK)
    assert condition == {"dynamodb:LeadingKeys": partitions}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_table_that_a_function_is_not_told_of_is_closed_to_it(
    template: Synthesized, name: str
) -> None:
    told = {field.alias for field in ENVIRONMENTS[name].model_fields.values()}
    for table in template.tables():
        if f"{table.upper()}_TABLE" not in told:
            assert not allowed_on(template, name, table)


def test_only_reports_and_kelly_read_a_whole_table_and_only_that_of_the_trades(
    template: Synthesized,
) -> None:
    scans = {
        (name, table)
        for name in ENVIRONMENTS
        for table in template.tables()
        if "dynamodb:Scan" in allowed_on(template, name, table)
    }
    reports = {("analyze_day", "trades"), ("learn_weekly", "trades")}
    kelly_sizing = {(name, "trades") for name in ("scan_market", "check_risk", "size_position")}
    assert scans == reports | kelly_sizing


def test_the_learner_writes_to_its_log_alone(template: Synthesized) -> None:
    written = {
        table
        for table in template.tables()
        if allowed_on(template, "learn_weekly", table) & CHANGES
    }
    assert written == {"learning_logs"}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_who_speaks_with_the_broker_reads_its_keys_and_nobody_else_does(
    template: Synthesized, name: str
) -> None:
    (secret,) = template.of_type("AWS::SecretsManager::Secret")
    role = template.role_of(template.functions()[name])
    about_secrets = {
        pair for pair in template.allowed(role) if pair[0].startswith("secretsmanager:")
    }
    secrets = {secret.logical_id} if issubclass(ENVIRONMENTS[name], FunctionEnvironment) else set()
    if name == "notify_webhook":
        # The owner's own, of which the template has the name as a parameter only.
        secrets = {"AlertWebhookSecretArn"}
    assert about_secrets == {("secretsmanager:GetSecretValue", each) for each in secrets}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_who_tells_the_owner_may_publish_and_encrypt(template: Synthesized, name: str) -> None:
    (topic,) = template.of_type("AWS::SNS::Topic")
    (key,) = template.of_type("AWS::KMS::Key")
    role = template.role_of(template.functions()[name])
    about_alerts = {pair for pair in template.allowed(role) if pair[0].startswith(("sns:", "kms:"))}
    tells = issubclass(ENVIRONMENTS[name], AlertingEnvironment)
    assert about_alerts == (
        {
            ("sns:Publish", topic.logical_id),
            ("kms:Decrypt", f"{key.logical_id}.Arn"),
            ("kms:GenerateDataKey", f"{key.logical_id}.Arn"),
        }
        if tells
        else set()
    )


def test_the_scan_starts_entries_and_the_monitor_starts_and_sees_both(
    template: Synthesized,
) -> None:
    machines = {name: found.logical_id for name, found in template.workflows().items()}
    starts: dict[str, set[str]] = {}
    for name, function in template.functions().items():
        for action, resource in template.allowed(template.role_of(function)):
            if action == "states:StartExecution":
                starts.setdefault(name, set()).add(resource)
            if action == "states:DescribeExecution":
                assert name == "monitor_positions"
                assert ":execution:" in resource
    assert starts == {
        "scan_market": {machines["open_position"]},
        "monitor_positions": set(machines.values()),
    }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_function_writes_to_no_log_but_its_own(template: Synthesized, name: str) -> None:
    function = template.functions()[name]
    group = function.properties["LoggingConfig"]["LogGroup"]["Ref"]
    logs = {
        pair for pair in template.allowed(template.role_of(function)) if pair[0].startswith("logs:")
    }
    assert logs == {
        ("logs:CreateLogStream", f"{group}.Arn"),
        ("logs:PutLogEvents", f"{group}.Arn"),
    }
