"""What the store answers when it does not do what was asked, in the book's words."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import SystemRandom
from time import sleep

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from pynamodb.exceptions import (
    PynamoDBConnectionError,
    PynamoDBException,
    TransactWriteError,
)

from agent.book.changes import BookBusy, BookConflict, LimitReached

CONDITION_FAILED = "ConditionalCheckFailed"
TRANSIENT_REASONS = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)
TRANSIENT_CODES = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


@dataclass(frozen=True)
class Backoff:
    """Wait longer after every attempt, by full jitter; `random` gives [0, 1)."""

    attempts_max: int = 6
    base_seconds: float = 0.05
    cap_seconds: float = 1.0
    sleep: Callable[[float], None] = sleep
    random: Callable[[], float] = SystemRandom().random

    def wait(self, attempt: int) -> None:
        """Wait after attempt number `attempt`, from 0; not after the last one."""
        if attempt + 1 < self.attempts_max:
            self.sleep(self.random() * min(self.cap_seconds, self.base_seconds * 2.0**attempt))


@contextmanager
def store_answers() -> Iterator[None]:
    """Raise BookBusy where the store cannot answer now; any other failure is a defect."""
    try:
        yield
    except PynamoDBConnectionError as error:
        if not _is_transient(error):
            raise
        raise BookBusy(f"the store does not answer: {error}") from error


def is_condition_failed(error: PynamoDBConnectionError) -> bool:
    """Say whether a single write was refused by its own condition."""
    return _code(error) == "ConditionalCheckFailedException"


def raise_verdict(error: TransactWriteError, ledger_keys: Sequence[str | None]) -> None:
    """Raise what a failed transaction means; return where it only collided with another.

    `ledger_keys` names, in the order of the reasons, the ledger entry of each operation, None for
    an operation on anything else. A conflict outranks a limit: what it was computed from is stale.
    """
    if _code(error) != "TransactionCanceledException":
        if not _is_transient(error):
            raise error
        # Its fate is unknown, and that is safe: whoever tries again finds the versions advanced.
        raise BookBusy(f"the store does not answer, the change may be written: {error}") from error
    reasons = list(zip(error.cancellation_reasons, ledger_keys, strict=True))
    failed = [key for reason, key in reasons if reason and reason.code == CONDITION_FAILED]
    if None in failed:
        raise BookConflict("the stored state is not what the change expected") from error
    if failed:
        raise LimitReached(tuple(key for key in failed if key is not None)) from error
    if any(reason and reason.code not in TRANSIENT_REASONS for reason, _ in reasons):
        raise error


def _is_transient(error: PynamoDBException) -> bool:
    if isinstance(error.cause, NoConnection | HTTPClientError):
        return True
    return _code(error) in TRANSIENT_CODES


def _code(error: PynamoDBException) -> str | None:
    # pynamodb's own cause_response_code fails where the cause is a timeout.
    if not isinstance(error.cause, ClientError):
        return None
    return error.cause.response["Error"]["Code"]
