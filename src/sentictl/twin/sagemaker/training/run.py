"""One training job's life: download, train, upload, in a child process for each host, with logs and metrics."""

import re
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sentictl.twin.cloudwatch.logs import LogStream, LogStreams
from sentictl.twin.core import processes
from sentictl.twin.core.environment import Access
from sentictl.twin.iam.roles import AccessDeniedError, AssumedRole
from sentictl.twin.s3.objects import BadArchiveError, ObjectMissingError, Objects, pack
from sentictl.twin.sagemaker.running_jobs import MAX_REASON, JobFailedError, JobRun
from sentictl.twin.sagemaker.training.checkpoints import CheckpointSync
from sentictl.twin.sagemaker.training.container import TrainingContainer
from sentictl.twin.sagemaker.training.record import TrainingRecord

LOG_GROUP = METRICS_NAMESPACE = "/aws/sagemaker/TrainingJobs"
TAIL_LINES = 20
PORTS = range(20_000, 29_000)


class TrainingRun(JobRun[TrainingRecord]):
    """One training job's life; as `JobRun`.

    Args:
        reported: told of each value of a metric: its name and the value.
    """

    def __init__(
        self,
        record: TrainingRecord,
        request: dict[str, Any],
        folder: Path,
        role: AssumedRole,
        objects: Objects,
        logs: LogStreams,
        access: Access,
        reported: Callable[[str, float], None],
    ) -> None:
        super().__init__(record, request, folder, role, objects, logs, access)
        self._reported = reported
        self._container = TrainingContainer(folder, request)
        self._processes: list[processes.Process] = []  # one for each host, the master's first
        self._codes: list[int] = []  # exit codes of hosts that failed by themselves
        self.other_streams: list[str] = []  # of the logs of all hosts but the first
        self._errors: deque[str] = deque(maxlen=TAIL_LINES)
        definitions = request["AlgorithmSpecification"].get("MetricDefinitions") or []
        self._metrics = [(entry["Name"], re.compile(entry["Regex"])) for entry in definitions]

    def _live(self) -> None:
        self._download()
        self._train()
        self._upload()
        self._finish()

    def _end_programs(self) -> None:
        _at_once(lambda process: processes.terminate(process, self._grace), self._processes)

    def _download(self) -> None:
        self.record.enter("Downloading")
        self._container.make()
        try:
            for channel in self._request.get("InputDataConfig") or []:
                self._download_channel(channel)
            self._download_source()
        except AccessDeniedError as error:
            raise JobFailedError(f"ClientError: Data download failed:AccessDenied (403): {error}") from error
        image = self._request["AlgorithmSpecification"].get("TrainingImage", "")
        if not self._role.may_pull(image):
            raise JobFailedError(
                "ClientError: Cannot pull algorithm container. Either the image does not exist or its permissions are "
                f"incorrect. (AccessDenied: the role {self._role.arn} may not pull {image}.)"
            )

    def _download_source(self) -> None:
        source = str(self._container.hyperparameters.get("sagemaker_submit_directory", ""))
        try:
            self._objects.extract(source, self._container.code)
        except ObjectMissingError as error:
            raise JobFailedError(
                f"ClientError: Data download failed: the source {source!r} (sagemaker_submit_directory) does not exist."
            ) from error
        except BadArchiveError as error:
            raise JobFailedError(f"ClientError: Data download failed: cannot unpack the source: {error}") from error
        if not (self._container.code / self._container.program).is_file():
            raise JobFailedError(
                f"ClientError: the source archive holds no {self._container.program} (sagemaker_program)."
            )

    def _download_channel(self, channel: dict[str, Any]) -> None:
        name, uri = channel["ChannelName"], channel["DataSource"]["S3DataSource"]["S3Uri"]
        folders = list(dict.fromkeys(self._container.channel(name, host) for host in self._container.hosts))
        found = [self._objects.download(uri, each, place, len(folders)) for place, each in enumerate(folders)]
        if not any(found):
            raise JobFailedError(
                f"ClientError: Data download failed:NoSuchKey (404): There are no objects under {uri} (channel {name})."
            )

    def _train(self) -> None:
        if self._ending.is_set():
            return
        self.record.enter("Training")
        config = self._request.get("CheckpointConfig")
        checkpoints = CheckpointSync(self._objects, config["S3Uri"], self._container.checkpoints) if config else None
        try:
            with checkpoints.kept() if checkpoints else nullcontext():
                self._run_hosts()
        except ObjectMissingError as error:
            raise JobFailedError(f"ClientError: the bucket of the checkpoints does not exist: {error}") from error
        except AccessDeniedError as error:
            raise JobFailedError(f"ClientError: Checkpoints cannot be kept:AccessDenied (403): {error}") from error
        if self._codes and not self._ending.is_set():
            raise JobFailedError(self._algorithm_error(self._codes[0]))

    def _run_hosts(self) -> None:
        outputs = []
        master = (
            {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())} if len(self._container.hosts) > 1 else {}
        )
        for host in self._container.hosts:
            outputs += self._start(host, master)
        if self._ending.is_set():  # stopped while they were being started
            self._end_programs()
        with self._time_limit():
            _at_once(self._wait, self._processes)
        for thread in outputs:
            thread.join()
        self._logs.flush()

    def _start(self, host: str, master: dict[str, str]) -> list[threading.Thread]:
        """Start a host's process. Returns the threads that read its output."""
        name = f"{self.record.name}/{host}-{int(time.time())}"
        if self._processes:
            self.other_streams.append(name)
        else:
            self.record.log_stream = name
        stream = LogStream(self.record.region, LOG_GROUP, name, self._role)
        environment = self._access.child_environment(self.record.region) | master
        environment |= self._container.environment(self.record.region, host)
        program = [str(self._container.code / self._container.program), *self._container.arguments]
        process = processes.start_child(program, self._container.code, environment)
        self._processes.append(process)
        output, errors = processes.pipes(process)
        return [
            processes.OutputReader(output, partial(self._on_line, stream)),
            processes.OutputReader(errors, partial(self._on_error, stream)),
        ]

    def _wait(self, process: processes.Process) -> None:
        """Wait for a host's process. If it fails, so does the job, and the others are told to end."""
        process.wait()
        processes.terminate(process, grace=0)  # what the script left running behind
        if process.returncode and not self._ending.is_set():
            self._codes.append(process.returncode)
            for other in self._processes:
                if other.poll() is None:
                    processes.terminate(other, self._grace)

    def _upload(self) -> None:
        if self._abandoned:
            return
        if not self._ending.is_set():
            self.record.enter("Uploading")
        target = f"{self._request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.record.name}/output"
        for folder, name in ((self._container.model, "model"), (self._container.output_data, "output")):
            wanted = name == "model" and not self._ending.is_set()
            if folder.is_dir() and (wanted or any(folder.iterdir())):
                self._store(f"{target}/{name}.tar.gz", pack(folder))

    def _store(self, uri: str, content: bytes) -> None:
        try:
            self._objects.write(uri, content)
        except ObjectMissingError as error:
            raise JobFailedError(f"ClientError: Artifact upload failed: the bucket of {uri} does not exist.") from error
        except AccessDeniedError as error:
            raise JobFailedError(f"ClientError: Artifact upload failed:AccessDenied (403): {error}") from error

    def _finish(self) -> None:
        if self._timed_out:
            self.record.finish("Stopped", "MaxRuntimeExceeded")
        elif self._ending.is_set():
            self.record.finish("Stopped", "Stopped")
        else:
            self.record.finish("Completed", "Completed")

    def _on_line(self, stream: LogStream, line: str) -> None:
        self._logs.write(stream, line)
        for name, pattern in self._metrics:
            found = pattern.search(line)
            if found:
                self._keep_metric(name, found.group(1))

    def _keep_metric(self, name: str, text: str) -> None:
        if not self._role.allows("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": METRICS_NAMESPACE}):
            return
        try:
            value = float(text)
        except ValueError:  # as by AWS: what is no number is no metric
            return
        self.record.set_metric(name, value)
        self._reported(name, value)

    def _on_error(self, stream: LogStream, line: str) -> None:
        self._errors.append(line)
        self._on_line(stream, line)

    def _algorithm_error(self, code: int) -> str:
        """AWS's reason: what the script wrote to `output/failure`, or the end of its stderr."""
        failure = self._container.failure
        told = failure.read_text(errors="replace") if failure.is_file() else ""
        if told:  # on a full disk the file may be empty
            return f"AlgorithmError: {told}, exit code: {code}"
        head = f'AlgorithmError: ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "'
        command = " ".join(["python", self._container.program, *self._container.arguments])
        tail = f'"\nCommand "{command}", exit code: {code}'
        room = max(0, MAX_REASON - len(head) - len(tail))
        message = "\n".join(self._errors).strip()
        return head + (message[-room:] if room else "") + tail


def _at_once(task: Callable[[processes.Process], None], hosts: Iterable[processes.Process]) -> None:
    """Do a task with the processes of all hosts at once, and return when it is done with each."""
    threads = [threading.Thread(target=task, args=(process,), daemon=True) for process in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _free_port() -> int:
    """A port that nobody listens on, below those that the system gives to outgoing connections meanwhile."""
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
