"""The broker's keys as the owner hands them to a command: a file, or Alpaca's own variables."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from agent.adapters.alpaca.credentials import (
    Credentials,
    CredentialsMalformed,
    LiveTradingRefused,
    parse_credentials,
)
from agent.ports import CredentialsRefused
from cli.problems import ReportedProblem

KEY_ID, SECRET_KEY, ENDPOINT = "APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "APCA_API_BASE_URL"
"""The names that Alpaca's own tools read."""
KeyFileOption = Annotated[
    Path | None,
    typer.Option(help=f"JSON with key_id, secret_key, endpoint; else {KEY_ID} and {SECRET_KEY}."),
]
LiveOption = Annotated[
    bool, typer.Option("--live", help="Take an endpoint that trades real money.")
]


def read_credentials(key_file: Path | None) -> Credentials:
    """Read the keys; raise ReportedProblem, or CredentialsMalformed, where they are none."""
    if key_file is not None:
        try:
            return parse_credentials(key_file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as problem:
            raise ReportedProblem(f"cannot read {key_file}") from problem
        except CredentialsMalformed as problem:
            raise ReportedProblem(f"{key_file}: {problem}") from problem
    missing = [name for name in (KEY_ID, SECRET_KEY) if not os.environ.get(name)]
    if missing:
        raise ReportedProblem(f"no keys: give --key-file, or set {' and '.join(missing)}")
    given = {"key_id": os.environ[KEY_ID], "secret_key": os.environ[SECRET_KEY]}
    if os.environ.get(ENDPOINT):
        given["endpoint"] = os.environ[ENDPOINT]
    return parse_credentials(json.dumps(given))


@contextmanager
def keys_accepted() -> Iterator[None]:
    """Raise ReportedProblem where keys are malformed, refused, or for real money unasked."""
    try:
        yield
    except LiveTradingRefused as problem:
        raise ReportedProblem("these keys trade real money: say --live to mean it") from problem
    except (CredentialsMalformed, CredentialsRefused) as problem:
        raise ReportedProblem(str(problem)) from problem
