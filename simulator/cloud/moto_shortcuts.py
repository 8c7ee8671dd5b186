"""What moto and botocore do again for every request, done once or not at all.

A demo sends some four thousand requests, and most of what they cost was spent on finding out what
was known: which service an address belongs to, what an update expression says, how botocore's own
JSON files read. Each shortcut gives what the original gives; nothing that DynamoDB checks is left
out. Tests hold them against the originals.
"""

import copy
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any

from botocore import useragent
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from botocore.loaders import JSONFileLoader
from botocore.signers import RequestSigner
from moto.core import responses
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import HTTPException
from moto.core.request import Request, environ_key_for_header, normalize_request
from moto.core.serialize import BaseJSONSerializer, ResponseSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb.exceptions import DuplicateUpdateExpression
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
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
ADDRESSES_MAX = 32
REQUEST_ID = re.compile(r"(?<=<RequestId>).*(?=</RequestId>)")

DYNAMODB = re.compile(r"https://dynamodb\.[a-z0-9-]+\.amazonaws\.com/")

_original_process_request = BotocoreStubber.process_request
_original_load_file = JSONFileLoader.load_file
_original_sign = RequestSigner.sign
_original_get_value = ResponseSerializer.get_value
_original_all_items = Table.all_items
_original_serialize_map = BaseJSONSerializer._serialize_type_map  # noqa: SLF001 - no public way

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


class Kinds(dict[type, bool]):
    """Say of a type whether it is one of some kinds of node; each is found out once."""

    def __init__(self, kinds: tuple[type, ...]) -> None:
        super().__init__()
        self._kinds = kinds

    def __missing__(self, kind: type) -> bool:
        found = self[kind] = issubclass(kind, self._kinds)
        return found


NODES = Kinds((Node,))
kinds_of = lru_cache(maxsize=CLASSES_MAX)(Kinds)


def traverse(traverser: Any, node: Any, child_id: int = -1) -> Any:
    """Visit a tree depth first as moto does, asking once a traversal what is to be processed."""
    if not NODES[type(node)]:
        return node
    kinds = kinds_of(traverser.nodes_to_be_processed())
    before_child = traverser.pre_processing_of_child
    if before_child.__func__ is DepthFirstTraverser.pre_processing_of_child:
        before_child = None
    return _visit(traverser, kinds, before_child, node, child_id)


def count_actions(validator: Any, node: Any) -> Any:
    """Count the clauses of an expression once; moto counts them again in each of its parts.

    A part has no more clauses than the whole, so the whole is refused exactly where one is.
    """
    return validator.verify_action_counts(node)


def compare_paths(validator: Any, node: Any) -> Any:
    """Compare the paths of an expression once; moto compares them again in each of its parts.

    What is refused is gone through part by part all the same: which part tells, moto decides.
    """
    try:
        return validator.check_for_overlapping_paths(node)
    except (DuplicateUpdateExpression, KeyError, TypeError):
        return DepthFirstTraverser.traverse(validator, node)


def _visit(
    traverser: Any,
    kinds: Kinds,
    before_child: Callable[[Any, int], None] | None,
    node: Any,
    child_id: int,
) -> Any:
    parent = node.parent
    if node.children is not None:
        for number, child in enumerate(node.children):
            if before_child is not None:
                before_child(node, number)
            if NODES[type(child)]:
                _visit(traverser, kinds, before_child, child, number)
    if kinds[type(node)]:
        node = traverser.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


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
    asked = request_to_dynamodb(request)
    try:
        return DynamoHandler.dispatch(asked, request.url, asked.headers)
    except HTTPException as error:
        return error.code, error.get_headers(), error.get_body()


def request_to_dynamodb(request: AWSPreparedRequest) -> Request:
    """Give what moto makes of a request; only its headers and body differ from the last one's."""
    told: Any = request.body or b""
    body = told.encode() if isinstance(told, str) else bytes(told)
    environ = dict(_environ(request.method, request.url))
    for name, value in request.headers.items():
        text = value.decode() if isinstance(value, bytes) else value
        environ[environ_key_for_header(name)] = text
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = BytesIO(body)
    return Request(environ)


@lru_cache(maxsize=ADDRESSES_MAX)
def _environ(method: str, url: str) -> Mapping[str, Any]:
    bare = AWSPreparedRequest(method, url, HTTPHeaders(), b"", stream_output=False)
    environ: dict[str, Any] = normalize_request(bare).environ
    return environ


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


def serialize_map(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
    """Write a map; one of attribute values is written as it is, for so DynamoDB spells them.

    Binary ones are not: the original encodes them.
    """
    if shape.value.name == "AttributeValue" and all(map(_is_spelt, value.values())):
        serialized[serializer.get_serialized_name(shape, key)] = value
    else:
        _original_serialize_map(serializer, serialized, value, shape, key)


def _is_spelt(value: Any) -> bool:
    """Say whether an attribute value is what the answer spells, and has nothing binary in it."""
    if type(value) is not dict or len(value) != 1:
        return False
    ((kind, held),) = value.items()
    if kind == "M":
        return type(held) is dict and all(map(_is_spelt, held.values()))
    if kind == "L":
        return type(held) is list and all(map(_is_spelt, held))
    if kind in {"SS", "NS"}:
        return type(held) is list and all(type(each) is str for each in held)
    return type(held) is (bool if kind in {"BOOL", "NULL"} else str) and kind != "B"


def all_items(table: Table) -> list[Item]:
    """List the items by their keys; those that are texts are compared as texts, not as types."""
    items: list[Any] = list(table.items.values())
    if table.has_range_key:
        items = [item for stored in items for item in stored.values()]
        keys = [(item.hash_key, item.range_key) for item in items]
    else:
        keys = [(item.hash_key, item.hash_key) for item in items]
    if not all(_is_text(first) and _is_text(second) for first, second in keys):
        original: list[Item] = _original_all_items(table)
        return original
    texts = [(first.value, second.value) for first, second in keys]
    return [items[row] for row in sorted(range(len(items)), key=texts.__getitem__)]


def _is_text(key: Any) -> bool:
    return type(key) is DynamoType and key.type == "S"


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
        validators.OverlappingPathsValidator,
        "traverse",
        compare_paths,
        validators.OverlappingPathsValidator,
    ),
    Replacement(Table, "all_items", all_items, Table.all_items),
    Replacement(
        BaseJSONSerializer,
        "_serialize_type_map",
        serialize_map,
        BaseJSONSerializer,
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
