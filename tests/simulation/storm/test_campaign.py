"""Forty rough days, as many as CI has time for: no rule is broken, and all of it happened."""

from simulator.storm.campaign import run_storm
from simulator.storm.faults import ROUGH

CI_SEEDS = range(1, 41)


def test_forty_rough_days_break_no_rule_and_meet_every_fault() -> None:
    report = run_storm(CI_SEEDS, ROUGH, processes=2)
    told = [line for violation in report.violations for line in violation.story]
    assert not told, "\n".join(told)
    assert not report.not_met
    assert report.days == len(CI_SEEDS)
    # These days are pinned: what is too rare to be asked of any forty is there on them.
    assert report.rolls
    assert report.assignments
    assert report.partials
    assert report.exits["broker_liquidated"]
