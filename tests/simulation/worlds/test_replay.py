"""How recorded chains are played back, and how unusable recordings are refused."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from agent.options.contracts import OptionContract, OptionType
from simulator.worlds.recordings import WorldDataError
from simulator.worlds.replay import ReplayWorld
from simulator.worlds.world import DailyBar, ListingFilter

EVERYTHING = ListingFilter()
MONDAY, TUESDAY, THURSDAY = date(2026, 6, 8), date(2026, 6, 9), date(2026, 6, 11)
EXPIRATION = date(2026, 6, 18)
BAR_HEADER = "symbol,date,open,high,low,close,volume"
ANY_BARS = (
    BAR_HEADER,
    "ACME,2026-06-05,99,101,98,100,4000",
    "ACME,2026-06-08,100,103,99,102.4,6000",
)
CLOSED_DAY = "prices of 2026-06-07, a day on which the market was closed"

Row = dict[str, Any]


def row(**changes: Any) -> Row:
    usual: Row = {
        "symbol": "ACME",
        "quote_date": "2026-06-09",
        "expiration": "2026-06-18",
        "strike": 100.0,
        "option_type": "P",
        "bid": 1.2,
        "ask": 1.3,
        "vendor_iv_percent": 30.0,
        "vendor_delta": -0.4,
        "underlying_price": 101.5,
        "volume": 12,
        "open_interest": 340,
    }
    return usual | changes


def record(directory: Path, *rows: Row, bars: tuple[str, ...] = ANY_BARS) -> Path:
    columns = {name: [each[name] for each in rows] for name in rows[0]}
    parquet.write_table(pa.table(columns), directory / "chains_test.parquet")
    (directory / "bars_test.csv").write_text("\n".join(bars) + "\n")
    return directory


def afternoon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 19, 45, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> ReplayWorld:
    """Three days, the Wednesday between them not recorded."""
    record(
        tmp_path,
        row(quote_date="2026-06-08", underlying_price=102.4, volume=5),
        row(),
        row(strike=95.0, bid=0.0),
        row(option_type="C", bid=3.4, ask=3.1),
        row(expiration="2026-06-26", strike=102.5, bid=float("nan")),
        row(quote_date="2026-06-11", underlying_price=98.25, volume=7),
    )
    (tmp_path / "closes_test.csv").write_text("date,symbol,close\n2026-06-10,ACME,97.5\n")
    return ReplayWorld.load(tmp_path)


def test_the_sessions_are_the_recorded_days_and_quotes_stand_15_minutes_before_their_close(
    world: ReplayWorld,
) -> None:
    assert [each.session for each in world.sessions] == [MONDAY, TUESDAY, THURSDAY]
    assert world.quote_times == (afternoon(MONDAY), afternoon(TUESDAY), afternoon(THURSDAY))
    assert world.symbols == ("ACME",)


def test_a_chain_comes_in_contract_order_with_missing_sides_as_none(world: ReplayWorld) -> None:
    listings = world.chain("ACME", afternoon(TUESDAY), EVERYTHING)

    assert [each.contract for each in listings] == sorted(each.contract for each in listings)
    assert [(each.contract.strike, each.bid, each.ask) for each in listings] == [
        (Decimal(100), Decimal("3.40"), Decimal("3.10")),
        (Decimal(95), None, Decimal("1.30")),
        (Decimal(100), Decimal("1.20"), Decimal("1.30")),
        (Decimal("102.5"), None, Decimal("1.30")),
    ]
    assert [each.bid_size > 0 for each in listings] == [True, False, True, False]


def test_a_crossed_quote_is_shown_as_recorded(world: ReplayWorld) -> None:
    call = OptionContract("ACME", EXPIRATION, OptionType.CALL, Decimal(100))

    listing = world.option(call, afternoon(TUESDAY))

    assert listing is not None
    assert listing.bid is not None
    assert listing.ask is not None
    assert listing.bid > listing.ask


def test_prior_volume_is_that_of_the_recorded_session_before(world: ReplayWorld) -> None:
    put = OptionContract("ACME", EXPIRATION, OptionType.PUT, Decimal(100))
    listings = [world.option(put, afternoon(day)) for day in (MONDAY, TUESDAY, THURSDAY)]

    assert [(each.volume, each.prior_volume) for each in listings if each] == [
        (5, 0),
        (12, 5),
        (7, 12),
    ]


def test_the_quotes_stand_for_their_whole_session_with_the_asked_moment(
    world: ReplayWorld,
) -> None:
    morning = afternoon(TUESDAY) - timedelta(hours=4)
    early = world.chain("ACME", morning, EVERYTHING)
    late = world.chain("ACME", afternoon(TUESDAY), EVERYTHING)

    assert {each.at for each in early} == {morning}
    assert [each.bid for each in early] == [each.bid for each in late]


def test_on_a_day_not_recorded_the_last_quotes_stand_with_their_old_stamp(
    world: ReplayWorld,
) -> None:
    quote = world.stock("ACME", afternoon(TUESDAY) + timedelta(days=1))

    assert quote is not None
    assert quote.last == Decimal("101.50")
    assert quote.at == datetime(2026, 6, 9, 20, 0, tzinfo=UTC)


def test_before_the_first_session_nothing_is_known(world: ReplayWorld) -> None:
    before = world.sessions[0].opens_at - timedelta(seconds=1)

    assert world.stock("ACME", before) is None
    assert world.chain("ACME", before, EVERYTHING) == ()
    assert world.implied_volatility_history("ACME") == ()


def test_the_stock_is_quoted_a_cent_around_the_recorded_price(world: ReplayWorld) -> None:
    quote = world.stock("ACME", afternoon(MONDAY))

    assert quote is not None
    assert (quote.bid, quote.ask) == (Decimal("102.39"), Decimal("102.41"))
    assert (quote.open, quote.high, quote.low) == (Decimal(100), Decimal(103), Decimal(99))
    assert quote.volume == 6000


def test_bars_missing_from_the_recording_are_made_of_closes_then_of_the_chains(
    world: ReplayWorld,
) -> None:
    bars = world.daily_bars("ACME", TUESDAY, afternoon(THURSDAY) + timedelta(minutes=15))

    assert [(each.session.day, each.close, each.volume) for each in bars] == [
        (9, Decimal("101.50"), 5000),
        (10, Decimal("97.50"), 5000),
        (11, Decimal("98.25"), 5000),
    ]
    assert world.close_price("ACME", date(2026, 6, 10)) == Decimal("97.50")
    assert world.close_price("ACME", date(2026, 6, 12)) is None
    assert world.close_price("NONE", MONDAY) is None


def test_a_session_gives_its_bar_only_once_it_is_over(world: ReplayWorld) -> None:
    days = [each.session for each in world.daily_bars("ACME", MONDAY, afternoon(TUESDAY))]

    assert days == [MONDAY]


def test_the_filter_is_inclusive_and_leaves_expired_contracts_out(world: ReplayWorld) -> None:
    bounds = ListingFilter(EXPIRATION, EXPIRATION, Decimal(95), Decimal(100), OptionType.PUT)
    within = world.chain("ACME", afternoon(TUESDAY), bounds)
    weeks_later = datetime(2026, 6, 18, 20, 0, tzinfo=UTC)

    assert [each.contract.strike for each in within] == [95, 100]
    assert world.chain("ACME", weeks_later, EVERYTHING) == ()
    assert len(world.chain("ACME", weeks_later - timedelta(seconds=1), EVERYTHING)) == 1


def test_recorded_reports_and_ex_dates_are_known_as_they_were(tmp_path: Path) -> None:
    record(tmp_path, row())
    (tmp_path / "earnings_dates_test.csv").write_text(
        "symbol,report_date\nACME,2026-04-20\nACME,2026-01-19\n"
    )
    (tmp_path / "next_exdividend_test.csv").write_text(
        "symbol,as_of,next_ex_dividend_date\nACME,2026-06-01,2026-06-12\nACME,2026-06-10,2026-06-11\n"
    )
    world = ReplayWorld.load(tmp_path)

    assert world.earnings_dates("ACME", date(2026, 1, 1), date(2026, 4, 20)) == (
        date(2026, 1, 19),
        date(2026, 4, 20),
    )
    assert world.earnings_dates("ACME", date(2026, 4, 21), date(2026, 9, 1)) == ()
    assert world.next_ex_dividend("ACME", date(2026, 5, 31)) is None
    assert world.next_ex_dividend("ACME", TUESDAY) == date(2026, 6, 12)
    assert world.next_ex_dividend("ACME", date(2026, 6, 10)) == THURSDAY
    assert world.next_ex_dividend("ACME", THURSDAY) is None
    assert world.next_ex_dividend("NONE", TUESDAY) is None


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorldDataError, match=r"there is no directory .*nowhere"):
        ReplayWorld.load(tmp_path / "nowhere")


def test_a_directory_without_chains_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorldDataError, match=r"holds no recorded chains \(chains_\*\.parquet\)"):
        ReplayWorld.load(tmp_path)


def test_a_directory_without_bars_is_named(tmp_path: Path) -> None:
    record(tmp_path, row())
    (tmp_path / "bars_test.csv").unlink()

    with pytest.raises(WorldDataError, match="holds no recorded daily bars"):
        ReplayWorld.load(tmp_path)


def test_a_file_that_is_not_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "chains_test.parquet").write_bytes(b"not parquet at all")

    with pytest.raises(WorldDataError, match=r"chains_test\.parquet cannot be read as parquet"):
        ReplayWorld.load(tmp_path)


def test_a_truncated_parquet_file_is_named(tmp_path: Path) -> None:
    record(tmp_path, row())
    path = tmp_path / "chains_test.parquet"
    path.write_bytes(path.read_bytes()[:400])

    with pytest.raises(WorldDataError, match=r"chains_test\.parquet cannot be read as parquet"):
        ReplayWorld.load(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    record(tmp_path, {name: value for name, value in row().items() if name != "bid"})

    with pytest.raises(WorldDataError, match=r"chains_test\.parquet lacks the column bid"):
        ReplayWorld.load(tmp_path)


def test_a_file_without_rows_is_named(tmp_path: Path) -> None:
    record(tmp_path, row())
    path = tmp_path / "chains_test.parquet"
    parquet.write_table(parquet.read_table(path).slice(0, 0), path)

    with pytest.raises(WorldDataError, match="holds no rows"):
        ReplayWorld.load(tmp_path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"quote_date": "yesterday"}, "'yesterday' as quote_date, which is not a date"),
        ({"expiration": "2026-06-31"}, "'2026-06-31' as expiration, which is not a date"),
        ({"option_type": "X"}, "'X' as option_type, which is not C or P"),
        ({"symbol": None}, "has a row without symbol"),
        ({"strike": "100"}, "string values as strike, which are not numbers"),
        ({"strike": 0.0}, "0.0 as strike in row 2"),
        ({"strike": 1e8}, "100000000.0 as strike in row 2"),
        ({"bid": -0.1}, "-0.1 as bid in row 2"),
        ({"ask": float("inf")}, "inf as ask in row 2"),
        ({"ask": 1e18}, "1e+18 as ask in row 2"),
        ({"volume": 2**62}, "4.611686018427388e+18 as volume in row 2"),
        ({"symbol": "../acme"}, "'../acme' as symbol, which is none of a stock"),
        ({"symbol": 7}, "int64 values as symbol, which are not text"),
        ({"expiration": "2026-06-08"}, "a contract that expired on 2026-06-08"),
        ({"underlying_price": float("nan")}, "nan as underlying_price in row 2"),
        ({"volume": None}, "nan as volume in row 2"),
        ({"underlying_price": 99.0}, "gives ACME two underlying prices on 2026-06-09"),
        ({"strike": 100.0}, "quotes a contract of ACME twice on 2026-06-09"),
        ({"quote_date": "2026-06-07"}, CLOSED_DAY),
    ],
)
def test_a_wrong_value_is_named_with_its_column(
    tmp_path: Path, changes: Row, sentence: str
) -> None:
    usual = {"strike": 80.0}
    # A parquet column has one type, so the row before follows the wrong one's.
    before: Row = {"strike": type(changes.get("strike", 1.0))(100)}
    if isinstance(changes.get("symbol"), int):
        before["symbol"] = 1
    record(tmp_path, row(**before), row(**(usual | changes)))

    with pytest.raises(WorldDataError) as refused:
        ReplayWorld.load(tmp_path)

    assert sentence in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_two_files_may_not_hold_the_same_chain(tmp_path: Path) -> None:
    record(tmp_path, row())
    again = tmp_path / "chains_again.parquet"
    again.write_bytes((tmp_path / "chains_test.parquet").read_bytes())

    with pytest.raises(WorldDataError, match="repeats the chain of ACME on 2026-06-09"):
        ReplayWorld.load(tmp_path)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ACME,2026-06-09,1,1,1,abc,5", "line 2 has 'abc' as close, which is not a number"),
        ("ACME,2026-06-09,1,1,1,nan,5", "line 2 has 'nan' as close, which is not a number from 0"),
        ("ACME,2026-06-09,1,1,1,0,5", "line 2 has '0' as close, which is not a price above 0"),
        ("ACME,today,1,1,1,1,5", "line 2 has 'today' as date, which is not a date"),
        (",2026-06-09,1,1,1,1,5", "line 2 has no symbol"),
        ("ACME,2026-06-09,1", "line 2 has not as many cells as the header"),
        ("ACME,2026-06-09,1,1,1,1,5,9", "line 2 has not as many cells as the header"),
        ("ACME,2026-06-09,1,1,1,2,5", "line 2 opens or closes outside its low and high"),
        ("ACME,2026-06-07,1,1,1,1,5", CLOSED_DAY),
    ],
)
def test_a_wrong_bar_is_named_with_its_line(tmp_path: Path, line: str, sentence: str) -> None:
    record(tmp_path, row(), bars=(BAR_HEADER, line))

    with pytest.raises(WorldDataError) as refused:
        ReplayWorld.load(tmp_path)

    assert sentence in str(refused.value)


def test_a_bar_that_is_there_twice_is_named(tmp_path: Path) -> None:
    record(tmp_path, row(), bars=(*ANY_BARS, ANY_BARS[-1]))

    with pytest.raises(WorldDataError, match="line 4 repeats the bar of ACME on 2026-06-08"):
        ReplayWorld.load(tmp_path)


def test_texts_may_be_kept_as_a_dictionary(tmp_path: Path) -> None:
    record(tmp_path, row())
    path = tmp_path / "chains_test.parquet"
    plain = parquet.read_table(path)
    place = plain.schema.get_field_index("symbol")
    encoded = plain.set_column(place, "symbol", plain.column("symbol").dictionary_encode())
    parquet.write_table(encoded, path)

    assert ReplayWorld.load(tmp_path).symbols == ("ACME",)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path: path.write_text("symbol,date\n"), "lacks the column open"),
        (lambda path: path.write_text(BAR_HEADER + "\n"), "holds no daily bar"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "cannot be read"),
    ],
)
def test_an_unreadable_bar_file_is_named(
    tmp_path: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    record(tmp_path, row())
    spoil(tmp_path / "bars_test.csv")

    with pytest.raises(WorldDataError, match=sentence):
        ReplayWorld.load(tmp_path)


@pytest.fixture(scope="module")
def recorded(shared_data_directory: Path) -> ReplayWorld:
    return ReplayWorld.load(shared_data_directory)


@pytest.mark.shared_data
def test_every_recorded_quote_can_be_asked_for(recorded: ReplayWorld) -> None:
    without_bid = total = 0
    for at in recorded.quote_times or ():
        for symbol in recorded.symbols:
            listings = recorded.chain(symbol, at, EVERYTHING)
            total += len(listings)
            without_bid += sum(each.bid is None for each in listings)

    assert total == 367_563
    assert 0.14 < without_bid / total < 0.16


@pytest.mark.shared_data
def test_the_recorded_sessions_are_51_without_the_sixth_of_august(recorded: ReplayWorld) -> None:
    days = [each.session for each in recorded.sessions]

    assert len(days) == 51
    assert (days[0], days[-1]) == (date(2026, 6, 9), date(2026, 8, 21))
    assert date(2026, 8, 6) not in days
    assert recorded.symbols == (
        *("AAPL", "AMZN", "GOOGL", "JNJ", "LLY", "MA", "MRK", "MSFT", "NVDA", "PG"),
    )


@pytest.mark.shared_data
def test_one_recorded_put_is_quoted_as_recorded(recorded: ReplayWorld) -> None:
    put = OptionContract("NVDA", date(2026, 7, 2), OptionType.PUT, Decimal(185))

    listing = recorded.option(put, afternoon(date(2026, 6, 10)))

    assert listing is not None
    assert (listing.bid, listing.ask) == (Decimal("2.87"), Decimal("2.94"))
    assert (listing.volume, listing.open_interest) == (299, 67_501)
    assert listing.prior_volume > 0


@pytest.mark.shared_data
def test_every_recorded_symbol_has_a_close_and_a_volume_on_every_session(
    recorded: ReplayWorld,
) -> None:
    for session in recorded.sessions:
        for symbol in recorded.symbols:
            assert recorded.close_price(symbol, session.session) is not None
            quote = recorded.stock(symbol, session.closes_at)
            assert quote is not None
            assert quote.volume > 100_000
            assert quote.low <= quote.last <= quote.high


@pytest.mark.shared_data
def test_recorded_bars_reach_a_year_back_without_a_gap(recorded: ReplayWorld) -> None:
    end = recorded.sessions[-1].closes_at
    for symbol in recorded.symbols:
        bars = recorded.daily_bars(symbol, date(2025, 7, 1), end)
        assert isinstance(bars[0], DailyBar)
        assert len(bars) == 288
