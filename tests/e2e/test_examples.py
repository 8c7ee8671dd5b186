"""Scripts that know Alpaca's API and nothing of this project trade at `options-agent exchange`."""

import ast
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.commands import ROOT, Outcome, run_apart, served_exchange

EXAMPLES = ROOT / "examples"
OUR_ROOMS = {"agent", "functions", "infra", "simulator", "cli", "tests"}
KEYS = {"APCA_API_KEY_ID": "local-key", "APCA_API_SECRET_KEY": "local-secret"}


def run_example(name: str, *arguments: str, url: str, directory: Path) -> Outcome:
    script = str(EXAMPLES / name)
    return run_apart((script, *arguments), directory=directory, ALPACA_URL=url, **KEYS)


@pytest.fixture(scope="module")
def slow_url() -> Iterator[str]:
    """Give the URL of an exchange that stays on the morning of its first day."""
    with served_exchange("--port", "0", "--seed", "7", "--sessions", "2", "--speed", "20") as (
        process,
        url,
    ):
        yield url
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_the_examples_import_nothing_of_ours() -> None:
    scripts = sorted(EXAMPLES.glob("*.py"))
    assert [script.name for script in scripts] == [
        "list_chain_and_pick_spread.py",
        "place_poll_cancel.py",
        "run_wheel.py",
        "sell_put_by_delta.py",
    ]
    for script in scripts:
        imported: set[str] = set()
        for node in ast.walk(ast.parse(script.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add((node.module or "").split(".")[0])
        assert "alpaca" in imported
        assert not imported & OUR_ROOMS


def test_a_chain_is_listed_and_a_spread_picked_from_it(slow_url: str, tmp_path: Path) -> None:
    outcome = run_example("list_chain_and_pick_spread.py", "DLTQ", url=slow_url, directory=tmp_path)
    assert (outcome.code, outcome.errors) == (0, "")
    *listed, picked = outcome.output.splitlines()
    assert len(listed) > 8
    found = re.fullmatch(
        r"sell DLTQ(\d{6})P(\d{8}), buy DLTQ(\d{6})P(\d{8}): "
        r"credit (\d+\.\d\d), at risk (\d+\.\d\d) a share",
        picked,
    )
    assert found is not None, picked
    sold, bought, credit, risk = (float(found[number]) for number in (2, 4, 5, 6))
    assert found[1] == found[3]
    assert sold > bought
    assert credit + risk == pytest.approx((sold - bought) / 1000)


def test_a_multi_leg_order_is_placed_polled_and_cancelled(slow_url: str, tmp_path: Path) -> None:
    outcome = run_example(
        "place_poll_cancel.py", "DLTQ", "--poll-seconds", "0.1", url=slow_url, directory=tmp_path
    )
    assert (outcome.code, outcome.errors) == (0, "")
    ends = re.findall(r"^order \S+: (\w+), filled (\d)$", outcome.output, re.MULTILINE)
    assert ends == [("new", "0"), ("canceled", "0"), ("filled", "1"), ("filled", "1")]
    assert "in and out of one spread: " in outcome.output


def test_the_best_put_by_delta_is_sold_and_its_fill_is_heard(slow_url: str, tmp_path: Path) -> None:
    outcome = run_example("sell_put_by_delta.py", "DLTQ", "FXTT", url=slow_url, directory=tmp_path)
    assert (outcome.code, outcome.errors) == (0, "")
    best, *heard, sold = outcome.output.splitlines()
    pattern = r"best of (\d+) puts: ((?:DLTQ|FXTT)\d{6}P\d{8}), delta (-0\.\d\d), bid \d+\.\d\d"
    found = re.fullmatch(pattern, best)
    assert found is not None, best
    assert int(found[1]) > 100
    assert -0.30 <= float(found[3]) <= -0.15
    assert {line.split(": ")[0] for line in heard} <= {f"heard of {found[2]}"}
    assert re.fullmatch(rf"sold 1 {found[2]} at \d+\.\d\d", sold)


def test_a_wheel_turns_for_simulated_weeks(tmp_path: Path) -> None:
    # The stock opens 18 % lower on the Friday on which the first week's puts expire.
    market = ("--scenario", "gap", "--seed", "1", "--sessions", "13", "--speed", "15000")
    with served_exchange("--port", "0", *market) as (process, url):
        wheel = ("--weeks", "1.3", "--days-min", "1", "--poll-seconds", "0.05")
        outcome = run_example("run_wheel.py", "DLTQ", *wheel, url=url, directory=tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert process.stdout is not None
        assert "Stopped at " in process.stdout.read()
    assert (outcome.code, outcome.errors) == (0, "")
    said = outcome.output
    put = said.index("offered 1 DLTQ260109P")
    assigned = said.index("assigned: 100 shares of DLTQ")
    call = said.index("offered 1 DLTQ260116C")
    assert put < assigned < call
    assert "100 shares, cash" in said.splitlines()[-1]
