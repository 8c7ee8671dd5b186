"""The template, synthesised once a run."""

from pathlib import Path

import pytest

from infra.app import synthesize
from tests.infra.synthesized import Synthesized


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """Give the default stage's template, as the rehearsals read it."""
    return Synthesized(synthesize(tmp_path_factory.mktemp("cdk"), bundle_layers=False))


@pytest.fixture(scope="session")
def deployable(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """Give the template that deploys; uv fetches what Lambda's platform needs."""
    directory: Path = tmp_path_factory.mktemp("deployable")
    return Synthesized(synthesize(directory, bundle_layers=True))
