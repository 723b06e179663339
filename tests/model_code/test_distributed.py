"""Several processes that train one network, as torchrun, SageMaker or train.py itself starts them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from sentimodel import artifact, files
from sentimodel.distributed import free_port, workers_here
from sentimodel.process_group import ProcessGroupError, Worker

from tests.model_code.scripts import MODEL_CODE
from tests.prepared import popen as prepared

CHANNELS = ("train", "validation", "vocabulary")
PLAIN: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 16,
    "embedding_dim": 4,
    "hidden_dim": 4,
    "max_tokens": 16,
    "dataset": "abc",
}
LONG: dict[str, Any] = {**PLAIN, "epochs": 10_000, "patience": 10_000}
SECONDS = 120
Process = subprocess.Popen[str]


class Trainings:
    """Processes of train.py, none of which outlives the test."""

    def __init__(self, folder: Path, dataset: Path) -> None:
        self.folder = folder
        self._dataset = dataset
        self.processes: list[Process] = []

    def start(self, model: str, environment: Mapping[str, str], **options: Any) -> Process:
        folders = {name: self._dataset / name for name in CHANNELS}
        options = {**folders, "model-dir": self.folder / model, **options}
        command = [sys.executable, str(MODEL_CODE / "train.py")]
        command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SM_", "TRAINING_JOB"))}
        process = prepared.Popen(
            command,
            cwd=self.folder,
            env=kept | dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def pair(self, model: str, **options: Any) -> tuple[Process, Process]:
        """Two processes that train together, as torchrun would start them."""
        workers = [Worker(rank, 2, rank, port=port) for port in [free_port()] for rank in (0, 1)]
        first, second = (self.start(model, worker.variables(), **options) for worker in workers)
        return first, second

    def weights(self, model: str) -> dict[str, torch.Tensor]:
        found: dict[str, torch.Tensor] = torch.load(self.folder / model / files.WEIGHTS, weights_only=True)
        return found


@pytest.fixture
def trainings(tmp_path: Path, toy_dataset: Path) -> Iterator[Trainings]:
    yield from started(tmp_path, toy_dataset)


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory, toy_dataset: Path) -> Iterator[Trainings]:
    """With the artifact `two`, which two processes made, and `two.log`, what they said."""
    for trainings in started(tmp_path_factory.mktemp("together"), toy_dataset):
        code, stdout, stderr = ended(trainings.start("two", {"SM_NUM_GPUS": "2"}, **PLAIN))
        assert code == 0, stderr
        (trainings.folder / "two.log").write_text(stdout)
        yield trainings


def started(folder: Path, dataset: Path) -> Iterator[Trainings]:
    trainings = Trainings(folder, dataset)
    yield trainings
    for process in trainings.processes:
        process.kill()
        process.communicate()


def ended(process: Process) -> tuple[int, str, str]:
    """The exit code, stdout and stderr."""
    stdout, stderr = process.communicate(timeout=SECONDS)
    return process.returncode, stdout, stderr


def wait_for(process: Process, words: str) -> None:
    """Read stdout until a line begins with these words."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(words):
            return
    raise AssertionError(f"it ended without saying {words!r}: {process.communicate(timeout=SECONDS)[1]}")


def test_two_processes_of_a_host_do_what_one_does(together: Trainings) -> None:
    code, stdout, stderr = ended(together.start("one", {}, **PLAIN))
    assert code == 0, stderr
    said = (together.folder / "two.log").read_text()
    assert "processes=2" in said
    one, two = (
        [line.split(" seconds=")[0] for line in text.splitlines() if line.startswith("epoch=")]
        for text in (stdout, said)
    )
    assert one == two
    for name, values in together.weights("one").items():
        torch.testing.assert_close(together.weights("two")[name], values, atol=1e-4, rtol=1e-3)


def test_two_killed_processes_go_on_to_the_weights_of_two_that_were_not(together: Trainings) -> None:
    options = {**PLAIN, "checkpoint-dir": together.folder / "checkpoints"}
    first, second = together.pair("again", **options)
    wait_for(first, "epoch=1 ")
    for process in (first, second):
        process.kill()
    first, second = together.pair("again", **options)
    code, stdout, stderr = ended(first)
    assert (code, *ended(second)[:2]) == (0, 0, ""), stderr
    assert "checkpoint=found, going on after epoch " in stdout
    digests = {artifact.read_metadata(together.folder / name).files[files.WEIGHTS] for name in ("two", "again")}
    assert len(digests) == 1


def test_when_one_fails_the_other_ends_with_its_reason(trainings: Trainings) -> None:
    # The first one's model folder is a file, which it finds out at the very end.
    (trainings.folder / "model").write_text("in the way")
    first, second = map(ended, trainings.pair("model", **PLAIN))
    assert (first[0], second[0]) == (1, 1)
    assert first[2].startswith("training failed: ")
    assert second[2].startswith("training failed: another process of this training ended: ")
    assert first[2].removeprefix("training failed: ") in second[2]


def test_when_one_is_killed_the_other_ends(trainings: Trainings) -> None:
    first, second = trainings.pair("model", **LONG)
    wait_for(first, "epoch=1 ")
    second.send_signal(signal.SIGKILL)
    code, _, stderr = ended(first)
    assert code == 1
    assert "another process of this training ended" in stderr
    assert not (trainings.folder / "model").exists()


def test_processes_of_one_machine_listen_to_that_machine_alone(trainings: Trainings) -> None:
    processes = trainings.pair("model", **LONG)
    wait_for(processes[0], "epoch=1 ")
    found = {address for process in processes for address in listening(process.pid)}
    assert found == {"0100007F"}  # 127.0.0.1 as the kernel writes it


def listening(pid: int) -> list[str]:
    """The addresses that a process listens at (proc(5))."""
    links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
    sockets = {link.removeprefix("socket:[").rstrip("]") for link in links if link.startswith("socket:")}
    tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    lines = [line.split() for table in tables for line in table]
    return [line[1].partition(":")[0] for line in lines if line[3] == "0A" and line[9] in sockets]


def test_a_host_of_two_gpus_fails_as_its_processes_do(trainings: Trainings) -> None:
    code, _, stderr = ended(trainings.start("gpus", {"SM_NUM_GPUS": "2"}, **{**PLAIN, "learning_rate": "inf"}))
    assert code == 1
    assert "learning_rate" in stderr


def test_told_to_end_all_processes_of_a_host_do(trainings: Trainings) -> None:
    process = trainings.start("gpus", {"SM_NUM_GPUS": "2"}, **LONG)
    wait_for(process, "epoch=1 ")
    process.send_signal(signal.SIGTERM)
    code, _, stderr = ended(process)  # also waits for the pipes, which the two others hold
    assert code == 143
    assert "goes on from the last checkpoint" in stderr


def hosts(*names: str, current: str, **others: str) -> dict[str, str]:
    return {"SM_HOSTS": json.dumps(names), "SM_CURRENT_HOST": current, **others}


def test_alone_without_any_variables() -> None:
    assert workers_here({}, 0) == [Worker()]
    assert workers_here(hosts("algo-1", current="algo-1"), 0) == [Worker()]


def test_each_gpu_of_a_host_has_a_process() -> None:
    workers = workers_here(hosts("algo-1", current="algo-1"), 2)
    assert [(worker.rank, worker.size, worker.local_rank) for worker in workers] == [(0, 2, 0), (1, 2, 1)]
    assert len({(worker.address, worker.port) for worker in workers}) == 1


def test_sagemakers_hosts_are_numbered_the_same_way_everywhere() -> None:
    first = workers_here(hosts("algo-2", "algo-1", current="algo-1"), 2)
    second = workers_here(hosts("algo-1", "algo-2", current="algo-2"), 2)
    assert [worker.rank for worker in (*first, *second)] == [0, 1, 2, 3]
    assert {(worker.size, worker.address) for worker in (*first, *second)} == {(4, "algo-1")}
    assert len({worker.port for worker in (*first, *second)}) == 1


def test_an_address_that_is_given_is_used() -> None:
    given = hosts("algo-1", "algo-2", current="algo-2", MASTER_ADDR="127.0.0.1", MASTER_PORT="4000")
    assert workers_here(given, 0) == [Worker(1, 2, 0, "127.0.0.1", 4000)]


def test_a_process_that_was_given_its_place_starts_no_others() -> None:
    worker = Worker(3, 4, 1, "somewhere", 5)
    assert workers_here(worker.variables() | hosts("algo-1", "algo-2", current="algo-1"), 8) == [worker]


@pytest.mark.parametrize(
    "environment",
    [{"RANK": "2", "WORLD_SIZE": "2"}, {"RANK": "one"}, hosts("algo-1", "algo-2", current="algo-3")],
)
def test_a_contradiction_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(ProcessGroupError):
        workers_here(environment, 0)
