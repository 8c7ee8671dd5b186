"""The insides of moto that the local cloud replaces are still those that were studied.

Where this fails after an upgrade, read what changed, adapt simulator/cloud/moto_*.py, and only
then write the new digest here.
"""

import hashlib
import inspect
import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import moto
import pytest

from simulator.cloud import moto_patches
from simulator.cloud.moto_patches import QueuedExecution, TaskOutcome
from simulator.cloud.replacement import Replacement

STUDIED_VERSION = "5.2.5"
STUDIED: Mapping[str, str] = MappingProxyType(
    {
        "AmazonStateLanguageParser.parse": "a59a7d18760fb22e",
        "ResponseSerializer.get_value": "6266dfddaa30faa3",
        "UpdateExpressionParser.make": "4f53df8e573dc135",
        "validators.deepcopy": "550a62418ff7b224",
        "DepthFirstTraverser.traverse_node_recursively": "ec3e3b9cd5fdd87f",
        "ActionCountValidator.traverse": "3fe995f04a9c4a2d",
        "OverlappingPathsValidator.traverse": "27f48a77a1762303",
        "Table.all_items": "c80d2ee3c896acd0",
        "BaseJSONSerializer._serialize_type_map": "e558d3b61d0694d4",
        "useragent.sanitize_user_agent_string_component": "4536076c32a93958",
        "responses.method_names_from_class": "9dbac89d082b655f",
        "BaseResponse._enrich_response": "86cd4a4051dd20e8",
        "BotocoreStubber.process_request": "f79a1a778c7e755f",
        "JSONFileLoader.load_file": "01c36b3a078faeb4",
        "RequestSigner.sign": "b066ac228d0a9b81",
        "DynamoDBBackend.transact_write_items": "81db2cb7d94e39c9",
        "ExecutionWorker.start": "6ce07ac0ff04ac75",
        "ExecutionWorker.stop": "dc18be1944e1abeb",
        "Program.eval": "6d701880064a8970",
        "execute_state.Thread": "68cdedae0e5dc7e1",
        "WaitFunction._wait_interval": "8a50f2fa081e588b",
        "retrier_decl.time": "09b03c34b4178845",
        "jitter_strategy_decl.random": "d2f848e9bd5679e5",
        "lambda_eval_utils._invoke_lambda_function": "3b0e86edfb1661db",
        "StringJSONata._eval_body": "368a36b5081f16c2",
        "StepFunctionsParserBackend.start_execution": "0f8d9dd57baf0c28",
    }
)


class IdleHost:
    """A host that is never asked for anything."""

    def __init__(self) -> None:
        self.jitter = random.Random(0)

    def enqueue(self, execution: QueuedExecution) -> None:
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def invoke_task(self, function_arn: str, payload: str) -> TaskOutcome:
        raise NotImplementedError


REPLACEMENTS = (
    *moto_patches.STANDING,
    *moto_patches.replacements(IdleHost()),
)


def name_of(replacement: Replacement) -> str:
    owner: Any = replacement.owner
    return f"{owner.__name__.rpartition('.')[2]}.{replacement.name}"


def digest_of(code: Any) -> str:
    return hashlib.sha256(inspect.getsource(code).encode()).hexdigest()[:16]


def test_moto_has_the_version_that_was_studied() -> None:
    assert moto.__version__ == STUDIED_VERSION


@pytest.mark.parametrize("replacement", REPLACEMENTS, ids=name_of)
def test_what_is_replaced_exists_and_is_what_was_studied(replacement: Replacement) -> None:
    assert hasattr(replacement.owner, replacement.name)
    assert digest_of(replacement.reviewed) == STUDIED[name_of(replacement)]


def test_every_studied_piece_is_still_replaced() -> None:
    assert {name_of(replacement) for replacement in REPLACEMENTS} == STUDIED.keys()


def test_everything_is_put_back() -> None:
    def all_of_them() -> list[Any]:
        return [inspect.getattr_static(each.owner, each.name) for each in REPLACEMENTS]

    before = all_of_them()
    with moto_patches.simulated_aws(0), moto_patches.single_threaded(IdleHost()):
        during = all_of_them()
    after = all_of_them()
    assert all(one is not other for one, other in zip(before, during, strict=True))
    assert all(one is other for one, other in zip(before, after, strict=True))
