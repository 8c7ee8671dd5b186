"""Make ready what a rehearsal needs: a world, its profile, the settings, the template."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.config.section import SettingsInvalid
from agent.config.sources import load_settings, overrides_of
from agent.strategies.registry import strategies_for
from simulator.cloud.lambda_runtime import LocalCloudError
from simulator.exchange import ExchangeUnavailableError, NotRepeatableError
from simulator.rehearsal.markets import MarketRefused, open_market, symbols_without_reports
from simulator.rehearsal.profile import load_profile
from simulator.rehearsal.rehearsal import Rehearsal, RehearsalFailed
from simulator.rehearsal.run_log import ResumeRefused, RunLog
from simulator.rehearsal.synthesis import begin_synthesis
from simulator.worlds.recordings import WorldDataError

PROBLEMS = (
    SettingsInvalid,
    MarketRefused,
    WorldDataError,
    LocalCloudError,
    RehearsalFailed,
    ResumeRefused,
    NotRepeatableError,
    ExchangeUnavailableError,
    OSError,
)
"""What a person can mend; the text of each says what and where."""


@contextmanager
def prepare(
    *,
    data_directory: Path | None,
    seed: int,
    sessions: int | None,
    config: Path | None,
    scenario: str | None = None,
    dotenv: Path | None = None,
    command_line: Mapping[str, Any] | None = None,
    log: RunLog | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Rehearsal]:
    """Give a rehearsal ready to play: on recorded chains, a synthetic market, or a scenario.

    `log` keeps the run, so that it can be resumed; `options` are what its command was asked for.
    What a person can mend raises one of PROBLEMS.
    """
    settings = load_settings(config, dotenv, command_line)
    synthesis = begin_synthesis()
    market = open_market(
        data_directory=data_directory, scenario=scenario, seed=seed, sessions=sessions
    )
    profile = load_profile(market.profile)
    of_the_world = {
        "watchlist": list(market.world.symbols),
        "market": {"symbols_without_reports": symbols_without_reports(market.world)},
    }
    overrides = merged(of_the_world, merged(profile.settings, overrides_of(settings)))
    # Said outright, so it counts even where it is what the default would be.
    overrides = merged(overrides, command_line or {})
    checked = load_settings(command_line=overrides)
    strategies_for(checked)
    if not set(checked.watchlist) & set(market.world.symbols):
        raise MarketRefused(
            f"this market has none of the watchlist ({', '.join(checked.watchlist)}):"
            f" it has {', '.join(market.world.symbols)}"
        )
    if log is not None:
        played = {"market": market.description, "sessions": market.sessions}
        log.start({"options": options or {}, **played, "settings": overrides})
    with tempfile.TemporaryDirectory(prefix="options-agent-") as directory:
        template = Path(directory) / "template.json"
        template.write_text(synthesis.result(), encoding="utf-8")
        with Rehearsal(
            market, profile, template, seed=seed, settings=overrides, log=log
        ) as rehearsal:
            yield rehearsal


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one tree of settings over another; the upper one wins, section by section."""
    result = dict(below)
    for name, value in above.items():
        lower = result.get(name)
        both = isinstance(lower, Mapping) and isinstance(value, Mapping)
        result[name] = merged(lower, value) if both and lower is not None else value
    return result
