"""Every call that the functions make in a rehearsal is one that their roles allow.

The local cloud enforces no policy, so that a missing right would first show in the account.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.client import BaseClient

from simulator.rehearsal.preparation import prepare
from tests.infra.synthesized import Synthesized

LOGICAL_ID = re.compile(r"[a-z]+[0-9a-f]{8}")
"""In small letters, which are all that the name of a bucket may have."""
SESSIONS = 3
SERVICES = {"stepfunctions": "states"}
TARGETS = ("Bucket", "TableName", "SecretId", "TopicArn", "stateMachineArn", "executionArn")

Calls = dict[str, set[tuple[str, str]]]
"""Function to the actions it took, each with the logical id of what it took it on."""


def targets_of(service: str, operation: str, asked: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name the rights that a call needs: a transaction needs those of its parts."""
    if operation == "TransactWriteItems":
        for part in asked["TransactItems"]:
            ((kind, inner),) = part.items()
            suffix = "" if kind.endswith("Item") else "Item"
            yield f"{kind}{suffix}", inner["TableName"]
    elif service == "dynamodb" and "RequestItems" in asked:
        for table in asked["RequestItems"]:
            yield operation, table
    else:
        (target,) = (asked[name] for name in TARGETS if name in asked)
        yield operation, target


@pytest.fixture(scope="module")
def calls() -> Calls:
    """Rehearse a few sessions and write down what each function called."""
    made: Calls = defaultdict(set)
    send = vars(BaseClient)["_make_api_call"]

    def recording(client: BaseClient, operation: str, asked: dict[str, Any]) -> Any:
        function = os.environ.get("POWERTOOLS_SERVICE_NAME")
        if function is not None:
            service = client.meta.service_model.service_name
            for action, target in targets_of(service, operation, asked):
                (logical_id,) = LOGICAL_ID.findall(target.lower())
                made[function].add((f"{SERVICES.get(service, service)}:{action}", logical_id))
        return send(client, operation, asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", recording)
        with prepare(data_directory=None, seed=7, sessions=SESSIONS, config=None) as rehearsal:
            for _ in rehearsal.play():
                pass
    return made


def test_no_function_calls_what_its_role_does_not_allow(
    calls: Calls, template: Synthesized
) -> None:
    lacking = {}
    for name, function in template.functions().items():
        allowed = {
            (action, logical_id)
            for action, resource in template.allowed(template.role_of(function))
            for logical_id in LOGICAL_ID.findall(resource.lower())
        }
        lacking[name] = calls.get(name, set()) - allowed
    assert {name: missing for name, missing in lacking.items() if missing} == {}


def test_the_rehearsal_traded_so_that_the_calls_are_worth_comparing(calls: Calls) -> None:
    entries = {"scan_market", "check_risk", "size_position", "place_order", "record_fill"}
    assert entries | {"monitor_positions"} <= calls.keys()
