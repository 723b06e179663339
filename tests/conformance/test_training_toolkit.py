"""AWS's own training toolkit, as it runs in SageMaker's containers, runs train.py unchanged."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sentimodel.predictor import Predictor

MODEL_CODE = Path(__file__).parents[2] / "model_code"
CHANNELS = ("train", "validation", "vocabulary")
JOB = "toolkit-job"
QUICK = {"epochs": 1, "batch_size": 32, "embedding_dim": 4, "hidden_dim": 4, "dropout": 0.25, "max_tokens": 16}


@pytest.fixture
def container(toy_dataset: Path, tmp_path: Path) -> Path:
    """A container's /opt/ml, with the data and the source tarball that SageMaker would have fetched."""
    base = tmp_path / "ml"
    for name in ("model", "output/data"):
        (base / name).mkdir(parents=True)
    for channel in CHANNELS:
        shutil.copytree(toy_dataset / channel, base / "input" / "data" / channel)
    with tarfile.open(tmp_path / "sourcedir.tar.gz", "w:gz") as tar:
        for name in ("train.py", "inference.py", "requirements.txt", "sentimodel"):
            tar.add(MODEL_CODE / name, name, filter=lambda member: None if "__pycache__" in member.name else member)
    configure(base, hyperparameters(tmp_path / "sourcedir.tar.gz"))
    return base


def hyperparameters(source: Path, **changes: Any) -> dict[str, str]:
    """Hyperparameters as CreateTrainingJob gets them: each a JSON document in a string."""
    values = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": str(source),
        "sagemaker_region": "us-east-1",
        "sagemaker_job_name": JOB,
        "sagemaker_container_log_level": 20,
        "architecture": "lstm",
        **QUICK,
        **changes,
    }
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def configure(base: Path, values: Mapping[str, str]) -> None:
    """Write the three files that SageMaker describes a job with."""
    mode = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
    resources = {"current_host": "localhost", "hosts": ["localhost"], "network_interface_name": "lo"}
    folder = base / "input" / "config"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hyperparameters.json").write_text(json.dumps(values))
    (folder / "inputdataconfig.json").write_text(json.dumps(dict.fromkeys(CHANNELS, mode)))
    (folder / "resourceconfig.json").write_text(json.dumps(resources))


def train(base: Path) -> subprocess.CompletedProcess[str]:
    """Run the toolkit's `train`, with no way to a package index: requirements.txt must need none."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SM_", "SAGEMAKER_", "AWS_"))}
    environment = {
        **kept,
        "SAGEMAKER_BASE_DIR": str(base),
        "TRAINING_JOB_NAME": JOB,
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}",
    }
    command = [Path(sys.executable).with_name("train")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_the_toolkit_trains_an_artifact_that_loads(container: Path) -> None:
    answer = train(container)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "epoch=1 epochs=1 train_loss=" in answer.stdout
    predictor = Predictor.load(container / "model")
    assert predictor.metadata.model == JOB
    assert QUICK.items() <= predictor.metadata.hyperparameters.items()
    assert predictor.predict(["a superb film"])[0].model == JOB
    assert (container / "model" / "code" / "inference.py").read_bytes() == (MODEL_CODE / "inference.py").read_bytes()


def test_the_toolkit_passes_on_why_training_failed(container: Path, tmp_path: Path) -> None:
    configure(container, hyperparameters(tmp_path / "sourcedir.tar.gz", dropout=2))
    answer = train(container)
    assert answer.returncode != 0
    assert "hyperparameter dropout" in (container / "output" / "failure").read_text()
    assert not (container / "model" / "metadata.json").exists()
