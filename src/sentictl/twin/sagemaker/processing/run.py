"""One processing job's life: download, run, upload, in a child process whose output is its log."""

import time
from collections import deque
from pathlib import Path

from sentictl.twin.cloudwatch.logs import LogStream, LogStreams
from sentictl.twin.core import processes
from sentictl.twin.core.environment import Access
from sentictl.twin.iam.roles import AccessDeniedError, AssumedRole
from sentictl.twin.s3.objects import BadArchiveError, ObjectMissingError, Objects
from sentictl.twin.sagemaker.processing import spark
from sentictl.twin.sagemaker.processing.container import ProcessingContainer
from sentictl.twin.sagemaker.processing.record import ProcessingRecord
from sentictl.twin.sagemaker.running_jobs import JobFailedError, JobRun

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
TAIL_LINES = 20
PYTHON = ("python", "python3")


class ProcessingRun(JobRun[ProcessingRecord]):
    """One processing job's life; as `JobRun`."""

    def __init__(
        self,
        record: ProcessingRecord,
        folder: Path,
        role: AssumedRole,
        objects: Objects,
        logs: LogStreams,
        access: Access,
    ) -> None:
        super().__init__(record, record.request, folder, role, objects, logs, access)
        self._container = ProcessingContainer(folder, record.request)
        self._process: processes.Process | None = None
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        record.log_stream = f"{record.name}/algo-1-{int(time.time())}"
        self._stream = LogStream(record.region, LOG_GROUP, record.log_stream, role)

    def _live(self) -> None:
        try:
            self._download()
            self._work()
            self._upload()
            self._finish()
        except JobFailedError as error:
            self.record.fail(str(error), self._message())

    def _end_programs(self) -> None:
        if self._process:
            processes.terminate(self._process, self._grace)

    def _download(self) -> None:
        self._container.make()
        try:
            for name, uri, folder in self._container.inputs:
                if not self._objects.download(uri, folder):
                    raise JobFailedError(f"ClientError: No S3 objects found under {uri} (input {name}).")
        except AccessDeniedError as error:
            raise JobFailedError(f"ClientError: Data download failed:AccessDenied (403): {error}") from error
        except (ObjectMissingError, BadArchiveError) as error:
            raise JobFailedError(f"ClientError: Data download failed: {error}") from error
        image = self._request["AppSpecification"]["ImageUri"]
        if not self._role.may_pull(image):
            raise JobFailedError(
                "ClientError: Cannot pull processing container. Either the image does not exist or its permissions are "
                f"incorrect. (AccessDenied: the role {self._role.arn} may not pull {image}.)"
            )

    def _work(self) -> None:
        self.record.begin()
        command = self._container.command
        environment = self._access.child_environment(self.record.region) | self._container.environment()
        if command[:1] == [spark.SUBMIT]:
            self._submit(spark.script_of(command), environment)
        elif command and command[0] in PYTHON:
            self._run(command[1:], environment)
        else:
            what = command[0] if command else "an image's own program"
            raise JobFailedError(f"ClientError: The local twin runs {spark.SUBMIT} and python3, and not {what}.")

    def _submit(self, script: list[str], environment: dict[str, str]) -> None:
        try:
            spark.check()
            if self._container.instances == 1:
                self._run(script, environment | self._spark(spark.alone(), environment))
                return
            cluster = spark.Cluster(self._container.work, environment, self._tail.append)
        except spark.NoSparkError as error:
            raise JobFailedError(f"ClientError: {error}") from error
        try:
            self._run(script, environment | self._spark(cluster.master, environment))
        finally:
            cluster.close()

    def _spark(self, master: str, environment: dict[str, str]) -> dict[str, str]:
        return spark.variables(master, self._container.work, environment["PYTHONPATH"])

    def _run(self, program: list[str], environment: dict[str, str]) -> None:
        if self._ending.is_set():
            return
        self._process = process = processes.start_child(program, self._container.work, environment)
        readers = [processes.OutputReader(pipe, self._on_line) for pipe in processes.pipes(process)]
        if self._ending.is_set():  # stopped while it was being started
            self._end_programs()
        with self._time_limit():
            process.wait()
        processes.terminate(process, grace=1)  # what the program left running behind
        for reader in readers:
            reader.join()
        self._logs.flush()
        if process.returncode and not self._ending.is_set():
            tail = "\n".join(self._tail)
            raise JobFailedError(f"AlgorithmError: , exit code: {process.returncode}\n{tail}")

    def _upload(self) -> None:
        if self._ending.is_set():
            return
        try:
            for _, uri, folder in self._container.outputs:
                for path in sorted(each for each in folder.rglob("*") if each.is_file()):
                    self._objects.write(f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        except ObjectMissingError as error:
            raise JobFailedError(f"ClientError: Upload failed: the bucket of {error} does not exist.") from error
        except AccessDeniedError as error:
            raise JobFailedError(f"ClientError: Upload failed:AccessDenied (403): {error}") from error

    def _finish(self) -> None:
        if self._timed_out:
            seconds = self._request["StoppingCondition"]["MaxRuntimeInSeconds"]
            self.record.finish(
                "Stopped", f"ClientError: The job ran longer than {seconds} seconds (MaxRuntimeInSeconds)."
            )
        elif self._ending.is_set():
            self.record.finish("Stopped")
        else:
            self.record.finish("Completed", message=self._message())

    def _message(self) -> str:
        path = self._container.message
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def _on_line(self, line: str) -> None:
        self._tail.append(line)
        self._logs.write(self._stream, line)
