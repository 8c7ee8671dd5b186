"""Fixtures that every test may ask for."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from simulator.garbage import OBJECTS_BETWEEN_COLLECTIONS

# No test is about how fast the machine is that it happens to run on.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# CI asks each property a little; `make nightly` asks a lot.
settings.register_profile("quick", PATIENT, max_examples=40)
settings.register_profile("thorough", PATIENT, max_examples=400)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Looking for garbage after every 700 new objects costs the suite a tenth of its time.
gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)

SHARED_DATA_DIRECTORY = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_finish() -> None:
    """Let what the tests imported stay: no collection looks through it again."""
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data_directory() -> Path:
    """Give the recorded market data beside the checkout; CI must have it."""
    if not SHARED_DATA_DIRECTORY.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI runs need the recorded data in {SHARED_DATA_DIRECTORY}")
        pytest.skip("the recorded data is not beside this checkout")
    return SHARED_DATA_DIRECTORY
