"""The owner's webhook, where the owner has one: fed by the alerts topic."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.alerting import Alerting
from infra.constructs.functions import AgentFunction

FUNCTION = "notify_webhook"


class Webhook(Construct):
    """Take the ARN of a secret with the URL; without one, nothing calls the deployed function.

    The URL is a secret, so the owner makes it and names it: it is in no template and in no git.
    """

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "Webhook")
        stack = cdk.Stack.of(self)
        parameter = cdk.CfnParameter(
            stack,
            "AlertWebhookSecretArn",
            type="String",
            default="",
            no_echo=True,
            allowed_pattern=r"(arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+)?",
            description='ARN of a secret {"url": "https://..."} to post alerts to; empty for none',
        )
        self.secret_arn = parameter.value_as_string
        self._given = cdk.CfnCondition(
            stack,
            "AlertWebhookIsGiven",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(self.secret_arn, "")),
        )

    def feed(self, function: AgentFunction, alerting: Alerting) -> None:
        """Have the topic call the function, and let it read the URL, where there is one."""
        topic = alerting.topic.topic_arn
        permission = lambda_.CfnPermission(
            self,
            "TopicMayCall",
            action="lambda:InvokeFunction",
            function_name=function.function_arn,
            principal="sns.amazonaws.com",
            source_arn=topic,
        )
        subscription = sns.CfnSubscription(
            self, "Feed", topic_arn=topic, protocol="lambda", endpoint=function.function_arn
        )
        subscription.add_resource_dependency(permission)
        assert function.role is not None
        policy = iam.CfnPolicy(
            self,
            "MayReadUrl",
            policy_name="ReadWebhookUrl",
            roles=[function.role.role_name],
            policy_document=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        actions=["secretsmanager:GetSecretValue"], resources=[self.secret_arn]
                    )
                ]
            ),
        )
        for resource in (permission, subscription, policy):
            resource.cfn_options.condition = self._given
