"""A training job's checkpoints: kept on S3 while it runs, and found by the next one."""

from typing import Any

from tests.twin.conftest import Cloud, wait_for
from tests.twin.sagemaker.training.test_jobs import said

COUNTING = """
import os, pathlib, time
folder = pathlib.Path(os.environ["SM_CHECKPOINT_DIR"])
kept = folder / "deep" / "count"
count = int(kept.read_text()) + 1 if kept.exists() else 1
kept.parent.mkdir(exist_ok=True)
(folder / ".hidden").write_text("half")
kept.write_text(str(count))
print(f"count={count}", flush=True)
"""
LAST_WORDS = """
import signal, sys
def end(number, frame):
    kept.write_text("41")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(300)
"""


def checkpoints(cloud: Cloud, prefix: str) -> dict[str, Any]:
    """The keyword of CreateTrainingJob."""
    place = {"S3Uri": f"s3://{cloud.bucket}/{prefix}", "LocalPath": "/opt/ml/checkpoints"}
    return {"CheckpointConfig": place}


def objects(cloud: Cloud, prefix: str) -> dict[str, str]:
    """Return the contents of the objects under a prefix, by the rest of the key."""
    listed = cloud.s3.list_objects_v2(Bucket=cloud.bucket, Prefix=prefix).get("Contents", [])
    return {
        entry["Key"].removeprefix(prefix): cloud.s3.get_object(Bucket=cloud.bucket, Key=entry["Key"])["Body"]
        .read()
        .decode()
        for entry in listed
    }


def test_checkpoints_are_kept_on_s3_and_found_by_the_next_job(cloud: Cloud) -> None:
    prefix = cloud.name("checkpoints")
    names = [cloud.train(COUNTING, **checkpoints(cloud, prefix))]
    job = cloud.trained(names[0])
    assert job["TrainingJobStatus"] == "Completed"
    assert job["CheckpointConfig"] == checkpoints(cloud, prefix)["CheckpointConfig"]
    assert objects(cloud, f"{prefix}/") == {"deep/count": "1"}
    names.append(cloud.train(COUNTING, **checkpoints(cloud, f"{prefix}/")))
    cloud.trained(names[1])
    assert objects(cloud, f"{prefix}/") == {"deep/count": "2"}
    assert [said(cloud, name) for name in names] == [["count=1"], ["count=2"]]


def test_checkpoints_are_uploaded_while_the_job_runs_and_when_it_is_stopped(cloud: Cloud) -> None:
    prefix = cloud.name("checkpoints")
    name = cloud.train(COUNTING + LAST_WORDS, **checkpoints(cloud, prefix))
    wait_for(lambda: objects(cloud, f"{prefix}/") == {"deep/count": "1"})
    wait_for(lambda: "ready" in said(cloud, name))
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
    assert cloud.trained(name)["TrainingJobStatus"] == "Stopped"
    assert objects(cloud, f"{prefix}/") == {"deep/count": "41"}


def test_checkpoints_of_a_failing_job_are_kept(cloud: Cloud) -> None:
    prefix = cloud.name("checkpoints")
    job = cloud.trained(cloud.train(COUNTING + "\nraise SystemExit(3)", **checkpoints(cloud, prefix)))
    assert job["TrainingJobStatus"] == "Failed"
    assert objects(cloud, f"{prefix}/") == {"deep/count": "1"}


def test_checkpoints_without_a_bucket_fail_the_job(cloud: Cloud) -> None:
    place = {"CheckpointConfig": {"S3Uri": "s3://no-such-bucket/checkpoints"}}
    job = cloud.trained(cloud.train(COUNTING, **place))
    assert job["TrainingJobStatus"] == "Failed"
    assert "no-such-bucket" in job["FailureReason"]


def test_a_job_without_checkpoints_has_no_folder_for_them(cloud: Cloud) -> None:
    name = cloud.train("import os\nprint('SM_CHECKPOINT_DIR' in os.environ)")
    cloud.trained(name)
    assert said(cloud, name) == ["False"]
