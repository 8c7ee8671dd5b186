"""What handlers answered, summed up."""

from simulator.rehearsal.tally import Failure, Tally
from tests.builders import AS_OF


def test_scans_add_up_and_one_that_did_not_scan_says_why() -> None:
    tally = Tally()
    answer = {"candidates": 9, "signals": 2, "entries": 1, "rejections": {"quote_wide": 3}}
    tally.add("scan_market", {"status": "scanned", **answer})
    tally.add("scan_market", {"status": "market_closed", **answer, "entries": 0})
    assert (tally.scans, tally.candidates, tally.signals, tally.entries) == (1, 18, 4, 1)
    assert tally.rejections == {"quote_wide": 6, "scan_market_closed": 1}


def test_only_passes_that_watched_count() -> None:
    tally = Tally()
    tally.add("monitor_positions", {"status": "watched", "exits_begun": {"stop_loss": 2}})
    tally.add("monitor_positions", {"status": "stale_slot", "exits_begun": {}})
    assert (tally.monitor_passes, tally.exits_begun) == (1, 2)


def test_failures_are_counted_by_function_and_type() -> None:
    failures = [
        Failure(AS_OF, function, kind, "no answer")
        for function, kind in (("scan", "B"), ("monitor", "B"), ("scan", "A"), ("scan", "B"))
    ]
    assert Tally(failures=failures).failures_by_function() == {
        "monitor": {"B": 1},
        "scan": {"A": 1, "B": 2},
    }
