"""What each refusal in Alpaca's catalogue ends."""

import pytest

from agent.adapters.alpaca.refusals import REFUSALS, refusal_kind
from agent.adapters.alpaca.session import AlpacaSession
from agent.book.intents import RefusalKind
from agent.ports import BrokerRefused
from tests.unit.adapters.alpaca.canned_server import CannedServer

CATALOGUE = {
    RefusalKind.RETRYABLE: [
        "insufficient qty available for order (requested: 5, available: 0)",
        "potential wash trade detected. use complex orders",
    ],
    RefusalKind.LEGS: [
        "mleg uncovered short contracts not allowed, please use single leg order",
        "submit mleg order is disabled",
        "rolling contracts ambiguity",
        "complex orders not supported for options trading",
    ],
    RefusalKind.SIGNAL: [
        "account not eligible to trade options: ACME",
        "account not eligible to trade uncovered option contracts",
        "active assignment lock on ACME, cannot close all long options",
        "insufficient underlying qty available for covered call (required: 100, available: 0)",
        'contract "ACME260717P00100000" expires soon, unable to open new positions',
        'contract "ACME260717P00100000" is not tradable',
        'contract "ACME260717P00100000" not found',
        "position intent mismatch, inferred: buy_to_open, specified: buy_to_close",
        "invalid limit_price 1.234. sub-penny increment does not fulfill minimum pricing criteria",
        "leg ratio quantities should be relatively prime: GCD[2 2] = 2",
        "a message that nobody has seen before",
        "",
    ],
    RefusalKind.DAY: [
        "insufficient options buying power (required: 390, available: 12)",
        "insufficient options buying power for cash-secured put (required: 9000, available: 1)",
        "insufficient buying power",
        "exceeded account limit for contracts expiring today (requested: 1, held+open: 9)",
    ],
    RefusalKind.ACCOUNT: [
        "account not authorized to trade options",
        "account not eligible to trade long option contracts",
        "account not eligible to trade spreads or uncovered contracts",
        "account not eligible for level2 options trading",
        "new orders are rejected by user request",
    ],
}


@pytest.mark.parametrize(
    ("message", "kind"), [(text, kind) for kind, texts in CATALOGUE.items() for text in texts]
)
def test_a_refusal_ends_no_more_than_it_must(message: str, kind: RefusalKind) -> None:
    assert refusal_kind(message) is kind
    assert refusal_kind(message.upper()) is kind


def test_every_class_but_the_mildest_that_ends_an_attempt_is_in_the_table() -> None:
    assert {kind for _, kind in REFUSALS} == set(RefusalKind) - {RefusalKind.SIGNAL}


def test_the_error_says_what_the_refusal_ends(server: CannedServer, session: AlpacaSession) -> None:
    body = {"code": 40310000, "message": "insufficient options buying power (required: 390)"}
    server.says("POST /v2/orders", body, status=403)
    with pytest.raises(BrokerRefused, match="buying power") as caught:
        session.post("/orders", {})
    assert caught.value.kind is RefusalKind.DAY
