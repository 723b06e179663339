"""The twin as a process: started, found, stopped, killed, and what it remembers."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sentictl.assets.installed import install_command
from sentictl.errors import TwinError
from sentictl.twin import daemon
from sentictl.twin.core.messages import authorization
from tests.twin.apigateway.test_gateway import ECHO as PROXY
from tests.twin.apigateway.test_gateway import HTTP, Api
from tests.twin.conftest import Cloud, wait_for
from tests.twin.lambda_.test_functions import ECHO, invoke
from tests.twin.sagemaker.training.test_jobs import FOREVER, GROUP


def started(home: Path, port: int | None = None) -> tuple[daemon.TwinStatus, Cloud]:
    status = daemon.start(home, port)
    return status, Cloud(daemon.access(home))


def children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def busy(cloud: Cloud) -> dict[str, str]:
    """Have a training job, an endpoint and a function run."""
    job = cloud.train(FOREVER)
    endpoint = cloud.endpoint(cloud.endpoint_config())
    cloud.settled(endpoint)
    function = cloud.function(ECHO)
    invoke(cloud, function)
    wait_for(lambda: cloud.lines(GROUP, job))
    return {"job": job, "endpoint": endpoint, "function": function}


@pytest.fixture
def started_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twins that are processes of their own with children of their own, and no forks of the prepared one."""
    monkeypatch.setattr(daemon, "subprocess", subprocess)


def test_a_home_without_a_twin(own_home: Path) -> None:
    status = daemon.status(own_home)
    assert (status.running, status.pid, status.url) == (False, None, None)
    assert daemon.stop(own_home) is False
    assert not own_home.exists()


def test_start_stop_start(own_home: Path) -> None:
    first = daemon.start(own_home)
    assert first == daemon.TwinStatus(True, first.pid, first.port, first.url, own_home, False, first.details)
    assert daemon.start(own_home).pid == first.pid
    assert daemon.stop(own_home) is True
    assert daemon.status(own_home).running is False
    assert daemon.stop(own_home) is False
    second = daemon.start(own_home)
    assert (second.port, second.port_changed) == (first.port, False)
    assert daemon.log_file(own_home).exists()
    daemon.destroy(own_home)
    assert not own_home.exists()
    assert first.pid
    assert second.pid
    assert gone(first.pid)
    assert gone(second.pid)
    assert list(own_home.parent.iterdir()) == []


@pytest.mark.parametrize("stands", ["loads", "breaks"])
def test_an_endpoint_that_is_updated_while_it_comes_back_answers_by_its_new_config(own_home: Path, stands: str) -> None:
    _, cloud = started(own_home)
    first = cloud.endpoint_config(WORD="one", SECONDS_TO_LOAD="1.5")
    endpoint = cloud.endpoint(first)
    cloud.settled(endpoint)
    if stands == "breaks":
        cloud.s3.delete_object(Bucket=cloud.bucket, Key=f"{first}/model.tar.gz")
    daemon.stop(own_home)
    _, again = started(own_home)
    second = again.endpoint_config(WORD="two")
    again.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=second)
    while (status := status_of(again, endpoint)) != "InService":
        assert status == "Updating"
        time.sleep(0.02)
    assert again.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"] == second
    until = time.monotonic() + 2.0  # longer than the first one takes to load
    while time.monotonic() < until:
        assert again.ask(endpoint)["model"] == "two"
        time.sleep(0.05)


def status_of(cloud: Cloud, endpoint: str) -> str:
    return str(cloud.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"])


def test_two_starts_at_once_make_one_twin(own_home: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(lambda _: daemon.start(own_home), range(2)))
    assert statuses[0].pid == statuses[1].pid


def test_a_port_that_was_taken_meanwhile(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "ASK_SECONDS", 0.3)  # the other program never answers
    port = daemon.start(own_home).port
    daemon.stop(own_home)
    with socket.create_server(("127.0.0.1", port or 0)):
        assert daemon.status(own_home).running is False
        status = daemon.start(own_home)
        assert status.port_changed
        assert status.port != port
        assert daemon.status(own_home).port == status.port
        daemon.stop(own_home)
        with pytest.raises(TwinError, match=f"Port {port} is taken"):
            daemon.start(own_home, port)


def test_another_twin_on_the_recorded_port_is_not_taken_for_this_one(own_home: Path, tmp_path: Path) -> None:
    port = daemon.start(own_home).port
    daemon.stop(own_home)
    other = tmp_path / "other"
    daemon.start(other, port)
    try:
        assert daemon.status(own_home).running is False
        assert daemon.stop(own_home) is False
        assert daemon.status(other).running is True
    finally:
        daemon.destroy(other)


def test_a_twin_that_cannot_start_says_why(own_home: Path) -> None:
    journal = own_home / "journal"
    journal.mkdir(parents=True)
    (journal / "calls.jsonl").write_text('{"format": 99}\n')
    with pytest.raises(TwinError, match=r"another version.*Begin with an empty twin.*rm -r .*journal") as caught:
        daemon.start(own_home)
    assert "Traceback" not in caught.value.message
    assert daemon.status(own_home).running is False


RECORDS = {
    "empty": "",
    "a list": "[1]",
    "a number": "3",
    "no JSON": "{pid",
    "nested": "[" * 100_000,
    "nothing in it": "{}",
    "texts": '{"pid": "1", "port": "4599"}',
    "booleans": '{"pid": true, "port": true}',
    "no number of a port": '{"pid": 1, "port": 70000}',
    "negative": '{"pid": -1, "port": -1}',
    "huge": '{"pid": 1' + "0" * 5000 + ', "port": 1}',
    "another port": '{"pid": 1, "port": 9}',
    "no text of a key": '{"pid": 1, "port": 9, "key": [1]}',
    "no key that a header can have": '{"pid": 1, "port": 9, "key": "a\\n\\u2713"}',
    "binary": "\x00\x01\x02",
}


@pytest.mark.parametrize("content", RECORDS.values(), ids=RECORDS)
def test_a_damaged_record_is_none(own_home: Path, content: str) -> None:
    own_home.mkdir(parents=True)
    (own_home / "twin.json").write_text(content)
    assert daemon.status(own_home).running is False
    assert daemon.stop(own_home) is False


def test_a_twin_is_ended_and_nobody_else_whatever_its_record_says(own_home: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as innocent:
        for content in (f'{{"pid": {innocent.pid}, "port": 4599}}', RECORDS["empty"], RECORDS["another port"]):
            twin = daemon.start(own_home)
            (own_home / "twin.json").write_text(content)
            assert daemon.stop(own_home) is True
            assert gone(twin.pid or 0)
        assert innocent.poll() is None
        innocent.kill()


def test_a_twin_whose_record_was_lost_is_replaced_and_its_port_may_be_another(own_home: Path) -> None:
    first, cloud = started(own_home)
    (own_home / "twin.json").unlink()
    with socket.create_server(("127.0.0.1", 0)) as spare:
        free = spare.getsockname()[1]
    again, cloud = started(own_home, free)
    assert again.pid != first.pid
    assert again.port_changed
    assert cloud.bucket


def call(operation: str, body: dict[str, str]) -> dict[str, object]:
    """A call of SageMaker's, as the journal has it."""
    headers = {"authorization": authorization("sagemaker", "us-east-1"), "x-amz-target": f"SageMaker.{operation}"}
    called = {"method": "POST", "target": "/", "query": "", "headers": headers, "body": json.dumps(body)}
    return {"call": called, "time": 1.0, "seed": "1"}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("3", "lacks the form of an object"),
        ('{"fact": "unheard-of", "data": {}, "body": ""}', "there is no fact called unheard-of"),
        (json.dumps(call("CreateNothing", {})), "CreateNothing"),
        ('{"fact": "training-job-ended", "data": {}, "body": ""}', "cannot be carried out: KeyError"),
    ],
)
def test_a_line_of_the_journal_that_cannot_be_used_is_named(own_home: Path, line: str, why: str) -> None:
    started(own_home)
    daemon.stop(own_home)
    journal = own_home / "journal" / "calls.jsonl"
    lines = [*journal.read_text().splitlines(), line]
    journal.write_text("".join(f"{text}\n" for text in lines))
    with pytest.raises(TwinError) as caught:
        daemon.start(own_home)
    told = caught.value.message
    assert f"line {len(lines)} of {journal} " in told
    assert "Traceback" not in told
    assert why in told
    assert f"sed -i.bak {len(lines)}d {journal}" in told


def test_calls_that_are_refused_now_are_counted(own_home: Path) -> None:
    started(own_home)
    daemon.stop(own_home)
    journal = own_home / "journal" / "calls.jsonl"
    with journal.open("a") as stream:
        stream.write(json.dumps(call("DeleteEndpoint", {"EndpointName": "none"})) + "\n")
    again = daemon.start(own_home)
    assert (again.details or {})["left_out"] == 1
    assert "left out what is refused now: lines " in daemon.log_file(own_home).read_text()


def test_a_journal_that_is_no_file_is_refused(own_home: Path) -> None:
    (own_home / "journal" / "calls.jsonl").mkdir(parents=True)
    with pytest.raises(TwinError, match=r"The local twin cannot use .*calls.jsonl: Is a directory"):
        daemon.start(own_home)


def test_missing_extras(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(daemon.NEEDED, "moto_that_is_missing", "moto")
    with pytest.raises(TwinError) as caught:
        daemon.start(own_home)
    assert caught.value.hint == install_command("local")


def test_the_daemon_module_is_light() -> None:
    heavy = "moto", "waitress", "boto3", "pydantic", "urllib3"
    code = f"import sys, sentictl.twin.daemon; print([m for m in {heavy} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.usefixtures("started_for_real")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_children_die_with_the_twin(own_home: Path, how: signal.Signals) -> None:
    status, cloud = started(own_home)
    assert status.pid
    busy(cloud)
    running = children(status.pid)
    assert len(running) == 3
    os.kill(status.pid, how)
    wait_for(lambda: all(gone(pid) for pid in [*running, status.pid or 0]))
    assert daemon.status(own_home).running is False
    assert daemon.stop(own_home) is False


def test_a_killed_twin_comes_back_as_it_was(own_home: Path) -> None:
    status, cloud = started(own_home)
    names = busy(cloud)
    api = Api.make(cloud)
    api.function(cloud.function(PROXY))
    url = api.deploy()
    done = cloud.trained(cloud.train())
    big = os.urandom(9_000_000)
    cloud.s3.put_object(Bucket=cloud.bucket, Key="small", Body=b"\x00\xff", Metadata={"a": "b"})
    path = own_home.parent / "big"
    path.write_bytes(big)
    cloud.s3.upload_file(str(path), cloud.bucket, "big")
    before = _remembered(cloud, names)
    os.kill(status.pid or 0, signal.SIGKILL)

    bucket = cloud.bucket
    again, cloud = started(own_home)
    cloud.bucket = bucket
    assert (again.port, again.port_changed) == (status.port, False)
    assert again.pid != status.pid
    assert (again.details or {})["left_out"] == 0
    assert cloud.ask(names["endpoint"])["model"] == "one"
    assert HTTP.request("POST", url).status == 201
    assert _remembered(cloud, names) == before
    assert cloud.s3.get_object(Bucket=cloud.bucket, Key="big")["Body"].read() == big
    assert cloud.s3.get_object(Bucket=cloud.bucket, Key="small")["Metadata"] == {"a": "b"}
    described = cloud.sagemaker.describe_training_job(TrainingJobName=done["TrainingJobName"])
    described.pop("ResponseMetadata")
    done.pop("ResponseMetadata")
    assert described == done
    assert cloud.lines(GROUP, done["TrainingJobName"])[0].startswith("epoch=1")
    killed = cloud.sagemaker.describe_training_job(TrainingJobName=names["job"])
    assert killed["TrainingJobStatus"] == "Failed"
    assert killed["FailureReason"].startswith("InternalServerError")


def _remembered(cloud: Cloud, names: dict[str, str]) -> list[Any]:
    endpoint = cloud.sagemaker.describe_endpoint(EndpointName=names["endpoint"])
    objects = cloud.s3.list_objects_v2(Bucket=cloud.bucket)["Contents"]
    apis = cloud.apigateway.get_rest_apis()["items"]
    return [
        [(api["id"], api["rootResourceId"]) for api in apis],
        [cloud.apigateway.get_stages(restApiId=api["id"])["item"][0]["deploymentId"] for api in apis],
        [(entry["Key"], entry["ETag"], entry["Size"]) for entry in objects],
        [endpoint[name] for name in ("EndpointStatus", "CreationTime", "LastModifiedTime", "EndpointConfigName")],
        [role["RoleId"] for role in cloud.iam.list_roles()["Roles"]],
        [role["Arn"] for role in cloud.iam.list_roles()["Roles"]],
    ]


def test_a_deleted_endpoint_stays_deleted(own_home: Path) -> None:
    _, cloud = started(own_home)
    endpoint = cloud.endpoint(cloud.endpoint_config())
    cloud.settled(endpoint)
    cloud.sagemaker.delete_endpoint(EndpointName=endpoint)
    daemon.stop(own_home)
    _, cloud = started(own_home)
    assert cloud.sagemaker.list_endpoints()["Endpoints"] == []


def test_a_twin_ends_when_its_home_is_deleted(own_home: Path) -> None:
    running = daemon.start(own_home)
    assert running.url
    shutil.rmtree(own_home)
    wait_for(lambda: not daemon.status(own_home).running and not answers(running.url))


def answers(url: str | None) -> bool:
    """Whether anybody is at an address."""
    try:
        urllib.request.urlopen(f"{url}/_twin/status", timeout=2).close()
    except urllib.error.HTTPError:  # whoever does not know the key is refused
        return True
    except OSError:
        return False
    return True
