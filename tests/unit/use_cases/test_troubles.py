"""What failed in a pass is told once a name, however often it failed."""

from datetime import UTC, datetime

from agent.use_cases.troubles import Troubles

NOON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)


def test_a_trade_that_failed_twice_in_a_pass_is_told_once_with_both_reasons() -> None:
    troubles = Troubles()
    for reason in ("no answer", "another pass was first"):
        with troubles.of("t1"):
            raise OSError(reason)
    (alert,) = troubles.alerts(NOON)
    assert "no answer" in alert.message
    assert "another pass was first" in alert.message
