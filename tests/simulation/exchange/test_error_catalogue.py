"""Alpaca's table of errors, row by row: those this exchange gives, and those it cannot, and why."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulator.exchange import RefusalError
from tests.simulation.exchange import order_refusals, other_refusals
from tests.simulation.exchange.builders import (
    CALL_110,
    PUT_95,
    PUT_100,
    exchange_at_noon,
    leg,
    multileg_order,
)
from tests.simulation.exchange.order_refusals import BUY, Act

NO_SUCH_SWITCH = "the account has no such restriction here"
NO_SUBSCRIPTION = "there is one feed, and nobody subscribes to it"
UNREACHABLE = {
    "account not eligible to trade options: {symbol}": NO_SUCH_SWITCH,
    "account not eligible for level2 options trading": (
        "level 1 is told that it cannot trade long contracts, which says more"
    ),
    "active assignment lock on {symbol}, cannot close all long options": (
        "assignments are done with at once: nothing is locked meanwhile"
    ),
    "exceeded account limit for contracts expiring today "
    "(requested: {q}, held+open: {h}, limit: {l})": NO_SUCH_SWITCH,
    'contract "{symbol}" is not active': "worlds list active contracts, and expired ones expire",
    'contract "{symbol}" is not tradable': "a halt takes the quotes away, not the contract",
    "options order notional is {n} must be <= {limit}": "the limit is not published",
    "European-style option legs in a multi-leg order must have the same expiration date": (
        "every contract is American"
    ),
    "rolling contracts ambiguity": "the intent of each leg follows from what is held",
    "order chain not fully replaced": "a replacement is done with at once",
    "OPRA agreement is not signed": NO_SUBSCRIPTION,
    "subscription does not permit querying recent OPRA data": NO_SUBSCRIPTION,
    "subscription does not permit querying recent SIP data": NO_SUBSCRIPTION,
}
REACHED = order_refusals.REFUSALS | other_refusals.REFUSALS
CASES = [(group, message, act) for group, rows in REACHED.items() for message, act in rows]


@pytest.fixture(scope="session")
def catalogue(specification_directory: Path) -> dict[tuple[str, str], tuple[str, int | None]]:
    """Give status and code of each row by its group and message."""
    rows = json.loads((specification_directory / "options_errors.json").read_text("utf-8"))
    return {
        (group, row[2].split(" -- ")[0]): (str(row[0]), row[1])
        for group, group_rows in rows.items()
        if isinstance(group_rows, list)
        for row in group_rows
    }


def test_every_row_is_reached_or_named_as_out_of_reach(catalogue: dict[Any, Any]) -> None:
    reached = {(group, message) for group, message, _ in CASES}
    unreached = {key for key in catalogue if key[1] in UNREACHABLE}
    assert reached | unreached == set(catalogue)
    assert not reached & unreached
    assert {message for _, message in unreached} == set(UNREACHABLE)


@pytest.mark.parametrize(("group", "message", "act"), CASES, ids=[case[1] for case in CASES])
def test_a_row_has_its_status_code_and_message(
    catalogue: dict[tuple[str, str], tuple[str, int | None]], group: str, message: str, act: Act
) -> None:
    status, code = catalogue[group, message]
    with pytest.raises(RefusalError) as refused:
        act()
    assert str(refused.value.status) in status
    assert code in {None, refused.value.code}
    assert pattern(message).fullmatch(refused.value.message), refused.value.message


def pattern(template: str) -> re.Pattern[str]:
    text = re.escape(template)
    text = re.sub(r"\\\{[a-z_]+\\\}", ".+", text)
    text = re.sub(r"GCD.*", r"GCD\\[.+\\] = \\d+", text)
    return re.compile(
        text.replace("requested:\\ X", "requested:\\ \\d+").replace(":\\ 0", ":\\ \\d+")
    )


def test_checks_come_in_the_documented_order() -> None:
    """Form, then contract and session, intent, ratio, coverage, and the account last."""
    exchange = exchange_at_noon(starting_cash=Decimal(100), options_level=2)
    legs = [leg(PUT_100, "sell_to_close", 2), leg(CALL_110, "buy_to_open", 2)]
    body = {**multileg_order(legs, "-0.5"), "qty": 0, "time_in_force": "ioc"}
    told = []
    for repair in (
        {},
        {"qty": 1},
        {"time_in_force": "day"},
        {"legs": [leg(PUT_100, "sell_to_open", 2), leg(CALL_110, "buy_to_open", 2)]},
        {"legs": [leg(PUT_100, "sell_to_open"), leg(CALL_110, "buy_to_open")]},
        {"legs": [leg(PUT_100, "sell_to_open"), leg(PUT_95, "buy_to_open")]},
    ):
        body |= repair
        with pytest.raises(RefusalError) as refused:
            exchange.place_order(body)
        told.append(refused.value.message)
    exchange.options_approved_level = 3
    exchange.configuration = exchange.configuration.changed({"max_options_trading_level": 3})
    with pytest.raises(RefusalError) as refused:
        exchange.place_order(body)
    told.append(refused.value.message)
    beginnings = [
        "qty must be > 0",
        "order_time_in_force provided not supported",
        "position intent mismatch",
        "leg ratio quantities should be relatively prime",
        "mleg uncovered short contracts not allowed",
        "account not eligible to trade spreads",
        "insufficient options buying power",
    ]
    assert [message[: len(start)] for message, start in zip(told, beginnings, strict=True)] == (
        beginnings
    )


def test_an_id_in_use_is_told_before_what_no_order_may_say() -> None:
    exchange = exchange_at_noon()
    exchange.place_order({**BUY, "client_order_id": "once"})
    with pytest.raises(RefusalError, match="client_order_id must be unique"):
        exchange.place_order({**BUY, "client_order_id": "once", "time_in_force": "ioc"})
