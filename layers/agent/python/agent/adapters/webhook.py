"""Post JSON to the owner's webhook. Its URL is a secret: no message and no log names it."""

import json
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import urllib3

from agent.ports import WebhookRefused, WebhookUnavailable

ATTEMPTS_MAX = 3
CONNECT_SECONDS, READ_SECONDS = 2.0, 5.0
PAUSE_SECONDS = 1.0
"""With all attempts 24 s at most: under the function's 30 s."""
LATER = frozenset({408, 425, 429})
LOOPBACK = frozenset({"127.0.0.1", "localhost"})
OK_FIRST, OK_LAST, SERVER_ERROR_FIRST = 200, 299, 500


class HttpWebhook:
    """Post to one URL, a few times where it does not answer; redirects are not followed."""

    def __init__(self, secret: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._url = _url_of(secret)
        self._sleep = sleep
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS), retries=False
        )

    def post(self, notice: Mapping[str, str]) -> None:
        """Post one notice; it may arrive twice where an answer was lost."""
        said = "nothing"
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                self._sleep(PAUSE_SECONDS)
            status, said = self._once(notice)
            if status is not None and OK_FIRST <= status <= OK_LAST:
                return
            if status is not None and status < SERVER_ERROR_FIRST and status not in LATER:
                raise WebhookRefused(f"the webhook answered {status}")
        raise WebhookUnavailable(f"the webhook answered {said}, {ATTEMPTS_MAX} times")

    def _once(self, notice: Mapping[str, str]) -> tuple[int | None, str]:
        """Post once; give the status, None without an answer, and what to say of it."""
        try:
            answer = self._pool.request(
                "POST",
                self._url,
                body=json.dumps(dict(notice)).encode(),
                headers={"Content-Type": "application/json"},
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            # Its text holds the address.
            return None, f"nothing ({type(error).__name__})"
        return answer.status, str(answer.status)


def _url_of(secret: str) -> str:
    """Read the URL from the secret's JSON; the refusal never quotes it."""
    try:
        found = json.loads(secret)
        url = found["url"]
        parts = urlsplit(url)
        host = parts.hostname
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WebhookRefused('the webhook\'s secret must be JSON: {"url": "https://..."}') from None
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK)):
        raise WebhookRefused("the webhook's secret must hold an https:// URL")
    return str(url)
