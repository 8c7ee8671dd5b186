"""The heartbeat from end to end: schedules fire, handlers run, and the metric says it."""

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from botocore.client import BaseClient

from agent.market.calendar import NEW_YORK
from agent.use_cases.watch_heartbeat import PERIODS
from infra.timetable import TIMETABLE
from simulator.cloud.cron import CronExpression
from simulator.rehearsal.preparation import prepare
from simulator.rehearsal.rehearsal import Rehearsal
from tests.infra.synthesized import Synthesized

SESSIONS = 1
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Rehearsal]:
    with prepare(data_directory=None, seed=7, sessions=SESSIONS, config=None) as ready:
        yield ready


def heartbeats(rehearsal: Rehearsal) -> list[int]:
    """Read the metric out of what the function has logged, in embedded metric format."""
    lines = [json.loads(line) for line in rehearsal.cloud.logs("watch_heartbeat")]
    told = [line["Heartbeat"] for line in lines if "Heartbeat" in line]
    return [int(value[0] if isinstance(value, list) else value) for value in told]


def fire(rehearsal: Rehearsal, function: str, slot: datetime) -> dict[str, Any]:
    if rehearsal.exchange.now < slot:
        rehearsal.exchange.clock.advance_to(slot)
    result = rehearsal.cloud.fire(function, slot)
    assert result.error_type is None, result.error_message
    payload: dict[str, Any] = result.payload
    return payload


def test_the_heartbeat_of_a_morning_is_told_by_the_deployed_handlers(
    rehearsal: Rehearsal, template: Synthesized
) -> None:
    opened = rehearsal.exchange.opened_at.replace(second=0, microsecond=0)
    read: set[str] = set()
    send = vars(BaseClient)["_make_api_call"]

    def recording(client: BaseClient, operation: str, asked: dict[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        if os.environ.get("POWERTOOLS_SERVICE_NAME") == "watch_heartbeat":
            read.add(f"{service}:{operation}")
        return send(client, operation, asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", recording)
        assert fire(rehearsal, "watch_heartbeat", opened + 10 * MINUTE)["market_open"] is False
        late = opened + 60 * MINUTE
        silent = fire(rehearsal, "watch_heartbeat", late)
        assert (silent["market_open"], silent["well"]) == (True, False)
        fire(rehearsal, "scan_market", late)
        fire(rehearsal, "monitor_positions", late + MINUTE)
        assert fire(rehearsal, "watch_heartbeat", late + MINUTE)["well"] is True

    assert heartbeats(rehearsal) == [1, 0, 1]
    role = template.role_of(template.functions()["watch_heartbeat"])
    actions = {action for action, _ in template.allowed(role)}
    assert read >= {"dynamodb:GetItem"}
    assert read <= actions


def test_the_periods_that_are_listened_for_are_those_of_the_timetable() -> None:
    for function, period in PERIODS.items():
        (entry,) = (entry for entry in TIMETABLE if entry.function == function)
        cron = CronExpression.parse(f"cron({entry.minute} {entry.hour} ? * {entry.week_day} *)")
        slots = cron.slots(datetime(2026, 6, 9, tzinfo=NEW_YORK).date(), NEW_YORK)
        gaps = {after - before for before, after in pairwise(slots)}
        assert gaps == {period}, function


def test_the_watch_may_read_beats_and_change_nothing(template: Synthesized) -> None:
    role = template.role_of(template.functions()["watch_heartbeat"])
    about_tables = {pair for pair in template.allowed(role) if pair[0].startswith("dynamodb:")}
    state = template.tables()["agent_state"].logical_id
    assert about_tables == {("dynamodb:GetItem", f"{state}.Arn")}
