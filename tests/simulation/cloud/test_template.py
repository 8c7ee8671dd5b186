"""A template resolves to physical names, or says what it does not know."""

from pathlib import Path
from typing import Any

import pytest

from simulator.cloud.template import (
    Identifiers,
    Resource,
    Template,
    TemplateError,
    function_folder,
)
from tests.simulation.cloud.builders import write_template

TABLE = {"Type": "AWS::DynamoDB::Table", "Properties": {}}


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return Template.load(write_template(tmp_path, {"Book": TABLE}))


@pytest.fixture
def identifiers(template: Template) -> Identifiers:
    known = template.identifiers()
    known.add("Book", "book-table", Arn="arn:book")
    return known


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Book"}, "book-table"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Fn::GetAtt": ["Book", "Arn"]}, "arn:book"),
        ({"Fn::GetAtt": "Book.Arn"}, "arn:book"),
        ({"Fn::Join": [":", ["a", {"Ref": "Book"}, 3]]}, "a:book-table:3"),
        ({"Fn::Sub": "${Book}/${Book.Arn}/${!Kept}"}, "book-table/arn:book/${Kept}"),
        ({"Fn::Sub": ["${x}-${Book}", {"x": {"Ref": "AWS::Partition"}}]}, "aws-book-table"),
        ({"a": [{"Ref": "Book"}], "b": {"c": 1}}, {"a": ["book-table"], "b": {"c": 1}}),
        ("plain", "plain"),
    ],
)
def test_intrinsic_functions_resolve_to_physical_names(
    template: Template, identifiers: Identifiers, value: Any, resolved: Any
) -> None:
    assert template.resolve(value, identifiers) == resolved


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"Fn::ImportValue": "x"}, "does not know Fn::ImportValue"),
        ({"Ref": "Nobody"}, "Ref to Nobody"),
        ({"Fn::GetAtt": ["Book", "StreamArn"]}, r"Fn::GetAtt of Book\.StreamArn"),
        ({"Fn::Sub": "${Nobody}"}, "Ref to Nobody"),
        ({"Fn::Join": ["", "abc"]}, r"malformed Fn::Join"),
        ({"Fn::GetAtt": ["Book"]}, "malformed Fn::GetAtt"),
        ({"Ref": ["Book"]}, "malformed Ref"),
        ({"Fn::Sub": [1, 2, 3]}, "malformed Fn::Sub"),
    ],
)
def test_what_is_not_known_is_an_error_that_names_it(
    template: Template, identifiers: Identifiers, value: Any, complaint: str
) -> None:
    with pytest.raises(TemplateError, match=complaint):
        template.resolve(value, identifiers)


def test_a_parameter_resolves_to_its_default(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(
        '{"Parameters": {"Stage": {"Default": "paper"}, "Mail": {}}, "Resources": {"A": '
        '{"Type": "AWS::SNS::Topic"}}}',
        encoding="utf-8",
    )
    template = Template.load(path)
    identifiers = template.identifiers()
    assert template.resolve({"Ref": "Stage"}, identifiers) == "paper"
    with pytest.raises(TemplateError, match="Ref to Mail"):
        template.resolve({"Ref": "Mail"}, identifiers)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is not JSON"),
        ("[]", "not a CloudFormation template"),
        ("{}", "has no Resources"),
        ('{"Resources": {"A": {}}}', "the resource A has no Type"),
    ],
)
def test_a_file_that_is_no_template_is_refused_by_name(
    tmp_path: Path, content: str, complaint: str
) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TemplateError, match=complaint) as raised:
        Template.load(path)
    assert "broken.json" in str(raised.value)


def test_a_missing_template_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"cannot read the template .*nowhere\.json"):
        Template.load(tmp_path / "nowhere.json")


def machine_with(definition: str, substitutions: dict[str, Any]) -> Resource:
    properties = {"DefinitionString": definition, "DefinitionSubstitutions": substitutions}
    return Resource("Machine", "AWS::StepFunctions::StateMachine", properties, {})


def test_a_definition_is_filled_with_its_substitutions(
    template: Template, identifiers: Identifiers
) -> None:
    machine = machine_with('{"Resource": "${book}"}', {"book": {"Fn::GetAtt": ["Book", "Arn"]}})
    assert template.definition(machine, identifiers) == '{"Resource": "arn:book"}'


def test_a_placeholder_without_a_substitution_is_an_error(
    template: Template, identifiers: Identifiers
) -> None:
    with pytest.raises(TemplateError, match=r"Machine gives no substitution for \$\{book\}"):
        template.definition(machine_with("${book}", {}), identifiers)


def function_with(
    metadata: dict[str, Any], handler: str = "handler.handler", service: Any = None
) -> Resource:
    variables = {} if service is None else {"POWERTOOLS_SERVICE_NAME": service}
    properties = {"Handler": handler, "Environment": {"Variables": variables}}
    return Resource("Fn", "AWS::Lambda::Function", properties, metadata)


@pytest.mark.parametrize(
    "function",
    [
        function_with({"agent:function": "scan_market", "aws:asset:path": "functions/other"}),
        function_with({"aws:asset:path": "/home/me/agent/functions/scan_market"}),
        function_with({"aws:asset:path": "asset.0123"}, handler="functions.scan_market.handler.h"),
        function_with({"aws:asset:path": "asset.0123"}, service="scan_market"),
    ],
)
def test_a_function_is_linked_to_the_folder_that_its_code_comes_from(function: Resource) -> None:
    assert function_folder(function) == "scan_market"


def test_a_function_without_any_trace_of_its_folder_is_an_error() -> None:
    with pytest.raises(TemplateError, match="cannot tell which folder Fn runs"):
        function_folder(function_with({"aws:asset:path": "asset.0123"}))
