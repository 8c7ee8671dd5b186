"""A broken rule is noticed, and its story is no longer than it must be."""

import pytest

from simulator.storm.campaign import catch
from simulator.storm.day import StormDay
from simulator.storm.faults import ROUGH
from simulator.storm.sabotage import SABOTAGES
from simulator.storm.shrinking import shrunk_story


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("drop-the-intent-id", "orders_have_intents"),
        ("check-instead-of-reserve", "reservations_sum"),
        ("forget-the-sign", "orders_have_intents"),
        ("release-twice", "reservations_sum"),
        ("double-the-size", "limits_hold"),
        ("open-instead-of-close", "orders_have_intents"),
        ("forget-the-target", "exits_fire"),
        ("stop-too-early", "exits_fire"),
        ("tell-for-ever", "owner_is_told"),
        ("cancel-everything", "foreign_untouched"),
        ("sell-below-natural", "prices_are_sane"),
        ("leak-the-keys", "no_secret_leaks"),
    ],
)
def test_a_sabotage_is_noticed_by_the_rule_that_it_breaks(name: str, rule: str) -> None:
    caught = catch(SABOTAGES[name], ROUGH)
    assert caught is not None
    assert caught.violation is not None
    assert caught.violation.checker == rule


def test_a_sabotage_leaves_nothing_broken_behind() -> None:
    assert catch(SABOTAGES["release-twice"], ROUGH) is not None
    assert StormDay(1, ROUGH).run().violation is None


def test_there_are_many_sabotages_and_each_has_a_small_window() -> None:
    assert len(SABOTAGES) >= 15
    assert all(len(sabotage.seeds) <= 10 for sabotage in SABOTAGES.values())


def test_a_story_is_told_with_the_fewest_faults() -> None:
    with SABOTAGES["leak-the-keys"].at_work():
        result = StormDay(1, ROUGH).run()
        assert result.violation is not None
        assert len(result.faults) > 1
        story = shrunk_story(result, ROUGH)
    needed, _, rest = story[0].partition(" of ")
    assert rest.startswith(f"{len(result.faults)} faults")
    assert 1 <= int(needed) <= 3
    assert sum("FAULT" in line for line in story) == int(needed)
    assert "VIOLATION of no_secret_leaks" in story[-1]
