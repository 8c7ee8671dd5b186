"""A change is written whole or not at all, and only onto the state it expected."""

from decimal import Decimal

import pytest

from agent.book.account_cash import (
    AccountEntry,
    AccountEntryKind,
    begin_comparison,
    journal_of,
)
from agent.book.changes import (
    BookChange,
    BookConflict,
    IntentWrite,
    LedgerEntry,
    LedgerField,
    LimitReached,
    TradeWrite,
)
from agent.book.intents import Intent, IntentStatus
from agent.book.records import PositionMark, PositionStatus
from agent.book.states import TradeStatus
from tests.builders import (
    AS_OF,
    CLOSE_INTENT_ID,
    ENTRY_INTENT_ID,
    SESSION,
    TRADE_ID,
    a_close_intent,
    a_creation,
    a_move,
    a_position,
    a_statement,
    a_trade,
    a_transition,
    an_alert,
    an_event,
    an_intent,
    an_order_attempt,
    positions_of,
)
from tests.contracts.book.conftest import Stores

PENDING = a_trade(TradeStatus.PENDING)


def done(intent: Intent) -> IntentWrite:
    ended = intent.model_copy(
        update={"status": IntentStatus.DONE, "outcome": "opened", "version": intent.version + 1}
    )
    return IntentWrite(ended, intent.version)


def test_an_empty_book_knows_nothing(stores: Stores) -> None:
    assert stores.book.trade(TRADE_ID) is None
    assert stores.book.intent(ENTRY_INTENT_ID) is None
    assert stores.book.positions(TRADE_ID) == ()
    assert stores.book.active_trades() == ()
    assert stores.book.all_trades() == ()
    assert stores.book.unfinished_intents() == ()
    assert stores.book.journal(SESSION) == ()
    assert stores.outbox.unsent() == ()


def test_an_empty_change_changes_nothing(stores: Stores) -> None:
    stores.book.commit(BookChange())

    assert stores.book.all_trades() == ()


def test_a_trade_is_created_once(stores: Stores) -> None:
    stores.book.commit(a_creation(PENDING))

    assert stores.book.trade(TRADE_ID) == PENDING
    with pytest.raises(BookConflict):
        stores.book.commit(a_creation(PENDING.model_copy(update={"notes": "again"})))
    assert stores.book.trade(TRADE_ID) == PENDING


def test_all_parts_of_a_change_are_written_together(stores: Stores) -> None:
    intent = an_intent()
    opened = a_trade(TradeStatus.OPEN, version=2)
    stores.book.commit(a_statement(intent))
    stores.book.commit(a_creation(PENDING, ledger=(a_move(),)))

    stores.book.commit(
        BookChange(
            trade=TradeWrite(opened, TradeStatus.PENDING, 1),
            intents=(done(intent),),
            positions=positions_of(opened),
            ledger=(a_move(deltas={LedgerField.HEAT_CENTS: -8_000}),),
            events=(an_event(),),
            alerts=(an_alert(),),
        )
    )

    assert stores.book.trade(TRADE_ID) == opened
    assert stores.book.intent(ENTRY_INTENT_ID) == done(intent).intent
    assert stores.book.positions(TRADE_ID) == positions_of(opened)
    assert stores.book.ledger("portfolio") == LedgerEntry("portfolio", heat_cents=40_000)
    assert stores.book.journal(SESSION) == (an_event(),)
    assert stores.outbox.unsent() == (an_alert(),)


@pytest.mark.parametrize(
    ("expected_status", "expected_version"),
    [(TradeStatus.PENDING, 2), (TradeStatus.CLOSING, 1)],
    ids=["stale version", "other status"],
)
def test_a_stale_trade_is_a_conflict_and_nothing_is_written(
    stores: Stores, expected_status: TradeStatus, expected_version: int
) -> None:
    stores.book.commit(a_creation(PENDING))
    following = a_trade(TradeStatus.OPEN, version=expected_version + 1)

    with pytest.raises(BookConflict):
        stores.book.commit(
            BookChange(
                trade=TradeWrite(following, expected_status, expected_version),
                intents=(IntentWrite(a_close_intent(), None),),
                positions=positions_of(following),
                ledger=(a_move(),),
                events=(an_event(),),
                alerts=(an_alert(),),
            )
        )

    assert stores.book.trade(TRADE_ID) == PENDING
    assert stores.book.intent(CLOSE_INTENT_ID) is None
    assert stores.book.unfinished_intents() == ()
    assert stores.book.positions(TRADE_ID) == ()
    assert stores.book.ledger("portfolio") == LedgerEntry("portfolio")
    assert stores.book.journal(SESSION) == ()
    assert stores.outbox.unsent() == ()


def test_a_trade_that_is_not_there_cannot_move(stores: Stores) -> None:
    with pytest.raises(BookConflict):
        stores.book.commit(a_transition(PENDING, TradeStatus.OPEN))

    assert stores.book.trade(TRADE_ID) is None
    assert stores.book.active_trades() == ()


def test_a_limit_names_every_ledger_entry_that_refuses_and_nothing_is_written(
    stores: Stores,
) -> None:
    heat = {LedgerField.HEAT_CENTS: 48_000}
    with pytest.raises(LimitReached) as caught:
        stores.book.commit(
            a_creation(
                PENDING,
                intents=(IntentWrite(an_intent(), None),),
                ledger=(
                    a_move("symbol#AAPL", heat, {LedgerField.HEAT_CENTS: 47_999}),
                    a_move("day#2026-06-09", heat, {LedgerField.HEAT_CENTS: 48_000}),
                    a_move("portfolio", heat, {LedgerField.HEAT_CENTS: 0}),
                ),
                events=(an_event(),),
                alerts=(an_alert(),),
            )
        )

    assert caught.value.keys == ("symbol#AAPL", "portfolio")
    assert stores.book.trade(TRADE_ID) is None
    assert stores.book.active_trades() == ()
    assert stores.book.unfinished_intents() == ()
    assert stores.book.ledger("day#2026-06-09") == LedgerEntry("day#2026-06-09")
    assert stores.book.journal(SESSION) == ()
    assert stores.outbox.unsent() == ()


def test_a_conflict_outranks_a_limit(stores: Stores) -> None:
    stores.book.commit(a_creation(PENDING))

    with pytest.raises(BookConflict):
        stores.book.commit(
            a_creation(PENDING, ledger=(a_move(bounds={LedgerField.HEAT_CENTS: 0}),))
        )


def test_a_stale_intent_is_a_conflict_and_nothing_is_written(stores: Stores) -> None:
    intent = an_intent()
    stores.book.commit(a_statement(intent))
    sent = intent.model_copy(update={"orders": (an_order_attempt(),), "version": 2})
    stores.book.commit(BookChange(intents=(IntentWrite(sent, 1),)))

    with pytest.raises(BookConflict):
        stores.book.commit(a_creation(PENDING, intents=(done(intent),)))

    assert stores.book.intent(ENTRY_INTENT_ID) == sent
    assert stores.book.trade(TRADE_ID) is None


def test_an_intent_is_stated_once_even_after_it_is_done(stores: Stores) -> None:
    intent = an_intent()
    stores.book.commit(a_statement(intent))
    with pytest.raises(BookConflict):
        stores.book.commit(a_statement(intent))
    stores.book.commit(BookChange(intents=(done(intent),)))

    with pytest.raises(BookConflict):
        stores.book.commit(a_statement(intent))


def test_an_intent_that_is_not_there_cannot_be_done(stores: Stores) -> None:
    with pytest.raises(BookConflict):
        stores.book.commit(BookChange(intents=(done(an_intent()),)))

    assert stores.book.intent(ENTRY_INTENT_ID) is None


def test_what_is_done_stays_done(stores: Stores) -> None:
    ended = done(an_intent()).intent
    stores.book.commit(a_statement(an_intent()))
    stores.book.commit(BookChange(intents=(done(an_intent()),)))
    reopened = ended.model_copy(update={"status": IntentStatus.WRITTEN, "version": 3})

    with pytest.raises(BookConflict):
        stores.book.commit(BookChange(intents=(IntentWrite(reopened, 2),)))

    amended = ended.model_copy(update={"orders": (an_order_attempt(),), "version": 3})
    stores.book.commit(BookChange(intents=(IntentWrite(amended, 2),)))
    assert stores.book.intent(ENTRY_INTENT_ID) == amended
    assert stores.book.unfinished_intents() == ()


def test_positions_are_replaced_and_belong_to_their_trade(stores: Stores) -> None:
    pending_other = a_trade(TradeStatus.PENDING, trade_id="paper-other")
    opened, opened_other = a_trade(version=2), a_trade(trade_id="paper-other", version=2)
    for before, after in ((PENDING, opened), (pending_other, opened_other)):
        stores.book.commit(a_creation(before))
        stores.book.commit(
            BookChange(
                trade=TradeWrite(after, TradeStatus.PENDING, 1), positions=positions_of(after)
            )
        )
    short, long = positions_of(opened)
    marked = short.model_copy(
        update={"current_delta": None, "unrealized_pnl": Decimal("-12.50"), "quantity": 1}
    )

    stores.book.commit(
        BookChange(trade=TradeWrite(a_trade(version=3), TradeStatus.OPEN, 2), positions=(marked,))
    )

    assert stores.book.positions(TRADE_ID) == (marked, long)
    assert stores.book.positions("paper-other") == positions_of(opened_other)


def test_a_mark_changes_what_was_seen_and_nothing_else(stores: Stores) -> None:
    opened = a_trade(TradeStatus.OPEN)
    short, long = positions_of(opened)
    stores.book.commit(a_creation(opened, positions=(short, long)))

    mark = PositionMark(position_id=short.position_id, unrealized_pnl=Decimal("12.50"))
    stores.book.commit(BookChange(marks=(mark,)))

    marked = short.model_copy(update={"unrealized_pnl": Decimal("12.50")})
    assert stores.book.positions_by_trade([TRADE_ID, "paper-nobody"]) == {
        TRADE_ID: (marked, long),
        "paper-nobody": (),
    }


@pytest.mark.parametrize("known", [True, False])
def test_a_position_that_is_not_open_is_not_marked(stores: Stores, known: bool) -> None:
    opened = a_trade(TradeStatus.OPEN)
    closed = a_position(opened).model_copy(update={"status": PositionStatus.CLOSED})
    if known:
        stores.book.commit(a_creation(opened, positions=(closed,)))

    with pytest.raises(BookConflict):
        stores.book.commit(
            BookChange(marks=(PositionMark(position_id=closed.position_id, current_delta=0.1),))
        )

    assert stores.book.positions(TRADE_ID) == ((closed,) if known else ())


def test_a_trade_may_be_created_with_positions(stores: Stores) -> None:
    adopted = a_trade(TradeStatus.OPEN)

    stores.book.commit(a_creation(adopted, positions=positions_of(adopted)))

    assert stores.book.positions(TRADE_ID) == positions_of(adopted)


def test_a_field_that_became_unknown_is_unknown_again(stores: Stores) -> None:
    closing = a_trade(TradeStatus.CLOSING, exit_reason="stop_loss")
    stores.book.commit(a_creation(closing))
    reopened = closing.model_copy(
        update={"status": TradeStatus.OPEN, "exit_reason": None, "version": 2}
    )

    stores.book.commit(BookChange(trade=TradeWrite(reopened, TradeStatus.CLOSING, 1)))

    assert stores.book.trade(TRADE_ID) == reopened


def test_unfinished_intents_appear_and_disappear(stores: Stores) -> None:
    entry, close = an_intent(), a_close_intent()
    stores.book.commit(a_statement(entry))
    stores.book.commit(a_statement(close))
    sent = entry.model_copy(update={"orders": (an_order_attempt(),), "version": 2})
    stores.book.commit(BookChange(intents=(IntentWrite(sent, 1),)))
    assert stores.book.unfinished_intents() == (close, sent)

    stores.book.commit(BookChange(intents=(done(close),)))
    assert stores.book.unfinished_intents() == (sent,)

    stores.book.commit(BookChange(intents=(done(sent),)))
    assert stores.book.unfinished_intents() == ()
    assert stores.book.all_intents() == (done(close).intent, done(sent).intent)


def test_active_trades_appear_and_disappear_on_a_terminal_status(stores: Stores) -> None:
    other = a_trade(TradeStatus.PENDING, trade_id="paper-another")
    stores.book.commit(a_creation(PENDING))
    stores.book.commit(a_creation(other))
    assert stores.book.active_trades() == (PENDING, other)

    stores.book.commit(a_transition(other, TradeStatus.CANCELLED))
    assert stores.book.active_trades() == (PENDING,)

    trade = PENDING
    for status in (TradeStatus.OPEN, TradeStatus.CLOSING, TradeStatus.OPEN, TradeStatus.CLOSED):
        change = a_transition(trade, status)
        stores.book.commit(change)
        assert change.trade is not None
        trade = change.trade.trade
        assert stores.book.active_trades() == (() if status is TradeStatus.CLOSED else (trade,))
    assert [found.trade_id for found in stores.book.all_trades()] == [TRADE_ID, "paper-another"]


def test_more_trades_than_one_batch_are_all_found(stores: Stores) -> None:
    trades = [a_trade(TradeStatus.PENDING, trade_id=f"paper-{n:03d}") for n in range(103)]
    for trade in trades:
        stores.book.commit(a_creation(trade))

    assert stores.book.active_trades() == tuple(trades)
    assert stores.book.all_trades() == tuple(trades)


def test_an_event_is_kept_as_it_was_first_told(stores: Stores) -> None:
    later = an_event("later", at=AS_OF.replace(minute=46))
    stores.book.commit(BookChange(events=(later,)))
    stores.book.commit(BookChange(events=(an_event("earlier"),)))
    stores.book.commit(BookChange(events=(an_event("later", kind="something else", at=AS_OF),)))

    assert stores.book.journal(SESSION) == (an_event("earlier"), later)
    assert stores.book.journal(SESSION.replace(day=10)) == ()


MALFORMED = {
    "a version that does not follow": BookChange(
        trade=TradeWrite(a_trade(version=3), TradeStatus.PENDING, 1)
    ),
    "a creation above version 1": a_creation(a_trade(version=2)),
    "a status without a version": BookChange(
        trade=TradeWrite(a_trade(), TradeStatus.PENDING, None)
    ),
    "an intent's version that does not follow": BookChange(
        intents=(IntentWrite(an_intent(version=1), 1),)
    ),
    "an intent twice": BookChange(intents=(IntentWrite(an_intent(), None),) * 2),
    "a ledger entry twice": BookChange(ledger=(a_move(), a_move())),
    "an event twice": BookChange(events=(an_event(), an_event())),
    "an alert twice": BookChange(alerts=(an_alert(), an_alert())),
    "a position twice": a_creation(a_trade(), positions=(a_position(), a_position())),
    "a position without its trade": BookChange(positions=(a_position(),)),
    "a position of another trade": a_creation(
        a_trade(), positions=(a_position(a_trade(trade_id="paper-other")),)
    ),
}


@pytest.mark.parametrize("change", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_change_is_refused_whatever_is_stored(
    stores: Stores, change: BookChange
) -> None:
    with pytest.raises(ValueError, match=r"."):
        stores.book.commit(change)

    assert stores.book.all_trades() == ()
    assert stores.book.unfinished_intents() == ()


def an_account_entry(entry_id: str = "20260610::fee-1", amount: str = "-0.12") -> AccountEntry:
    return AccountEntry(
        entry_id=entry_id,
        kind=AccountEntryKind.FEE,
        session=SESSION,
        amount=Decimal(amount),
        booked_at=AS_OF,
    )


def test_an_entry_of_the_account_is_booked_once_with_its_event(stores: Stores) -> None:
    first = an_account_entry()
    for entry in (first, an_account_entry(amount="-9"), an_account_entry("20260610::fee-2")):
        stores.book.commit(BookChange(account_entries=(entry,), events=(journal_of(entry),)))
    assert stores.book.account_entries() == (first, an_account_entry("20260610::fee-2"))
    events = stores.book.journal(AS_OF.date())
    assert [event.details["amount"] for event in events] == ["-0.12", "-0.12"]


def test_an_entry_is_not_written_twice_in_one_change(stores: Stores) -> None:
    with pytest.raises(ValueError, match="account entry"):
        stores.book.commit(BookChange(account_entries=(an_account_entry(), an_account_entry())))


def test_the_baseline_of_cash_is_unknown_until_it_is_taken_and_then_the_last_one(
    stores: Stores,
) -> None:
    assert stores.book.cash_baseline() is None
    for cash in ("100000", "100500.25"):
        baseline = begin_comparison([], Decimal(cash), Decimal("0.10"), AS_OF)
        stores.book.commit(BookChange(cash_baseline=baseline))
        assert stores.book.cash_baseline() == baseline
