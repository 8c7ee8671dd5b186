"""The keys to the broker, and the endpoints that they may be used at."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

PAPER_TRADING_URL = "https://paper-api.alpaca.markets"
LIVE_TRADING_URL = "https://api.alpaca.markets"
DATA_URL = "https://data.alpaca.markets"


class CredentialsMalformed(ValueError):
    """Raised where the secret is not what it must be; the message never repeats a value."""


class LiveTradingRefused(ValueError):
    """Raised where the secret points to real money and the settings do not allow it."""


def _checked_key(text: str) -> str:
    # The keys travel in HTTP headers, which take nothing else.
    if not text.isascii() or not text.isprintable() or " " in text or not text:
        raise ValueError("it must be visible ASCII without spaces, and not empty")
    return text


def _checked_secret(secret: SecretStr) -> SecretStr:
    _checked_key(secret.get_secret_value())
    return secret


def _checked_endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_host = False
    # The parser's own reasons quote the text, which may be a key in the wrong place.
    if not has_host or parts.scheme not in {"http", "https"}:
        raise ValueError("it must be an http or https address with a host")
    if parts.username is not None or parts.query or parts.fragment or parts.path.strip("/"):
        raise ValueError("it must be a bare address, without user, path or query")
    if parts.scheme == "http" and not is_loopback(text):
        raise ValueError("it must be https unless it names this machine")
    return f"{parts.scheme}://{parts.netloc}"


class Credentials(BaseModel):
    """Hold the JSON of the secret: key_id, secret_key and, where not Alpaca's own, endpoint.

    `answer_seconds` bounds the wait for an answer of an endpoint that is slower than Alpaca, and
    stays under the 30 s that a function runs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    key_id: Annotated[str, AfterValidator(_checked_key)] = Field(repr=False)
    secret_key: Annotated[SecretStr, AfterValidator(_checked_secret)]
    endpoint: Annotated[str, AfterValidator(_checked_endpoint)] | None = None
    answer_seconds: float | None = Field(None, ge=1, le=25)


@dataclass(frozen=True)
class Endpoints:
    """Name the addresses of trading and of market data, without a trailing slash."""

    trading: str
    data: str


def parse_credentials(secret: str) -> Credentials:
    """Read the secret's JSON; raise CredentialsMalformed naming the field that is wrong."""
    try:
        return Credentials.model_validate_json(secret)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    # Raised outside the handler: the original error quotes what it could not read.
    field = ".".join(str(part) for part in first["loc"])
    subject = f"the field {field!r}" if field else "the text"
    reason = _REASONS.get(first["type"], first["msg"].removeprefix("Value error, "))
    raise CredentialsMalformed(f"the broker's secret is not usable: {subject}: {reason}")


_REASONS = {
    "missing": "it is missing",
    "extra_forbidden": "no such field is known",
    "string_type": "it must be text",
    "model_type": "it must be a JSON object",
    "json_invalid": "it is not JSON",
}


def endpoints_for(credentials: Credentials, *, live_trading: bool) -> Endpoints:
    """Choose the endpoints; without one in the secret, Alpaca's paper trading.

    A loopback endpoint serves both trading and data. Every host but this machine and Alpaca's
    paper trading counts as live, because an unknown host may lead to real money. Raises
    LiveTradingRefused for a live one unless `live_trading`.
    """
    if credentials.endpoint is None:
        return Endpoints(trading=PAPER_TRADING_URL, data=DATA_URL)
    endpoint = credentials.endpoint
    if is_loopback(endpoint):
        return Endpoints(trading=endpoint, data=endpoint)
    host = _host(urlsplit(endpoint))
    if host != _host(urlsplit(PAPER_TRADING_URL)) and not live_trading:
        raise LiveTradingRefused(
            f"the broker's secret points to {endpoint}, which counts as live,"
            " but the setting live_trading is off"
        )
    if host in {_host(urlsplit(PAPER_TRADING_URL)), _host(urlsplit(LIVE_TRADING_URL))}:
        # Alpaca serves no market data at its trading hosts.
        return Endpoints(trading=endpoint, data=DATA_URL)
    return Endpoints(trading=endpoint, data=endpoint)


def is_loopback(url: str) -> bool:
    """Say whether `url` names this machine, by the loopback address or as localhost."""
    host = _host(urlsplit(url))
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").lower().rstrip(".")
