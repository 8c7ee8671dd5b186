"""Requests to one of the broker's endpoints: bounded in time, never repeated blindly."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn, Protocol

import requests
from alpaca.common.rest import RESTClient
from urllib3.exceptions import TimeoutError as TransportTimeout

from agent.adapters.alpaca.answers import Answer, as_object, as_objects
from agent.adapters.alpaca.credentials import Credentials, is_loopback
from agent.adapters.alpaca.refusals import refusal_kind
from agent.ports import (
    BrokerMisunderstood,
    BrokerRefused,
    BrokerUnavailable,
    CredentialsRefused,
)

TRADING_VERSION = "v2"
ATTEMPTS_MAX = 3
PAGES_MAX = 200
RATE_LIMIT_WAIT_SECONDS_MAX = 5.0
RATE_LIMIT_WAIT_SECONDS_UNKNOWN = 1.0
RECONNECT_WAIT_SECONDS = 0.2
MESSAGE_LENGTH_MAX = 300

_NOT_NOW_STATUSES = frozenset({408, 425, 429})
"""Refusals of the moment, not of the request."""
_RATE_LIMITED = 429


@dataclass(frozen=True)
class Timeouts:
    """Bound the wait for a connection, and each wait for more of an answer."""

    connect_seconds: float = 2.0
    read_seconds: float = 5.0


class Transport(Protocol):
    """Make one request and give its answer, whatever its status; raise as requests does."""

    def exchange(
        self, method: str, path: str, data: Mapping[str, Any] | None, version: str
    ) -> requests.Response: ...

    def close(self) -> None: ...


class _Transport(RESTClient):  # type: ignore[misc]  # the SDK's types are unknown to mypy here
    """Make single requests with the SDK's addresses and headers, our timeouts and no retries.

    The SDK sets no timeout, repeats a POST that may have landed, and offers no parameter for
    either: this method is where all of its requests pass.
    """

    def __init__(self, base_url: str, credentials: Credentials, timeouts: Timeouts) -> None:
        super().__init__(
            base_url=base_url,
            api_key=credentials.key_id,
            secret_key=credentials.secret_key.get_secret_value(),
        )
        self._timeout_seconds = (timeouts.connect_seconds, timeouts.read_seconds)
        # A proxy of the environment cannot reach this machine; elsewhere it may be the only way.
        self._session.trust_env = not is_loopback(base_url)

    def exchange(
        self, method: str, path: str, data: Mapping[str, Any] | None, version: str
    ) -> requests.Response:
        response: requests.Response = self._request(method, path, data, api_version=version)
        return response

    def _one_request(
        self, method: str, url: str, opts: dict[str, Any], retry: int
    ) -> requests.Response:
        del retry
        response: requests.Response = self._session.request(
            method, url, timeout=self._timeout_seconds, **opts
        )
        return response

    def close(self) -> None:
        self._session.close()


class _NotNow(Exception):
    """Raised for a request that may be worth repeating after `wait_seconds`, if it is a read.

    It never leaves this module: the state machines know errors by the names of the ports.
    """

    def __init__(self, message: str, wait_seconds: float) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class _RateLimited(_NotNow):
    """Raised where the rate limit refused a request: whatever it asked for was not done."""


class AlpacaSession:
    """Speak with one endpoint in JSON, and turn every failure into an error of the ports.

    Raises BrokerUnavailable, BrokerRefused, BrokerMisunderstood or CredentialsRefused and
    nothing else; no message contains a key. Reads are repeated a few times where the connection
    broke; any request is where the rate limit refused it, which did nothing, once it says that it
    resets and within a bound. Not thread-safe: use one object per thread.
    A `transport` other than the network may be handed over: a simulation brings its own.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        timeouts: Timeouts | None = None,
        transport: Transport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._base_url = base_url
        self._timeouts = timeouts or Timeouts()
        self._transport: Transport = transport or _Transport(base_url, credentials, self._timeouts)
        self._secrets = (credentials.key_id, credentials.secret_key.get_secret_value())
        self._sleep = sleep
        self._now = now

    def close(self) -> None:
        """Close the connections that are kept for reuse."""
        self._transport.close()

    def read_object(
        self,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        version: str = TRADING_VERSION,
    ) -> Answer:
        """GET a JSON object."""
        call = self._call("GET", path, version)
        return as_object(self._read(path, parameters, version), call)

    def read_objects(
        self,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        version: str = TRADING_VERSION,
    ) -> list[Answer]:
        """GET a JSON list of objects."""
        call = self._call("GET", path, version)
        return as_objects(self._read(path, parameters, version), call)

    def read_pages(
        self, path: str, parameters: Mapping[str, Any], *, version: str = TRADING_VERSION
    ) -> list[Answer]:
        """GET the pages that `next_page_token` chains, at most PAGES_MAX of them."""
        pages: list[Answer] = []
        token: str | None = None
        for _ in range(PAGES_MAX):
            asked = dict(parameters) if token is None else {**parameters, "page_token": token}
            page = self.read_object(path, asked, version=version)
            pages.append(page)
            following = page.optional_text("next_page_token")
            if following is None:
                return pages
            if following == token:
                raise BrokerMisunderstood(f"{page.source}: a page names itself as the next")
            token = following
        raise BrokerMisunderstood(
            f"{self._call('GET', path, version)}: more than {PAGES_MAX} pages"
        )

    def post(self, path: str, payload: Mapping[str, Any]) -> Answer:
        """POST until the rate limit lets it.

        On BrokerUnavailable and BrokerMisunderstood it may have taken effect.
        """
        call = self._call("POST", path, TRADING_VERSION)
        response = self._exchange("POST", path, payload, TRADING_VERSION, repeats=_RateLimited)
        return as_object(self._content(response, call), call)

    def post_bare(self, path: str) -> None:
        """POST without a body, on the terms of `post`; the answer's body is of no interest."""
        self._exchange("POST", path, None, TRADING_VERSION, repeats=_RateLimited)

    def delete(self, path: str) -> None:
        """DELETE until the rate limit lets it; the answer's body, if any, is of no interest."""
        self._exchange("DELETE", path, None, TRADING_VERSION, repeats=_RateLimited)

    def _read(self, path: str, parameters: Mapping[str, Any] | None, version: str) -> Any:
        response = self._exchange("GET", path, parameters, version, repeats=_NotNow)
        return self._content(response, self._call("GET", path, version))

    def _exchange(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None,
        version: str,
        *,
        repeats: type[_NotNow],
    ) -> requests.Response:
        """Make a request, again after a pause where it fails by one of `repeats`."""
        for _ in range(ATTEMPTS_MAX - 1):
            try:
                return self._once(method, path, data, version)
            except _NotNow as failure:
                if not isinstance(failure, repeats):
                    raise BrokerUnavailable(str(failure)) from failure
                self._sleep(failure.wait_seconds)
        try:
            return self._once(method, path, data, version)
        except _NotNow as failure:
            raise BrokerUnavailable(str(failure)) from failure

    def _once(
        self, method: str, path: str, data: Mapping[str, Any] | None, version: str
    ) -> requests.Response:
        call = self._call(method, path, version)
        try:
            response = self._transport.exchange(method, path, data, version)
        except requests.RequestException as error:
            self._raise_for_transport(call, error)
        if not response.ok:
            self._raise_for_status(call, response)
        if response.is_redirect or response.status_code >= 300:
            raise BrokerMisunderstood(
                f"{call} answered with a redirect ({response.status_code}), which is not followed"
            )
        return response

    def _raise_for_transport(self, call: str, error: requests.RequestException) -> NoReturn:
        if isinstance(error, requests.ConnectTimeout):
            seconds = self._timeouts.connect_seconds
            raise BrokerUnavailable(f"{call} could not connect within {seconds:g} s") from error
        if isinstance(error, requests.Timeout) or any(
            # A body that stalls half-way is reported as a broken connection.
            isinstance(cause, TransportTimeout)
            for cause in error.args
        ):
            seconds = self._timeouts.read_seconds
            raise BrokerUnavailable(f"{call} did not answer within {seconds:g} s") from error
        if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
            raise _NotNow(
                f"{call} has no connection to the broker", RECONNECT_WAIT_SECONDS
            ) from error
        if isinstance(error, requests.exceptions.ContentDecodingError):
            raise BrokerMisunderstood(f"{call} answered in an unreadable encoding") from error
        raise BrokerUnavailable(f"{call} could not be made") from error

    def _raise_for_status(self, call: str, response: requests.Response) -> NoReturn:
        status = response.status_code
        body = _body_of(response)
        code, message = self._reason(body)
        if status == 401 or (
            status == 403 and code is None and message.lower().startswith("forbidden")
        ):
            raise CredentialsRefused(f"{call}: the broker does not accept the keys ({status})")
        if status == _RATE_LIMITED:
            raise _RateLimited(
                f"{call} was refused by the rate limit", self._rate_limit_wait_seconds(response)
            )
        sentence = f"{call} answered {status}" + (f": {message}" if message else "")
        if status >= 500 or status in _NOT_NOW_STATUSES:
            raise BrokerUnavailable(sentence)
        blocking = body.get("existing_order_id")
        raise BrokerRefused(
            sentence,
            status=status,
            code=code,
            kind=refusal_kind(message),
            blocking_order_id=blocking if isinstance(blocking, str) and blocking else None,
        )

    def _reason(self, body: Mapping[str, Any]) -> tuple[int | None, str]:
        code = body.get("code")
        message = str(body.get("message") or "")[:MESSAGE_LENGTH_MAX]
        for secret in self._secrets:
            message = message.replace(secret, "***")
        return (code if isinstance(code, int) else None), message

    def _rate_limit_wait_seconds(self, response: requests.Response) -> float:
        try:
            reset_at = float(response.headers.get("X-RateLimit-Reset", ""))
        except ValueError:
            return RATE_LIMIT_WAIT_SECONDS_UNKNOWN
        wait_seconds = reset_at - self._now().timestamp()
        if not wait_seconds > 0:
            return RATE_LIMIT_WAIT_SECONDS_UNKNOWN
        return min(wait_seconds, RATE_LIMIT_WAIT_SECONDS_MAX)

    @staticmethod
    def _content(response: requests.Response, call: str) -> Any:
        try:
            return json.loads(
                response.content, parse_float=Decimal, parse_constant=_refuse_constant
            )
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise BrokerMisunderstood(
                f"{call} answered {response.status_code} with a body that is not JSON"
            ) from error

    def _call(self, method: str, path: str, version: str) -> str:
        return f"{method} {self._base_url}/{version}{path}"


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"not a number: {constant}")


def _body_of(response: requests.Response) -> Mapping[str, Any]:
    """Give the object in a refusal's body; empty where there is none."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
