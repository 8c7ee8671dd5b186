"""Serve an exchange over HTTP from a thread of this process."""

import socket
import time
from threading import Thread
from types import TracebackType
from typing import Self

import uvicorn

from simulator.exchange.app import create_app
from simulator.exchange.errors import ExchangeUnavailableError
from simulator.exchange.exchange import Exchange

HOST = "127.0.0.1"
START_TIMEOUT_SECONDS = 10.0
STOP_TIMEOUT_SECONDS = 10.0
POLL_SECONDS = 0.005
IDLE_CONNECTION_SECONDS = 3600
"""Longer than any run: a client's pooled connection is never closed under its request."""


class ExchangeServer:
    """A running server; use it as a context manager, or call `stop`."""

    def __init__(self, exchange: Exchange, listener: socket.socket) -> None:
        self.exchange = exchange
        self.port: int = listener.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self._listener = listener
        config = uvicorn.Config(
            create_app(exchange),
            log_config=None,
            access_log=False,
            lifespan="off",
            loop="asyncio",
            ws="websockets-sansio",
            timeout_keep_alive=IDLE_CONNECTION_SECONDS,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = Thread(
            target=self._server.run,
            kwargs={"sockets": [listener]},
            name=f"exchange-{self.port}",
            daemon=True,
        )

    def start(self) -> None:
        """Start answering; raises ExchangeUnavailableError where that fails."""
        self._thread.start()
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise ExchangeUnavailableError(f"the exchange did not start on {self.url}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop answering and close every connection; doing so twice is harmless."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_SECONDS)
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def serve(exchange: Exchange, port: int = 0) -> ExchangeServer:
    """Serve `exchange` on 127.0.0.1 and return once it answers; port 0 takes any free one.

    Raises ExchangeUnavailableError (an OSError) naming the port where it is taken.
    """
    # Named as TCP, or asyncio leaves Nagle's algorithm on and every reply takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        raise ExchangeUnavailableError(
            f"the exchange cannot listen on {HOST}:{port}: {error}; "
            "stop what uses that port or choose another"
        ) from error
    server = ExchangeServer(exchange, listener)
    server.start()
    return server
