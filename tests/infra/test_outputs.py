"""What the stack says of itself, for commands that look there."""

from cli.state import CONTROL_OUTPUT
from infra.stage import Stage
from tests.infra.synthesized import Synthesized


def test_the_stack_is_named_after_its_stage(template: Synthesized) -> None:
    assert template.path.name == f"{Stage().stack_name}.template.json"


def test_the_output_that_the_command_line_asks_for_names_the_control_table(
    template: Synthesized,
) -> None:
    value = template.resolve(template.document["Outputs"][CONTROL_OUTPUT]["Value"])
    assert value == template.tables()["agent_control"].logical_id
