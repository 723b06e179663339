"""One training job's life: download, train, upload, in a child process, with logs and metrics."""

import re
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sentictl.local import children
from sentictl.local.logs import LogStreams
from sentictl.local.objects import BadArchiveError, ObjectMissingError, Objects, pack
from sentictl.local.toolkit import Container
from sentictl.local.training_record import MAX_REASON, JobRecord

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
STOP_GRACE_SECONDS = 5.0  # AWS gives two minutes; on one's own machine a person waits for it
TAIL_LINES = 20
DEFAULT_MAX_RUNTIME = 86_400


class JobFailedError(Exception):
    """A training job ends as Failed, for the reason given."""


class TrainingRun:
    """One training job's life, in a thread of its own."""

    def __init__(
        self, record: JobRecord, request: dict[str, Any], folder: Path, objects: Objects, logs: LogStreams, url: str
    ) -> None:
        self.record = record
        self._objects = objects
        self._logs = logs
        self._url = url
        self._abandoned = False
        self._request = request
        self._container = Container(folder, request)
        self._process: children.Process | None = None
        self._ending = threading.Event()  # the job was told to stop, or ran out of time
        self._timed_out = False
        self._errors: deque[str] = deque(maxlen=TAIL_LINES)
        definitions = request["AlgorithmSpecification"].get("MetricDefinitions") or []
        self._metrics = [(entry["Name"], re.compile(entry["Regex"])) for entry in definitions]

    def run(self, ended: Callable[["TrainingRun"], None]) -> None:
        """Download, train, upload; whatever happens ends up in the job's status, and then `ended` is called."""
        try:
            self._download()
            self._train()
            self._upload()
            self._finish()
        except JobFailedError as error:
            self.record.finish("Failed", "Failed", str(error))
        except Exception as error:  # noqa: BLE001  a job never stays InProgress, whatever broke
            self.record.finish("Failed", "Failed", f"InternalServerError: {type(error).__name__}: {error}")
        finally:
            shutil.rmtree(self._container.root, ignore_errors=True)
            if not self._abandoned:
                ended(self)

    def stop(self) -> None:
        """What StopTrainingJob does."""
        self._ending.set()
        self.record.enter("Stopping")
        self._end_process()

    def abandon(self) -> None:
        """End the process without a word to anyone: the twin is going down."""
        self._abandoned = True
        self._ending.set()
        if self._process:
            children.terminate(self._process, grace=0.2)

    def _download(self) -> None:
        self.record.enter("Downloading")
        self._container.make()
        for channel in self._request.get("InputDataConfig") or []:
            self._download_channel(channel)
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
        if not self._objects.download(uri, self._container.channel(name)):
            raise JobFailedError(
                f"ClientError: Data download failed:NoSuchKey (404): There are no objects under {uri} (channel {name})."
            )

    def _train(self) -> None:
        if self._ending.is_set():
            return
        self.record.enter("Training")
        self.record.log_stream = f"{self.record.name}/algo-1-{int(time.time())}"
        environment = children.base_environment(self._url, self.record.region)
        environment |= self._container.environment(self.record.region)
        program = [str(self._container.code / self._container.program), *self._container.arguments]
        self._process = children.start_child(program, self._container.code, environment)
        if self._ending.is_set():  # stopped while it was being started
            self._end_process()
        self._watch(self._process)

    def _watch(self, process: children.Process) -> None:
        output, errors = children.pipes(process)
        pumps = [children.pump(output, self._on_line), children.pump(errors, self._on_error)]
        limit = (self._request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME)
        timer = threading.Timer(limit, self._time_out)
        timer.daemon = True
        timer.start()
        process.wait()
        timer.cancel()
        children.terminate(process, grace=0)  # what the script left running behind
        for thread in pumps:
            thread.join()
        self._logs.flush()
        if process.returncode and not self._ending.is_set():
            raise JobFailedError(self._algorithm_error(process.returncode))

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

    def _finish(self) -> None:
        if self._timed_out:
            self.record.finish("Stopped", "MaxRuntimeExceeded")
        elif self._ending.is_set():
            self.record.finish("Stopped", "Stopped")
        else:
            self.record.finish("Completed", "Completed")

    def _time_out(self) -> None:
        self._timed_out = True
        self._ending.set()
        self._end_process()

    def _end_process(self) -> None:
        process = self._process
        if process:
            threading.Thread(target=children.terminate, args=(process, STOP_GRACE_SECONDS), daemon=True).start()

    def _on_line(self, line: str) -> None:
        self._logs.write(self.record.region, LOG_GROUP, self.record.log_stream, line)
        for name, pattern in self._metrics:
            found = pattern.search(line)
            if found:
                self._keep_metric(name, found.group(1))

    def _keep_metric(self, name: str, text: str) -> None:
        try:
            self.record.set_metric(name, float(text))
        except ValueError:  # as by AWS: what is no number is no metric
            return

    def _on_error(self, line: str) -> None:
        self._errors.append(line)
        self._on_line(line)

    def _algorithm_error(self, code: int) -> str:
        """AWS's reason: what the script wrote to `output/failure`, or the end of its stderr."""
        failure = self._container.failure
        if failure.is_file():
            return f"AlgorithmError: {failure.read_text(errors='replace')}, exit code: {code}"
        head = f'AlgorithmError: ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "'
        command = " ".join(["python", self._container.program, *self._container.arguments])
        tail = f'"\nCommand "{command}", exit code: {code}'
        room = max(0, MAX_REASON - len(head) - len(tail))
        message = "\n".join(self._errors).strip()
        return head + (message[-room:] if room else "") + tail
