"""The folders, variables and arguments that a script finds in a training container.

Names and forms follow AWS's own toolkit (sagemaker-training 5), which runs the same script on AWS.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEALT = "ShardedByS3Key"
RESERVED = ("sagemaker_", "_tuning_objective_metric")  # how the names of the toolkit's own hyperparameters begin


@dataclass(frozen=True)
class TrainingContainer:
    """The folder that stands for `/opt/ml`, for one training job's request."""

    root: Path
    request: dict[str, Any]

    @property
    def code(self) -> Path:
        return self.root / "code"

    @property
    def model(self) -> Path:
        return self.root / "model"

    @property
    def output(self) -> Path:
        return self.root / "output"

    @property
    def output_data(self) -> Path:
        return self.output / "data"

    @property
    def failure(self) -> Path:
        return self.output / "failure"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def hosts(self) -> list[str]:
        """The names of the job's hosts, the first of which is the master. They share this folder, but for shards."""
        count = self.request["ResourceConfig"].get("InstanceCount", 1)
        return [f"algo-{number}" for number in range(1, count + 1)]

    @property
    def channels(self) -> list[str]:
        return [channel["ChannelName"] for channel in self.request.get("InputDataConfig") or []]

    @property
    def dealt(self) -> frozenset[str]:
        """The channels of which each host has objects of its own (ShardedByS3Key)."""
        channels = (self.request.get("InputDataConfig") or []) if len(self.hosts) > 1 else []
        return frozenset(
            channel["ChannelName"]
            for channel in channels
            if channel["DataSource"]["S3DataSource"].get("S3DataDistributionType") == DEALT
        )

    def channel(self, name: str, host: str) -> Path:
        """Where a host finds the objects of a channel."""
        own = self.root / "hosts" / host if name in self.dealt else self.root
        return own / "input" / "data" / name

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """All of them, decoded: values arrive as JSON, or as plain strings where they are no JSON."""
        return {name: decode(value) for name, value in (self.request.get("HyperParameters") or {}).items()}

    @property
    def script_hyperparameters(self) -> dict[str, Any]:
        """Those for the script: the toolkit keeps its own to itself."""
        return {name: value for name, value in self.hyperparameters.items() if not name.startswith(RESERVED)}

    @property
    def program(self) -> str:
        return str(self.hyperparameters.get("sagemaker_program", "train.py"))

    @property
    def arguments(self) -> list[str]:
        """`--name value`, sorted by name; a name of one letter gets one dash, as by the toolkit."""
        pairs = sorted(self.script_hyperparameters.items())
        return [word for name, value in pairs for word in (f"-{name}" if len(name) == 1 else f"--{name}", _word(value))]

    def make(self) -> None:
        """Make the folders and the configuration files that a container finds."""
        channels = (self.channel(name, host) for name in self.channels for host in self.hosts)
        for folder in (self.code, self.model, self.output_data, *channels):
            folder.mkdir(parents=True, exist_ok=True)
        config = self.root / "input" / "config"
        config.mkdir(parents=True)
        documents = {
            "hyperparameters": self.request.get("HyperParameters") or {},
            "inputdataconfig": self._input_config(),
            "resourceconfig": self._resource_config(self.hosts[0]),
        }
        for name, document in documents.items():
            (config / f"{name}.json").write_text(json.dumps(document))

    def environment(self, region: str, host: str) -> dict[str, str]:
        """The `SM_*` variables of one host, and those that SageMaker itself sets."""
        job = self.request["TrainingJobName"]
        values = self._values(host)
        plain = {f"SM_{name.upper()}": _encode(value) for name, value in values.items()}
        folders = {name: str(self.channel(name, host)) for name in self.channels}
        channels = {f"SM_CHANNEL_{name.upper()}": folder for name, folder in folders.items()}
        single = {f"SM_HP_{name.upper()}": _encode(value) for name, value in self.script_hyperparameters.items()}
        whole = {
            "additional_framework_parameters": {},
            "channel_input_dirs": folders,
            "hyperparameters": self.script_hyperparameters,
            "is_master": host == self.hosts[0],
            "job_name": job,
            "master_hostname": self.hosts[0],
            **{name: value for name, value in values.items() if name not in ("hps", "channels", "user_args")},
        }
        return (
            plain
            | channels
            | single
            | {
                "SM_TRAINING_ENV": json.dumps(whole),
                "TRAINING_JOB_NAME": job,
                # On AWS this is /opt/ml/checkpoints, which is there if the job has a CheckpointConfig.
                **({"SM_CHECKPOINT_DIR": str(self.checkpoints)} if self.request.get("CheckpointConfig") else {}),
                "TRAINING_JOB_ARN": f"arn:aws:sagemaker:{region}:123456789012:training-job/{job}",
                "PYTHONPATH": os.pathsep.join(filter(None, [str(self.code), os.environ.get("PYTHONPATH", "")])),
                **{str(k): str(v) for k, v in (self.request.get("Environment") or {}).items()},
            }
        )

    def _values(self, host: str) -> dict[str, Any]:
        instance = self.request["ResourceConfig"].get("InstanceType", "ml.m5.large")
        return {
            "hosts": self.hosts,
            "current_host": host,
            "current_instance_type": instance,
            "current_instance_group": "homogeneousCluster",
            "network_interface_name": "eth0",
            "hps": self.script_hyperparameters,
            "channels": sorted(self.channels),
            "user_entry_point": self.program,
            "user_args": self.arguments,
            "module_name": Path(self.program).stem,
            "module_dir": str(self.hyperparameters.get("sagemaker_submit_directory", "")),
            "framework_params": {},
            "framework_module": "",
            "resource_config": self._resource_config(host),
            "input_data_config": self._input_config(),
            "input_dir": str(self.root / "input"),
            "input_config_dir": str(self.root / "input" / "config"),
            "output_dir": str(self.output),
            "output_data_dir": str(self.output_data),
            "output_intermediate_dir": str(self.output / "intermediate"),
            "model_dir": str(self.model),
            "num_cpus": os.cpu_count() or 1,
            "num_gpus": 0,
            "num_neurons": 0,
            "log_level": int(self.hyperparameters.get("sagemaker_container_log_level", 20)),
        }

    def _resource_config(self, host: str) -> dict[str, Any]:
        return {"current_host": host, "hosts": self.hosts, "network_interface_name": "eth0"}

    def _input_config(self) -> dict[str, Any]:
        mode = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
        return {name: mode | ({"S3DistributionType": DEALT} if name in self.dealt else {}) for name in self.channels}


def decode(value: str) -> Any:
    """Return a hyperparameter's value: decoded if it is JSON, else the string itself."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _word(value: Any) -> str:
    """A value as the toolkit puts it on the command line."""
    if isinstance(value, dict):
        return ",".join(f"{name}={item}" for name, item in sorted(value.items()))
    return "" if value is None else str(value)


def _encode(value: Any) -> str:
    """A value as the toolkit puts it into the environment."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
