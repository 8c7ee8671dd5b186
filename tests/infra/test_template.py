"""The template as a whole."""

import json
import subprocess
import sys
from pathlib import Path

from tests.infra.synthesized import Synthesized

EXPECTED_WARNINGS = {
    "W3005",  # the CDK states dependencies that references imply already
    "W8003",  # the rule that refuses a template without layers is meant to be always false
}


def test_cfn_lint_finds_no_error(template: Synthesized) -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    linted = subprocess.run(
        [str(linter), "--format", "json", str(template.path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    findings = json.loads(linted.stdout)
    unexpected = [
        f"{found['Rule']['Id']}: {found['Message']}"
        for found in findings
        if found["Rule"]["Id"] not in EXPECTED_WARNINGS
    ]
    assert unexpected == []


def test_the_template_names_no_account_and_no_region(template: Synthesized) -> None:
    manifest = json.loads((template.path.parent / "manifest.json").read_text(encoding="utf-8"))
    stacks = [
        artifact
        for artifact in manifest["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    ]
    assert [stack["environment"] for stack in stacks] == ["aws://unknown-account/unknown-region"]
    assert stacks[0]["properties"]["terminationProtection"] is True
    assert "missing" not in manifest
    assert "us-east-1" not in template.text


def test_a_template_without_layers_is_refused_by_cloudformation(template: Synthesized) -> None:
    (assertion,) = template.document["Rules"]["LayersAreBuilt"]["Assertions"]
    left, right = assertion["Assert"]["Fn::Equals"]
    assert left != right
    assert "cdk deploy" in assertion["AssertDescription"]
