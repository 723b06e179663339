"""Notebook instances that really run: each is a JupyterLab on 127.0.0.1, in a folder of the twin's home.

That folder is below the project's own, where a notebook finds the project. Parameters that moto does not know are kept
on moto's own object: the state follows from the calls alone, so that a replay brings it back.
"""

import contextlib
import importlib.util
import json
import logging
import secrets
import shutil
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sentictl.assets.installed import install_command, walkthrough
from sentictl.twin.cloudwatch.logs import LogStream, LogStreams
from sentictl.twin.control_plane.control_plane import Call, ControlPlane, naive_utc, seconds
from sentictl.twin.control_plane.pagination import JSON_RPC
from sentictl.twin.core import processes
from sentictl.twin.core.environment import Access
from sentictl.twin.core.home import TwinHome
from sentictl.twin.core.messages import Response, json_response, json_rpc_error
from sentictl.twin.core.processes import StartFailedError
from sentictl.twin.iam.roles import AssumedRole, refuse_unassumable

logger = logging.getLogger("sentictl.twin")

Key = tuple[str, str]  # a notebook instance's region and name

LOG_GROUP = "/aws/sagemaker/NotebookInstances"
START_SECONDS = 60.0
STOP_SECONDS = 5.0  # in which Jupyter ends its kernels
LOOK_SECONDS = 0.1
UNKNOWN_TO_MOTO = ("PlatformIdentifier", "InstanceMetadataServiceConfiguration")
CHANGEABLE = {
    "InstanceType": "instance_type",
    "VolumeSizeInGB": "volume_size_in_gb",
    "RoleArn": "role_arn",
    "LifecycleConfigName": "lifecycle_config_name",
}
WITHOUT_JUPYTER = "The local twin runs notebooks with JupyterLab, which is not installed here. Install it with: "


@dataclass
class Jupyter:
    """The process of one notebook instance, and its address with the token that opens it."""

    process: processes.Process
    url: str = field(repr=False)


class Notebooks:
    """The data plane of SageMaker's notebook instances, and what moto lacks of their control plane."""

    def __init__(self, control: ControlPlane, logs: LogStreams, home: TwinHome, access: Access) -> None:
        self._control = control
        self._logs = logs
        self._home = home
        self._access = access
        self._running: dict[Key, Jupyter] = {}
        handlers: dict[str, Callable[[Call], Response | None]] = {
            "DescribeNotebookInstance": self._describe,
            "UpdateNotebookInstance": self._update,
            "CreatePresignedNotebookInstanceUrl": self._presign,
            "UpdateNotebookInstanceLifecycleConfig": self._update_lifecycle,
        }
        for operation, handler in handlers.items():
            control.instead["sagemaker", operation] = handler
        control.before["sagemaker", "CreateNotebookInstance"] = self._refuse
        control.before["sagemaker", "DeleteNotebookInstance"] = self._delete_volume
        for operation in ("CreateNotebookInstance", "StartNotebookInstance"):
            control.after["sagemaker", operation] = self._start
        control.after["sagemaker", "StopNotebookInstance"] = self._stop

    def bring_back(self) -> None:
        """After a replay: start again what was not stopped."""
        for region in self._control.regions("sagemaker"):
            for name, instance in self._control.backend("sagemaker", region).notebook_instances.items():
                if instance.status == "Pending":
                    threading.Thread(target=self._run, args=((region, name), instance), daemon=True).start()

    def running(self) -> int:
        """Return how many notebook instances have a Jupyter."""
        return len(self._running)

    def close(self) -> None:
        """End them all."""
        for jupyter in list(self._running.values()):
            processes.terminate(jupyter.process, grace=STOP_SECONDS)

    def _instance(self, call: Call) -> Any:
        instances = self._control.backend("sagemaker", call.region).notebook_instances
        return instances.get(call.payload["NotebookInstanceName"])

    def _refuse(self, call: Call) -> Response | None:
        if not importlib.util.find_spec("jupyterlab") and not call.replaying:
            return json_rpc_error("ValidationException", WITHOUT_JUPYTER + install_command("notebook"))
        return refuse_unassumable(self._control, call.payload["RoleArn"])

    def _describe(self, call: Call) -> Response | None:
        """moto leaves out some of what it was given, and why an instance failed."""
        instance = self._instance(call)
        if instance is None:
            return None  # moto refuses it
        document = instance.to_dict() | instance.__dict__.get("unknown_to_moto", {})
        for name in ("CreationTime", "LastModifiedTime"):
            document[name] = seconds(document[name])
        return _answer({name: value for name, value in document.items() if value is not None})

    def _update(self, call: Call) -> Response:
        instance = self._instance(call)
        if instance is None:
            return json_rpc_error("ValidationException", "RecordNotFound")
        if instance.status not in ("Stopped", "Failed"):
            message = f"Status ({instance.status}) not in ([Stopped, Failed]). Unable to update ({instance.arn})"
            return json_rpc_error("ValidationException", message)
        if call.payload.get("VolumeSizeInGB", instance.volume_size_in_gb) < instance.volume_size_in_gb:
            return json_rpc_error("ValidationException", "The volume size of a notebook instance cannot be decreased.")
        for member, attribute in CHANGEABLE.items():
            setattr(instance, attribute, call.payload.get(member, getattr(instance, attribute)))
        self._note(instance, call)
        return _answer({})

    def _presign(self, call: Call) -> Response:
        instance = self._instance(call)
        if instance is None:
            return json_rpc_error("ValidationException", "RecordNotFound")
        jupyter = self._running.get((call.region, instance.notebook_instance_name))
        if jupyter is None:
            message = f"Status ({instance.status}) not in ([InService]). Unable to open ({instance.arn})"
            return json_rpc_error("ValidationException", message)
        return _answer({"AuthorizedUrl": jupyter.url})

    def _update_lifecycle(self, call: Call) -> Response:
        name = call.payload["NotebookInstanceLifecycleConfigName"]
        found = self._control.backend("sagemaker", call.region).notebook_instance_lifecycle_configurations.get(name)
        if found is None:
            message = f"Notebook Instance Lifecycle Config '{name}' does not exist."
            return json_rpc_error("ValidationException", message)
        found.on_start = call.payload.get("OnStart", found.on_start)
        found.on_create = call.payload.get("OnCreate", found.on_create)
        found.last_modified_time = naive_utc(call.when)
        return _answer({})

    def _note(self, instance: Any, call: Call) -> None:
        """Keep those parameters of a call that moto would forget."""
        known = instance.__dict__.setdefault("unknown_to_moto", {})
        known |= {name: call.payload[name] for name in UNKNOWN_TO_MOTO if name in call.payload}
        instance.last_modified_time = naive_utc(call.when)

    def _start(self, call: Call) -> None:
        instance = self._instance(call)
        self._note(instance, call)
        instance.status = "Pending"
        instance.unknown_to_moto.pop("FailureReason", None)
        key = call.region, instance.notebook_instance_name
        if not call.replaying:
            threading.Thread(target=self._run, args=(key, instance), daemon=True).start()

    def _stop(self, call: Call) -> None:
        instance = self._instance(call)
        jupyter = self._running.pop((call.region, instance.notebook_instance_name), None)
        if jupyter:
            processes.terminate(jupyter.process, grace=STOP_SECONDS)

    def _delete_volume(self, call: Call) -> None:
        instance = self._instance(call)
        if instance is not None and instance.is_deletable:
            shutil.rmtree(self._volume((call.region, instance.notebook_instance_name)), ignore_errors=True)

    def _volume(self, key: Key) -> Path:
        return self._home.notebooks.joinpath(*key)

    def _run(self, key: Key, instance: Any) -> None:
        try:
            jupyter = self._start_jupyter(key, self._log(key, instance))
        except (StartFailedError, OSError) as problem:
            with self._control.lock:
                instance.status = "Failed"
                instance.unknown_to_moto["FailureReason"] = str(problem)
            return
        with self._control.lock:
            if instance.status == "Pending":
                self._running[key] = jupyter
                instance.status = "InService"
                return
        processes.terminate(jupyter.process, grace=0)  # stopped meanwhile

    def _log(self, key: Key, instance: Any) -> Callable[[str], None]:
        """Return a function that logs a line of Jupyter's, in the instance's role as SageMaker does."""
        region, name = key
        stream = LogStream(region, LOG_GROUP, f"{name}/jupyter.log", AssumedRole(self._control, instance.role_arn))
        return lambda line: self._logs.write(stream, line)

    def _start_jupyter(self, key: Key, log: Callable[[str], None]) -> Jupyter:
        volume, runtime = self._volume(key), self._home.run / "notebooks" / secrets.token_hex(8)
        volume.mkdir(parents=True, exist_ok=True)
        runtime.mkdir(parents=True)
        if not (volume / walkthrough().name).exists():
            shutil.copyfile(walkthrough(), volume / walkthrough().name)
        environment = self._access.child_environment(key[0]) | {
            "JUPYTER_TOKEN": secrets.token_urlsafe(32),
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "JUPYTER_CONFIG_DIR": str(runtime / "configuration"),  # not the user's own, which could open it to others
            "JUPYTERLAB_SETTINGS_DIR": str(volume / ".lab"),
            "JUPYTERLAB_WORKSPACES_DIR": str(volume / ".lab"),
        }
        options = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
        process = processes.start_child(["-m", "jupyterlab", *options, f"--notebook-dir={volume}"], volume, environment)
        tail: deque[str] = deque(maxlen=3)

        def heard(line: str) -> None:
            tail.append(line)
            log(line)

        for pipe in processes.pipes(process):
            processes.OutputReader(pipe, heard)
        return Jupyter(process, _address(process, runtime, tail))


def _address(process: processes.Process, runtime: Path, tail: deque[str]) -> str:
    """Wait until Jupyter has written down its address, and return the walkthrough's, with the token."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for path in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError):  # it is just being written
                told = json.loads(path.read_text())
                return f"{told['url']}lab/tree/{walkthrough().name}?token={told['token']}"
        time.sleep(LOOK_SECONDS)
    processes.terminate(process, grace=0)
    raise StartFailedError(f"Jupyter did not start ({sys.executable}): {' / '.join(tail) or 'it says nothing'}")


def _answer(document: dict[str, Any]) -> Response:
    return json_response(200, document, JSON_RPC)
