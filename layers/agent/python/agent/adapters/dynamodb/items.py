"""The items of the six tables, attribute by attribute; `tables` gives them table names and indexes.

An item that exists only ever changes by `update`: a put by older code would delete what newer
code had added.
"""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.connection import Connection
from pynamodb.models import Model

from agent.adapters.dynamodb.attributes import (
    DateAttribute,
    DecimalAttribute,
    EpochAttribute,
    FloatAttribute,
    TimestampAttribute,
)


class Item(Model):
    """Be an item of any table."""

    @classmethod
    def connect(cls, connection: Connection) -> None:
        """Use a connection that is shared with other items: one client, one TLS handshake."""
        own = cls._get_connection()
        connection.add_meta_table(own.get_meta_table())
        own.connection = connection


class TradeItem(Item):
    trade_id = UnicodeAttribute(hash_key=True)
    timestamp_enter = TimestampAttribute()
    timestamp_exit = TimestampAttribute(null=True)
    symbol = UnicodeAttribute()
    strategy = UnicodeAttribute()
    structure = JSONAttribute()
    params = JSONAttribute()
    market_snapshot = JSONAttribute()
    execution = JSONAttribute()
    risk = JSONAttribute()
    pnl = DecimalAttribute(null=True)
    pnl_pct = DecimalAttribute(null=True)
    days_held = NumberAttribute(null=True)
    exit_reason = UnicodeAttribute(null=True)
    reason_tags = ListAttribute(of=UnicodeAttribute)
    notes = UnicodeAttribute()
    status = UnicodeAttribute()
    close_attempts = NumberAttribute()
    campaign = JSONAttribute(default=dict)
    stop_watch = JSONAttribute()
    manual_exit_requested = BooleanAttribute()
    automation_suspended = BooleanAttribute(default=False)
    stop_debit = DecimalAttribute(null=True)
    holdings = JSONAttribute(null=True)
    version = NumberAttribute()
    position_ids = UnicodeSetAttribute(null=True)
    """Which positions the trade has ever had: what a consistent read of them starts from."""


class PositionItem(Item):
    position_id = UnicodeAttribute(hash_key=True)
    trade_id = UnicodeAttribute()
    option_symbol = UnicodeAttribute()
    option_type = UnicodeAttribute()
    strike = DecimalAttribute()
    expiration = DateAttribute()
    side = UnicodeAttribute()
    quantity = NumberAttribute()
    entry_price = DecimalAttribute(null=True)
    exit_price = DecimalAttribute(null=True)
    entry_delta = FloatAttribute(null=True)
    current_delta = FloatAttribute(null=True)
    implied_volatility = FloatAttribute(null=True)
    underlying_price = DecimalAttribute(null=True)
    unrealized_pnl = DecimalAttribute(null=True)
    realized_pnl = DecimalAttribute(null=True)
    status = UnicodeAttribute()


class PerformanceMetricItem(Item):
    metric_id = UnicodeAttribute(hash_key=True)
    period_type = UnicodeAttribute()
    period_start = DateAttribute()
    period_end = DateAttribute()
    trades_closed = NumberAttribute()
    trades_open = NumberAttribute()
    total_pnl = DecimalAttribute(null=True)
    win_rate = FloatAttribute(null=True)
    profit_factor = FloatAttribute(null=True)
    average_win = DecimalAttribute(null=True)
    average_loss = DecimalAttribute(null=True)
    periods = NumberAttribute()
    effective_periods = FloatAttribute(null=True)
    sharpe_ratio = FloatAttribute(null=True)
    sharpe_standard_error = FloatAttribute(null=True)
    sortino_ratio = FloatAttribute(null=True)
    max_drawdown = DecimalAttribute(null=True)
    strategy_performance = JSONAttribute()
    error_counts = JSONAttribute()


class LearningLogItem(Item):
    log_id = UnicodeAttribute(hash_key=True)
    timestamp = TimestampAttribute()
    update_type = UnicodeAttribute()
    strategy = UnicodeAttribute()
    old_params = JSONAttribute()
    new_params = JSONAttribute()
    reason = UnicodeAttribute()
    confidence = FloatAttribute(null=True)
    trades_analyzed = NumberAttribute()
    expected_improvement = FloatAttribute(null=True)
    status = UnicodeAttribute()
    findings = JSONAttribute()


class AgentStateItem(Item):
    """Hold one of several kinds of item, told apart by `pk`; `keys` names them all."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    expires_at = TTLAttribute(null=True)
    """Set on slots and on alerts that were sent; never on the ledger or an IV sample."""
    record = JSONAttribute(null=True)
    """An intent, event, alert, or the IV samples of a symbol."""
    status = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    heat_cents = NumberAttribute(null=True)
    capital_cents = NumberAttribute(null=True)
    positions = NumberAttribute(null=True)
    entries = NumberAttribute(null=True)
    reservations = NumberAttribute(null=True)
    losses = NumberAttribute(null=True)
    losses_forgiven = NumberAttribute(null=True)
    claim = UnicodeAttribute(null=True)
    """Who claimed a slot or a lease."""
    leased_until = TimestampAttribute(null=True)
    """When a lease expires; absent where it was given back. `version` is its token."""
    beat_at = TimestampAttribute(null=True)
    """The newest slot that a function ran for."""
    sent = BooleanAttribute(null=True)
    retain_until = EpochAttribute(null=True)
    """What `expires_at` becomes once an alert is sent."""


class AgentControlItem(Item):
    """Hold what only the owner loosens: the learner cannot write here."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    value = UnicodeAttribute()
