"""One transform job's life: start the machines, ask about each input, write the outputs."""

import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping
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
from sentictl.twin.sagemaker.transform.inputs import NoInputsError, TransformInput, inputs_of
from sentictl.twin.sagemaker.transform.instance import Asking, Instance
from sentictl.twin.sagemaker.transform.payloads import InputFailedError
from sentictl.twin.sagemaker.transform.record import TransformRecord

LOG_GROUP = "/aws/sagemaker/TransformJobs"
MOST_PROCESSES = 4  # more machines than that share them, as this one has but so much memory
SEE_LOGS = "AlgorithmError: See job logs for more information"


class TransformFailedError(Exception):
    """A transform job ends as Failed, for the reason given."""


class TransformRun:
    """One transform job's life, in a thread of its own.

    Args:
        record: moto's record of it.
        request: the parameters of CreateTransformJob.
        model: what is asked.
        folder: for the model and the outputs, until the job is over.
        objects: S3.
        logs: where its machines' lines go.
        access: the twin's address.
    """

    def __init__(
        self,
        record: TransformRecord,
        request: Mapping[str, Any],
        model: Variant,
        folder: Path,
        objects: Objects,
        logs: LogStreams,
        access: Access,
        role: AssumedRole,
    ) -> None:
        self.record = record
        self._request = request
        self._model = replace(model, environment=model.environment | (request.get("Environment") or {}))
        self._folder = folder
        self._role = role
        self._objects = objects.acting_as(role)
        self._logs = logs
        self._access = access
        self._asking = Asking.of(request)
        self._servers: list[ModelServer] = []
        self._ending = threading.Event()  # the job was told to stop, or the twin goes down
        self._abandoned = False
        self._failed: list[TransformInput] = []
        self._prefix = f"{record.name}/i-{secrets.token_hex(8)}-{int(time.time())}"
        self._data_log = self._stream("data-log")
        self.streams = [self._data_log.name]

    def run(self, ended: Callable[["TransformRun"], None]) -> None:
        """Carry it out; whatever happens ends up in the job's status, and then `ended` is called."""
        try:
            outputs = self._transform()
            if not self._ending.is_set():  # of a job that was stopped, SageMaker stores nothing
                self._store(outputs)
            self._finish()
        except (TransformFailedError, NoInputsError) as error:
            self._end("Failed", f"{'' if isinstance(error, TransformFailedError) else 'ClientError: '}{error}")
        except AccessDeniedError as error:
            self._end("Failed", f"ClientError: AccessDenied (403): {error}")
        except OSError as error:
            self._end("Failed", f"ClientError: The job's disk cannot be used: {error}")
        except Exception as error:  # noqa: BLE001  a job never stays InProgress, whatever broke
            self._end("Failed", f"InternalServerError: {type(error).__name__}: {error}")
        finally:
            self._end_servers()
            shutil.rmtree(self._folder, ignore_errors=True)
            if not self._abandoned:
                self._logs.flush()
                ended(self)

    def stop(self) -> None:
        """Tell the job to end, as StopTransformJob does."""
        self._ending.set()
        self.record.stop()
        threading.Thread(target=self._end_servers, daemon=True).start()  # which may take a second each

    def abandon(self) -> None:
        """End the machines without a word to anyone: the twin is going down."""
        self._abandoned = True
        self._ending.set()
        self._end_servers()

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
            raise TransformFailedError(
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
            raise TransformFailedError(f"ClientError: The model container could not be used: {error}") from error
        self._servers.append(server)
        return server

    def _end_servers(self) -> None:
        for server in list(self._servers):
            server.stop(drain=False)

    def _store(self, outputs: Iterable[tuple[TransformInput, Path]]) -> None:
        target = self._request["TransformOutput"]["S3OutputPath"].rstrip("/")
        for each, kept in outputs:
            try:
                self._objects.write(f"{target}/{each.output}", kept.read_bytes())
            except ObjectMissingError as error:
                raise TransformFailedError(f"ClientError: The bucket of {target} does not exist.") from error

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
