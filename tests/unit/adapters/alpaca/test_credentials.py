"""The secret: what it may hold, and where its keys may go."""

import json
import traceback
from typing import Any

import pytest

from agent.adapters.alpaca.credentials import (
    CredentialsMalformed,
    Endpoints,
    LiveTradingRefused,
    endpoints_for,
    is_loopback,
    parse_credentials,
)

DATA = "https://data.alpaca.markets"


def secret(**fields: Any) -> str:
    return json.dumps({"key_id": "PK1", "secret_key": "hidden", **fields})


def endpoints(endpoint: str | None, *, live_trading: bool = False) -> Endpoints:
    return endpoints_for(parse_credentials(secret(endpoint=endpoint)), live_trading=live_trading)


def test_without_an_endpoint_the_keys_go_to_paper_trading() -> None:
    paper = Endpoints("https://paper-api.alpaca.markets", DATA)
    assert endpoints(None) == paper
    assert endpoints(None, live_trading=True) == paper


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8123", "http://localhost:80", "http://[::1]:9", "http://127.1.2.3"],
)
def test_an_exchange_on_this_machine_serves_trading_and_data(address: str) -> None:
    assert endpoints(address) == Endpoints(address, address)


def test_a_trailing_slash_is_dropped() -> None:
    assert endpoints("http://127.0.0.1:8123/").trading == "http://127.0.0.1:8123"


def test_paper_trading_may_be_named() -> None:
    assert endpoints("https://paper-api.alpaca.markets").data == DATA


@pytest.mark.parametrize(
    "address",
    [
        "https://api.alpaca.markets",
        "https://API.alpaca.markets.",
        "https://broker-api.alpaca.markets",
        "https://paper-api.alpaca.markets.example.org",
        "https://gateway.example.org",
    ],
)
def test_every_other_host_counts_as_live_and_needs_the_setting(address: str) -> None:
    with pytest.raises(LiveTradingRefused, match="counts as live"):
        endpoints(address)
    assert endpoints(address, live_trading=True).trading == address


def test_live_trading_reads_its_quotes_from_the_data_endpoint() -> None:
    assert endpoints("https://api.alpaca.markets", live_trading=True).data == DATA


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("hidden", "the text: it is not JSON"),
        ('["hidden"]', "the text: it must be a JSON object"),
        ('{"key_id": "PK1"}', "'secret_key': it is missing"),
        ('{"secret_key": "hidden"}', "'key_id': it is missing"),
        (secret(key_id=7), "'key_id': it must be text"),
        (secret(key_id=""), "'key_id': it must be visible ASCII"),
        (secret(secret_key="hid den"), "'secret_key': it must be visible ASCII"),
        (secret(secret_key="hidden\n"), "'secret_key': it must be visible ASCII"),
        (secret(secret_key="hiddén"), "'secret_key': it must be visible ASCII"),
        (secret(secret_key=["hidden"]), "'secret_key': it must be text"),
        (secret(secret="hidden"), "'secret': no such field is known"),
        (secret(endpoint="hidden"), "'endpoint': it must be an http or https address"),
        (secret(endpoint="http://host:hidden"), "'endpoint': it must be an http or https address"),
        (secret(endpoint="http://127.0.0.1:0"), "'endpoint': it must be an http or https address"),
        (secret(endpoint="ftp://127.0.0.1"), "'endpoint': it must be an http or https address"),
        (secret(endpoint="https://hidden@api.alpaca.markets"), "'endpoint': it must be a bare"),
        (secret(endpoint="http://127.0.0.1/hidden"), "'endpoint': it must be a bare"),
        (secret(endpoint="http://api.alpaca.markets"), "'endpoint': it must be https"),
    ],
)
def test_a_malformed_secret_is_one_sentence_that_names_the_field_and_hides_the_value(
    text: str, named: str
) -> None:
    with pytest.raises(CredentialsMalformed) as caught:
        parse_credentials(text)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
    shown = "".join(traceback.format_exception(caught.value))
    assert "hidden" not in shown.replace(f"({text!r}", "")


@pytest.mark.parametrize("seconds", [0, 26])
def test_a_wait_that_no_function_can_have_is_refused(seconds: int) -> None:
    with pytest.raises(CredentialsMalformed, match="answer_seconds"):
        parse_credentials(secret(answer_seconds=seconds))


def test_the_keys_do_not_show_when_credentials_are_printed() -> None:
    shown = repr(parse_credentials(secret()))
    assert "PK1" not in shown
    assert "hidden" not in shown


@pytest.mark.parametrize("address", ["http://127.0.0.1.example.org", "http://example.org", "", "x"])
def test_a_name_that_looks_like_this_machine_is_not(address: str) -> None:
    assert not is_loopback(address)
