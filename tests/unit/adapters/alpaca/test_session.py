"""One request: what it sends, how long it may take, and which error each failure becomes."""

import traceback
from decimal import Decimal
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import ReadTimeoutError

from agent.adapters.alpaca.session import PAGES_MAX, AlpacaSession
from agent.ports import (
    BrokerMisunderstood,
    BrokerRefused,
    BrokerUnavailable,
    CredentialsRefused,
)
from tests.unit.adapters.alpaca.builders import KEY_ID, NOON, SECRET_KEY, credentials
from tests.unit.adapters.alpaca.canned_server import CannedServer

ERRORS_OF_THE_PORT = (BrokerUnavailable, BrokerRefused, BrokerMisunderstood, CredentialsRefused)


def send(session: AlpacaSession, method: str) -> None:
    if method == "GET":
        session.read_object("/x")
    elif method == "POST":
        session.post("/x", {})
    else:
        session.delete("/x")


def test_the_keys_travel_in_headers_and_the_answer_is_read(
    server: CannedServer, session: AlpacaSession
) -> None:
    server.says("GET /v2/account", {"cash": "1"})
    assert session.read_object("/account").number("cash") == Decimal(1)
    headers = server.requests[0].headers
    assert (headers["APCA-API-KEY-ID"], headers["APCA-API-SECRET-KEY"]) == (KEY_ID, SECRET_KEY)


def test_a_json_number_becomes_the_decimal_it_was_spelled_as(
    server: CannedServer, session: AlpacaSession
) -> None:
    server.says("GET /v2/x", raw=b'{"p": 0.1000000000000000000001}')
    assert session.read_object("/x").number("p") == Decimal("0.1000000000000000000001")


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    server: CannedServer, session: AlpacaSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server.says("GET /v2/x", {})
    session.read_object("/x")
    assert server.calls() == ["GET /v2/x"]


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504])
def test_a_broker_that_cannot_now_is_unavailable(
    server: CannedServer, session: AlpacaSession, status: int
) -> None:
    server.says("GET /v2/x", {"message": "busy"}, status=status)
    with pytest.raises(BrokerUnavailable, match=rf"GET {server.url}/v2/x answered {status}: busy"):
        session.read_object("/x")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_refusal_keeps_the_status_the_code_and_the_reason(
    server: CannedServer, session: AlpacaSession, status: int
) -> None:
    server.says("GET /v2/x", {"code": 40310000, "message": "not eligible"}, status=status)
    with pytest.raises(BrokerRefused, match="not eligible") as caught:
        session.read_object("/x")
    assert (caught.value.status, caught.value.code) == (status, 40310000)


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"[1]", b'"no"', b"[" * 100_000])
def test_a_refusal_without_a_readable_reason_is_still_a_refusal(
    server: CannedServer, session: AlpacaSession, body: bytes
) -> None:
    server.says("GET /v2/x", raw=body, status=403)
    with pytest.raises(BrokerRefused) as caught:
        session.read_object("/x")
    assert (caught.value.status, caught.value.code) == (403, None)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"code": 40110000, "message": "request is not authorized"}),
        (401, {"message": "unauthorized."}),
        (403, {"message": "forbidden."}),
    ],
)
def test_keys_that_are_not_accepted_have_an_error_of_their_own(
    server: CannedServer, session: AlpacaSession, status: int, body: dict[str, Any]
) -> None:
    server.says("GET /v2/x", body, status=status)
    with pytest.raises(CredentialsRefused, match="does not accept the keys"):
        session.read_object("/x")


@pytest.mark.parametrize(
    "body",
    [
        {"message": "OPRA agreement is not signed"},
        {"code": 40310000, "message": "forbidden for this account"},
    ],
)
def test_a_missing_right_is_not_a_wrong_key(
    server: CannedServer, session: AlpacaSession, body: dict[str, Any]
) -> None:
    server.says("GET /v2/x", body, status=403)
    with pytest.raises(BrokerRefused):
        session.read_object("/x")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{", b'{"p": NaN}', b"\xff\xfe", b"[" * 100_000, b"9" * 5000, b"[]", b"7"],
)
def test_an_answer_that_is_not_the_json_it_should_be_is_misunderstood(
    server: CannedServer, session: AlpacaSession, body: bytes
) -> None:
    server.says("GET /v2/x", raw=body)
    with pytest.raises(BrokerMisunderstood, match=rf"GET {server.url}/v2/x"):
        session.read_object("/x")


def test_an_object_is_not_a_list(server: CannedServer, session: AlpacaSession) -> None:
    server.says("GET /v2/x", {})
    with pytest.raises(BrokerMisunderstood, match="should be a JSON list"):
        session.read_objects("/x")


def test_an_encoding_that_does_not_decode_is_misunderstood(
    server: CannedServer, session: AlpacaSession
) -> None:
    server.says("GET /v2/x", raw=b"not zipped", headers={"Content-Encoding": "gzip"})
    with pytest.raises(BrokerMisunderstood, match="unreadable encoding"):
        session.read_object("/x")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_redirect_is_not_followed(
    server: CannedServer, session: AlpacaSession, method: str
) -> None:
    server.says(f"{method} /v2/x", raw=b"", status=302, headers={"Location": f"{server.url}/v2/y"})
    with pytest.raises(BrokerMisunderstood, match="redirect"):
        send(session, method)
    assert server.calls() == [f"{method} /v2/x"]


def test_a_read_waits_for_the_rate_limit_to_reset(
    server: CannedServer, session: AlpacaSession, naps: list[float]
) -> None:
    reset = {"X-RateLimit-Reset": str(int(NOON.timestamp()) + 3)}
    server.says("GET /v2/x", {"message": "slow"}, status=429, headers=reset)
    server.says("GET /v2/x", {"cash": "1"})
    assert session.read_object("/x").has("cash")
    assert naps == [3.0]


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [(None, 1.0), ("soon", 1.0), ("nan", 1.0), ("0", 1.0), ("9e99", 5.0), ("inf", 5.0)],
)
def test_the_wait_for_a_reset_is_bounded_whatever_the_broker_says(
    server: CannedServer,
    session: AlpacaSession,
    naps: list[float],
    reset: str | None,
    seconds: float,
) -> None:
    headers = {} if reset is None else {"X-RateLimit-Reset": reset}
    server.says("GET /v2/x", {}, status=429, headers=headers).says("GET /v2/x", {})
    session.read_object("/x")
    assert naps == [seconds]


def test_a_read_that_meets_the_rate_limit_three_times_gives_up(
    server: CannedServer, session: AlpacaSession, naps: list[float]
) -> None:
    server.says("GET /v2/x", {}, status=429)
    with pytest.raises(BrokerUnavailable, match="rate limit") as caught:
        session.read_object("/x")
    # The state machines know the error by its exact name.
    assert type(caught.value) is BrokerUnavailable
    assert len(server.requests) == 3
    assert len(naps) == 2


def test_a_read_is_repeated_where_the_connection_broke(
    server: CannedServer, session: AlpacaSession, naps: list[float]
) -> None:
    server.hangs_up("GET /v2/x").hangs_up("GET /v2/x").says("GET /v2/x", {"cash": "1"})
    assert session.read_object("/x").has("cash")
    assert len(naps) == 2


def test_a_body_that_breaks_off_is_read_again(server: CannedServer, session: AlpacaSession) -> None:
    server.says("GET /v2/x", raw=b'{"ca', headers={"Content-Length": "12"})
    server.says("GET /v2/x", {"cash": "1"})
    assert session.read_object("/x").has("cash")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_what_the_rate_limit_refused_was_not_done_and_is_sent_again_once_it_resets(
    server: CannedServer, session: AlpacaSession, naps: list[float], method: str
) -> None:
    reset = {"X-RateLimit-Reset": str(int(NOON.timestamp()) + 2)}
    server.says(f"{method} /v2/x", {"message": "slow"}, status=429, headers=reset)
    server.says(f"{method} /v2/x", {"id": "1"})
    send(session, method)
    assert (server.calls(), naps) == ([f"{method} /v2/x"] * 2, [2.0])


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_rate_limit_that_does_not_reset_is_given_up(
    server: CannedServer, session: AlpacaSession, naps: list[float], method: str
) -> None:
    server.says(f"{method} /v2/x", {}, status=429)
    with pytest.raises(BrokerUnavailable, match="rate limit"):
        send(session, method)
    assert (len(server.calls()), len(naps)) == (3, 2)


@pytest.mark.parametrize("status", [500, 504])
def test_a_post_is_sent_once_whatever_comes_back(
    server: CannedServer, session: AlpacaSession, naps: list[float], status: int
) -> None:
    server.says("POST /v2/orders", {}, status=status)
    with pytest.raises(BrokerUnavailable):
        session.post("/orders", {"a": "1"})
    assert (server.calls(), naps) == (["POST /v2/orders"], [])


def test_a_post_is_sent_once_where_the_connection_broke(
    server: CannedServer, session: AlpacaSession
) -> None:
    server.hangs_up("POST /v2/orders")
    with pytest.raises(BrokerUnavailable, match="no connection") as caught:
        session.post("/orders", {"a": "1"})
    assert type(caught.value) is BrokerUnavailable
    assert server.calls() == ["POST /v2/orders"]


def test_a_delete_is_sent_once_and_its_empty_answer_is_fine(
    server: CannedServer, session: AlpacaSession
) -> None:
    server.says("DELETE /v2/orders/1", raw=b"", status=204)
    session.delete("/orders/1")
    server.hangs_up("DELETE /v2/orders/2")
    with pytest.raises(BrokerUnavailable):
        session.delete("/orders/2")
    assert server.calls() == ["DELETE /v2/orders/1", "DELETE /v2/orders/2"]


def test_pages_are_followed_to_the_last(server: CannedServer, session: AlpacaSession) -> None:
    server.says("GET /v2/x", {"next_page_token": "b"})
    server.says("GET /v2/x", {"next_page_token": "c"})
    server.says("GET /v2/x", {"next_page_token": None})
    assert len(session.read_pages("/x", {"limit": "2"})) == 3
    assert server.queries("GET /v2/x") == [
        {"limit": "2"},
        {"limit": "2", "page_token": "b"},
        {"limit": "2", "page_token": "c"},
    ]


def test_a_page_that_names_itself_as_the_next_is_misunderstood(
    server: CannedServer, session: AlpacaSession
) -> None:
    server.says("GET /v2/x", {"next_page_token": "b"})
    with pytest.raises(BrokerMisunderstood, match="names itself"):
        session.read_pages("/x", {})
    assert len(server.requests) == 2


def test_pages_without_end_are_misunderstood(server: CannedServer, session: AlpacaSession) -> None:
    for number in range(PAGES_MAX + 1):
        server.says("GET /v2/x", {"next_page_token": str(number)})
    with pytest.raises(BrokerMisunderstood, match=f"more than {PAGES_MAX} pages"):
        session.read_pages("/x", {})
    assert len(server.requests) == PAGES_MAX


@pytest.mark.parametrize("status", [400, 401, 403, 422, 429, 500])
def test_no_error_shows_a_key_even_where_the_broker_repeats_it(
    server: CannedServer, session: AlpacaSession, status: int
) -> None:
    message = f"no such key {KEY_ID} with {SECRET_KEY}"
    server.says("GET /v2/x", {"message": message}, status=status)
    with pytest.raises(ERRORS_OF_THE_PORT) as caught:
        session.read_object("/x")
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY_ID not in shown
    assert SECRET_KEY not in shown


def test_a_long_reason_is_cut(server: CannedServer, session: AlpacaSession) -> None:
    server.says("GET /v2/x", {"message": "x" * 10_000}, status=422)
    with pytest.raises(BrokerRefused) as caught:
        session.read_object("/x")
    assert len(str(caught.value)) < 500


class BrokenWire(HTTPAdapter):
    """Raise what the network library raises, before anything is sent."""

    def __init__(self, error: requests.RequestException) -> None:
        super().__init__()
        self._error = error

    def send(self, *_: object, **__: object) -> requests.Response:
        raise self._error


STALLED = requests.ConnectionError(ReadTimeoutError(HTTPConnectionPool("h"), "/", "timed out"))


@pytest.mark.parametrize(
    ("error", "sentence", "naps_taken"),
    [
        (requests.ConnectTimeout(), "could not connect within 2 s", 0),
        (requests.ReadTimeout(), "did not answer within 5 s", 0),
        (STALLED, "did not answer within 5 s", 0),
        (requests.ConnectionError("reset"), "has no connection to the broker", 2),
        (requests.exceptions.SSLError("bad certificate"), "has no connection to the broker", 2),
        (requests.exceptions.InvalidHeader("odd"), "could not be made", 0),
    ],
)
def test_every_failure_of_the_network_is_an_unavailable_broker(
    session: AlpacaSession,
    naps: list[float],
    error: requests.RequestException,
    sentence: str,
    naps_taken: int,
) -> None:
    wire: Any = session._transport
    wire._session.mount("http://", BrokenWire(error))
    with pytest.raises(BrokerUnavailable, match=rf"GET http://.*/v2/x {sentence}") as caught:
        session.read_object("/x")
    assert type(caught.value) is BrokerUnavailable
    assert len(naps) == naps_taken


def test_an_address_that_is_none_is_unavailable_and_not_a_crash() -> None:
    session = AlpacaSession("http://127.0.0.1:99999", credentials(), sleep=lambda _: None)
    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:99999"):
        session.read_object("/x")
    session.close()
