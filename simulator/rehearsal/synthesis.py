"""Synthesise the template that a rehearsal runs, beside whatever else has to be made ready."""

import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

from infra.app import synthesize


@cache
def begin_synthesis() -> Future[str]:
    """Begin to synthesise the default stage's template, once a process.

    The CDK works in a Node of its own for seconds, in which the market can be made ready.
    """
    workers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="synthesis")
    future = workers.submit(_template)
    workers.shutdown(wait=False)
    return future


def _template() -> str:
    with tempfile.TemporaryDirectory(prefix="options-agent-") as directory:
        return synthesize(Path(directory), bundle_layers=False).read_text(encoding="utf-8")
