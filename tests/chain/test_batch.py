"""Many reviews at once: transform jobs that really answer files, in order, go on after failures, and leave nothing."""

import csv
import io
import json
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sentictl.twin import daemon
from tests.chain.shell import SENTICTL, Shell, environment
from tests.prepared import popen as prepared
from tests.twin.conftest import wait_for

OWN = "s3://toy-local-123456789012"  # the project's bucket
# Makes the container fail at one word, or wait, for as long as a file is there.
HOOK = """

import pathlib
import time

_read = input_fn


def input_fn(request_body, content_type="text/plain"):
    while pathlib.Path({hold!r}).exists():
        time.sleep(0.02)
    if "break" in str(request_body) and pathlib.Path({broken!r}).exists():
        raise RuntimeError("out of order")
    return _read(request_body, content_type)
"""
ROWS = 300
BAD_ROWS = {3: "  ", 7: ""}


@dataclass(frozen=True)
class Batches:
    """A project that stands, and the files by which its model is made to wait or to fail."""

    shell: Shell
    hold: Path
    broken: Path

    @property
    def bucket(self) -> str:
        return "toy-local-123456789012"

    def put_inputs(self) -> list[str]:
        """The objects with reviews that were ever brought to the bucket, as often as they were."""
        targets = [json.loads(line).get("call", {}) for line in self.shell.journal().splitlines()]
        keys = [call["target"] for call in targets if call.get("method") == "PUT"]
        return [key.rpartition("/")[2] for key in keys if re.search(r"/batch/[0-9a-f]{12}/in/", key)]

    def stored(self) -> list[str]:
        """What lies in the bucket of batches."""
        found = self.shell.client("s3").list_objects_v2(Bucket=self.bucket, Prefix="batch/")
        return [entry["Key"] for entry in found.get("Contents", [])]

    def jobs(self) -> list[str]:
        found = self.shell.client("sagemaker").list_transform_jobs(SortBy="CreationTime", SortOrder="Ascending")
        return [entry["TransformJobName"] for entry in found["TransformJobSummaries"]]


@pytest.fixture(scope="module")
def batches(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Batches]:
    folder = tmp_path_factory.mktemp("flags")
    made = Batches(shell, folder / "hold", folder / "broken")
    shell.run("init", "--eject")
    script = shell.folder / "model_code" / "inference.py"
    script.write_text(script.read_text() + HOOK.format(hold=str(made.hold), broken=str(made.broken)))
    shell.run("config", "set", "train.architecture", "ngram")
    shell.run("up")
    yield made
    made.hold.unlink(missing_ok=True)


def write_reviews(path: Path, word: str = "seen", rows: int = ROWS) -> None:
    """Reviews with line feeds and quotes in them, two of which are empty."""
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("id", "review", "label"))
        for number in range(rows):
            quality = "superb" if number % 2 else "dreadful"
            text = BAD_ROWS.get(number, f'A "{quality}" film,\nreally {quality}; {word} {number}')
            table.writerow((number, text, "mine"))


def answers_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_plan_tells_what_is_made_and_what_it_costs_and_changes_nothing(batches: Batches) -> None:
    shell = batches.shell
    write_reviews(shell.folder / "in.csv")
    before = shell.journal()
    planned = shell.json("predict", "--via", "batch", "--file", "in.csv", "--dry-run", "--instances", "2")
    made = [(step["action"], step["kind"]) for step in planned["steps"] if step["action"] != "keep"]
    assert made == [("create", "batch-model"), ("create", "transform-job")]
    price = planned["batch"]
    assert (price["reviews"], price["instance_count"], price["billed"]) == (ROWS - 2, 2, False)
    assert price["price"] == pytest.approx(2 * 0.23 * price["minutes"] / 60)
    assert {"sagemaker:CreateTransformJob", "s3:PutObject"} <= set(planned["permissions"])
    assert shell.journal() == before


def test_answers_are_in_order_those_of_the_model_here_and_nothing_is_left(batches: Batches) -> None:
    shell = batches.shell
    shell.run("predict", "--file", "in.csv", "--output", "here.jsonl")
    done = shell.json("predict", "--file", "in.csv", "--output", "out.jsonl", "--via", "batch", "--instances", "3")
    assert done == {"output": "out.jsonl", "reviews": ROWS, "failed": 2}
    here, there = answers_of(shell.folder / "here.jsonl"), answers_of(shell.folder / "out.jsonl")
    for one, other in zip(here, there, strict=True):
        assert one.pop("probability") == pytest.approx(other.pop("probability"), abs=1e-5)
        assert one == other
    assert there[3]["error"]["code"] == "empty_review"
    assert "of in.csv" in there[3]["error"]["message"]
    assert len(batches.put_inputs()) >= 3  # one for each machine at least
    assert batches.stored() == []
    assert "transform-job" not in (shell.folder / "sentictl.toml").read_text()
    refused = shell.json("predict", "--file", "in.csv", "--output", "out.jsonl", "--via", "batch", expect=2)
    assert "not overwritten" in refused["error"]["message"]


def test_a_job_that_fails_half_way_is_gone_on_with_and_asks_nothing_twice(batches: Batches) -> None:
    shell, command = batches.shell, ("predict", "--file", "in2.csv", "--output", "out2.csv", "--via", "batch")
    write_reviews(shell.folder / "in2.csv", "second")
    text = (shell.folder / "in2.csv").read_text().replace("second 250", "break 250")
    (shell.folder / "in2.csv").write_text(text)
    batches.broken.touch()
    before = len(batches.put_inputs())
    failed = shell.json(*command, "--instances", "3", expect=1)["error"]
    assert failed["code"] == "batch"
    told = re.search(r"(\d+) of 298 reviews are answered", failed["hint"])
    assert told is not None
    assert 150 < int(told[1]) < 298
    assert not (shell.folder / "out2.csv").exists()
    assert "Bad HTTP status received from algorithm: 500" in shell.run("logs", "batch").stdout
    assert "Failed" in shell.run("status").stdout
    first = batches.put_inputs()[before:]
    answered = {key.rpartition("/")[2].removesuffix(".out") for key in batches.stored() if "/out/" in key}
    batches.broken.unlink()
    assert shell.json(*command)["reviews"] == ROWS
    second = batches.put_inputs()[before + len(first) :]
    assert not answered & set(second)
    assert sum(_count(name) for name in second) == 298 - int(told[1])
    with (shell.folder / "out2.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == [str(number) for number in range(ROWS)]
    assert [row["prediction_label"] for row in rows[:6]] == [
        *("negative", "positive", "negative", "", "negative", "positive")
    ]
    assert rows[250]["prediction_label"] == "negative"
    assert (batches.stored(), "transform-job" in (shell.folder / "sentictl.toml").read_text()) == ([], False)


def _count(name: str) -> int:
    first, last = name.removesuffix(".jsonl").split("-")
    return int(last) - int(first) + 1


def test_ctrl_c_leaves_the_job_running_and_the_same_command_gets_its_answers(batches: Batches) -> None:
    shell, command = batches.shell, ("predict", "--file", "in3.csv", "--output", "out3.jsonl", "--via", "batch")
    write_reviews(shell.folder / "in3.csv", "third")
    said = _interrupt(batches, command)
    assert "runs on" in said
    assert "sentictl down batch" in said
    jobs = batches.jobs()
    assert shell.client("sagemaker").describe_transform_job(TransformJobName=jobs[-1])["TransformJobStatus"] == (
        "InProgress"
    )
    assert "InProgress" in shell.run("status").stdout
    batches.hold.unlink()
    assert shell.json(*command) == {"output": "out3.jsonl", "reviews": ROWS, "failed": 2}
    assert batches.jobs() == jobs


def test_what_runs_is_taken_down_by_itself(batches: Batches) -> None:
    shell = batches.shell
    write_reviews(shell.folder / "in4.csv", "fourth")
    _interrupt(batches, ("predict", "--file", "in4.csv", "--output", "out4.jsonl", "--via", "batch"))
    batches.hold.unlink()
    removed = shell.json("down", "batch", "--yes")
    assert {entry["kind"] for entry in removed["deleted"]} == {"transform-job", "batch-model"}
    assert (removed["left"], batches.stored()) == ([], [])
    assert shell.json("predict", "a superb film", "--via", "endpoint")["label"] == "positive"


def _interrupt(batches: Batches, command: tuple[str, ...]) -> str:
    """Begin a command whose job waits, press Ctrl-C when it runs, and return what the command said."""
    shell = batches.shell
    batches.hold.touch()
    following = prepared.Popen(
        [SENTICTL, *command], cwd=shell.folder, env=environment(), stderr=-1, stdout=-1, text=True
    )
    assert following.stderr is not None
    for line in following.stderr:
        if "starting machines" in line:
            break
    following.send_signal(signal.SIGINT)
    _, said = following.communicate(timeout=60)
    assert following.returncode == 130, said
    return str(said)


def test_both_files_can_be_on_s3(batches: Batches) -> None:
    shell, s3 = batches.shell, batches.shell.client("s3")
    write_reviews(shell.folder / "in5.csv", "fifth", rows=20)
    s3.create_bucket(Bucket="others")
    s3.upload_file(str(shell.folder / "in5.csv"), "others", "given/in5.csv")
    given, output = "s3://others/given/in5.csv", "s3://others/answers.csv"
    command = ("predict", "--via", "batch", "--file", given, "--output", output)
    assert shell.json(*command) == {"output": "s3://others/answers.csv", "reviews": 20, "failed": 2}
    content = s3.get_object(Bucket="others", Key="answers.csv")["Body"].read().decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["id"] for row in rows] == [str(number) for number in range(20)]
    assert "not overwritten" in shell.json(*command, expect=2)["error"]["message"]
    for address, words in (("s3://others/given", "is a folder"), ("s3://others/none.csv", "There is no s3://others")):
        other = ("predict", "--via", "batch", "--file", address, "--output", "x.jsonl")
        assert words in shell.json(*other, expect=1)["error"]["message"]
    refused = shell.run("predict", "--via", "batch", "--file", "s3://others/given", "--output", "x.jsonl", expect=1)
    assert "downloading" not in refused.stderr


def test_what_lies_on_s3_is_answered_by_itself_when_the_time_has_come(batches: Batches) -> None:
    """The schedule's own call, at once: what it waits for until 3 o'clock is not to be waited for."""
    shell, s3, scheduler = batches.shell, batches.shell.client("s3"), batches.shell.client("scheduler")
    s3.create_bucket(Bucket="daily")
    lines = [json.dumps({"id": number, "review": "superb" if number % 2 else "dreadful"}) for number in range(6)]
    s3.put_object(Bucket="daily", Key="in/monday.jsonl", Body="\n".join(lines).encode())
    command = ("predict", "--every", "day 03:00", "--file", "s3://daily/in", "--output", "s3://daily/out")
    planned = shell.json(*command, "--dry-run")
    kinds = [step["kind"] for step in planned["steps"] if step["action"] == "create"]
    assert kinds == ["scheduled-access", "scheduled-model", "batch-schedule-role", "batch-schedule"]
    assert planned["batch"]["price"] > 0
    assert shell.json(*command) == {"schedule": "toy-local-batch"}
    assert "none yet" in shell.run("status").stdout
    made = scheduler.get_schedule(Name="toy-local-batch")
    assert (made["ScheduleExpression"], made["ScheduleExpressionTimezone"]) == ("cron(0 3 * * ? *)", "UTC")
    before = set(batches.jobs())
    scheduler.create_schedule(
        Name="once",
        ScheduleExpression="at(2026-01-01T00:00:00)",
        ActionAfterCompletion="DELETE",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=made["Target"],
    )
    (job,) = wait_for(lambda: set(batches.jobs()) - before)
    sagemaker = shell.client("sagemaker")
    wait_for(lambda: sagemaker.describe_transform_job(TransformJobName=job)["TransformJobStatus"] == "Completed")
    (entry,) = s3.list_objects_v2(Bucket="daily", Prefix="out/")["Contents"]
    assert entry["Key"] == f"out/{job.removeprefix('toy-local-run-')}/monday.jsonl.out"
    content = s3.get_object(Bucket="daily", Key=entry["Key"])["Body"].read()
    answers = [json.loads(line) for line in content.splitlines()]
    assert [answer["id"] for answer in answers] == list(range(6))
    assert [answer["SageMakerOutput"]["label"] for answer in answers] == ["negative", "positive"] * 3
    assert "last run: Completed" in " ".join(shell.run("status").stdout.split())
    assert shell.json("predict", "--every", "off") == {"schedule": ""}
    assert [step["kind"] for step in shell.json("plan", "--json")["steps"] if step["action"] != "keep"] == []
    assert scheduler.list_schedules()["Schedules"] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("superb", "--via", "batch"), "answers a file"),
        (("--via", "batch", "--file", "in.csv"), "--output"),
        (("--via", "batch", "--file", "in.csv", "--output", "x.txt"), "no known form"),
        (("--via", "batch", "--file", "in.csv", "--output", "x.jsonl", "--explain"), "explains nothing"),
        (("--file", "s3://others/in5.csv"), "goes with --via batch"),
        (("superb", "--instances", "2"), "goes with --via batch"),
        (("--every", "day 25:00", "--file", "s3://a-b/c", "--output", "s3://a-b/d"), "a time of day"),
        (("--every", "day 3:00", "--file", "in.csv", "--output", "s3://a-b/d"), "a folder on S3"),
        (("--every", "day 3:00", "--file", "s3://a-b/c", "--output", "s3://a-b/c/d"), "answers would be answered"),
        (("--every", "day 3:00", "--file", f"{OWN}/c", "--output", "s3://a-b/d"), "There is no bucket a-b."),
        (("--every", "day 3:00", "--file", "s3://a-b/c", "--output", f"{OWN}/d"), "choose another --file"),
    ],
)
def test_what_makes_no_sense_is_refused(batches: Batches, options: tuple[str, ...], words: str) -> None:
    refused = batches.shell.json("predict", *options, expect=2)["error"]
    assert words in f"{refused['message']} {refused['hint']}"


def test_strict_ends_it_and_writes_nothing(batches: Batches) -> None:
    shell, command = batches.shell, ("predict", "--file", "in.csv", "--output", "strict.jsonl", "--via", "batch")
    assert "is empty" in shell.json(*command, "--strict", expect=1)["error"]["message"]
    assert not (shell.folder / "strict.jsonl").exists()
    jobs = batches.jobs()
    assert shell.json(*command)["failed"] == 2  # by the answers that are there
    assert batches.jobs() == jobs


def test_a_file_that_nobody_can_be_asked_about_needs_no_machine(batches: Batches) -> None:
    shell, jobs = batches.shell, batches.jobs()
    (shell.folder / "empty.csv").write_text('review\n" "\n"  "\n')
    done = shell.json("predict", "--file", "empty.csv", "--output", "empty.jsonl", "--via", "batch")
    assert (done["reviews"], done["failed"], batches.jobs()) == (2, 2, jobs)


def test_down_takes_everything(batches: Batches) -> None:
    assert batches.shell.json("down", "--yes")["left"] == []
    assert not daemon.status(batches.shell.twin).running
