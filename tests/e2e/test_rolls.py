"""A roll through the local cloud: the template, the state machines and the handlers as deployed."""

from pathlib import Path

from tests.e2e.test_demo import NO_REPORTS, demo

READY_TO_ROLL = (
    *("--set", "strategies=[bull_put_spread]", "--set", "watchlist=[BRVO]", *NO_REPORTS),
    # Every spread is in danger, and soon near its end: so it rolls where that pays.
    *("--set", "exits.threatened_deviations=4", "--set", "bull_put_spread.exit_below_dte=32"),
    *("--set", "bull_put_spread.short_delta_min=-0.45"),
    *("--set", "bull_put_spread.profit_target=0.9"),
)


def test_a_spread_rolls_and_stays_one_trade_booked_to_the_cent(tmp_path: Path) -> None:
    outcome, report = demo(tmp_path, "--story", "--sessions", "6", *READY_TO_ROLL)
    assert outcome.code == 0
    assert report["rolls"] > 0
    assert report["cash_identity"]["holds"] is True
    assert report["differences"] == []
    assert report["failures"] == {}
    events = [event["event"] for event in report["story"]]
    assert events.count("rolling") > 0
    assert "rolled" in events
    entered = [trade for trade in report["trades"] if trade["execution"]["contracts"]]
    assert len(entered) == report["entries"]
    rolled = [trade for trade in entered if trade["rolled"]]
    for trade in rolled:
        for part in trade["rolled"]:
            assert part["exit_reason"] == "roll"
            assert part["expiration"] < trade["expiration"]
        assert float(trade["execution"]["credit"]) > float(trade["rolled"][0]["credit"])
    assert sum(len(trade["rolled"]) for trade in rolled) == report["rolls"]
    assert "roll" in outcome.output
