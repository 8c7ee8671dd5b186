"""What a rehearsal changes of the deployed settings, and at which times of the day it looks."""

from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from simulator.rehearsal.owner import Deed

PROFILES_DIRECTORY = Path(__file__).parent / "profiles"


class Profile(BaseModel):
    """Hold a profile; times are New York wall-clock times and must be slots of the timetable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    times: Mapping[str, tuple[time, ...]]
    """Scheduled function to the times at which it runs; the others of its slots are left out."""
    settings: dict[str, Any]
    owner: tuple[Deed, ...] = ()
    """What the owner says of single trades meanwhile."""


def load_profile(name: str) -> Profile:
    """Read a profile of the project by its name."""
    text = (PROFILES_DIRECTORY / f"{name}.yaml").read_text(encoding="utf-8")
    return Profile.model_validate(yaml.safe_load(text))
