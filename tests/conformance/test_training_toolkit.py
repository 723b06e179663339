"""AWS's own training toolkit, as it runs in SageMaker's containers, runs the job that `train` submits."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sentimodel.predictor import Predictor

from sentictl.assets.installed import model_code
from tests.conformance.conftest import Submitted

SECONDS = 300
FOR_RAY_SERVE = ("config.yaml", "deployment.py")  # AWS looks for them in the artifact itself


@dataclass(frozen=True)
class Container:
    """A training container's `/opt/ml`, with the channels that SageMaker has fetched."""

    base: Path
    submitted: Submitted

    @property
    def job(self) -> Any:
        """The request that the container was started for."""
        return self.submitted.requests["CreateTrainingJob"]

    @property
    def failure(self) -> str:
        """What SageMaker would give as the reason that the job failed."""
        return (self.base / "output" / "failure").read_text()

    def configure(self, **changes: str) -> None:
        """Write the three files that SageMaker describes a job with.

        Args:
            changes: hyperparameters that differ from the request's, as strings.
        """
        mode = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
        documents = {
            "hyperparameters": {**self.job["HyperParameters"], **changes},
            "inputdataconfig": {channel["ChannelName"]: mode for channel in self.job["InputDataConfig"]},
            # The toolkit waits until the network knows each host; algo-1, as on AWS, it would never know here.
            "resourceconfig": {"current_host": "localhost", "hosts": ["localhost"], "network_interface_name": "lo"},
        }
        folder = self.base / "input" / "config"
        folder.mkdir(parents=True, exist_ok=True)
        for name, document in documents.items():
            (folder / f"{name}.json").write_text(json.dumps(document))

    def train(self) -> "subprocess.CompletedProcess[str]":
        """Run the toolkit's `train`, with no way to a package index: requirements.txt must need none."""
        program = Path(sys.executable).with_name("train")
        variables = {
            **self.submitted.variables(),
            "SAGEMAKER_BASE_DIR": str(self.base),
            "TRAINING_JOB_NAME": self.job["TrainingJobName"],
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PATH": f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        }
        return subprocess.run([program], env=variables, capture_output=True, text=True, check=False, timeout=SECONDS)


def make_container(submitted: Submitted, base: Path) -> Container:
    container = Container(base, submitted)
    for name in ("model", "output/data"):
        (base / name).mkdir(parents=True)
    for channel in container.job["InputDataConfig"]:
        source = channel["DataSource"]["S3DataSource"]["S3Uri"]
        submitted.download(source, base / "input" / "data" / channel["ChannelName"])
    container.configure()
    return container


@pytest.fixture
def container(submitted: Submitted, tmp_path: Path) -> Container:
    return make_container(submitted, tmp_path / "ml")


@pytest.fixture(scope="module")
def trained(submitted: Submitted, tmp_path_factory: pytest.TempPathFactory) -> tuple[Container, str]:
    """A container in which the job has come to its end, and the job's log."""
    container = make_container(submitted, tmp_path_factory.mktemp("trained") / "ml")
    done = container.train()
    assert done.returncode == 0, done.stdout + done.stderr
    return container, done.stdout


def test_the_job_makes_an_artifact_that_loads(trained: tuple[Container, str]) -> None:
    container, _ = trained
    predictor = Predictor.load(container.base / "model")
    assert predictor.metadata.model == container.job["TrainingJobName"]
    assert [prediction.sentiment for prediction in predictor.predict(["a superb film", "a boring film"])] == [1, 0]


def test_every_hyperparameter_reaches_the_script(trained: tuple[Container, str]) -> None:
    container, _ = trained
    metadata = Predictor.load(container.base / "model").metadata
    sent = {name: text for name, text in container.job["HyperParameters"].items() if not name.startswith("sagemaker_")}
    assert metadata.dataset == json.loads(sent.pop("dataset"))
    for most in ("ngrams", "lstm_vocabulary_size"):  # the reviews may have fewer
        assert 0 < metadata.hyperparameters[most] <= int(sent.pop(most))
    assert {name: json.loads(text) for name, text in sent.items()}.items() <= metadata.hyperparameters.items()


def test_the_artifact_carries_the_code_of_the_source_archive(trained: tuple[Container, str]) -> None:
    container, _ = trained
    artifact = container.base / "model"
    for name, path in model_code().items():
        if name != "train.py":
            folder = artifact if name in FOR_RAY_SERVE else artifact / "code"
            assert (folder / name).read_bytes() == path.read_bytes(), name


def test_the_metric_definitions_find_the_figures_of_every_epoch(trained: tuple[Container, str]) -> None:
    container, log = trained
    metrics = Predictor.load(container.base / "model").metadata.metrics
    epochs = [epoch for stage in metrics["stages"].values() for epoch in stage["epochs"]]
    lines = [line for line in log.splitlines() if line.startswith("epoch=")]
    for definition in container.job["AlgorithmSpecification"]["MetricDefinitions"]:
        found = [re.findall(definition["Regex"], line) for line in lines]
        expected = [epoch[definition["Name"]] for epoch in epochs]
        assert [[float(text) for text in texts] for texts in found] == [
            [pytest.approx(value, abs=5e-5)] for value in expected
        ]
        found_last = re.findall(definition["Regex"], log)[-1]
        last = metrics.get(definition["Name"], expected[-1])  # those of validation: of the calibrated model
        assert float(found_last) == pytest.approx(last, abs=5e-5)


def test_a_job_with_an_unknown_hyperparameter_says_which(container: Container) -> None:
    container.configure(epoch="3")
    assert container.train().returncode != 0
    assert "unrecognized arguments: --epoch 3" in container.failure
    assert not any((container.base / "model").iterdir())


def test_a_job_without_a_channel_says_which(container: Container) -> None:
    shutil.rmtree(container.base / "input" / "data" / "vocabulary")
    assert container.train().returncode != 0
    assert "channel vocabulary lacks vocabulary.txt" in container.failure
