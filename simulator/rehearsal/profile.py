"""What a rehearsal changes of the deployed settings, and at which times of the day it looks."""

from datetime import time
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

PROFILES_DIRECTORY = Path(__file__).parent / "profiles"


class Profile(BaseModel):
    """Hold a profile; times are New York wall-clock times and must be slots of the timetable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    scan_times: tuple[time, ...] = Field(min_length=1)
    monitor_times: tuple[time, ...] = Field(min_length=1)
    settings: dict[str, Any]

    def times(self, function: str) -> tuple[time, ...]:
        """Give the times at which a scheduled function runs."""
        return {"scan_market": self.scan_times, "monitor_positions": self.monitor_times}[function]


def load_profile(name: str) -> Profile:
    """Read a profile of the project by its name."""
    text = (PROFILES_DIRECTORY / f"{name}.yaml").read_text(encoding="utf-8")
    return Profile.model_validate(yaml.safe_load(text))
