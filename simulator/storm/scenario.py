"""What kind of day it is: the market, the account, what is carried in, and what people do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from agent.config.settings import ExitSettings, FeeSettings, RiskSettings, Settings
from agent.config.strategy_settings import (
    BullPutSpreadSettings,
    CashSecuredPutSettings,
    IronCondorSettings,
)
from agent.market.volatility import SOURCE_QUOTES, ImpliedVolatilitySample
from simulator.exchange.calendar import SATURDAY, regular_session
from simulator.exchange.fees import DEFAULT_SCHEDULE
from simulator.storm.climate import Climate
from simulator.storm.dice import Dice
from simulator.storm.faults import Profile
from simulator.storm.market import Disturbance, Stock, StormMarket, Window, straight
from simulator.worlds.events import Split
from simulator.worlds.world import TradingSession

FIRST_DAY = date(2026, 3, 2)
DAYS_TO_CHOOSE = 180
AGES_DAYS = (1, 6, 15, 29, 36, 36)
"""How long before the storm the carried trades were opened. The last ones leave the trades within
their last days: then only what expires within days of the storm is thick enough to enter."""
OLD_DAYS, LAST_DAYS = 29, 7
EXPIRATION_AGE_DAYS = 36
HANDS, EXPIRATION_HANDS = 0.12, 0.6
CALL_PIN_DEVIATIONS = (-0.6, 0.2)
MORNING_MINUTES, MORNING_CALM_FROM_MINUTE = 70, 30
SESSIONS_MIN, SESSIONS_AFTER = 8, 6
"""Sessions that the calendar knows in all, and from the day on."""
CASH = (60_000, 100_000, 250_000, 400_000)
HISTORY_SESSIONS = 90
SYMBOLS = ("ACME", "BETA")
FRIDAY, WEDNESDAY = 4, 2
KNOT_MINUTES = 15
SCAN_MINUTES = 30
SESSION_MINUTES = 390
SHARES_PER_CONTRACT = 100
SHARES_FOR_ONE = Decimal(2)
CALM_FROM_MINUTE = 345
"""From here to the close nothing more goes wrong: whatever was begun must end."""


class Course(StrEnum):
    """Name how a stock's day goes."""

    QUIET = "quiet"
    DECAY = "decay"
    RALLY = "rally"
    SLUMP = "slump"
    WHIPSAW = "whipsaw"
    CRASH = "crash"
    PINNED = "pinned"


@dataclass(frozen=True)
class Pin:
    """Let a stock open so many deviations from a short option of the eve, out of the money.

    Below 0 the option is in the money.
    """

    symbol: str
    of_put: float
    of_call: float | None = None
    """Where given, and a call was sold, it is a call."""


@dataclass(frozen=True)
class Scenario:
    """Hold everything drawn beforehand."""

    seed: int
    market: StormMarket
    eve: TradingSession
    """The session on which the carried trades are opened."""
    day: TradingSession
    settings: Settings
    starting_cash: Decimal
    courses: tuple[Course, ...]
    foreign_contracts: tuple[str, ...]
    """OCC symbols that only somebody else trades."""
    samples: dict[str, tuple[ImpliedVolatilitySample, ...]]
    morning: TradingSession | None = None
    """The session after the day, of which its first hour is played."""
    behaves_like: Literal["paper", "live"] = "paper"
    expires_today: bool = False
    has_assignments: bool = False
    has_strange_hands: bool = False
    """Whether the owner or the broker closes a leg."""
    pins: tuple[Pin, ...] = ()
    splits: tuple[Split, ...] = ()
    """Those with an ex-date on the day."""

    @property
    def opens_at(self) -> tuple[datetime, ...]:
        sessions = (self.eve, self.day, *(() if self.morning is None else (self.morning,)))
        return tuple(session.opens_at for session in sessions)

    @property
    def calm_from(self) -> datetime:
        return self.day.opens_at + timedelta(minutes=CALM_FROM_MINUTE)


def draw_scenario(seed: int, profile: Profile, dice: Dice) -> Scenario:
    """Draw a day; the same seed and profile give the same one."""
    day = _weekday(FIRST_DAY + timedelta(days=dice.whole("day", 0, DAYS_TO_CHOOSE)), 1)
    climate = profile.climate
    age = dice.pick("age", AGES_DAYS)
    if dice.chance("old day", climate.old_days):
        age = max(AGES_DAYS)
    expires_today = dice.chance("expiration day", climate.expiration_days)
    if expires_today:
        day, age = day + timedelta(days=(FRIDAY - day.weekday()) % 7), EXPIRATION_AGE_DAYS
    eve = _weekday(day - timedelta(days=age), -1)
    dates = [_weekday(eve - timedelta(days=1), -1), eve]
    while len(dates) < SESSIONS_MIN or dates[-SESSIONS_AFTER] < day:
        dates.append(_weekday(dates[-1] + timedelta(days=1), 1))
    sessions = [regular_session(each) for each in dates]
    storm = next(session for session in sessions if session.session == day)
    fridays = _days(FRIDAY, eve + timedelta(days=20), day + timedelta(days=52))
    foreign_expiration = _days(WEDNESDAY, day + timedelta(days=5), day + timedelta(days=14))[0]
    is_old = (day - eve).days >= OLD_DAYS
    courses = tuple(
        Course.PINNED
        if is_old and dice.chance(f"pinned/{symbol}", 0.6)
        else dice.pick(f"course/{symbol}", tuple(Course))
        for symbol in SYMBOLS
    )
    stocks = [
        _stock(symbol, course, sessions[1], storm, dice)
        for symbol, course in zip(SYMBOLS, courses, strict=True)
    ]
    windows = [
        window
        for symbol, course in zip(SYMBOLS, courses, strict=True)
        for window in _windows(symbol, course, storm, profile, dice)
    ]
    days_left = 0 if expires_today else LAST_DAYS if is_old else 365
    ends = day + timedelta(days=days_left)
    pins = _pins(dice, climate, expires_today=expires_today) if is_old else ()
    has_assignments = dice.chance("assignments", climate.assignments)
    has_strange_hands = dice.chance("strange hands", EXPIRATION_HANDS if expires_today else HANDS)
    has_morning = expires_today or has_assignments or has_strange_hands
    following = sessions[sessions.index(storm) + 1]

    def is_thin(expiration: date, at: datetime) -> bool:
        return expiration < day or (at < storm.opens_at and expiration > ends)

    splits = tuple(
        Split(symbol, day, SHARES_FOR_ONE, Decimal(1))
        for symbol in SYMBOLS
        if dice.chance(f"split/{symbol}", climate.splits)
    )
    expirations = (*fridays, foreign_expiration)
    market = StormMarket(stocks, sessions, expirations, windows, is_thin=is_thin, splits=splits)
    return Scenario(
        seed=seed,
        market=market,
        eve=sessions[1],
        day=storm,
        settings=_settings(dice, climate, day, rolls=bool(pins) and not expires_today),
        starting_cash=Decimal(dice.pick("cash", CASH)),
        courses=courses,
        foreign_contracts=_foreign_contracts(market, storm, foreign_expiration),
        samples={stock.symbol: _samples(stock, eve) for stock in stocks},
        morning=following if has_morning else None,
        behaves_like="live" if dice.chance("live", 0.4) else "paper",
        expires_today=expires_today,
        has_assignments=has_assignments,
        has_strange_hands=has_strange_hands,
        pins=pins,
        splits=splits,
    )


def _pins(dice: Dice, climate: Climate, *, expires_today: bool) -> tuple[Pin, ...]:
    """Draw which stocks open near a short strike: where verticals roll, or legs are assigned."""
    low, high = (-0.5, 0.5) if expires_today else climate.pin_deviations
    pins = []
    for symbol in SYMBOLS:
        if not dice.chance(f"{symbol}/is pinned", climate.pins):
            continue
        of_call = None
        if dice.chance(f"{symbol}/pinned to a call", climate.pins_at_calls):
            of_call = dice.between(f"{symbol}/pin of a call", *CALL_PIN_DEVIATIONS)
        pins.append(Pin(symbol, dice.between(f"{symbol}/pin", low, high), of_call))
    return tuple(pins)


def _settings(dice: Dice, climate: Climate, day: date, *, rolls: bool) -> Settings:
    strategies = climate.strategies or _strategies(dice, rolls=rolls)
    sells_puts = "cash_secured_put" in strategies
    sold = dice.pick("sells shares", ((), SYMBOLS[:1], SYMBOLS))
    if climate.sells_shares is not None:
        sold = SYMBOLS if climate.sells_shares else ()
    return Settings(
        watchlist=SYMBOLS,
        strategies=strategies,
        cash_secured_put=CashSecuredPutSettings(
            willing_to_own=SYMBOLS if sells_puts else (),
            accept_assignment=dice.pick("accepts", (SYMBOLS, SYMBOLS[:1], ()))
            if sells_puts
            else (),
        ),
        exits=ExitSettings(
            sell_assigned_shares=sold,
            cover_assigned_shares=SYMBOLS if climate.covers_shares else (),
        ),
        bull_put_spread=BullPutSpreadSettings(exit_on_breach=dice.chance("breach", 0.4)),
        iron_condor=IronCondorSettings(credit_min=Decimal("0.50")),
        fees=_fees(day),
        risk=_risk(dice, climate, sells_puts=sells_puts),
    )


def _strategies(dice: Dice, *, rolls: bool) -> tuple[str, ...]:
    both = ("bull_put_spread", "iron_condor")
    strategies = dice.pick("strategies", (both, both[:1], both[1:]))
    if rolls and dice.chance("verticals alone", 0.8):
        strategies = both[:1]
    if not dice.chance("puts", 0.3):
        return strategies
    alone = dice.chance("puts alone", 0.4)
    return ("cash_secured_put",) if alone else (*strategies, "cash_secured_put")


def _risk(dice: Dice, climate: Climate, *, sells_puts: bool) -> RiskSettings:
    """Draw limits; on some days so low that the second or third entry meets them."""

    def draw(name: str, usual: tuple[str, ...], tight: tuple[str, ...]) -> Decimal:
        is_tight = dice.chance("tight limits", climate.tight_limits)
        return Decimal(dice.pick(name, tight if is_tight else usual))

    capital = ("0.20", "0.20") if sells_puts else ("0.20", "0.007")
    in_symbol = ("0.30", "0.20") if sells_puts else ("0.30", "0.013", "0.02")
    return RiskSettings(
        kelly_sizing=dice.chance("kelly", 0.5),
        daily_loss_max_fraction=Decimal(dice.pick("loss limit", ("0.05", "0.003"))),
        max_trades_per_day=dice.pick("trades a day", (3, 10)),
        max_entries_per_session=dice.pick("pace", (3, 6)),
        heat_max_fraction=draw("heat", ("0.30",) * 5 + ("0.025",), ("0.012", "0.018", "0.025")),
        trade_capital_max_fraction=draw("trade capital", ("0.20",), capital),
        symbol_capital_max_fraction=draw("symbol capital", ("0.30",), in_symbol),
        delta_max_fraction=draw(
            "delta cap", ("0.005",) * 4 + ("0.0006",), ("0.005", "0.0006", "0.0003")
        ),
        vega_max_fraction=draw(
            "vega cap", ("0.0025",) * 5 + ("0.0004",), ("0.0025", "0.0004", "0.0002")
        ),
        symbol_positions_max=dice.pick("positions a symbol", (2, 3, 4)),
    )


def _fees(day: date) -> FeeSettings:
    """State the exchange's own rates of a day, so that the book can be held to them."""
    rates = DEFAULT_SCHEDULE.on(day)
    cat = rates.cat_per_equivalent_share * SHARES_PER_CONTRACT
    bought = rates.orf_per_contract + rates.occ_per_contract + cat
    return FeeSettings(
        regulatory_per_contract_bought=bought,
        regulatory_per_contract_sold=bought + rates.taf_per_contract,
        regulatory_per_share_bought=rates.cat_per_equivalent_share,
        regulatory_per_share_sold=rates.cat_per_equivalent_share + rates.taf_per_share,
        sale_value_fraction=rates.sec_per_dollar,
    )


def _stock(
    symbol: str, course: Course, eve: TradingSession, day: TradingSession, dice: Dice
) -> Stock:
    def draw(name: str, low: float, high: float) -> float:
        return dice.between(f"{symbol}/{name}", low, high)

    before = draw("price", 92.0, 108.0) if symbol == SYMBOLS[0] else draw("price", 120.0, 150.0)
    volatility = draw("volatility", 0.32, 0.50)
    gap = draw("gap", -0.01, 0.01)
    factor = draw("volatility factor", 0.95, 1.10)
    if course is Course.CRASH:
        gap, factor = draw("gap", -0.16, -0.07), draw("volatility factor", 1.2, 1.7)
    elif course is Course.RALLY:
        gap, factor = draw("gap", 0.02, 0.05), draw("volatility factor", 0.6, 0.8)
    elif course is Course.PINNED:
        gap = draw("gap", -0.10, -0.065)
        if dice.chance(f"{symbol}/threatened", 0.5):
            # Near the short strikes of the eve, where verticals roll.
            gap = draw("threatened gap", -0.15, -0.10)
    elif course is Course.DECAY:
        factor = draw("volatility factor", 0.45, 0.7)
    opening = before * (1 + gap)
    price = {eve.opens_at: before, eve.closes_at: before * (1 + gap / 2)}
    price |= _course_of_day(course, opening, day, symbol, dice)
    shocked = factor * (1.4 if course in {Course.SLUMP, Course.WHIPSAW} else 1.0)
    implied = {
        eve.closes_at: volatility,
        day.opens_at: volatility * factor,
        day.closes_at: volatility * shocked,
    }
    return Stock(symbol, straight(price), straight(implied), listed_around=before)


def _course_of_day(
    course: Course, opening: float, day: TradingSession, symbol: str, dice: Dice
) -> dict[datetime, float]:
    falls = course in {Course.SLUMP, Course.WHIPSAW}
    depth = dice.between(f"{symbol}/depth", 0.08, 0.22) if falls else 0.0
    starts = _fall_starts(symbol, dice)
    lasts = dice.between(f"{symbol}/lasts", 20, 90)
    knots: dict[datetime, float] = {}
    for minute in range(0, SESSION_MINUTES + 1, KNOT_MINUTES):
        share = min(max((minute - starts) / lasts, 0.0), 1.0)
        if course is Course.WHIPSAW and minute > starts + 1.5 * lasts:
            share = 0.2
        noise = dice.between(f"{symbol}/noise/{minute}", -0.003, 0.003)
        knots[day.opens_at + timedelta(minutes=minute)] = opening * (1 - depth * share + noise)
    return knots


def _windows(
    symbol: str, course: Course, day: TradingSession, profile: Profile, dice: Dice
) -> list[Window]:
    """Draw windows of bad quotes: at any time, just behind a scan, or while the stock falls."""
    windows: list[Window] = []
    free_from = 1.0
    for number in range(round(profile.disturbances_per_symbol)):
        name = f"window/{symbol}/{number}"
        starts = free_from + dice.between(f"{name}/starts", 0.0, 150.0)
        lasts = dice.between(f"{name}/lasts", 1.0, 35.0)
        falls = course in {Course.SLUMP, Course.WHIPSAW}
        if falls and dice.chance(f"{name}/falls", 0.7):
            starts = max(free_from, _fall_starts(symbol, dice))
            lasts = dice.between(f"{name}/lasts", 60.0, 120.0)
        elif dice.chance(f"{name}/scan", 0.6):
            if number or dice.chance(f"{name}/later", 0.3):
                starts = free_from + SCAN_MINUTES - free_from % SCAN_MINUTES
            else:
                starts = 0.0
            starts += dice.between(f"{name}/behind", 0.03, 0.4)
        if starts + lasts > CALM_FROM_MINUTE:
            break
        since = day.opens_at + timedelta(minutes=starts)
        kind = dice.pick(f"{name}/kind", tuple(Disturbance))
        windows.append(Window(symbol, kind, since, since + timedelta(minutes=lasts)))
        free_from = starts + lasts
    return windows


def _fall_starts(symbol: str, dice: Dice) -> float:
    return dice.between(f"{symbol}/starts", 10, 200)


def _samples(stock: Stock, eve: date) -> tuple[ImpliedVolatilitySample, ...]:
    """Make a history in which the eve's volatility stands high."""
    now = stock.volatility.values[0]
    sessions = [
        eve - timedelta(days=back)
        for back in range(1, HISTORY_SESSIONS * 2)
        if (eve - timedelta(days=back)).weekday() < SATURDAY
    ][:HISTORY_SESSIONS]
    return tuple(
        ImpliedVolatilitySample(
            session=session,
            implied_volatility=level,
            implied_volatility_bid=level * 0.99,
            implied_volatility_ask=level * 1.01,
            source=SOURCE_QUOTES,
        )
        for number, session in enumerate(reversed(sessions))
        for level in [now * (0.45 + 0.6 * (number * 37 % 100) / 100)]
    )


def _foreign_contracts(
    market: StormMarket, day: TradingSession, expiration: date
) -> tuple[str, ...]:
    found = []
    for symbol in SYMBOLS:
        strike = round(market.spot(symbol, day.opens_at) / 2.5) * 2500
        found.append(f"{symbol}{expiration:%y%m%d}C{strike:08d}")
    return tuple(found)


def _days(weekday: int, start: date, end: date) -> Sequence[date]:
    days = [start + timedelta(days=ahead) for ahead in range((end - start).days + 1)]
    return [day for day in days if day.weekday() == weekday]


def _weekday(day: date, step: int) -> date:
    while day.weekday() >= SATURDAY:
        day += timedelta(days=step)
    return day
