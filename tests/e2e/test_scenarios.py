"""`options-agent demo --scenario`: what the desk did and why, also where things went wrong."""

from pathlib import Path

import pytest

from simulator.worlds.scenarios import SCENARIOS
from tests.e2e.test_demo import ONE_SYMBOL, demo

FEW_ORDERS = ("--set", "execution.polls_per_rung=1", "--set", "execution.urgent_ladder=[1]")
ASSIGNED = ("--sessions", "8", "--seed", "7", *FEW_ORDERS, "--set", "watchlist=[ALFA,DLTQ]")
SETTINGS_OF_COVERED = (
    "watchlist=[FXTT]",
    "strategies=[cash_secured_put]",
    "exits.cover_assigned_shares=[cash_secured_put]",
    "covered_call.below_basis=[FXTT]",
    # Out within days, so that few sessions show a call from its beginning to its end.
    "covered_call.dte_min=40",
    "covered_call.exit_below_dte=39",
)
COVERED = (
    *("--sessions", "9", "--seed", "7"),
    *(part for each in SETTINGS_OF_COVERED for part in ("--set", each)),
)
SHORT = ("--sessions", "8", "--seed", "7", *ONE_SYMBOL, *FEW_ORDERS)


def test_a_scenario_is_played_told_and_booked_to_the_cent(tmp_path: Path) -> None:
    outcome, report = demo(tmp_path, "--scenario", "gap", *SHORT)
    assert (outcome.code, outcome.errors) == (0, "")
    assert report["scenario"] == "gap"
    assert report["cash_identity"]["holds"] is True
    assert report["differences"] == []
    assert report["failures"] == {}
    assert report["entries"] > 0
    assert "Played scenario gap, seed 7" in outcome.output
    opened = [event for event in report["story"] if event["event"] == "opened"]
    assert len(opened) == report["entries"]


@pytest.mark.nightly
@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_a_scenario_of_full_size_says_what_the_desk_did_and_why(
    tmp_path: Path, scenario: str
) -> None:
    outcome, report = demo(tmp_path, "--scenario", scenario)
    assert (outcome.code, outcome.errors) == (0, "")
    assert report["sessions"] == 30
    assert report["cash_identity"]["holds"] is True
    assert report["differences"] == []
    closes = [event for event in report["story"] if event["event"].startswith("closing: ")]
    assert {event["event"].removeprefix("closing: ").replace(" ", "_") for event in closes} >= set(
        report["exits"]
    )
    assert all(event["why"].endswith(".") for event in closes)
    assert sum(report["exits"].values()) > 0


def test_an_outage_of_the_broker_is_counted_told_and_survived(tmp_path: Path) -> None:
    outcome, report = demo(tmp_path, "--scenario", "broker-outage", *SHORT)
    assert (outcome.code, outcome.errors) == (0, "")
    assert report["scenario"] == "broker-outage"
    assert report["failures"] == {
        "monitor_positions": {"BrokerUnavailable": 2},
        "scan_market": {"BrokerUnavailable": 2},
    }
    assert report["scans"] == report["slots"]["ran"]["scan_market"] - 2
    assert "What the desk did" in outcome.output
    assert "scan_market failed" in outcome.output
    assert "The broker is out of reach for hours" in outcome.output
    assert max(map(len, outcome.output.splitlines())) <= 80

    opened = [event for event in report["story"] if event["event"] == "opened"]
    assert len(opened) == report["entries"] > 0
    closes = [event for event in report["story"] if event["event"].startswith("closing: ")]
    assert len(closes) >= sum(report["exits"].values()) > 0
    assert all(event["why"].endswith(".") for event in closes)


def test_what_is_assigned_is_booked_sold_and_ends_with_book_and_broker_as_one(
    tmp_path: Path,
) -> None:
    outcome, report = demo(tmp_path, "--scenario", "assignment", *ASSIGNED)
    assert (outcome.code, outcome.errors) == (0, "")
    assert report["differences"] == []
    assert float(report["exercise_cash"]) != 0
    identity = report["cash_identity"]
    assert identity["holds"] is True
    assert float(identity["difference"]) == 0

    assigned = [event for event in report["story"] if event["event"] == "assigned"]
    assert assigned
    assert all(" shares at " in event["why"] for event in assigned)
    assert report["exits"]["assigned"] > 0
    ended = [trade for trade in report["trades"] if trade["exit_reason"] == "assigned"]
    assert all(trade["pnl"] is not None for trade in ended)
    assert "a leg is left alone" in (tmp_path / "build/demo/alerts.jsonl").read_text("utf-8")


def test_calls_are_written_on_assigned_shares_and_end(tmp_path: Path) -> None:
    outcome, report = demo(tmp_path, "--scenario", "assignment", *COVERED)
    assert (outcome.code, outcome.errors) == (0, "")
    assert report["differences"] == []
    assert report["cash_identity"]["holds"] is True
    told = [event["event"] for event in report["story"]]
    for each in ("assigned", "writing calls", "wrote calls", "closing: expiration near"):
        assert each in told
    covered = [trade for trade in report["trades"] if trade["rolled"]]
    assert covered
    assert all(part["exit_reason"] == "assigned" for part in (t["rolled"][0] for t in covered))
