"""Settings on the command line."""

import pytest

from cli.options import leaves, parse_assignments
from cli.problems import ReportedProblem


def test_assignments_make_a_tree_with_values_as_yaml_reads_them() -> None:
    assert parse_assignments(
        ["risk.contracts_max=7", "risk.kelly_sizing=true", "watchlist=[AAPL, MSFT]", "stage=a=b"]
    ) == {
        "risk": {"contracts_max": 7, "kelly_sizing": True},
        "watchlist": ["AAPL", "MSFT"],
        "stage": "a=b",
    }


@pytest.mark.parametrize("text", ["risk", "=7", "risk.=7", ".risk=7"])
def test_what_names_no_setting_is_refused_as_it_was_written(text: str) -> None:
    with pytest.raises(ReportedProblem, match=r"is not section.name=value") as refused:
        parse_assignments([text])
    assert str(refused.value).startswith(f"--set {text}: ")


def test_a_value_cannot_have_settings_of_its_own() -> None:
    with pytest.raises(ReportedProblem, match="risk was set to a value before"):
        parse_assignments(["risk=7", "risk.contracts_max=7"])


def test_leaves_are_the_paths_to_values() -> None:
    assert leaves({"a": {"b": 1, "c": {"d": [2]}}, "e": {}}) == {
        ("a", "b"): 1,
        ("a", "c", "d"): [2],
        ("e",): {},
    }
