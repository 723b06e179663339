"""The folders, arguments and variables that a program finds in a processing container.

What the container has under `/opt/ml` is elsewhere on this machine, so that paths in arguments are changed to match.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = "/opt/ml"
# Packages that a project has on this machine and AWS's Spark image has not: a job that asked for one fails there.
LACKING = ("pyarrow", "pydantic", "torch", "onnxruntime", "typer", "clevercsv", "tomlkit")
# Python runs this at each start, wherever it finds it first.
SITE = f"""import sys


class _Lacking:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {LACKING!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}} in AWS's Spark image", name=name)


sys.meta_path.insert(0, _Lacking())
"""


@dataclass(frozen=True)
class ProcessingContainer:
    """The folder that stands for `/opt/ml`, for one processing job's request."""

    root: Path
    request: Mapping[str, Any]

    @property
    def work(self) -> Path:
        """The working directory, for what Spark writes beside."""
        return self.root / "work"

    @property
    def site(self) -> Path:
        """What Python finds before all else."""
        return self.root / "site"

    @property
    def message(self) -> Path:
        return self.root / "output" / "message"

    @property
    def instances(self) -> int:
        count: int = self.request["ProcessingResources"]["ClusterConfig"].get("InstanceCount", 1)
        return count

    @property
    def inputs(self) -> list[tuple[str, str, Path]]:
        """Name, address and folder of each input."""
        given = self.request.get("ProcessingInputs") or []
        return [
            (each["InputName"], each["S3Input"]["S3Uri"], self.here(each["S3Input"]["LocalPath"])) for each in given
        ]

    @property
    def outputs(self) -> list[tuple[str, str, Path]]:
        """Name, address and folder of each output."""
        given = (self.request.get("ProcessingOutputConfig") or {}).get("Outputs") or []
        return [
            (each["OutputName"], each["S3Output"]["S3Uri"], self.here(each["S3Output"]["LocalPath"])) for each in given
        ]

    @property
    def command(self) -> list[str]:
        """The entry point and the arguments, with the paths that they have here."""
        application = self.request["AppSpecification"]
        words = [*(application.get("ContainerEntrypoint") or []), *(application.get("ContainerArguments") or [])]
        return [str(self.here(word)) if word.startswith(f"{ROOT}/") else word for word in words]

    def here(self, path: str) -> Path:
        """Return where a path of the container is on this machine."""
        return self.root / Path(path).relative_to(ROOT)

    def make(self) -> None:
        """Make the folders and the configuration that a container finds."""
        for folder in (
            self.work,
            self.site,
            self.message.parent,
            *(path for _, _, path in (*self.inputs, *self.outputs)),
        ):
            folder.mkdir(parents=True, exist_ok=True)
        (self.site / "sitecustomize.py").write_text(SITE)
        config = self.root / "config"
        config.mkdir()
        hosts = [f"algo-{number}" for number in range(1, self.instances + 1)]
        resources = {"current_host": hosts[0], "hosts": hosts}
        (config / "resourceconfig.json").write_text(json.dumps(resources))
        (config / "processingjobconfig.json").write_text(json.dumps(self.request, default=str))

    def environment(self) -> dict[str, str]:
        """Return the variables that the request gives, and those by which Python sees what the image has."""
        given = {str(name): str(value) for name, value in (self.request.get("Environment") or {}).items()}
        path = os.pathsep.join(filter(None, [str(self.site), os.environ.get("PYTHONPATH", "")]))
        own = {"PROCESSING_JOB_NAME": self.request["ProcessingJobName"], "PYTHONPATH": path}
        return own | {"PYTHONHASHSEED": "0"} | given  # as PySpark has it, so that all processes agree on hashes
