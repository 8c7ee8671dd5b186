"""An HTTP server that says what a test told it to, and remembers what it was asked."""

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

POLL_SECONDS = 0.005


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """What is answered; `breaks` hangs up instead."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    breaks: bool = False


class CannedServer:
    """Answer each path with its replies in turn, the last of them for ever."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._replies: dict[tuple[str, str], list[Reply]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self.address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.address}"
        self._thread = Thread(target=self._server.serve_forever, args=(POLL_SECONDS,), daemon=True)

    def says(
        self,
        call: str,
        body: Any = None,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Self:
        """Answer a call such as "GET /v2/clock" with JSON, or with `raw` bytes."""
        content = json.dumps(body).encode() if raw is None else raw
        return self._add(call, Reply(content, status, headers or {}))

    def hangs_up(self, call: str) -> Self:
        return self._add(call, Reply(b"", breaks=True))

    def _add(self, call: str, reply: Reply) -> Self:
        method, path = call.split(" ")
        self._replies.setdefault((method, path), []).append(reply)
        return self

    def calls(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.requests]

    def queries(self, call: str) -> list[dict[str, str]]:
        return [
            request.query for request in self.requests if f"{request.method} {request.path}" == call
        ]

    def _answer_to(self, request: Request) -> Reply:
        self.requests.append(request)
        replies = self._replies.get((request.method, request.path))
        if not replies:
            return Reply(b'{"message": "no such path"}', 404)
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer_to = self._answer_to

        class Handler(BaseHTTPRequestHandler):
            def _handle(self) -> None:
                parts = urlsplit(self.path)
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                reply = answer_to(
                    Request(
                        method=self.command,
                        path=parts.path,
                        query=dict(parse_qsl(parts.query)),
                        body=json.loads(content) if content else None,
                        headers=dict(self.headers),
                    )
                )
                if reply.breaks:
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_DELETE = _handle  # noqa: N815  # the base class names them so

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Keep the test's output its own."""

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
