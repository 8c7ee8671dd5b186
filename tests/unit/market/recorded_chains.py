"""Recorded end-of-day chains as the agent sees them, with the vendor's own numbers beside them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import parquet

from agent.market.calendar import NEW_YORK
from agent.market.chain import OptionChain
from agent.market.quotes import OptionQuote, UnderlyingSnapshot
from agent.options.black_scholes import FloatArray
from agent.options.contracts import OptionContract, OptionType

CHAINS_FILE = "chains_megacap10_2026.parquet"
STAMPED_AT = time(15, 45, tzinfo=NEW_YORK)


@dataclass(frozen=True, eq=False)
class RecordedChain:
    """Pair a chain with the vendor's volatility (annual fraction) and delta, aligned to quotes."""

    chain: OptionChain
    vendor_volatility: FloatArray
    vendor_delta: FloatArray


def recorded_chains(directory: Path, days: Iterable[str]) -> Iterator[RecordedChain]:
    """Read the chains of every symbol on some days."""
    table = parquet.read_table(directory / CHAINS_FILE, filters=[("quote_date", "in", list(days))])
    rows: list[dict[str, Any]] = table.to_pylist()
    rows.sort(key=lambda row: (row["quote_date"], row["symbol"]))
    for _, group in groupby(rows, key=lambda row: (row["quote_date"], row["symbol"])):
        yield _recorded_chain(list(group))


def _recorded_chain(rows: list[dict[str, Any]]) -> RecordedChain:
    first = rows[0]
    as_of = datetime.combine(date.fromisoformat(first["quote_date"]), STAMPED_AT).astimezone(UTC)
    underlying = UnderlyingSnapshot(
        symbol=first["symbol"],
        quoted_at=as_of,
        bid=None,
        ask=None,
        last=Decimal(str(first["underlying_price"])),
        average_volume_shares=None,
    )
    return RecordedChain(
        chain=OptionChain(underlying, as_of, tuple(_quote(row, as_of) for row in rows)),
        vendor_volatility=_floats(row["vendor_iv_percent"] for row in rows) / 100.0,
        vendor_delta=_floats(row["vendor_delta"] for row in rows),
    )


def _quote(row: dict[str, Any], as_of: datetime) -> OptionQuote:
    return OptionQuote(
        contract=OptionContract(
            row["symbol"],
            date.fromisoformat(row["expiration"]),
            OptionType.CALL if row["option_type"] == "C" else OptionType.PUT,
            Decimal(str(row["strike"])),
        ),
        quoted_at=as_of,
        bid=None if row["bid"] is None else Decimal(str(row["bid"])),
        ask=None if row["ask"] is None else Decimal(str(row["ask"])),
        volume=row["volume"],
        open_interest=row["open_interest"],
    )


def _floats(values: Iterable[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
