"""What moto and botocore do again for every request, done once or not at all.

A demo sends some four thousand requests, and most of what they cost was spent on finding out what
was known: which service an address belongs to, what an update expression says, how botocore's own
JSON files read. Each shortcut gives what the original gives; nothing that DynamoDB checks is left
out. Tests hold them against the originals.
"""

import copy
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from botocore import useragent
from botocore.loaders import JSONFileLoader
from botocore.signers import RequestSigner
from moto.core import responses
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import HTTPException
from moto.core.request import normalize_request
from moto.core.serialize import ResponseSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.dynamodb.responses import DynamoHandler
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.utilities.aws_headers import gen_amzn_requestid_long

from simulator.cloud.replacement import Replacement

DEFINITIONS_MAX = 32
EXPRESSIONS_MAX = 1024
CLASSES_MAX = 64
FILES_MAX = 256
WORDS_MAX = 1024
REQUEST_ID = re.compile(r"(?<=<RequestId>).*(?=</RequestId>)")

DYNAMODB = re.compile(r"https://dynamodb\.[a-z0-9-]+\.amazonaws\.com/")

_original_process_request = BotocoreStubber.process_request
_original_load_file = JSONFileLoader.load_file
_original_sign = RequestSigner.sign
_original_get_value = ResponseSerializer.get_value

# An expression's tree depends on its text alone, and whoever changes a tree copies it first.
parse_update_expression = lru_cache(maxsize=EXPRESSIONS_MAX)(UpdateExpressionParser.make)

# Looks through a class of hundreds of members for every request.
names_of_methods = lru_cache(maxsize=CLASSES_MAX)(method_names_from_class)


def copy_tree(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """Copy deeply, as `copy.deepcopy` does; a tree of an expression without its detours."""
    if not isinstance(value, Node):
        return copy.deepcopy(value, memo)
    copies: dict[int, Any] = {}
    copied = _copy_node(value, copies)
    for node in copies.values():
        node.parent = copies.get(id(node.parent), node.parent)
    return copied


def _copy_node(node: Any, copies: dict[int, Any]) -> Any:
    known = copies.get(id(node))
    if known is not None:
        return known
    made = copies[id(node)] = object.__new__(type(node))
    made.__dict__.update(node.__dict__)
    if node.children is not None:
        made.children = [
            _copy_node(child, copies) if isinstance(child, Node) else copy.deepcopy(child)
            for child in node.children
        ]
    return made


def traverse(traverser: Any, node: Any, child_id: int = -1) -> Any:
    """Visit a tree depth first as moto does, asking once a traversal what is to be processed."""
    kinds = traverser.nodes_to_be_processed()
    before_child = traverser.pre_processing_of_child
    if before_child.__func__ is DepthFirstTraverser.pre_processing_of_child:
        before_child = None
    return _visit(traverser, kinds, before_child, node, child_id)


def count_actions(validator: Any, node: Any) -> Any:
    """Count the clauses of an expression once; moto counts them again in each of its parts.

    A part has no more clauses than the whole, so the whole is refused exactly where one is.
    """
    return validator.verify_action_counts(node)


def _visit(
    traverser: Any,
    kinds: tuple[type, ...],
    before_child: Callable[[Any, int], None] | None,
    node: Any,
    child_id: int,
) -> Any:
    kind: Any = type(node)
    if not _is_any(kind, (Node,)):
        return node
    parent = node.parent
    if node.children is not None:
        for number, child in enumerate(node.children):
            if before_child is not None:
                before_child(node, number)
            _visit(traverser, kinds, before_child, child, number)
    if _is_any(kind, kinds):
        node = traverser.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


@lru_cache(maxsize=EXPRESSIONS_MAX)
def _is_any(kind: type, kinds: tuple[type, ...]) -> bool:
    return issubclass(kind, kinds)


def enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
    """Name the request; only a body in XML repeats the name, and is searched for its place."""
    if "status" in headers:
        headers["status"] = str(headers["status"])
    name = gen_amzn_requestid_long(headers)
    if isinstance(body, str) and "<RequestId>" in body:
        body = REQUEST_ID.sub(name, body)
    return headers, body


def process_request(stubber: Any, request: Any) -> Any:
    """Hand DynamoDB's requests to its handler; others are matched with every service's addresses.

    A request is the handler's whole business: none is recorded, passed through or refused here.
    """
    if not DYNAMODB.fullmatch(request.url):
        return _original_process_request(stubber, request)
    asked = normalize_request(request)
    try:
        return DynamoHandler.dispatch(asked, asked.raw_url, asked.headers)
    except HTTPException as error:
        return error.code, error.get_headers(), error.get_body()


def load_file(_loader: JSONFileLoader, path: str) -> Any:
    """Read a file of botocore once a process; each client has a session of its own, and read it."""
    return _file(path)


@lru_cache(maxsize=FILES_MAX)
def _file(path: str) -> Any:
    return _original_load_file(JSONFileLoader(), path)


def sign(signer: RequestSigner, operation: str, request: Any, **how: Any) -> None:
    """Sign nothing but for S3, where moto takes what is unsigned for a stranger's.

    No request leaves the process, and no signature is looked at.
    """
    if signer.signing_name == "s3":
        _original_sign(signer, operation, request, **how)


def get_value(serializer: Any, value: Any, key: str, shape: Any) -> Any:
    """Find a member of a result; those of attribute values are spelt as DynamoDB spells them.

    moto looks for each of their ten under several spellings, and most of a run's answers are
    attribute values.
    """
    if type(value) is dict and shape.parent.name == "AttributeValue":
        return value.get(key)
    return _original_get_value(serializer, value, key, shape)


SHORTCUTS = (
    # Parsing a definition takes ten times as long as running it; the parsed program has no state.
    Replacement(
        AmazonStateLanguageParser,
        "parse",
        lru_cache(maxsize=DEFINITIONS_MAX)(AmazonStateLanguageParser.parse),
        AmazonStateLanguageParser.parse,
    ),
    Replacement(ResponseSerializer, "get_value", get_value, ResponseSerializer),
    Replacement(
        UpdateExpressionParser,
        "make",
        parse_update_expression,
        UpdateExpressionParser,
    ),
    Replacement(validators, "deepcopy", copy_tree, validators.Validator),
    Replacement(
        DepthFirstTraverser,
        "traverse_node_recursively",
        traverse,
        DepthFirstTraverser,
    ),
    Replacement(
        validators.ActionCountValidator,
        "traverse",
        count_actions,
        validators.ActionCountValidator,
    ),
    Replacement(
        useragent,
        "sanitize_user_agent_string_component",
        lru_cache(maxsize=WORDS_MAX)(useragent.sanitize_user_agent_string_component),
        useragent.sanitize_user_agent_string_component,
    ),
    Replacement(
        responses,
        "method_names_from_class",
        names_of_methods,
        responses.method_names_from_class,
    ),
    Replacement(
        responses.BaseResponse,
        "_enrich_response",
        staticmethod(enrich_response),
        responses.BaseResponse._enrich_response,  # noqa: SLF001 - no public way
    ),
    Replacement(
        BotocoreStubber,
        "process_request",
        process_request,
        BotocoreStubber.process_request,
    ),
    Replacement(JSONFileLoader, "load_file", load_file, JSONFileLoader),
    Replacement(RequestSigner, "sign", sign, RequestSigner.sign),
)
"""What is the same with less work."""
