"""Posting to a webhook, against a real server on this machine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from agent.adapters.webhook import ATTEMPTS_MAX, PAUSE_SECONDS, HttpWebhook
from agent.ports import WebhookRefused, WebhookUnavailable

TOKEN = "T0ken-of-the-owner"
NOTICE = {"text": "Opened AAPL\n2 contracts", "kind": "trade_executed"}


@dataclass
class Served:
    """Hold what is answered, one status after another, and what was received."""

    statuses: list[int]
    received: list[dict[str, str]] = field(default_factory=list)
    secret: str = ""
    pauses: list[float] = field(default_factory=list)

    def webhook(self) -> HttpWebhook:
        return HttpWebhook(self.secret, sleep=self.pauses.append)


@contextmanager
def served(*statuses: int) -> Iterator[Served]:
    """Answer with these statuses, the last one for ever; 0 hangs up without an answer."""
    state = Served(list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status = state.statuses.pop(0) if len(state.statuses) > 1 else state.statuses[0]
            if status:
                self.send_response(status)
                self.send_header("Location", f"/elsewhere/{TOKEN}")
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.close_connection = True

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base's name
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        state.secret = json.dumps({"url": f"http://127.0.0.1:{server.server_port}/hook/{TOKEN}"})
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


def test_a_notice_arrives_once_as_json() -> None:
    with served(204) as server:
        server.webhook().post(NOTICE)
    assert server.received == [NOTICE]
    assert server.pauses == []


@pytest.mark.parametrize("trouble", [500, 503, 429, 408, 0])
def test_trouble_that_passes_is_waited_for(trouble: int) -> None:
    with served(trouble, trouble, 200) as server:
        server.webhook().post(NOTICE)
    assert server.received == [NOTICE] * 3
    assert server.pauses == [PAUSE_SECONDS] * 2


@pytest.mark.parametrize(("trouble", "told"), [(503, "503"), (0, "nothing")])
def test_trouble_that_stays_is_given_up_and_the_url_is_not_told(trouble: int, told: str) -> None:
    with served(trouble) as server, pytest.raises(WebhookUnavailable, match=told) as raised:
        server.webhook().post(NOTICE)
    assert len(server.received) == ATTEMPTS_MAX
    assert TOKEN not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410])
def test_a_refusal_is_not_repeated_and_a_redirect_not_followed(status: int) -> None:
    with served(status) as server, pytest.raises(WebhookRefused, match=str(status)) as raised:
        server.webhook().post(NOTICE)
    assert len(server.received) == 1
    assert TOKEN not in str(raised.value)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    pauses: list[float] = []
    webhook = HttpWebhook(json.dumps({"url": f"http://127.0.0.1:9/{TOKEN}"}), sleep=pauses.append)
    with pytest.raises(WebhookUnavailable, match="nothing") as raised:
        webhook.post(NOTICE)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "no json",
        "[]",
        "null",
        '{"address": "https://hooks.example.com/T0ken"}',
        '{"url": 7}',
        '{"url": ""}',
        '{"url": "http://hooks.example.com/T0ken-of-the-owner"}',
        '{"url": "ftp://127.0.0.1/T0ken-of-the-owner"}',
        '{"url": "https:///T0ken-of-the-owner"}',
        '{"url": "https://[half/T0ken-of-the-owner"}',
    ],
)
def test_a_secret_without_a_safe_url_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(WebhookRefused) as raised:
        HttpWebhook(secret)
    assert "T0ken" not in str(raised.value)
    assert raised.value.__cause__ is None
