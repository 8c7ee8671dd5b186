"""Flattening an account with nothing but its keys, over HTTP against the exchange."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from agent.adapters.alpaca.connection import connect
from agent.adapters.alpaca.credentials import parse_credentials
from agent.adapters.alpaca.open_orders import open_option_orders
from agent.market.quotes import OptionQuote
from agent.options.contracts import parse_occ_symbol
from cli.flattening import Flattening, Outcome, plan_of
from cli.main import run
from simulator.exchange import Exchange, serve
from tests.simulation.exchange.builders import (
    CALL_110,
    CALL_115,
    NOON,
    PUT_95,
    PUT_100,
    exchange_at_noon,
    filled,
    leg,
    multileg_order,
    put_spread,
    put_spread_close,
    single_order,
    usual_world,
)
from tests.simulation.exchange.small_world import SmallWorld

QUARTER = Decimal("0.25")


@dataclass
class Account:
    """An exchange that is served, and what is typed to reach it."""

    exchange: Exchange
    world: SmallWorld
    url: str
    key_file: Path
    told: list[str] = field(default_factory=list)

    def open_condor(self) -> None:
        legs = [
            leg(PUT_100, "sell_to_open"),
            leg(PUT_95, "buy_to_open"),
            leg(CALL_110, "sell_to_open"),
            leg(CALL_115, "buy_to_open"),
        ]
        filled(self.exchange, multileg_order(legs, "-1.00", 2))

    def flattening(self, rounds_max: int = 4) -> Flattening:
        """Give what the command runs, with the exchange's own time."""
        self.connection = connect(
            parse_credentials(self.key_file.read_text(encoding="utf-8")), live_trading=False
        )
        return Flattening(
            self.connection,
            QUARTER,
            self.told.append,
            sleep=self.exchange.clock.advance,
            rounds_max=rounds_max,
        )

    def act(self, rounds_max: int = 4) -> Outcome:
        flattening = self.flattening(rounds_max)
        with self.connection:
            return flattening.act()

    @property
    def held(self) -> dict[str, int]:
        return {position.symbol: int(position.quantity) for position in self.exchange.positions}

    @property
    def sent(self) -> list[Any]:
        return [o for o in self.exchange.orders if o.client_order_id.startswith("flatten-")]


@pytest.fixture
def serve_account(tmp_path: Path) -> Iterator[Callable[[SmallWorld], Account]]:
    servers = []

    def make(world: SmallWorld) -> Account:
        exchange = exchange_at_noon(world)
        server = serve(exchange)
        servers.append(server)
        key_file = tmp_path / "keys.json"
        keys = {"key_id": exchange.key_id, "secret_key": exchange.secret_key}
        key_file.write_text(json.dumps({**keys, "endpoint": server.url}), encoding="utf-8")
        return Account(exchange, world, server.url, key_file)

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def account(serve_account: Callable[[SmallWorld], Account]) -> Account:
    return serve_account(usual_world())


def test_a_spread_is_bought_back_before_its_cover_is_sold(account: Account) -> None:
    filled(account.exchange, put_spread(qty=3))
    outcome = account.act()
    assert outcome.is_flat
    assert outcome.troubles == []
    assert account.held == {}
    assert [(o.legs[0].symbol, o.legs[0].side.value, o.filled_units) for o in account.sent] == [
        (PUT_100, "buy", 3),
        (PUT_95, "sell", 3),
    ]
    assert [str(order.limit_price) for order in account.sent] == ["1.60", "0.70"]


def test_a_condor_goes_shorts_first(account: Account) -> None:
    account.open_condor()
    assert account.act().is_flat
    sides = [order.legs[0].side.value for order in account.sent]
    assert sides == ["buy", "buy", "sell", "sell"]
    assert account.held == {}


def test_shares_and_their_orders_are_never_touched(account: Account) -> None:
    filled(account.exchange, single_order("ACME", "buy", "106", qty=100))
    working = account.exchange.place_order(single_order("ACME", "buy", "90", qty=10))
    filled(account.exchange, put_spread())
    outcome = account.act()
    assert outcome.is_flat
    assert account.held == {"ACME": 100}
    assert working.status == "new"


def test_a_covered_call_is_bought_back_and_its_shares_stay(account: Account) -> None:
    filled(account.exchange, single_order("ACME", "buy", "106", qty=100))
    filled(account.exchange, single_order(CALL_110, "sell", "1.00"))
    assert account.act().is_flat
    assert account.held == {"ACME": 100}


def test_open_orders_are_cancelled_before_positions_are_counted(account: Account) -> None:
    filled(account.exchange, put_spread())
    exit_order = account.exchange.place_order(put_spread_close("0.10"))
    entry = account.exchange.place_order(put_spread("-3.00"))
    assert account.act().is_flat
    assert {exit_order.status, entry.status} == {"canceled"}


def test_an_account_without_options_is_flat_and_sends_nothing(account: Account) -> None:
    assert account.act().is_flat
    assert account.exchange.orders == ()


def test_a_short_that_nobody_offers_keeps_its_cover_and_is_told(account: Account) -> None:
    account.open_condor()
    account.world.with_option(PUT_100, None, None, since=account.exchange.now)
    outcome = account.act(rounds_max=2)
    assert not outcome.is_flat
    assert account.held == {PUT_100: -2, PUT_95: 2, CALL_115: 2}
    assert outcome.troubles == [f"{PUT_100}: nobody offers it: no price can be trusted"]
    assert not outcome.orders_open


def test_what_comes_back_into_the_market_is_closed_in_a_later_round(account: Account) -> None:
    filled(account.exchange, put_spread())
    now = account.exchange.now
    account.world.with_option(PUT_100, None, None, since=now)
    account.world.with_option(PUT_100, "1.40", "1.60", since=now + timedelta(seconds=25))
    assert account.act(rounds_max=8).is_flat


def test_a_wide_market_is_not_paid_beyond_the_cap(account: Account) -> None:
    filled(account.exchange, put_spread())
    account.world.with_option(PUT_100, "1.00", "6.00", since=account.exchange.now)
    account.act()
    # mid is 3.50; a quarter more, on a step of 0.10
    assert account.sent[0].limit_price == Decimal("4.30")
    assert account.told[0] == (
        f"buy back 1 {PUT_100}: limit 4.30, capped: natural is 6.0, mid 3.50"
    )


def test_an_order_that_the_market_left_behind_is_cancelled_and_priced_anew(
    account: Account,
) -> None:
    filled(account.exchange, put_spread())
    moves_at = account.exchange.now + timedelta(seconds=0.5)
    account.world.with_option(PUT_100, "3.80", "4.20", since=moves_at)
    assert account.act().is_flat
    first, second, _ = account.sent
    assert (first.status, first.limit_price) == ("canceled", Decimal("1.60"))
    assert (second.status, second.limit_price) == ("filled", Decimal("4.20"))


@pytest.mark.parametrize("kind", ["gateway_timeout_before", "gateway_timeout_after"])
def test_an_order_of_unknown_fate_closes_nothing_twice(account: Account, kind: str) -> None:
    filled(account.exchange, put_spread(qty=2))
    account.exchange.faults.on_http(kind, method="POST", path_prefix="/v2/orders")
    outcome = account.act(rounds_max=8)
    assert outcome.is_flat
    (trouble,) = outcome.troubles
    assert trouble.startswith(f"{PUT_100}: the order's fate is unknown")
    assert sum(order.filled_units for order in account.sent) == 4


def test_a_fill_after_its_cancel_closes_nothing_twice(account: Account) -> None:
    filled(account.exchange, put_spread())
    account.exchange.place_order(put_spread_close("0.10"))
    account.exchange.faults.late_fills_after_cancel = 1
    assert account.act(rounds_max=8).is_flat
    assert account.held == {}


def test_a_broker_that_stumbles_is_asked_again(account: Account) -> None:
    filled(account.exchange, put_spread())
    account.exchange.faults.on_http("server_error", path_prefix="/v2/positions")
    assert account.act(rounds_max=8).is_flat


def test_a_closed_market_ends_it_with_what_is_left(account: Account) -> None:
    filled(account.exchange, put_spread())
    account.exchange.clock.advance(6 * 3600)
    outcome = account.act()
    assert [position.symbol for position in outcome.left] == [PUT_95, PUT_100]
    assert outcome.troubles == ["the market is closed: options trade in its sessions only"]
    assert account.sent == []


def test_the_pages_of_open_orders_are_all_read(account: Account) -> None:
    for _ in range(5):
        account.exchange.place_order(put_spread("-3.00"))
        account.exchange.place_order(single_order("ACME", "buy", "90", qty=1))
        account.exchange.clock.advance(1)
    flattening = account.flattening()
    with account.connection:
        found = open_option_orders(flattening.connection.sessions[0], page_size=3)
    assert len(found) == 5
    assert {order.symbols for order in found} == {(PUT_100, PUT_95)}


@pytest.mark.parametrize(
    ("quantity", "bid", "ask", "limit"),
    [
        (-1, "1.40", "1.60", "1.60"),
        (1, "1.40", "1.60", "1.40"),
        (-1, None, "0.05", "0.05"),
        (-1, "1.00", "6.00", "4.30"),
        (1, "1.00", "6.00", "2.65"),
        (-1, None, "4.00", "2.50"),
        (-1, "2.00", "1.00", None),
        (-1, "1.00", None, None),
        (1, None, "1.00", None),
        (1, "1.00", None, None),
        (1, None, None, None),
    ],
)
def test_the_limit_is_natural_within_the_cap(
    quantity: int, bid: str | None, ask: str | None, limit: str | None
) -> None:
    contract = parse_occ_symbol(PUT_100)
    low, high = (None if side is None else Decimal(side) for side in (bid, ask))
    quote = OptionQuote(contract, NOON, low, high, volume=None, open_interest=None)
    plan = plan_of(contract, quantity, quote, QUARTER)
    assert plan.limit == (None if limit is None else Decimal(limit))
    assert plan.remark


def test_what_was_never_quoted_has_no_limit() -> None:
    assert plan_of(parse_occ_symbol(PUT_100), -1, None, QUARTER).limit is None


class Keyboard(StringIO):
    """What is typed at a terminal."""

    def isatty(self) -> bool:
        return True


def flatten(account: Account, *words: str) -> int:
    return run(["flatten", "--broker-only", "--key-file", str(account.key_file), *words])


def test_without_yes_it_says_what_it_would_do_and_does_nothing(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(account.exchange, put_spread())
    working = account.exchange.place_order(put_spread("-3.00", client_order_id="somebody"))
    assert flatten(account) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].endswith(": 1 open orders, 2 positions in options")
    assert told[1:4] == [
        f"cancel somebody: {PUT_100}, {PUT_95}",
        f"buy back 1 {PUT_100}: limit 1.60, at natural",
        f"sell 1 {PUT_95}: limit 0.70, at natural; once its underlying owes nothing",
    ]
    assert working.is_working
    assert account.held == {PUT_100: -1, PUT_95: 1}
    assert account.sent == []


@pytest.mark.parametrize("answer", ["y\n", "n\n", "\n"])
def test_at_a_keyboard_it_asks_and_acts_on_a_yes_alone(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
) -> None:
    filled(account.exchange, put_spread())
    monkeypatch.setattr("sys.stdin", Keyboard(answer))
    own_time = partial(Flattening, sleep=account.exchange.clock.advance)
    monkeypatch.setattr("cli.flattening.Flattening", own_time)
    assert flatten(account) == 0
    told = capsys.readouterr().out
    assert "Do it? Orders of others are cancelled too. [y/N]" in told
    assert (account.held == {}) == (answer == "y\n")
    assert ("Flat: " in told) == (answer == "y\n")


def test_with_yes_and_keys_of_the_environment_it_says_that_it_is_flat(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", account.exchange.key_id)
    monkeypatch.setenv("APCA_API_SECRET_KEY", account.exchange.secret_key)
    monkeypatch.setenv("APCA_API_BASE_URL", account.url)
    assert run(["flatten", "--broker-only", "--yes"]) == 0
    assert capsys.readouterr().out.startswith("Flat: ")


def test_what_is_left_is_an_exit_code_and_a_sentence(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(account.exchange, put_spread())
    account.exchange.clock.advance(6 * 3600)
    assert flatten(account, "--yes") == 1
    told = capsys.readouterr().err
    assert f"not flat, left are: +1 {PUT_95}, -1 {PUT_100} (the market is closed" in told


def test_the_book_is_bypassed_only_where_that_was_said(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["flatten", "--yes", "--key-file", str(account.key_file)]) == 2
    assert "say --broker-only" in capsys.readouterr().err


def test_without_keys_it_says_which_are_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("APCA_API_KEY_ID", raising=False)
    monkeypatch.setenv("APCA_API_SECRET_KEY", "s")
    assert run(["flatten", "--broker-only"]) == 2
    assert "set APCA_API_KEY_ID\n" in capsys.readouterr().err


def test_keys_for_real_money_need_a_word_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = {"key_id": "k", "secret_key": "s", "endpoint": "https://api.alpaca.markets"}
    key_file = tmp_path / "keys.json"
    key_file.write_text(json.dumps(keys), encoding="utf-8")
    assert run(["flatten", "--broker-only", "--yes", "--key-file", str(key_file)]) == 2
    assert "say --live" in capsys.readouterr().err


def test_wrong_keys_are_one_sentence_without_the_keys(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = {"key_id": "nobody", "secret_key": "hush-hush", "endpoint": account.url}
    account.key_file.write_text(json.dumps(keys), encoding="utf-8")
    assert flatten(account, "--yes") == 2
    assert "hush-hush" not in capsys.readouterr().err


def test_a_file_of_keys_that_is_malformed_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file = tmp_path / "keys.json"
    key_file.write_text("{", encoding="utf-8")
    assert run(["flatten", "--broker-only", "--key-file", str(key_file)]) == 2
    told = capsys.readouterr().err
    assert f"{key_file}: the broker's secret is not usable: the text: it is not JSON" in told
