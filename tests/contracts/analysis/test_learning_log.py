"""What the learner did is written once and never changed."""

from datetime import timedelta

import pytest

from agent.adapters.dynamodb.learning_log import DynamoLearningLog
from agent.adapters.dynamodb.tables import Tables
from agent.book.analysis_records import LearningStatus
from agent.market.calendar import NEW_YORK
from tests.analysis_builders import REVIEWED_AT, a_learning_entry
from tests.contracts.analysis.conftest import Findings

FULL = a_learning_entry(
    confidence=0.8,
    expected_improvement=-0.05,
    status=LearningStatus.NO_CHANGE,
    findings={"win_rate": 0.5, "mean_pnl_per_trade": None, "error_counts": {"timing": 2}},
)


@pytest.mark.parametrize("entry", [a_learning_entry(), FULL, a_learning_entry(findings={})])
def test_an_entry_is_read_as_it_was_written(findings: Findings, entry: object) -> None:
    assert isinstance(entry, type(FULL))
    assert findings.learning_log.append(entry)

    assert findings.learning_log.entry(entry.log_id) == entry


def test_there_is_no_entry_before_the_first(findings: Findings) -> None:
    assert findings.learning_log.entry("weekly-2026-06-14-bull_put_spread") is None


def test_the_first_entry_of_an_id_stands(findings: Findings) -> None:
    assert findings.learning_log.append(FULL)
    assert not findings.learning_log.append(FULL)
    assert not findings.learning_log.append(FULL.model_copy(update={"reason": "another"}))

    assert findings.learning_log.entry(FULL.log_id) == FULL


def test_other_ids_are_entries_of_their_own(findings: Findings) -> None:
    later = a_learning_entry(log_id="later", timestamp=REVIEWED_AT + timedelta(days=7))
    assert findings.learning_log.append(a_learning_entry())
    assert findings.learning_log.append(later)

    assert findings.learning_log.entry("later") == later


def test_a_time_is_the_same_whatever_zone_names_it(findings: Findings) -> None:
    entry = a_learning_entry(timestamp=REVIEWED_AT.astimezone(NEW_YORK))
    assert findings.learning_log.append(entry)

    stored = findings.learning_log.entry(entry.log_id)

    assert stored is not None
    assert stored.timestamp == REVIEWED_AT


def test_tables_without_that_of_the_log_cannot_keep_any() -> None:
    tables = Tables.named(
        trades="trades", positions="positions", agent_state="state", agent_control="control"
    )
    with pytest.raises(ValueError, match="do not name that of the learning log"):
        DynamoLearningLog(tables)
