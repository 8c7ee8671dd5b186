"""Who may do what: each function has a role of its own, and the role no more than this.

No function may delete a trade or a position, or read a table that it does not use. The monitor
alone may move the trading state of the owner: its code only tightens it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_stepfunctions as stepfunctions

from infra.constructs.alerting import ENCRYPT_ACTIONS, Alerting
from infra.constructs.functions import AgentFunction
from infra.constructs.journal import Journal
from infra.constructs.tables import Tables

READ = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
WRITE = ("dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
DELETE = ("dynamodb:DeleteItem",)
UPDATE = ("dynamodb:UpdateItem",)
APPEND = ("dynamodb:PutItem",)
SCAN = ("dynamodb:Scan",)
"""Only what looks at all closed trades reads a whole table: reports, and Kelly sizing."""

BINDING_PARTITION = "binding"
"""The partition of `agent_control` in which the account is bound, and nothing else."""
BLOCK_PARTITION = "block"
"""The partition of `agent_control` with what blocks entries: written by one, lifted by none."""
TRADING_PARTITION = "control"
"""The partition of `agent_control` with the trading state, and nothing else."""


@dataclass(frozen=True)
class Rights:
    """State what a function may do; a table that is not named is closed to it."""

    trades: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()
    agent_state: tuple[str, ...] = ()
    agent_control: tuple[str, ...] = ()
    performance_metrics: tuple[str, ...] = ()
    learning_logs: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    """Tables whose index it may query."""
    binds_account: bool = False
    blocks_entries: bool = False
    pauses_entries: bool = False
    tells: bool = False
    keeps_journal: bool = False
    reads_keys: bool = True
    """Whether it speaks with the broker."""
    starts: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    """State machines whose executions it may describe."""


_FOLLOWS_ORDERS = Rights(trades=READ, agent_state=READ + WRITE)
_SETTLES = Rights(
    trades=READ + WRITE,
    positions=READ + WRITE,
    agent_state=READ + WRITE + DELETE,
    tells=True,
)
RIGHTS: Mapping[str, Rights] = MappingProxyType(
    {
        # Kelly sizing, where the owner wants it, reads every closed trade.
        "scan_market": Rights(
            trades=READ + SCAN,
            agent_state=READ + WRITE,
            agent_control=READ,
            binds_account=True,
            tells=True,
            starts=("open_position",),
        ),
        "monitor_positions": Rights(
            trades=READ + WRITE,
            positions=READ + WRITE,
            agent_state=READ + WRITE + DELETE,
            agent_control=READ,
            pauses_entries=True,
            tells=True,
            starts=("open_position", "close_position", "roll_position"),
            sees=("open_position", "close_position", "roll_position"),
        ),
        # What an entry is added to is measured from the positions.
        "check_risk": Rights(
            trades=READ + SCAN,
            positions=READ,
            agent_state=READ + WRITE + DELETE,
            agent_control=READ,
        ),
        "size_position": Rights(
            trades=READ + WRITE + SCAN, positions=READ, agent_state=READ + WRITE + DELETE
        ),
        "place_order": Rights(
            trades=READ,
            agent_state=READ + WRITE,
            agent_control=READ,
            binds_account=True,
            blocks_entries=True,
        ),
        "poll_fill": _FOLLOWS_ORDERS,
        "cancel_order": _FOLLOWS_ORDERS,
        "record_fill": _SETTLES,
        "reconcile_order": _SETTLES,
        "analyze_day": Rights(
            trades=READ + SCAN + UPDATE,
            positions=READ,
            agent_state=READ + UPDATE,
            performance_metrics=UPDATE,
            lists=("performance_metrics",),
            tells=True,
            keeps_journal=True,
        ),
        # It reads what the others wrote, and writes to its log alone.
        "learn_weekly": Rights(
            trades=READ + SCAN,
            positions=READ,
            learning_logs=APPEND,
            lists=("performance_metrics",),
        ),
        "watch_heartbeat": Rights(agent_state=("dynamodb:GetItem",)),
        # The one secret that it reads is the owner's, granted where the owner has one.
        "notify_webhook": Rights(reads_keys=False),
        "render_dashboard": Rights(
            trades=READ,
            positions=READ,
            agent_state=READ,
            agent_control=READ,
            performance_metrics=("dynamodb:GetItem",),
            lists=("performance_metrics",),
            reads_keys=False,
        ),
    }
)


@dataclass(frozen=True)
class Grantor:
    """Hold what rights are about, and hand them out."""

    tables: Tables
    secret: secretsmanager.Secret
    alerting: Alerting
    journal: Journal
    machines: Mapping[str, stepfunctions.StateMachine]

    def grant(self, function: AgentFunction) -> None:
        """Give a function its rights; raise KeyError for one that none are stated for."""
        rights = RIGHTS[function.name]
        if rights.reads_keys:
            _allow(function, ("secretsmanager:GetSecretValue",), self.secret.secret_arn)
        for name, table in self.tables.by_name.items():
            actions: tuple[str, ...] = getattr(rights, name)
            if actions:
                _allow(function, actions, table.table_arn)
        for name in rights.lists:
            _allow(function, ("dynamodb:Query",), self.tables.index_arn(name))
        self._grant_control(function, rights)
        if rights.tells:
            _allow(function, ("sns:Publish",), self.alerting.topic.topic_arn)
            _allow(function, tuple(ENCRYPT_ACTIONS), self.alerting.key.key_arn)
        if rights.keeps_journal:
            _allow(function, ("s3:PutObject",), self.journal.bucket.arn_for_objects("journal/*"))
        for name in rights.starts:
            _allow(function, ("states:StartExecution",), self.machines[name].state_machine_arn)
        for name in rights.sees:
            _allow(function, ("states:DescribeExecution",), _executions(self.machines[name]))

    def _grant_control(self, function: AgentFunction, rights: Rights) -> None:
        partitions = [BINDING_PARTITION] if rights.binds_account else []
        partitions += [BLOCK_PARTITION] if rights.blocks_entries else []
        if partitions:
            self._let_write(function, APPEND, partitions)
        if rights.pauses_entries:
            self._let_write(function, UPDATE, [TRADING_PARTITION])

    def _let_write(
        self, function: AgentFunction, actions: tuple[str, ...], partitions: list[str]
    ) -> None:
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=list(actions),
                resources=[self.tables.by_name["agent_control"].table_arn],
                conditions={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": partitions}},
            )
        )


def _allow(function: AgentFunction, actions: tuple[str, ...], resource: str) -> None:
    function.add_to_role_policy(iam.PolicyStatement(actions=list(actions), resources=[resource]))


def _executions(machine: stepfunctions.StateMachine) -> str:
    return cdk.Stack.of(machine).format_arn(
        service="states",
        resource="execution",
        resource_name=f"{machine.state_machine_name}:*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
