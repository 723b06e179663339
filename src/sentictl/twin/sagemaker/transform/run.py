"""One transform job's life: start the machines, ask about each input, write the outputs."""

import secrets
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from sentictl.twin.cloudwatch.logs import LogStream, LogStreams
from sentictl.twin.core.environment import Access
from sentictl.twin.core.processes import StartFailedError
from sentictl.twin.iam.roles import AccessDeniedError, AssumedRole
from sentictl.twin.s3.objects import ObjectMissingError, Objects
from sentictl.twin.sagemaker.model_server import ModelServer, Variant
from sentictl.twin.sagemaker.running_jobs import JobFailedError, JobRun
from sentictl.twin.sagemaker.transform.inputs import TransformInput, inputs_of
from sentictl.twin.sagemaker.transform.instance import Asking, Instance
from sentictl.twin.sagemaker.transform.payloads import InputFailedError
from sentictl.twin.sagemaker.transform.record import TransformRecord

LOG_GROUP = "/aws/sagemaker/TransformJobs"
MOST_PROCESSES = 4  # more machines than that share them, as this one has but so much memory
SEE_LOGS = "AlgorithmError: See job logs for more information"


class TransformRun(JobRun[TransformRecord]):
    """One transform job's life; as `JobRun`.

    Args:
        model: what is asked.
    """

    def __init__(
        self,
        record: TransformRecord,
        request: Mapping[str, Any],
        folder: Path,
        role: AssumedRole,
        objects: Objects,
        logs: LogStreams,
        access: Access,
        model: Variant,
    ) -> None:
        super().__init__(record, request, folder, role, objects, logs, access)
        self._model = replace(model, environment=model.environment | (request.get("Environment") or {}))
        self._asking = Asking.of(request)
        self._servers: list[ModelServer] = []
        self._failed: list[TransformInput] = []
        self._prefix = f"{record.name}/i-{secrets.token_hex(8)}-{int(time.time())}"
        self._data_log = self._stream("data-log")
        self.streams = [self._data_log.name]

    def _live(self) -> None:
        try:
            outputs = self._transform()
            if not self._ending.is_set():  # of a job that was stopped, SageMaker stores nothing
                self._store(outputs)
            self._finish()
        except AccessDeniedError as error:
            raise JobFailedError(f"ClientError: AccessDenied (403): {error}") from error

    def _end_programs(self) -> None:
        for server in list(self._servers):
            server.stop(drain=False)

    def _fail(self, reason: str) -> None:
        self._end("Failed", reason)

    def _clean_up(self) -> None:
        self._end_programs()
        super()._clean_up()

    def _transform(self) -> list[tuple[TransformInput, Path]]:
        """Ask about all inputs. Returns those that have an output, each with the file that holds it for now."""
        inputs = inputs_of(self._request, self._objects)
        self._log(self._settings())
        count = min(self._request["TransformResources"]["InstanceCount"], MOST_PROCESSES, len(inputs))
        instances = [Instance(self._start(number), self._asking, self._ending.is_set) for number in range(count)]
        self.record.start()
        done: list[tuple[TransformInput, Path]] = []
        shares = [inputs[number::count] for number in range(count)]  # an input is one machine's alone
        with ThreadPoolExecutor(count) as pool:
            for work in [pool.submit(self._work, *each, done) for each in zip(instances, shares, strict=True)]:
                work.result()  # what broke in one is the job's end
        return done

    def _work(
        self, instance: Instance, inputs: Iterable[TransformInput], done: list[tuple[TransformInput, Path]]
    ) -> None:
        for each in inputs:
            if self._ending.is_set():
                return
            try:
                output = instance.transform(self._objects.read(each.uri))
            except (InputFailedError, ObjectMissingError, AccessDeniedError) as error:
                self._log(f"{each.uri.removeprefix('s3://')}: {error}")
                self._failed.append(each)
                continue
            kept = self._folder / f"output-{secrets.token_hex(8)}"
            kept.write_bytes(output)
            done.append((each, kept))

    def _start(self, number: int) -> ModelServer:
        if not self._role.may_pull(self._model.image):
            raise JobFailedError(
                f"ClientError: Cannot pull algorithm container: the role {self._role.arn} may not pull "
                f"{self._model.image}."
            )
        stream = self._stream(f"{number}" if number else "")
        self.streams.append(stream.name)
        environment = self._access.child_environment(self.record.region) | {"SAGEMAKER_BATCH": "true"}
        try:
            server = ModelServer(
                self._model,
                self._folder / f"model-{number}",
                self._objects,
                environment,
                lambda line: self._logs.write(stream, line),
            )
        except StartFailedError as error:
            raise JobFailedError(f"ClientError: The model container could not be used: {error}") from error
        self._servers.append(server)
        return server

    def _store(self, outputs: Iterable[tuple[TransformInput, Path]]) -> None:
        target = self._request["TransformOutput"]["S3OutputPath"].rstrip("/")
        for each, kept in outputs:
            try:
                self._objects.write(f"{target}/{each.output}", kept.read_bytes())
            except ObjectMissingError as error:
                raise JobFailedError(f"ClientError: The bucket of {target} does not exist.") from error

    def _finish(self) -> None:
        if self._ending.is_set():
            self._end("Stopped")
        elif self._failed:  # the outputs of the other inputs are there
            self._end("Failed", SEE_LOGS)
        else:
            self._end("Completed")

    def _end(self, status: str, reason: str = "") -> None:
        if not self._abandoned:
            self.record.finish("Stopped" if self._ending.is_set() else status, reason)

    def _settings(self) -> str:
        form = self._asking.form
        strategy = "MULTI_RECORD" if form.several else "SINGLE_RECORD"
        most = form.most // (1024 * 1024)
        return f"MaxConcurrentTransforms={self._asking.at_once}, MaxPayloadInMB={most}, BatchStrategy={strategy}"

    def _log(self, line: str) -> None:
        """Write into the data log what SageMaker itself has to say of the inputs."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        self._logs.write(self._data_log, f"{when}.000:[sagemaker logs]: {line}")

    def _stream(self, part: str) -> LogStream:
        name = f"{self._prefix}/{part}" if part else self._prefix
        return LogStream(self.record.region, LOG_GROUP, name, self._role)
