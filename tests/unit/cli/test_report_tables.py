"""A report as a person reads it, on 80 columns."""

import io
from decimal import Decimal
from typing import Any

from rich.console import Console

from agent.book.holdings import Holdings, SharesHeld
from agent.book.records import Campaign, PositionStatus, RolledPart, Trade
from agent.book.states import ExitReason, TradeStatus
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from cli.report_tables import print_report
from simulator.checkers.cash_identity import check_cash_identity
from simulator.rehearsal.owner import DeedReport
from simulator.rehearsal.report import (
    DifferenceReport,
    RehearsalReport,
    SlotsReport,
    report_trade,
    what_is_wrong,
)
from simulator.rehearsal.story import StoryEvent
from tests.builders import (
    AS_OF,
    a_contract,
    a_later_spread,
    a_position,
    a_put_spread,
    a_trade,
    an_execution,
    positions_of,
)


def a_wide_condor() -> Trade:
    """Tell of a closed condor whose every strike is long to spell."""
    strikes = (("132.5", "127.5", OptionType.PUT), ("162.5", "167.5", OptionType.CALL))
    legs = [
        Leg(a_contract(strike=strike, option_type=option_type), side)
        for short, long, option_type in strikes
        for strike, side in ((short, LegSide.SHORT), (long, LegSide.LONG))
    ]
    return a_trade(
        TradeStatus.CLOSED,
        structure=Structure(tuple(legs)),
        strategy="iron_condor",
        exit_reason=ExitReason.EXPIRATION_NEAR,
        pnl=Decimal("-12345.67"),
    )


def a_report(cash_end: str = "100000", **changes: Any) -> RehearsalReport:
    trade = a_wide_condor()
    counts = dict.fromkeys(
        (
            *("sessions", "scans", "monitor_passes", "days_analyzed", "weeks_reviewed"),
            *("candidates", "signals", "entries", "alerts", "orders", "fills", "reprices"),
        ),
        1,
    )
    values: dict[str, Any] = {
        **counts,
        "profile": {"name": "synthetic", "description": "A seeded market."},
        "world": "calm-1",
        "market": "scenario calm, seed 1: quiet",
        "scenario": "calm",
        "seed": 1,
        "first_session": "2026-06-09",
        "last_session": "2026-06-22",
        "slots": SlotsReport(times={"learn_weekly": ()}, ran={"learn_weekly": 0}, in_timetable={}),
        "exits": {"expiration_near": 1},
        "rolls": 0,
        "rejections": {"quote_wide": 3},
        "failures": {},
        "owner": (),
        "alerts_by_kind": {},
        "equity_start": Decimal(100_000),
        "equity_end": Decimal(cash_end),
        "cash_identity": check_cash_identity(
            [], cash_start=Decimal(100_000), cash_end=Decimal(cash_end), fees_charged=Decimal(0)
        ),
        "differences": (),
        "exercise_cash": Decimal(0),
        "trades": (report_trade(trade, positions_of(trade)),),
        "story": (),
        "duration_seconds": 1.0,
    }
    return RehearsalReport(**values | changes)


def printed(report: RehearsalReport, *, tells_story: bool = False) -> str:
    output = io.StringIO()
    print_report(Console(file=output, width=80), report, tells_story=tells_story)
    return output.getvalue()


def test_a_trade_of_many_long_strikes_keeps_every_number_on_80_columns() -> None:
    said = printed(a_report())
    assert max(map(len, said.splitlines())) <= 80
    for text in ("AAPL", "condor", "132.5/127.5", "162.5/167.5", "near expiry", "-12,345.67"):
        assert text in said


def test_a_function_that_never_ran_has_no_times() -> None:
    assert "learn_weekly: ran 0 of 0 slots of the timetable.\n" in printed(a_report())


def test_a_story_is_told_where_asked_and_what_happened_often_is_counted() -> None:
    event = StoryEvent(
        at="2026-06-09 15:45",
        symbol="AAPL",
        event="closing: stop loss",
        why="Closing costs [5.00] at mid, the stop is at 4.05.",
        times=3,
    )
    report = a_report(story=(event,))
    assert "What the desk did" not in printed(report)
    said = printed(report, tells_story=True)
    assert max(map(len, said.splitlines())) <= 80
    words = " ".join(said.split())
    assert "06-09 15:45 AAPL closing: stop loss Closing costs [5.00] at mid," in words
    assert "(3 times)" in words


def test_failures_are_among_the_counts() -> None:
    said = printed(a_report(failures={"scan_market": {"BrokerUnavailable": 2}}))
    assert "failed: scan_market, BrokerUnavailable" in said


def test_a_report_in_which_all_agrees_has_nothing_wrong() -> None:
    assert what_is_wrong(a_report()) is None


def test_cash_that_is_missing_is_wrong() -> None:
    assert what_is_wrong(a_report(cash_end="99995")) == (
        "the cash identity does not hold: the book and the broker's cash differ by -5 USD"
    )


def test_positions_that_differ_are_wrong_even_where_the_cash_agrees() -> None:
    report = a_report(differences=(DifferenceReport(symbol="AAPL", booked=0, held=100),))
    assert what_is_wrong(report) == (
        "the book and the broker differ at the end: AAPL (0 in the book, 100 at the broker)"
    )
    said = printed(report)
    assert "Book and broker differ" in said


def test_an_assignment_explains_what_the_cash_differs_by() -> None:
    report = a_report(
        cash_end="81000",
        exercise_cash=Decimal(-19_000),
        differences=(DifferenceReport(symbol="AAPL", booked=0, held=100),),
    )
    assert what_is_wrong(report) == (
        "the book and the broker differ at the end: AAPL (0 in the book, 100 at the broker), and "
        "the cash identity by -19,000.00 USD; exercises and assignments moved -19,000.00 USD of "
        "cash, which no trade of the book accounts for"
    )


def test_what_the_owner_said_is_part_of_every_report() -> None:
    deed = DeedReport(
        at="2026-06-10 12:00", said="close", trade="AAPL -190P/+185P 2026-07-17", refusal=None
    )
    late = DeedReport(at="2026-06-11 12:00", said="note", trade=None, refusal="no trade was open")
    said = printed(a_report(owner=(deed, late)))
    assert "Its owner on 06-10 12:00: close AAPL -190P/+185P 2026-07-17." in said
    assert "Its owner on 06-11 12:00: note, refused: no trade was open." in said


def test_strikes_too_long_for_the_column_are_folded_and_not_cut_off() -> None:
    strikes = "-132.5P/+127.5P/-157.5C/+162.5C"
    event = StoryEvent(at="2026-01-07 15:45", symbol="ALFA", event="opened", why=f"2 x {strikes}")
    said = printed(a_report(story=(event,)), tells_story=True)
    first = said.index("2 x ") + len("2 x ")
    assert "".join(said[first:].split())[: len(strikes)] == strikes
    assert max(map(len, said.splitlines())) <= 80


def test_shares_that_are_held_are_named_and_count_at_the_price_last_seen() -> None:
    put = Structure((Leg(a_contract(strike="30"), LegSide.SHORT),))
    shares = SharesHeld(
        quantity=200, basis=Decimal(30), tax_basis=Decimal(29), since=AS_OF, mark=Decimal(28)
    )
    execution = an_execution(contracts_closed=2, exit_cash=Decimal(-6000))
    trade = a_trade(structure=put, holdings=Holdings(shares=shares), execution=execution)
    gone = a_position(trade, realized_pnl=Decimal("240.00"), status=PositionStatus.CLOSED)
    told = printed(a_report(trades=(report_trade(trade, [gone]),)))
    (row,) = [line for line in told.splitlines() if "200 shares" in line]
    assert row.split()[-1] == "(-160.00)"


def test_a_campaign_shows_what_it_rolled_out_of_without_a_pnl_of_its_own() -> None:
    part = RolledPart(
        structure=a_put_spread(),
        contracts=2,
        credit=Decimal("1.20"),
        debit=Decimal("1.50"),
        rolled_at=AS_OF,
    )
    trade = a_trade(structure=a_later_spread(), campaign=Campaign(rolls=1, parts=(part,)))
    report = a_report(trades=(report_trade(trade, positions_of(trade)),), rolls=1)
    lines = [line.split() for line in printed(report).splitlines() if line.strip()]
    assert ["AAPL", "bull", "put", "190/185", "07-17", "2", "1.20", "roll"] in lines
    assert ["rolls", "1"] in lines
    assert next(line for line in lines if "185/180" in line)[-1].startswith("(")
