"""The schedules that start functions, as the timetable has them."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.functions import AgentFunction
from infra.constructs.tables import pascal_case
from infra.timetable import TIMETABLE, TimetableEntry

RETRIES_MAX = 2
DELIVERY_AGE_MAX_SECONDS = 60


class Schedules(Construct):
    """Start each function of the timetable by New York time, daylight saving included."""

    def __init__(
        self, scope: Construct, *, functions: Mapping[str, AgentFunction], dead_letters: sqs.IQueue
    ) -> None:
        super().__init__(scope, "Schedules")
        self._group = scheduler.ScheduleGroup(
            self, "Group", removal_policy=cdk.RemovalPolicy.DESTROY
        )
        for entry in TIMETABLE:
            self._schedule(entry, functions[entry.function], dead_letters)

    def _schedule(
        self, entry: TimetableEntry, function: AgentFunction, dead_letters: sqs.IQueue
    ) -> None:
        scheduler.Schedule(
            self,
            pascal_case(entry.function),
            description=entry.description,
            schedule_group=self._group,
            schedule=scheduler.ScheduleExpression.cron(
                minute=entry.minute,
                hour=entry.hour,
                week_day=entry.week_day,
                time_zone=cdk.TimeZone.AMERICA_NEW_YORK,
            ),
            time_window=scheduler.TimeWindow.off(),
            target=targets.LambdaInvoke(
                function,
                # The slot is the time the schedule fired for, whenever it arrives.
                input=scheduler.ScheduleTargetInput.from_object(
                    {"slot": scheduler.ContextAttribute.scheduled_time}
                ),
                # The defaults, 185 retries over a day, would trade yesterday's slots.
                retry_attempts=RETRIES_MAX,
                max_event_age=cdk.Duration.seconds(DELIVERY_AGE_MAX_SECONDS),
                dead_letter_queue=dead_letters,
            ),
        )
