"""Every number an owner can set, with its default and what it means.

The defaults are those of the design; each help text is the rule the number feeds.
"""

from datetime import date
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from agent.config.section import (
    Fraction,
    LadderRung,
    Percent,
    Section,
    Symbol,
    require_order,
)
from agent.config.strategy_settings import (
    BullPutSpreadSettings,
    CashSecuredPutSettings,
    CoveredCallSettings,
    IronCondorSettings,
)

DayOfRate = date
"""The name that `RatePoint` cannot spell: it has a field of it."""


class RatePoint(Section):
    """State one rate of a curve, as it was on a date."""

    date: DayOfRate
    days: int = Field(ge=1, description="tenor, calendar days")
    rate: float = Field(ge=-0.05, le=0.25, description="annual, continuously compounded")


class MarketSettings(Section):
    price_min: Decimal = Field(Decimal(20), description="lowest share price scanned, dollars")
    price_max: Decimal = Field(Decimal(500), description="highest share price scanned, dollars")
    average_volume_min_shares: int = Field(
        1_000_000, ge=0, description="20-day average share volume an underlying must exceed"
    )
    stock_quote_width_max_fraction: Fraction = Field(
        Decimal("0.01"), description="stock quote width over mid must stay below this"
    )
    option_open_interest_min: int = Field(100, ge=0, description="open interest to exceed, a leg")
    option_volume_min: int = Field(
        50, ge=0, description="option volume to exceed: the larger of today's and the prior day's"
    )
    option_quote_width_max_fraction: Fraction = Field(
        Decimal("0.10"), description="option quote width over mid must stay below this, a leg"
    )
    quote_age_max_seconds: float = Field(
        120, gt=0, description="an older option quote is stale: no entry, and no mark at mid"
    )
    mark_quote_width_max_fraction: Decimal = Field(
        Decimal("0.60"), gt=0, description="a wider quote is no mark: the model marks instead"
    )
    stock_feed: Literal["sip", "iex"] | None = Field(
        None,
        description="feed asked for stock quotes; null leaves it to the broker, who gives the "
        "best that was paid for. With real money nothing is entered but on sip, said here",
    )
    option_feed: Literal["opra", "indicative"] | None = Field(
        None, description="the same for option quotes: with real money nothing but on opra"
    )
    iv_rank_min: Percent = Field(25, description="IV rank must exceed this, 0-100")
    iv_history_sessions_min: int = Field(
        60, ge=2, description="fewer sessions of IV history leave the rank unknown: no entry"
    )
    iv_history_sessions_max: int = Field(252, ge=2, description="sessions the IV rank looks back")
    iv_sample_new_york_time: str = Field(
        "15:45",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="when the daily IV30 sample is taken",
    )
    earnings_unknown: Literal["block", "allow"] = Field(
        "block",
        description="what a trade does over whose life a report is not ruled out: no date on "
        "record, and one expected 91 +-10 days after the last or a kink in the term structure",
    )
    symbols_without_reports: tuple[Symbol, ...] = Field(
        (), description="funds and indices: symbols that never report earnings"
    )
    risk_free_rate: float = Field(
        0.04,
        ge=-0.05,
        le=0.25,
        description="annual continuously compounded rate, where rate_curve has none of the day",
    )
    rate_curve: tuple[RatePoint, ...] = Field(
        (),
        description="rates by date and tenor: the newest date not after the day counts, "
        "interpolated between tenors and flat beyond them",
    )
    rate_curve_age_max_days: int = Field(
        35, ge=1, description="a rate curve whose newest date is older than this is alarmed"
    )

    @property
    def quotes_are_consolidated(self) -> bool:
        """Say whether quotes are asked of all exchanges together: the broker then refuses less."""
        return self.stock_feed == "sip" and self.option_feed == "opra"

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        require_order("price", self.price_min, self.price_max)
        require_order(
            "iv_history_sessions", self.iv_history_sessions_min, self.iv_history_sessions_max
        )
        return self


class RiskSettings(Section):
    max_trades_per_day: int = Field(10, ge=0, description="hard limit of entries a trading day")
    max_entries_per_session: int = Field(3, ge=0, description="paces entries within a session")
    max_signals_per_scan: int = Field(3, ge=0, description="signals acted on in one scan")
    daily_loss_max_fraction: Fraction = Field(
        Decimal("0.05"), description="loss of the day over prior close equity that stops entries"
    )
    losing_streak_max: int = Field(
        5,
        ge=0,
        description="trades closed at a loss one after another that pause entries: trading is set "
        "to reducing until the owner resumes; 0 never pauses",
    )
    trade_capital_max_fraction: Fraction = Field(
        Decimal("0.20"), description="capital of one trade over the account"
    )
    symbol_capital_max_fraction: Fraction = Field(
        Decimal("0.30"), description="capital in one symbol over the account"
    )
    symbol_positions_max: int = Field(2, ge=0, description="open or working trades in one symbol")
    heat_max_fraction: Fraction = Field(
        Decimal("0.30"),
        description="sum over open and working trades of the larger of sizing loss and loss under "
        "stress, of equity",
    )
    stress_falls: tuple[Fraction, ...] = Field(
        (Decimal("0.05"), Decimal("0.10"), Decimal("0.20")),
        min_length=1,
        description="falls of the stock at which heat reprices what is held; the worst one counts",
    )
    stress_volatility_factor: float = Field(
        1.5, ge=1, le=5, description="implied volatility under stress, as a multiple of today's"
    )
    betas: dict[str, float] = Field(
        default_factory=dict,
        description="beta to SPY by symbol, for beta-weighted delta; 1.0 where not named",
    )
    delta_max_fraction: Fraction = Field(
        Decimal("0.005"),
        description="what a 1 % move of SPY may gain or lose by beta-weighted delta, of equity",
    )
    vega_max_fraction: Fraction = Field(
        Decimal("0.0025"),
        description="what a point of implied volatility may gain or lose, of equity: twenty points "
        "then cost about the 5 % of daily_loss_max_fraction",
    )
    trade_risk_fraction: Fraction = Field(
        Decimal("0.01"), description="fixed risk: sizing loss of a new trade over the account"
    )
    contracts_max: int = Field(50, ge=1, description="most contracts in one trade")
    kelly_sizing: bool = Field(
        False, description="let Kelly shrink the fixed-risk size once enough trades have closed"
    )
    kelly_fraction: Fraction = Field(Decimal("0.25"), description="part of full Kelly that is used")
    kelly_trades_min: int = Field(
        100, ge=1, description="fewer closed trades leave Kelly unknown: fixed risk alone"
    )
    kelly_confidence_z: Decimal = Field(
        Decimal("1.645"),
        ge=0,
        description="normal quantile of the win rate's lower bound: 1.645 is one-sided 95 %",
    )


EXECUTION_SECONDS_MAX = 3000
"""The state machines end after an hour: what is left of it is for retries."""
CANCEL_SECONDS_MAX = 10


class ExecutionSettings(Section):
    entry_ladder: tuple[LadderRung, ...] = Field(
        (Decimal(0), Decimal("0.35"), Decimal("0.70")),
        min_length=1,
        max_length=8,
        description="limits of successive orders: fractions of the way from mid to natural",
    )
    patient_ladder: tuple[LadderRung, ...] = Field(
        (Decimal("0.20"), Decimal("0.50"), Decimal(1)),
        min_length=1,
        max_length=8,
        description="the same for exits that can wait: profit targets and expiration",
    )
    urgent_ladder: tuple[LadderRung, ...] = Field(
        (Decimal("0.50"), Decimal(1), Decimal("1.25")),
        min_length=1,
        max_length=8,
        description="the same for stops; the last rung ends marketable, past natural",
    )
    patient_attempts_max: int = Field(
        3,
        ge=1,
        le=20,
        description="unfilled patient attempts after which an exit that must happen turns urgent; "
        "profit targets stay patient",
    )
    exit_leg_collar_fraction: Fraction = Field(
        Decimal("0.05"),
        description="cap of urgent exits: a leg is bought at most at this above its ask (105 %) "
        "and sold at least at this below its bid (95 %); on invalid quotes the cap is what the "
        "structure can ever be worth",
    )
    collar_move_max_fraction: Decimal = Field(
        Decimal("0.50"),
        gt=0,
        description="collar: an entry whose mid moved further than this share from that of its "
        "signal is refused, since one of the two quotes was stale or mistaken",
    )
    collar_beyond_mid_max_fraction: Fraction = Field(
        Decimal("0.05"),
        description="collar: no order asks for a net better than mid by more than this share",
    )
    rung_wait_seconds: int = Field(5, ge=1, le=300, description="pause before each fill poll")
    polls_per_rung: int = Field(2, ge=1, le=20, description="polls before the next rung")

    @model_validator(mode="after")
    def _an_execution_ends_in_time(self) -> Self:
        rungs = max(len(self.entry_ladder), len(self.patient_ladder), len(self.urgent_ladder))
        seconds = rungs * (self.polls_per_rung * self.rung_wait_seconds + CANCEL_SECONDS_MAX)
        if seconds > EXECUTION_SECONDS_MAX:
            raise ValueError(
                f"{rungs} rungs of {self.polls_per_rung} polls every {self.rung_wait_seconds} s "
                f"take {seconds} s; an execution has {EXECUTION_SECONDS_MAX} s"
            )
        return self


class ExitSettings(Section):
    stop_confirmation_passes: int = Field(
        2, ge=1, description="consecutive passes that must see the stop before it acts on mid"
    )
    opening_minutes: int = Field(
        10, ge=0, description="minutes after the open in which a stop needs the underlying"
    )
    hold_assigned_shares: tuple[str, ...] = Field(
        ("cash_secured_put",),
        description="strategies and symbols that keep the shares of an assigned put sold alone",
    )
    sell_assigned_shares: tuple[Symbol, ...] = Field(
        (), description="symbols whose assigned shares are sold all the same"
    )
    cover_assigned_shares: tuple[str, ...] = Field(
        (),
        description="strategies and symbols that keep the shares of an assigned put sold alone and "
        "write calls on them, by the section covered_call, until a call is assigned",
    )
    threatened_deviations: Decimal = Field(
        Decimal("0.5"),
        ge=0,
        description="a short strike nearer than this many standard deviations is threatened",
    )
    rolls_max: int = Field(2, ge=0, le=10, description="rolls of one trade, at most")
    roll_search_minutes: int = Field(
        15, ge=1, description="pause before a roll that was not found or not filled is sought again"
    )


class RankingSettings(Section):
    """How signals are compared: what they are expected to earn over what they may lose."""

    fill_fraction: Fraction = Field(
        Decimal("0.30"), description="fill assumed this far on the way from mid to natural"
    )
    realised_volatility_ratio: Decimal = Field(
        Decimal("0.90"),
        gt=0,
        le=2,
        description="forecast of realised volatility as a multiple of IV30",
    )


class FeeSettings(Section):
    """Regulatory fees a contract and a share; Alpaca charges no commission on either."""

    commission_per_contract: Decimal = Field(Decimal(0), ge=0, description="dollars a contract")
    regulatory_per_contract_bought: Decimal = Field(
        Decimal("0.0408"), ge=0, description="ORF + OCC + CAT, dollars a contract bought"
    )
    regulatory_per_contract_sold: Decimal = Field(
        Decimal("0.0437"), ge=0, description="the same plus TAF, dollars a contract sold"
    )
    regulatory_per_share_bought: Decimal = Field(
        Decimal("0.0000265"), ge=0, description="CAT, dollars a share bought"
    )
    regulatory_per_share_sold: Decimal = Field(
        Decimal("0.0002215"), ge=0, description="the same plus TAF, dollars a share sold"
    )
    sale_value_fraction: Decimal = Field(
        Decimal("0.0000206"), ge=0, description="SEC fee as a share of the value sold"
    )


class ScheduleSettings(Section):
    scan_slot_age_max_seconds: int = Field(300, ge=1, description="older scan slots are dropped")
    monitor_slot_age_max_seconds: int = Field(60, ge=1, description="the same for monitor slots")
    scan_lease_seconds: int = Field(
        240, ge=1, le=300, description="a scan that died keeps others out for so long at most"
    )
    monitor_lease_seconds: int = Field(
        50, ge=1, le=60, description="the same for monitor passes: less than their period"
    )
    entry_opening_minutes: int = Field(
        10, ge=0, le=390, description="minutes after the open in which nothing is entered"
    )
    entry_closing_minutes: int = Field(
        10, ge=0, le=390, description="minutes before the close in which nothing is entered"
    )


class LearningSettings(Section):
    """How closed trades are explained, and how many it takes to learn from them."""

    window_days: int = Field(
        90, ge=7, description="calendar days that the weekly review looks back"
    )
    closed_trades_min: int = Field(
        30, ge=2, description="fewer closed trades of a strategy in the window propose nothing"
    )
    slippage_max_fraction_of_credit: Fraction = Field(
        Decimal("0.20"),
        description="entry and exit together gave up more than this: tagged liquidity_execution",
    )
    iv_rank_margin_points: float = Field(
        5, ge=0, description="a loss entered this near the least IV rank: tagged entry_quality"
    )
    credit_margin_fraction: Fraction = Field(
        Decimal("0.10"), description="the same for a credit this near the strategy's least"
    )
    early_loss_days_max: int = Field(
        2, ge=0, description="a loss within so many calendar days of its entry: tagged timing"
    )
    cause_fraction_min: Fraction = Field(
        Decimal("0.50"),
        gt=0,
        description="share of what went against a loss that blames volatility, or the underlying "
        "(greek_risk)",
    )


class Settings(Section):
    """Gather every setting of one stage."""

    stage: str = Field("paper", pattern=r"^[a-z][a-z0-9]{0,9}$", description="name of the stage")
    live_trading: bool = Field(
        False, description="trade real money; without it only a paper endpoint is accepted"
    )
    watchlist: tuple[Symbol, ...] = Field(
        ("AAPL", "AMZN", "GOOGL", "MSFT", "NVDA"), min_length=1, description="symbols to scan"
    )
    strategies: tuple[str, ...] = Field(
        ("bull_put_spread", "cash_secured_put", "iron_condor"),
        min_length=1,
        description="names of the strategies that may enter; open trades of others are still left",
    )
    added_strategies: dict[str, dict[str, JsonValue]] = Field(
        default_factory=dict,
        description="parameters of strategies that have no section here, by name",
    )
    market: MarketSettings = MarketSettings()
    bull_put_spread: BullPutSpreadSettings = BullPutSpreadSettings()
    cash_secured_put: CashSecuredPutSettings = CashSecuredPutSettings()
    iron_condor: IronCondorSettings = IronCondorSettings()
    covered_call: CoveredCallSettings = CoveredCallSettings()
    risk: RiskSettings = RiskSettings()
    execution: ExecutionSettings = ExecutionSettings()
    exits: ExitSettings = ExitSettings()
    ranking: RankingSettings = RankingSettings()
    fees: FeeSettings = FeeSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    learning: LearningSettings = LearningSettings()
