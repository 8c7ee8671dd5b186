"""Which contracts a synthetic underlying has listed, and how popular each of them is."""

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from agent.options.contracts import OptionContract, OptionType
from simulator.worlds.calendar import Expiration
from simulator.worlds.paths import PricePath
from simulator.worlds.pricing import BoolArray
from simulator.worlds.randomness import FloatArray, UintArray, uniforms_of
from simulator.worlds.world import ListingFilter

WEEKLY_LISTED_DAYS = 70
MONTHLY_LISTED_DAYS = 190
STRIKE_RANGE_FRACTION = 0.30
MILLS_PER_DOLLAR = 1000

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ContractTable:
    """The contracts of one underlying in one session, one row each, in contract order."""

    contracts: tuple[OptionContract, ...]
    expiration_days: IntArray
    """Ordinals of the dates."""
    closing_seconds: FloatArray
    """When each contract ends, as a POSIX time."""
    is_call: BoolArray
    strike_mills: IntArray
    keys: UintArray
    """One number a contract, to hang its chance on."""
    monthly: BoolArray
    listed_sessions: IntArray

    @property
    def strikes(self) -> FloatArray:
        return self.strike_mills / MILLS_PER_DOLLAR

    def rows_within(self, bounds: ListingFilter, at_seconds: float) -> IntArray:
        """Find the rows within `bounds` that have not expired."""
        kept = self.closing_seconds > at_seconds
        if bounds.expiration_min is not None:
            kept &= self.expiration_days >= bounds.expiration_min.toordinal()
        if bounds.expiration_max is not None:
            kept &= self.expiration_days <= bounds.expiration_max.toordinal()
        if bounds.strike_min is not None:
            kept &= self.strike_mills >= ceil(bounds.strike_min * MILLS_PER_DOLLAR)
        if bounds.strike_max is not None:
            kept &= self.strike_mills <= floor(bounds.strike_max * MILLS_PER_DOLLAR)
        if bounds.option_type is not None:
            kept &= self.is_call == (bounds.option_type is OptionType.CALL)
        return np.flatnonzero(kept)


@dataclass(slots=True)
class ListingBook:
    """Lists the contracts of one underlying session by session; what is listed stays listed.

    Each expiration's strikes reach 30 % beyond the lowest and the highest eve-of-session close
    since its listing, on one grid a symbol.
    """

    path: PricePath
    expirations: tuple[Expiration, ...]
    _eves: FloatArray = field(init=False)
    _tables: dict[int, ContractTable] = field(init=False, default_factory=dict)
    _contracts: dict[tuple[int, bool, int], OptionContract] = field(
        init=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        closes = self.path.closing_prices
        self._eves = np.concatenate((closes[:1], closes[:-1])) / self.path.script.split_ratios

    def table(self, position: int) -> ContractTable:
        """Give what is listed in the session at `position`."""
        known = self._tables.get(position)
        if known is None:
            known = self._tables[position] = self._build(position)
        return known

    def _build(self, position: int) -> ContractTable:
        today = self.path.sessions[position].session
        contracts: list[OptionContract] = []
        rows: list[tuple[int, float, bool, int, bool, int]] = []
        for expiration in self.expirations:
            last_day = expiration.session.session
            reach = MONTHLY_LISTED_DAYS if expiration.monthly else WEEKLY_LISTED_DAYS
            if not today <= last_day <= today + timedelta(days=reach):
                continue
            listed_at = self._position_from(last_day.toordinal() - reach)
            strikes = self._strikes(listed_at, position)
            ordinal, ends = last_day.toordinal(), expiration.session.closes_at.timestamp()
            for is_call in (True, False):
                for mills in strikes:
                    contracts.append(self._contract(expiration, is_call, mills))
                    rows.append(
                        (ordinal, ends, is_call, mills, expiration.monthly, position - listed_at)
                    )
        columns = zip(*rows, strict=True)
        days, ends_at, calls, strike_mills, monthly, listed = (np.array(each) for each in columns)
        keys: UintArray = days.astype(np.uint64) << np.uint64(33)
        keys |= strike_mills.astype(np.uint64) << np.uint64(1)
        keys |= calls.astype(np.uint64)
        return ContractTable(
            contracts=tuple(contracts),
            expiration_days=days,
            closing_seconds=ends_at,
            is_call=calls,
            strike_mills=strike_mills,
            keys=keys,
            monthly=monthly,
            listed_sessions=listed,
        )

    def _position_from(self, ordinal: int) -> int:
        days = [session.session.toordinal() for session in self.path.sessions]
        return bisect_left(days, ordinal)

    def _strikes(self, listed_at: int, position: int) -> list[int]:
        """List the strikes, those from before a split divided by its ratio."""
        mills: set[int] = set()
        start = listed_at
        ratios = self.path.script.split_ratios
        splits = np.flatnonzero(ratios[listed_at + 1 : position + 1] > 1.0) + listed_at + 1
        for end in (*splits.tolist(), position + 1):
            mills.update(self._grid(self._eves[start:end]))
            if end <= position:
                mills = {round(each / ratios[end]) for each in mills}
            start = end
        return sorted(mills)

    def _grid(self, eves: FloatArray) -> range:
        step = int(self.path.profile.strike_step * MILLS_PER_DOLLAR)
        lowest = float(eves.min()) * (1.0 - STRIKE_RANGE_FRACTION) * MILLS_PER_DOLLAR
        highest = float(eves.max()) * (1.0 + STRIKE_RANGE_FRACTION) * MILLS_PER_DOLLAR
        return range(max(int(np.ceil(lowest / step)), 1) * step, int(highest) + 1, step)

    def _contract(self, expiration: Expiration, is_call: bool, mills: int) -> OptionContract:
        key = (expiration.session.session.toordinal(), is_call, mills)
        known = self._contracts.get(key)
        if known is None:
            known = self._contracts[key] = OptionContract(
                underlying=self.path.profile.symbol,
                expiration=expiration.session.session,
                option_type=OptionType.CALL if is_call else OptionType.PUT,
                strike=(Decimal(mills) / MILLS_PER_DOLLAR).normalize() + Decimal(0),
            )
        return known


@dataclass(frozen=True, slots=True)
class Popularity:
    """How much of each contract is held, and trades in one whole session; whole contracts."""

    open_interest: IntArray
    session_volume: IntArray


def prior_volume_of(book: ListingBook, position: int) -> IntArray:
    """Count what each contract listed at `position` traded in the session before, 0 if unlisted."""
    table = book.table(position)
    if position == 0:
        return np.zeros(len(table.keys), dtype=np.int64)
    volume = popularity_of(book.path, table, position - 1).session_volume
    return np.where(np.isin(table.keys, book.table(position - 1).keys), volume, 0)


def popularity_of(path: PricePath, table: ContractTable, position: int) -> Popularity:
    """Say how popular each listed contract is in the session at `position`.

    Interest gathers near the money, a little out of it, at round strikes and in monthly
    expirations, and grows with the sessions since listing. It is fixed for the session, so it
    goes by the opening price.
    """
    profile = path.profile
    spot = path.opening_price(position)
    day = path.sessions[position].session.toordinal()
    years = np.maximum(table.expiration_days - day, 3) / 365.0
    deviation = profile.annual_volatility * np.sqrt(years)
    distance = np.log(table.strikes / spot) / deviation
    outward = np.where(table.is_call, distance, -distance)
    shape = np.exp(-0.5 * ((outward - 0.4) / 1.1) ** 2) + 0.004
    step = int(profile.strike_step * MILLS_PER_DOLLAR)
    shape *= np.where(table.strike_mills % (2 * step) == 0, 1.6, 1.0)
    shape *= np.where(table.monthly, 2.2, 1.0) * profile.option_activity
    busyness = path.script.activity_factors[position]
    nearness = np.exp(-years * 4.0) + 0.15
    luck = _lognormal(table.keys, 0.7, path.seed, profile.symbol, "open interest")
    age = 1.0 - np.exp(-(table.listed_sessions + 1) / 12.0)
    open_interest = np.floor(2200.0 * shape * age * luck)
    today = path.sessions[position].session
    flow = _lognormal(table.keys, 0.6, path.seed, profile.symbol, "volume", today)
    volume = np.floor(350.0 * busyness * shape * nearness * np.sqrt(luck) * flow)
    return Popularity(open_interest.astype(np.int64), volume.astype(np.int64))


def _lognormal(keys: UintArray, deviation: float, *names: object) -> FloatArray:
    values: FloatArray = np.exp(deviation * ndtri(uniforms_of(keys, *names)))
    return values
