"""Logs and metrics of a function, in one place; nothing else knows Powertools."""

import logging
import sys
from functools import lru_cache
from typing import TextIO

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit


class _StandardOutput(logging.StreamHandler[TextIO]):
    """Write to the standard output of the moment, not to that of the import."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stdout
        super().emit(record)


@lru_cache
def make_logger(service: str) -> Logger:
    """Give the service's logger: one JSON object a line.

    One a service: Powertools gives a second one of the same name no formatter.
    """
    return Logger(service=service, logger_handler=_StandardOutput())


def make_metrics(service: str, namespace: str) -> Metrics:
    """Give the function's metrics, written as embedded metric format when they are flushed."""
    return Metrics(service=service, namespace=namespace)


def count(metrics: Metrics, **amounts: int) -> None:
    """Add counts under names in CamelCase, and flush them at once.

    Powertools shares metrics across instances: what is not flushed would leak into the next
    invocation.
    """
    if not amounts:
        return
    for name, amount in amounts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=amount)
    metrics.flush_metrics()
