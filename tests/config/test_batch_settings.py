"""`[batch]` and `[batch.schedule]`: what SageMaker would refuse is refused before anything is made."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.tables.batch import BatchScheduleSettings, BatchSettings
from sentictl.errors import SettingsError

FOLDERS = {"input": "s3://films-in/reviews", "output": "s3://films-out/answers/"}


@pytest.mark.parametrize(("many", "megabytes"), [(100, 1), (1, 100), (16, 6), (10, 10)])
def test_a_hundred_megabytes_may_be_under_way_to_a_machine(many: int, megabytes: int) -> None:
    assert BatchSettings(max_concurrent=many, max_payload_mb=megabytes).max_concurrent == many


@pytest.mark.parametrize(("many", "megabytes"), [(17, 6), (2, 51), (101, 1), (1, 101), (0, 1), (1, 0)])
def test_no_more_may_be(many: int, megabytes: int) -> None:
    with pytest.raises(ValidationError, match=r"100|greater than"):
        BatchSettings(max_concurrent=many, max_payload_mb=megabytes)


@pytest.mark.parametrize("name", ["ml.inf2.xlarge", "ml.p2.xlarge", "ml.c7g.large", "ml.m5.huge"])
def test_machines_that_no_transform_job_of_ours_runs_on_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        BatchSettings(instance_type=name)


def test_folders_are_written_alike_and_off_is_never() -> None:
    schedule = BatchScheduleSettings(every="DAY  03:00", **FOLDERS)
    assert (schedule.every, schedule.input, schedule.output) == (
        "day 03:00",
        "s3://films-in/reviews/",
        "s3://films-out/answers/",
    )
    assert BatchScheduleSettings(every="off").every == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"every": "day 25:00"},
        {"every": "someday 03:00"},
        {"input": ""},
        {"output": ""},
        {"input": "reviews/"},
        {"input": "s3://films-in"},
        {"input": "s3://films-in/*"},
        {"input": "s3://films-in/${aws:username}"},
        {"output": "s3://films-in/reviews/answers"},
        {"timezone": "Europe/Springfield"},
    ],
)
def test_what_cannot_be_scheduled_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        BatchScheduleSettings(**{"every": "day 03:00", **FOLDERS, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch.max_concurrent": 17, "batch.max_payload_mb": 6}, "batch.max_payload_mb cannot be 6: .* is 102 MB"),
        ({"batch.schedule.every": "day 03:00"}, 'batch.schedule.input cannot be "": batch.schedule.every is set'),
        (
            {"batch.schedule.every": "day 03:00", "batch.schedule.input": "s3://films-in/reviews"},
            'batch.schedule.output cannot be "": batch.schedule.every is set',
        ),
        (
            {
                "batch.schedule.every": "day 03:00",
                "batch.schedule.input": "s3://films-in/reviews",
                "batch.schedule.output": "s3://films-in/reviews/answers",
            },
            'batch.schedule.output cannot be "s3://films-in/reviews/answers/": it lies in batch.schedule.input',
        ),
    ],
)
def test_a_refusal_names_one_of_the_settings_that_do_not_go_together(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    (tmp_path / "sentictl.toml").write_text("")
    with pytest.raises(SettingsError, match=message):
        Config.load(ProjectFolder(tmp_path)).change(changes)
