"""Recorded market data as it lies in files: read, checked, and put in order.

What cannot be trusted is refused with one sentence naming the file. Quotes are not judged: a
crossed one is kept as recorded, for whoever trades on it to reject.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.worlds.world import DailyBar

CHAIN_PATTERN, BAR_PATTERN, CLOSE_PATTERN = "chains_*.parquet", "bars_*.csv", "closes_*.csv"
EARNINGS_PATTERN, EX_DIVIDEND_PATTERN = "earnings_dates_*.csv", "next_exdividend_*.csv"
NUMBER_COLUMNS = ("strike", "bid", "ask", "underlying_price")
COUNT_COLUMNS = ("volume", "open_interest")
TEXT_COLUMNS = ("symbol", "quote_date", "expiration", "option_type")
CALL_LETTER, PUT_LETTER = "C", "P"
SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,5}")
"""What the symbols of contracts can be made of."""
STRIKE_BOUND, NUMBER_BOUND = 100_000.0, 1e9
"""No recording has as much; what does was not read as it was meant."""

IntArray = NDArray[np.int64]


class WorldDataError(ValueError):
    """Say in one sentence which recorded data is unusable, and why."""


@dataclass(frozen=True, slots=True)
class RecordedChain:
    """One underlying's chain on one day, one row a contract, in contract order.

    Prices are in cents, 0 where there is no such side; strikes in thousandths of a dollar.
    """

    expiration_days: IntArray
    is_call: NDArray[np.bool_]
    strike_mills: IntArray
    bid_cents: IntArray
    ask_cents: IntArray
    volume: IntArray
    open_interest: IntArray
    underlying_price: Decimal

    @property
    def keys(self) -> IntArray:
        """One rising number a contract."""
        kind = np.where(self.is_call, 0, 1)
        return (self.expiration_days << 33) | (kind << 32) | self.strike_mills


def read_chains(directory: Path) -> dict[tuple[str, date], RecordedChain]:
    """Read every chain file of `directory`; raise WorldDataError where one is unusable."""
    if not directory.is_dir():
        raise WorldDataError(f"there is no directory {directory} to read recorded chains from")
    paths = sorted(directory.glob(CHAIN_PATTERN))
    if not paths:
        raise WorldDataError(f"{directory} holds no recorded chains ({CHAIN_PATTERN})")
    chains: dict[tuple[str, date], RecordedChain] = {}
    for path in paths:
        for key, chain in _chains_of(path):
            if key in chains:
                raise WorldDataError(f"{path} repeats the chain of {key[0]} on {key[1]}")
            chains[key] = chain
    return chains


def read_bars(directory: Path) -> dict[str, dict[date, DailyBar]]:
    """Read the daily bars of `directory` by symbol and session; prices to the cent."""
    bars: dict[str, dict[date, DailyBar]] = defaultdict(dict)
    paths = sorted(directory.glob(BAR_PATTERN))
    if not paths:
        raise WorldDataError(f"{directory} holds no recorded daily bars ({BAR_PATTERN})")
    for path in paths:
        for row in _rows(path, ("symbol", "date", "open", "high", "low", "close", "volume")):
            symbol, bar = row.text("symbol"), row.bar()
            if bar.session in bars[symbol]:
                raise WorldDataError(
                    f"{path} line {row.line} repeats the bar of {symbol} on {bar.session}"
                )
            bars[symbol][bar.session] = bar
    return dict(bars)


def read_closes(directory: Path) -> dict[str, dict[date, Decimal]]:
    """Read the closes recorded without a bar, by symbol and session; there may be none."""
    closes: dict[str, dict[date, Decimal]] = defaultdict(dict)
    for path in sorted(directory.glob(CLOSE_PATTERN)):
        for row in _rows(path, ("symbol", "date", "close")):
            closes[row.text("symbol")][row.day("date")] = row.price("close")
    return dict(closes)


def read_earnings(directory: Path) -> dict[str, tuple[date, ...]]:
    """Read the days of earnings reports by symbol, oldest first; there may be none."""
    reports: dict[str, set[date]] = defaultdict(set)
    for path in sorted(directory.glob(EARNINGS_PATTERN)):
        for row in _rows(path, ("symbol", "report_date")):
            reports[row.text("symbol")].add(row.day("report_date"))
    return {symbol: tuple(sorted(days)) for symbol, days in reports.items()}


def read_ex_dividends(directory: Path) -> dict[str, tuple[tuple[date, date], ...]]:
    """Read by symbol what was known when: (known on, next ex-date), oldest first."""
    known: dict[str, set[tuple[date, date]]] = defaultdict(set)
    for path in sorted(directory.glob(EX_DIVIDEND_PATTERN)):
        for row in _rows(path, ("symbol", "as_of", "next_ex_dividend_date")):
            known[row.text("symbol")].add((row.day("as_of"), row.day("next_ex_dividend_date")))
    return {symbol: tuple(sorted(pairs)) for symbol, pairs in known.items()}


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row of a CSV file, which knows where it stands."""

    path: Path
    line: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        found = self.cells[column].strip()
        if not found:
            raise WorldDataError(f"{self.path} line {self.line} has no {column}")
        return found

    def day(self, column: str) -> date:
        try:
            return date.fromisoformat(self.text(column))
        except ValueError as error:
            raise self._wrong(column, "a date (YYYY-MM-DD)") from error

    def number(self, column: str) -> float:
        try:
            found = float(self.text(column))
        except ValueError as error:
            raise self._wrong(column, "a number") from error
        if not 0 <= found < float("inf"):
            raise self._wrong(column, "a number from 0 up")
        return found

    def bar(self) -> DailyBar:
        """Read the whole row as a bar."""
        bar = DailyBar(
            session=self.day("date"),
            open=self.price("open"),
            high=self.price("high"),
            low=self.price("low"),
            close=self.price("close"),
            volume=int(self.number("volume")),
        )
        if bar.low > min(bar.open, bar.close) or bar.high < max(bar.open, bar.close):
            raise WorldDataError(
                f"{self.path} line {self.line} opens or closes outside its low and high"
            )
        return bar

    def price(self, column: str) -> Decimal:
        cents = round(self.number(column) * 100)
        if cents == 0:
            raise self._wrong(column, "a price above 0")
        return Decimal(cents).scaleb(-2)

    def _wrong(self, column: str, wanted: str) -> WorldDataError:
        found = self.cells[column]
        return WorldDataError(
            f"{self.path} line {self.line} has {found!r} as {column}, which is not {wanted}"
        )


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[CsvRow]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [each for each in columns if each not in (reader.fieldnames or ())]
            if missing:
                raise WorldDataError(f"{path} lacks the column {missing[0]}")
            for cells in reader:
                if None in cells or None in cells.values():
                    raise WorldDataError(
                        f"{path} line {reader.line_num} has not as many cells as the header"
                    )
                yield CsvRow(path, reader.line_num, cells)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WorldDataError(f"{path} cannot be read: {error}") from error


def _chains_of(path: Path) -> Iterator[tuple[tuple[str, date], RecordedChain]]:
    columns = _columns_of(path)
    symbols, symbol_codes = columns["symbol"]
    days, day_codes = columns["quote_date"]
    is_call, strike_mills = columns["option_type"], columns["strike"]
    _refuse_expired(path, days, day_codes, columns["expiration"])
    order = np.lexsort((strike_mills, ~is_call, columns["expiration"], day_codes, symbol_codes))
    group = symbol_codes[order] * len(days) + day_codes[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    for rows in np.split(order, starts[1:]):
        first = rows[0]
        symbol, day = symbols[symbol_codes[first]], days[day_codes[first]]
        spots = columns["underlying_price"][rows]
        if (spots != spots[0]).any():
            raise WorldDataError(f"{path} gives {symbol} two underlying prices on {day}")
        chain = RecordedChain(
            expiration_days=columns["expiration"][rows],
            is_call=is_call[rows],
            strike_mills=strike_mills[rows],
            bid_cents=columns["bid"][rows],
            ask_cents=columns["ask"][rows],
            volume=columns["volume"][rows],
            open_interest=columns["open_interest"][rows],
            underlying_price=Decimal(int(spots[0])).scaleb(-2),
        )
        if (np.diff(chain.keys) <= 0).any():
            raise WorldDataError(f"{path} quotes a contract of {symbol} twice on {day}")
        yield (symbol, day), chain


def _refuse_expired(
    path: Path, days: list[date], day_codes: IntArray, expiration_days: IntArray
) -> None:
    quoted = np.array([day.toordinal() for day in days])[day_codes]
    expired = np.flatnonzero(expiration_days < quoted)
    if len(expired):
        day = days[day_codes[expired[0]]]
        over = date.fromordinal(int(expiration_days[expired[0]]))
        raise WorldDataError(f"{path} quotes on {day} a contract that expired on {over}")


def _columns_of(path: Path) -> dict[str, Any]:
    """Read the columns of a chain file as numbers, with texts as (values, codes)."""
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only a replay needs it
    from pyarrow import parquet  # noqa: PLC0415 - as above

    wanted = [*TEXT_COLUMNS, *NUMBER_COLUMNS, *COUNT_COLUMNS]
    try:
        names = parquet.read_schema(path).names
        missing = [each for each in wanted if each not in names]
        if missing:
            raise WorldDataError(f"{path} lacks the column {missing[0]}")
        table = parquet.read_table(path, columns=wanted)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise WorldDataError(f"{path} cannot be read as parquet: {reason}") from error
    if table.num_rows == 0:
        raise WorldDataError(f"{path} holds no rows")
    read: dict[str, Any] = {}
    for name in TEXT_COLUMNS:
        read[name] = _texts(path, name, table.column(name))
    for name in (*NUMBER_COLUMNS, *COUNT_COLUMNS):
        read[name] = _numbers(path, name, table.column(name))
    for name in ("quote_date", "expiration"):
        texts, codes = read[name]
        read[name] = (_days(path, name, texts), codes)
    expirations, codes = read["expiration"]
    read["expiration"] = np.array([day.toordinal() for day in expirations])[codes]
    letters, codes = read["option_type"]
    wrong = set(letters) - {CALL_LETTER, PUT_LETTER}
    if wrong:
        raise WorldDataError(f"{path} has {min(wrong)!r} as option_type, which is not C or P")
    read["option_type"] = np.array([letter == CALL_LETTER for letter in letters])[codes]
    strange = [symbol for symbol in read["symbol"][0] if not SYMBOL.fullmatch(symbol)]
    if strange:
        raise WorldDataError(f"{path} has {strange[0]!r} as symbol, which is none of a stock")
    return read


def _texts(path: Path, name: str, column: Any) -> tuple[list[str], IntArray]:
    import pyarrow as pa  # noqa: PLC0415 - as below

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise WorldDataError(f"{path} has {column.type} values as {name}, which are not text")
    encoded = column.combine_chunks().dictionary_encode()
    if encoded.null_count:
        raise WorldDataError(f"{path} has a row without {name}")
    values = [str(each) for each in encoded.dictionary.to_pylist()]
    return values, encoded.indices.to_numpy().astype(np.int64)


def _days(path: Path, name: str, texts: list[str]) -> list[date]:
    days = []
    for text in texts:
        try:
            days.append(date.fromisoformat(text))
        except ValueError as error:
            raise WorldDataError(
                f"{path} has {text!r} as {name}, which is not a date (YYYY-MM-DD)"
            ) from error
    return days


def _numbers(path: Path, name: str, column: Any) -> IntArray:
    """Read prices as cents, strikes as mills, counts as they are; a missing bid or ask as 0."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise WorldDataError(f"{path} has {column.type} values as {name}, which are not numbers")
    # Unsafe lets a count lose its last digits, which no count that passes below has.
    values = column.cast(pa.float64(), safe=False).to_numpy()
    if name in ("bid", "ask"):
        values = np.where(np.isnan(values), 0.0, values)
    lowest = 0.0 if name in ("bid", "ask", *COUNT_COLUMNS) else 0.001
    bound = STRIKE_BOUND if name == "strike" else NUMBER_BOUND
    wrong = ~((values >= lowest) & (values < bound))
    if wrong.any():
        raise WorldDataError(
            f"{path} has {values[wrong][0]} as {name} in row {int(np.flatnonzero(wrong)[0]) + 1}"
        )
    scale = 1 if name in COUNT_COLUMNS else 1000 if name == "strike" else 100
    numbers: IntArray = np.rint(values * scale).astype(np.int64)
    return numbers
