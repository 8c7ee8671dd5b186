"""Refusals, with Alpaca's statuses, codes and messages."""

from collections.abc import Mapping
from typing import Any

UNAUTHORIZED = 40110000
BAD_REQUEST = 40010001
UNPROCESSABLE = 42210000
FORBIDDEN = 40310000
NOT_FOUND = 40410000
TOO_MANY_REQUESTS = 42910000


class ExchangeUnavailableError(OSError):
    """The exchange cannot listen where it was asked to."""


class RefusalError(Exception):
    """A request that the exchange refuses; `body` is what the client reads."""

    def __init__(
        self, status: int, code: int | None, message: str, extras: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.extras = dict(extras or {})

    @property
    def body(self) -> dict[str, Any]:
        """Give the JSON body; market data refusals carry a message only."""
        if self.code is None:
            return {"message": self.message}
        return {"code": self.code, "message": self.message, **self.extras}


def malformed(message: str) -> RefusalError:
    """Refuse a request that does not say what it must, or repeats an id."""
    return RefusalError(422, BAD_REQUEST, message)


def unprocessable(message: str) -> RefusalError:
    """Refuse an order that no account could place now."""
    return RefusalError(422, UNPROCESSABLE, message)


def forbidden(message: str, **extras: object) -> RefusalError:
    """Refuse an order that this account cannot place now."""
    return RefusalError(403, FORBIDDEN, message, extras)


def not_found(message: str) -> RefusalError:
    """Refuse a look-up of what does not exist."""
    return RefusalError(404, NOT_FOUND, message)


def bad_query(message: str) -> RefusalError:
    """Refuse a query string that cannot be read."""
    return RefusalError(400, BAD_REQUEST, message)
