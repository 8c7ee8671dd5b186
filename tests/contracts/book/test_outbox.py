"""An alert is kept with the change it tells of, told once, and ticked off."""

from datetime import timedelta

from agent.book.changes import BookChange
from agent.book.states import TradeStatus
from tests.builders import AS_OF, TRADE_ID, a_creation, a_trade, an_alert
from tests.contracts.book.conftest import Stores


def test_alerts_wait_oldest_first(stores: Stores) -> None:
    late = an_alert("a", at=AS_OF + timedelta(seconds=1))
    early = an_alert("c")
    early_too = an_alert("b")
    stores.book.commit(BookChange(alerts=(late, early)))
    stores.book.commit(BookChange(alerts=(early_too,)))

    assert stores.outbox.unsent() == (early_too, early, late)


def test_an_alert_that_was_sent_waits_no_more(stores: Stores) -> None:
    stores.book.commit(BookChange(alerts=(an_alert("a"), an_alert("b"))))

    stores.outbox.mark_sent("a")

    assert stores.outbox.unsent() == (an_alert("b"),)


def test_an_alert_is_kept_as_it_was_first_told(stores: Stores) -> None:
    stores.book.commit(BookChange(alerts=(an_alert(),)))
    stores.book.commit(BookChange(alerts=(an_alert(subject="something else"),)))

    assert stores.outbox.unsent() == (an_alert(),)


def test_an_alert_that_was_sent_is_not_told_again(stores: Stores) -> None:
    stores.book.commit(BookChange(alerts=(an_alert(),)))
    stores.outbox.mark_sent(an_alert().alert_id)

    stores.book.commit(BookChange(alerts=(an_alert(),)))

    assert stores.outbox.unsent() == ()


def test_a_known_alert_does_not_stop_the_change_it_comes_with(stores: Stores) -> None:
    stores.book.commit(BookChange(alerts=(an_alert(),)))

    stores.book.commit(a_creation(a_trade(TradeStatus.PENDING), alerts=(an_alert(),)))

    assert stores.book.trade(TRADE_ID) is not None


def test_marking_twice_or_marking_the_unknown_is_no_error(stores: Stores) -> None:
    stores.book.commit(BookChange(alerts=(an_alert("a"),)))
    stores.outbox.mark_sent("a")
    stores.outbox.mark_sent("a")
    stores.outbox.mark_sent("b")
    assert stores.outbox.unsent() == ()

    stores.book.commit(BookChange(alerts=(an_alert("b"),)))
    assert stores.outbox.unsent() == (an_alert("b"),)
