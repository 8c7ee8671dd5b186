from datetime import UTC, datetime, timedelta, timezone

import pytest

from agent.book.identifiers import (
    client_order_id,
    close_intent_id,
    entry_intent_id,
    leg_order_id,
    position_id,
    read_order_name,
    slot_name,
    trade_id,
)

SLOT = datetime(2026, 6, 9, 19, 45, tzinfo=UTC)


def test_one_slot_symbol_and_strategy_name_one_trade() -> None:
    assert trade_id("paper", SLOT, "AAPL", "bps") == "paper-20260609T1945Z-AAPL-bps"


def test_a_slot_has_one_name_in_every_time_zone() -> None:
    new_york = SLOT.astimezone(timezone(timedelta(hours=-4)))
    assert slot_name(new_york) == slot_name(SLOT)


def test_a_slot_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        slot_name(datetime(2026, 6, 9, 19, 45))  # noqa: DTZ001


def test_intents_orders_and_positions_hang_off_their_trade() -> None:
    trade = trade_id("paper", SLOT, "AAPL", "bps")
    assert entry_intent_id(trade) == f"{trade}-entry-1"
    assert close_intent_id(trade, 2) == f"{trade}-close-2"
    assert client_order_id(close_intent_id(trade, 2), 3) == f"{trade}-close-2-o3"
    assert position_id(trade, 1) == f"{trade}-leg-1"


def test_numbers_count_from_one() -> None:
    with pytest.raises(ValueError, match="count from 1"):
        close_intent_id("paper-trade", 0)


@pytest.mark.parametrize("symbol", ["BRK.B", "A B", "A" * 80, "É"])
def test_what_no_execution_may_be_named_is_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        trade_id("paper", SLOT, symbol, "bps")


def test_the_name_of_an_order_of_one_leg_tells_its_intent_and_its_leg() -> None:
    intent = close_intent_id(trade_id("paper-2", SLOT, "AAPL", "bps"), 3)
    name = read_order_name(leg_order_id(intent, 2, 4))
    assert name is not None
    assert (name.stage, name.intent_id, name.leg, name.rung) == ("paper-2", intent, 2, 4)
    whole = read_order_name(client_order_id(intent, 1))
    assert whole is not None
    assert (whole.intent_id, whole.leg) == (intent, None)
