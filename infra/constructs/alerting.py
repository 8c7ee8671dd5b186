"""How the owner hears of the agent: one encrypted topic, and whoever subscribes to it."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

ENCRYPT_ACTIONS = ["kms:Decrypt", "kms:GenerateDataKey"]


class Alerting(Construct):
    """Create the topic; functions publish to it by their roles, alarms by its policy."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "Alerting")
        # CloudWatch cannot publish to a topic under the AWS-managed key, whose policy is fixed.
        self.key = kms.Key(
            self,
            "Key",
            description="options-agent: encrypts alerts on their way to the owner",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.topic = sns.Topic(
            self, "Topic", display_name="options-agent", master_key=self.key, enforce_ssl=True
        )
        alarms = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        own_account = {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsMayEncrypt",
                principals=[alarms],
                actions=ENCRYPT_ACTIONS,
                resources=["*"],
                conditions=own_account,
            )
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsMayPublish",
                principals=[alarms],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=own_account,
            )
        )
        self._subscribe_the_owner()

    def _subscribe_the_owner(self) -> None:
        # A parameter, because an address has no place in a template or in git.
        stack = cdk.Stack.of(self)
        address = cdk.CfnParameter(
            stack,
            "AlertEmail",
            type="String",
            default="",
            no_echo=True,
            description="Where alerts are mailed; leave empty for none",
        )
        given = cdk.CfnCondition(
            stack,
            "AlertEmailIsGiven",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(address.value_as_string, "")),
        )
        subscription = sns.CfnSubscription(
            self,
            "Email",
            topic_arn=self.topic.topic_arn,
            protocol="email",
            endpoint=address.value_as_string,
        )
        subscription.cfn_options.condition = given
