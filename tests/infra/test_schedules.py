"""What the schedules start, when, and what they do with a slot that is late."""

import json

from infra.timetable import TIMETABLE
from tests.infra.synthesized import Resource, Synthesized


def schedules_of(template: Synthesized) -> dict[str, Resource]:
    by_arn = {f"{function.logical_id}.Arn": name for name, function in template.functions().items()}
    return {
        by_arn[template.resolve(schedule.properties["Target"]["Arn"])]: schedule
        for schedule in template.of_type("AWS::Scheduler::Schedule")
    }


def test_every_schedule_runs_by_new_york_time(template: Synthesized) -> None:
    schedules = schedules_of(template)
    assert {
        name: schedule.properties["ScheduleExpression"] for name, schedule in schedules.items()
    } == {
        "scan_market": "cron(*/5 9-16 ? * MON-FRI *)",
        "monitor_positions": "cron(* 9-16 ? * MON-FRI *)",
        "analyze_day": "cron(0 17 ? * MON-FRI *)",
        "learn_weekly": "cron(0 20 ? * SUN *)",
        "watch_heartbeat": "cron(*/5 * * * ? *)",
    }
    for schedule in schedules.values():
        assert schedule.properties["ScheduleExpressionTimezone"] == "America/New_York"
        assert schedule.properties["State"] == "ENABLED"


def test_the_template_has_every_entry_of_the_timetable_once(template: Synthesized) -> None:
    assert sorted(schedules_of(template)) == sorted(entry.function for entry in TIMETABLE)


def test_a_schedule_sends_the_time_it_fired_for_and_nothing_else(template: Synthesized) -> None:
    for schedule in schedules_of(template).values():
        sent = json.loads(schedule.properties["Target"]["Input"])
        assert sent == {"slot": "<aws.scheduler.scheduled-time>"}


def test_a_slot_is_tried_for_a_minute_and_then_kept_for_the_owner(template: Synthesized) -> None:
    (queue,) = template.of_type("AWS::SQS::Queue")
    for schedule in schedules_of(template).values():
        target = template.resolve(schedule.properties["Target"])
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 2}
        assert target["DeadLetterConfig"] == {"Arn": f"{queue.logical_id}.Arn"}
        assert schedule.properties["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert queue.properties["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue.properties["SqsManagedSseEnabled"] is True


def test_all_schedules_are_in_the_group_of_the_stage(template: Synthesized) -> None:
    (group,) = template.of_type("AWS::Scheduler::ScheduleGroup")
    names = {schedule.properties["GroupName"] for schedule in schedules_of(template).values()}
    assert names == {group.properties["Name"]}


def test_a_schedule_may_start_its_own_function_and_send_its_dead_letters(
    template: Synthesized,
) -> None:
    (queue,) = template.of_type("AWS::SQS::Queue")
    for name, schedule in schedules_of(template).items():
        role = schedule.properties["Target"]["RoleArn"]["Fn::GetAtt"][0]
        arn = f"{template.functions()[name].logical_id}.Arn"
        assert template.allowed(role) == {
            ("lambda:InvokeFunction", arn),
            ("lambda:InvokeFunction", f"{arn}:*"),
            ("sqs:SendMessage", f"{queue.logical_id}.Arn"),
        }
