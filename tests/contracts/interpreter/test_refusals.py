"""What the interpreter does not implement it refuses before anything runs."""

from typing import Any

import pytest

from simulator.interpreter import FeatureRefused, QueryFailed, parse_definition
from simulator.interpreter.expressions import compiled


def a_machine(state: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": "Only", "States": {"Only": state}, **fields}


TASK = {"Type": "Task", "Resource": "${place_order}", "End": True}


@pytest.mark.parametrize(
    "document",
    [
        a_machine({"Type": "Map", "End": True}),
        a_machine({"Type": "Parallel", "Branches": [], "End": True}),
        a_machine({**TASK, "ResultPath": "$.x"}),
        a_machine({**TASK, "HeartbeatSeconds": 5}),
        a_machine({**TASK, "Resource": "arn:aws:states:::dynamodb:getItem"}),
        a_machine({**TASK, "Retry": [{"ErrorEquals": ["A"], "MaxDelaySeconds": 5}]}),
        a_machine({**TASK, "Catch": [{"ErrorEquals": ["A"], "Next": "Only", "Assign": {}}]}),
        a_machine({**TASK, "Next": "Nowhere"}),
        a_machine({"Type": "Pass", "Next": "Nowhere"}),
        a_machine({"Type": "Pass"}),
        a_machine({"Type": "Wait", "Timestamp": "2026-01-01T00:00:00Z", "End": True}),
        a_machine({"Type": "Choice", "Choices": []}),
        a_machine({"Type": "Fail", "Error": "{% $x %}"}),
        a_machine({"Type": "Pass", "End": True, "Output": "{% $now() %}"}),
        a_machine({"Type": "Pass", "End": True}, QueryLanguage="JSONPath"),
    ],
)
def test_an_unknown_feature_is_refused_at_load(document: dict[str, Any]) -> None:
    with pytest.raises(FeatureRefused):
        parse_definition("machine", document)


@pytest.mark.parametrize(
    "expression",
    ["$a * 2", "$a[0]", "$a & 'x'", "$uuid()", "{'a': 1}", "$a ? 1 : 2", "a.b", "", "1 +", "$a.*"],
)
def test_an_expression_beyond_the_subset_is_refused(expression: str) -> None:
    with pytest.raises(FeatureRefused):
        compiled("{% " + expression + " %}")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$a + 1 - 2", 2),
        ("$a = 3 and $b = 'x'", True),
        ("$a = '3'", False),
        ("$a != '3'", True),
        ('$a < 2 or $b = "x"', True),
        ("($a < 2 or $a > 2) and true", True),
        ("$none = null", True),
        ("$none = false", False),
        ("$s.deep.x >= 1.5", True),
        ("$b < 'y'", True),
        ("$missing = 'x'", False),
        ("$missing != 'x'", False),
        ("$missing > 1 or $a = 3", True),
    ],
)
def test_expressions_mean_what_jsonata_says(expression: str, value: Any) -> None:
    scope = {"a": 3, "b": "x", "none": None, "s": {"deep": {"x": 1.5}}}
    assert compiled("{% " + expression + " %}")(scope) == value


@pytest.mark.parametrize(
    "expression", ["$missing", "$a.b", "$a < 'x'", "$none + 1", "$a + $missing"]
)
def test_an_expression_without_a_value_fails(expression: str) -> None:
    with pytest.raises(QueryFailed):
        compiled("{% " + expression + " %}")({"a": 3, "none": None})
