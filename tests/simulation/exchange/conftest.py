"""A served exchange and alpaca-py's own clients pointed at it."""

import importlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.exchange import serve
from tests.simulation.exchange.builders import exchange_at_noon

with warnings.catch_warnings():
    # alpaca-py 0.44 imports a part of websockets that is deprecated; once imported it is quiet.
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("alpaca.trading")

from tests.simulation.exchange.alpaca_clients import Clients, clients_of, close_clients

SPECIFICATIONS = Path(__file__).resolve().parents[4] / "shared" / "specs"


@pytest.fixture(scope="session")
def specification_directory() -> Path:
    """Give Alpaca's files beside the checkout; CI must have them."""
    if not SPECIFICATIONS.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI runs need Alpaca's OpenAPI files in {SPECIFICATIONS}")
        pytest.skip("Alpaca's OpenAPI files are not beside this checkout")
    return SPECIFICATIONS


@pytest.fixture
def clients() -> Iterator[Clients]:
    """Serve an exchange at Monday noon."""
    with serve(exchange_at_noon()) as server:
        served = clients_of(server)
        yield served
        close_clients(served)
