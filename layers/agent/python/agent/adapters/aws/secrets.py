"""Read the broker's keys from Secrets Manager."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CLIENT_CONFIG = Config(
    connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"}
)


class SecretUnavailable(Exception):
    """Raised where a secret cannot be read; the message names the secret, never its value."""


class SecretsManagerSecrets:
    """Read secrets by their ARN; each is read once for the life of the object."""

    def __init__(self) -> None:
        self._client: SecretsManagerClient = boto3.client("secretsmanager", config=CLIENT_CONFIG)
        self._read: dict[str, str] = {}

    def text(self, arn: str) -> str:
        """Give the secret's text; raise SecretUnavailable where it cannot be read."""
        if arn not in self._read:
            try:
                answer = self._client.get_secret_value(SecretId=arn)
            except (BotoCoreError, ClientError) as error:
                raise SecretUnavailable(f"cannot read the secret {arn}: {error}") from error
            text = answer.get("SecretString")
            if text is None:
                raise SecretUnavailable(f"the secret {arn} holds no text")
            self._read[arn] = text
        return self._read[arn]
