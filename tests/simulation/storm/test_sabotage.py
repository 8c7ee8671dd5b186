"""A broken rule is noticed, and its story is no longer than it must be."""

import pytest

from simulator.storm.campaign import catch
from simulator.storm.day import StormDay
from simulator.storm.faults import ROUGH
from simulator.storm.sabotage import SABOTAGES
from simulator.storm.shrinking import shrunk_story

BROKEN_RULES = {
    "drop-the-intent-id": "orders_have_intents",
    "check-instead-of-reserve": "reservations_sum",
    "forget-the-sign": "orders_have_intents",
    "release-twice": "reservations_sum",
    "double-the-size": "limits_hold",
    "open-instead-of-close": "orders_have_intents",
    "never-redrive": "everything_ends",
    "drop-the-stop-on-a-bad-quote": "exits_fire",
    "forget-the-target": "exits_fire",
    "stop-too-early": "exits_fire",
    "mark-before-telling": "owner_is_told",
    "tell-for-ever": "owner_is_told",
    "cancel-everything": "foreign_untouched",
    "sell-below-natural": "prices_are_sane",
    "leak-the-keys": "no_secret_leaks",
    "flatter-the-fills": "records_are_true",
    "leave-out-the-cover": "no_uncovered_short",
    "forget-the-assignment": "mishaps_are_booked",
    "keep-it-quiet": "mishaps_are_booked",
    "forget-the-orphan": "orphans_are_closed",
    "leave-the-short-stock": "orphans_are_closed",
    "keep-unwanted-shares": "orphans_are_closed",
    "ignore-the-residue": "orphans_are_closed",
    "ignore-the-caps": "limits_hold",
    "reserve-any-heat": "limits_hold",
    "learn-from-frozen-quotes": "exits_fire",
}
"""What some sabotages must be noticed by; of the others any rule will do."""
NOTICED_BY_ONE_RULE = (
    ("send-before-writing", ("orders_have_intents",)),
    ("flatter-the-fills", ("records_are_true", "book_is_broker")),
    ("ignore-the-daily-loss", ("limits_hold",)),
    ("never-redrive", ("everything_ends",)),
    ("release-twice", ("reservations_sum",)),
    ("forget-the-target", ("exits_fire",)),
    ("leak-the-keys", ("no_secret_leaks",)),
    ("tell-for-ever", ("owner_is_told",)),
    ("cancel-everything", ("foreign_untouched",)),
)
"""For the promises that rules watch, a sabotage that no other promise's rules notice."""


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_sabotage_is_noticed_by_the_rule_that_it_breaks(name: str) -> None:
    caught = catch(SABOTAGES[name], ROUGH)
    assert caught is not None
    assert caught.violation is not None
    assert caught.violation.checker == BROKEN_RULES.get(name, caught.violation.checker)


@pytest.mark.nightly
@pytest.mark.parametrize(("name", "rules"), NOTICED_BY_ONE_RULE)
def test_a_promise_is_watched_by_rules_that_no_other_replaces(
    name: str, rules: tuple[str, ...]
) -> None:
    assert catch(SABOTAGES[name], ROUGH) is not None
    assert catch(SABOTAGES[name], ROUGH, unwatched=frozenset(rules)) is None


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
