"""What is read is what was written, for every record and every value it may hold."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.book.changes import BookChange, IntentWrite, TradeWrite
from agent.book.holdings import Holdings, SharesHeld
from agent.book.intents import (
    Intent,
    IntentKind,
    IntentStatus,
    OrderAttempt,
    OrderPart,
    OrderStatus,
    Signal,
    Urgency,
)
from agent.book.records import (
    Alert,
    AlertKind,
    Campaign,
    JournalEvent,
    MarketSnapshotAtEntry,
    Position,
    PositionStatus,
    RolledPart,
    RollResidue,
    StopWatch,
    Trade,
    TradeExecution,
    TradeRisk,
)
from agent.book.states import ExitReason, TradeStatus
from agent.market.volatility import ImpliedVolatilitySample
from agent.options.contracts import OptionContract, OptionType
from agent.options.structures import Leg, LegSide, Structure
from tests.builders import a_creation
from tests.contracts.book.conftest import Stores

examples = settings(max_examples=30)

numbers = count(1)

money = st.decimals(
    min_value=Decimal("-1e12"), max_value=Decimal("1e12"), allow_nan=False, allow_infinity=False
).map(lambda value: +value)
"""Within the default context: 28 digits, of any exponent that a division may leave."""
fractions = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)
storable_fractions = fractions.map(lambda value: value if abs(value) >= 1e-130 else 0.0)
times = st.builds(
    lambda since, zone: (datetime(2000, 1, 1, tzinfo=UTC) + since).astimezone(zone),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=36_500)),
    st.sampled_from([UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=9))]),
)
dates = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=5)
counts = st.integers(min_value=0, max_value=10**9)
plain_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | fractions | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
json_objects = st.dictionaries(texts, plain_json, max_size=4)


@st.composite
def structures(draw: st.DrawFn) -> Structure:
    symbol, expiration = draw(names), draw(dates)
    strikes = draw(st.lists(st.integers(1, 5_000), min_size=1, max_size=4, unique=True))
    return Structure(
        tuple(
            Leg(
                OptionContract(
                    symbol, expiration, draw(st.sampled_from(OptionType)), Decimal(strike) / 2
                ),
                draw(st.sampled_from(LegSide)),
                draw(st.integers(1, 3)),
            )
            for strike in strikes
        )
    )


def built(record: Callable[..., Any], **parts: Any) -> st.SearchStrategy[Any]:
    return st.builds(record, **parts)


signals = built(
    Signal,
    symbol=names,
    strategy=texts,
    structure=structures(),
    as_of=times,
    dte=counts,
    underlying_price=money,
    credit_mid=money,
    credit_natural=money,
    credit_min=money,
    max_loss=money,
    leg_deltas=st.lists(fractions, max_size=4).map(tuple),
    implied_volatility=fractions,
    iv_rank=fractions,
    liquidity_score=fractions,
    score=fractions,
    probability_of_profit=st.none() | fractions,
    parameters=json_objects,
)
orders = built(
    OrderAttempt,
    client_order_id=texts,
    contracts=st.integers(1, 1000),
    part=st.sampled_from(OrderPart),
    legs=st.lists(texts, max_size=4).map(tuple),
    limit_cash=money,
    mid_cash=money,
    natural_cash=money,
    submitted_at=times,
    status=st.sampled_from(OrderStatus),
    order_id=st.none() | texts,
    filled_contracts=counts,
    filled_cash=st.none() | money,
    leg_prices=st.lists(money, max_size=4).map(tuple),
    filled_at=st.none() | times,
    message=st.none() | texts,
)
intents = built(
    Intent,
    intent_id=names,
    kind=st.sampled_from(IntentKind),
    trade_id=names,
    attempt=st.integers(1, 99),
    created_at=times,
    urgency=st.sampled_from(Urgency),
    signal=st.none() | signals,
    exit_reason=st.none() | st.sampled_from(ExitReason),
    contracts=st.none() | counts,
    net_credit_min=st.none() | money,
    of_residue=st.booleans(),
    status=st.sampled_from(IntentStatus),
    outcome=st.none() | texts,
    orders=st.lists(orders, max_size=3).map(tuple),
)
snapshots = built(
    MarketSnapshotAtEntry,
    as_of=times,
    underlying_price=money,
    credit_mid=money,
    credit_natural=money,
    implied_volatility=fractions,
    iv_rank=fractions,
    liquidity_score=fractions,
    dte=counts,
    probability_of_profit=st.none() | fractions,
)
executions = built(
    TradeExecution,
    contracts=counts,
    contracts_closed=counts,
    credit=st.none() | money,
    exit_debit=st.none() | money,
    entry_cash=money,
    exit_cash=money,
    fees=money,
    entry_slippage=st.none() | money,
    exit_slippage=st.none() | money,
    reprices=counts,
)
risks = built(
    TradeRisk,
    contracts_reserved=counts,
    sizing_loss_per_contract=money,
    capital_per_contract=money,
    heat_cents=counts,
    capital_cents=counts,
)
campaigns = built(
    Campaign,
    rolls=counts,
    attempts=counts,
    sought_at=st.none() | times,
    budget_per_contract=st.none() | money,
    max_loss=st.none() | money,
    parts=st.lists(
        built(
            RolledPart,
            structure=structures(),
            contracts=counts,
            credit=money,
            debit=money,
            rolled_at=times,
        ),
        max_size=2,
    ).map(tuple),
    residue=st.none()
    | built(
        RollResidue,
        structure=structures(),
        contracts=st.integers(1, 99),
        opened=counts,
        sizing_loss_per_contract=money,
        capital_per_contract=money,
    ),
)
trades = built(
    Trade,
    trade_id=names,
    symbol=names,
    strategy=texts,
    status=st.sampled_from(TradeStatus),
    structure=structures(),
    timestamp_enter=times,
    params=json_objects,
    market_snapshot=snapshots,
    execution=executions,
    risk=risks,
    timestamp_exit=st.none() | times,
    pnl=st.none() | money,
    pnl_pct=st.none() | money,
    days_held=st.none() | counts,
    exit_reason=st.none() | st.sampled_from(ExitReason),
    reason_tags=st.lists(texts, max_size=3).map(tuple),
    notes=texts,
    close_attempts=counts,
    campaign=campaigns,
    stop_watch=built(StopWatch, passes=counts, last_slot=st.none() | times),
    manual_exit_requested=st.booleans(),
    automation_suspended=st.booleans(),
    stop_debit=st.none() | money,
    holdings=built(
        Holdings,
        legs_gone=st.dictionaries(names, st.integers(1, 9), max_size=3),
        legs_cash=money,
        shares=st.none()
        | built(
            SharesHeld,
            quantity=st.integers(-900, 900),
            basis=money,
            tax_basis=money,
            since=times,
            mark=st.none() | money,
        ),
        shares_realized=money,
        reason=st.none() | st.sampled_from(ExitReason),
        booked=st.dictionaries(names, st.integers(-900, 900), max_size=3),
    ),
)
positions = built(
    Position,
    position_id=names,
    trade_id=names,
    option_symbol=texts,
    option_type=st.sampled_from(OptionType),
    strike=money,
    expiration=dates,
    side=st.sampled_from(LegSide),
    quantity=counts,
    entry_price=st.none() | money,
    exit_price=st.none() | money,
    entry_delta=st.none() | storable_fractions,
    current_delta=st.none() | storable_fractions,
    implied_volatility=st.none() | storable_fractions,
    underlying_price=st.none() | money,
    unrealized_pnl=st.none() | money,
    realized_pnl=st.none() | money,
    status=st.sampled_from(PositionStatus),
)
alerts = built(
    Alert,
    alert_id=names,
    kind=st.sampled_from(AlertKind),
    at=times,
    subject=texts,
    message=texts,
)
events = built(
    JournalEvent, event_id=names, at=times, kind=texts, trade_id=names, details=json_objects
)
samples = built(
    ImpliedVolatilitySample,
    session=dates,
    implied_volatility=fractions,
    implied_volatility_bid=st.none() | fractions,
    implied_volatility_ask=st.none() | fractions,
    source=texts,
)


@examples
@given(trade=trades)
def test_a_trade_is_read_as_it_was_written(used_stores: Stores, trade: Trade) -> None:
    written = trade.model_copy(update={"trade_id": f"trade-{next(numbers)}"})
    used_stores.book.commit(a_creation(written))

    assert used_stores.book.trade(written.trade_id) == written


@examples
@given(before=trades, after=trades)
def test_a_trade_is_replaced_in_every_field(
    used_stores: Stores, before: Trade, after: Trade
) -> None:
    trade_id = f"trade-{next(numbers)}"
    written = before.model_copy(update={"trade_id": trade_id})
    replaced = after.model_copy(update={"trade_id": trade_id, "version": 2})
    used_stores.book.commit(a_creation(written))

    used_stores.book.commit(BookChange(trade=TradeWrite(replaced, written.status, 1)))

    assert used_stores.book.trade(trade_id) == replaced


@examples
@given(trade=trades, position=positions)
def test_a_position_is_read_as_it_was_written(
    used_stores: Stores, trade: Trade, position: Position
) -> None:
    number = next(numbers)
    owner = trade.model_copy(update={"trade_id": f"trade-{number}"})
    written = position.model_copy(
        update={"trade_id": owner.trade_id, "position_id": f"position-{number}"}
    )
    used_stores.book.commit(a_creation(owner, positions=(written,)))

    assert used_stores.book.positions(owner.trade_id) == (written,)


@examples
@given(intent=intents)
def test_an_intent_is_read_as_it_was_written(used_stores: Stores, intent: Intent) -> None:
    written = intent.model_copy(update={"intent_id": f"intent-{next(numbers)}"})
    used_stores.book.commit(BookChange(intents=(IntentWrite(written, None),)))

    assert used_stores.book.intent(written.intent_id) == written
    is_listed = written in used_stores.book.unfinished_intents()
    assert is_listed == (written.status is IntentStatus.WRITTEN)


@examples
@given(alert=alerts)
def test_an_alert_is_read_as_it_was_written(used_stores: Stores, alert: Alert) -> None:
    written = alert.model_copy(update={"alert_id": f"alert-{next(numbers)}"})
    used_stores.book.commit(BookChange(alerts=(written,)))

    assert used_stores.outbox.unsent() == (written,)
    used_stores.outbox.mark_sent(written.alert_id)


@examples
@given(event=events)
def test_an_event_is_read_as_it_was_written(used_stores: Stores, event: JournalEvent) -> None:
    written = event.model_copy(update={"event_id": f"event-{next(numbers)}"})
    used_stores.book.commit(BookChange(events=(written,)))

    assert written in used_stores.book.journal(written.at.astimezone(UTC).date())


@examples
@given(sample=samples)
def test_a_sample_is_read_as_it_was_written(
    used_stores: Stores, sample: ImpliedVolatilitySample
) -> None:
    symbol = f"S{next(numbers)}"
    assert used_stores.volatility.record(symbol, [sample]) == 1

    assert used_stores.volatility.samples(symbol, 1, source=sample.source) == (sample,)
