"""train.py, run as a program."""

import json
import math
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentimodel import artifact, files
from sentimodel.artifact import PARTS
from sentimodel.dataset import Reviews, Split
from sentimodel.fit import TEMPERATURES
from sentimodel.predictor import Predictor
from sentimodel.text import TextSettings, tokenize
from sentimodel.vocabulary import Vocabulary

from tests.conftest import toy_reviews
from tests.model_code.scripts import MODEL_CODE, load_script

TRAIN = MODEL_CODE / "train.py"
CHANNELS = ("train", "validation", "vocabulary")
QUICK: dict[str, Any] = {
    "architecture": "ngram",
    "epochs": 2,
    "batch_size": 32,
    "ngrams": 5000,
    "lstm_vocabulary_size": 100,
    "embedding_dim": 4,
    "hidden_dim": 4,
    "max_tokens": 16,
}
LEARNING: dict[str, Any] = {"epochs": 10, "patience": 10, "learning_rate": 0.05}  # enough for the LSTM to learn
EPOCH_LINE = re.compile(
    r"epoch=(\d+) epochs=(\d+) train_loss=(\d+\.\d{4}) validation_loss=(\d+\.\d{4})"
    r" validation_accuracy=(\d\.\d{4}) seconds=(\d+\.\d) stage=([a-z0-9-]+)"
)


@dataclass(frozen=True)
class Answer:
    """What came of a run."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Answer]


# `toy_artifact` and AWS's toolkit run it as a program; here that would take too long.
script = load_script("train")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs train.py with these options, and of SageMaker's variables only those given."""
    for name in [name for name in os.environ if name.startswith(("SM_", "TRAINING_JOB"))]:
        monkeypatch.delenv(name)

    def ran(options: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Answer:
        for name, value in (environment or {}).items():
            monkeypatch.setenv(name, value)
        code = script.main([part for name, value in options.items() for part in (f"--{name}", str(value))])
        output = capsys.readouterr()
        return Answer(code, output.out, output.err)

    yield ran
    torch.use_deterministic_algorithms(False)


def by_hand(dataset: Path, model: Path, **options: Any) -> dict[str, Any]:
    """The options of a run by hand."""
    return {**{name: dataset / name for name in CHANNELS}, "model-dir": model, **QUICK, **options}


def failure(answer: Answer) -> str:
    """The one line that a failed run has to say on stderr."""
    assert answer.returncode == 1
    lines = answer.stderr.splitlines()
    assert len(lines) == 1, answer.stderr
    return lines[0]


@pytest.fixture(scope="module")
def unlabelled(toy_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A channel of reviews without labels."""
    vocabulary = Vocabulary.load(toy_dataset / "vocabulary" / "vocabulary.txt")
    text = TextSettings.from_dict(json.loads((toy_dataset / "vocabulary" / "text.json").read_text()))
    folder = tmp_path_factory.mktemp("unlabelled")
    encoded = [vocabulary.encode(tokenize(review, text)) for review, _ in toy_reviews(500)[400:]]
    Reviews.from_reviews(encoded).save(folder / "reviews-00000.npz")
    return folder


@pytest.fixture
def dataset(toy_dataset: Path, tmp_path: Path) -> Path:
    """A copy of the toy dataset to do harm to."""
    return Path(shutil.copytree(toy_dataset, tmp_path / "dataset"))


def test_sagemakers_variables_are_enough(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    folders = {f"SM_CHANNEL_{name.upper()}": str(toy_dataset / name) for name in CHANNELS}
    environment = {**folders, "SM_MODEL_DIR": str(tmp_path / "model"), "TRAINING_JOB_NAME": "job-7"}
    answer = run({**QUICK, "dataset": "abc"}, environment)
    assert answer.returncode == 0, answer.stderr
    metadata = artifact.read_metadata(tmp_path / "model")
    assert (metadata.model, metadata.dataset, metadata.architecture) == ("job-7", "abc", "ngram")
    assert Predictor.load(tmp_path / "model").predict(["superb"])[0].model == "job-7"


def test_sagemakers_channel_of_unlabelled_reviews_is_used(
    run: Run, toy_dataset: Path, unlabelled: Path, tmp_path: Path
) -> None:
    answer = run(by_hand(toy_dataset, tmp_path / "model"), {"SM_CHANNEL_UNLABELLED": str(unlabelled)})
    assert "stage=self-training" in answer.stdout


def test_the_job_name_is_found_in_the_training_environment(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    environment = {"SM_TRAINING_ENV": json.dumps({"job_name": "job-8"})}
    assert run(by_hand(toy_dataset, tmp_path / "model"), environment).returncode == 0
    assert artifact.read_metadata(tmp_path / "model").model == "job-8"


@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("architecture", PARTS)
def test_each_architecture_is_trained_and_predicts(
    run: Run, toy_dataset: Path, unlabelled: Path, tmp_path: Path, architecture: str, more: bool
) -> None:
    options = by_hand(toy_dataset, tmp_path / "model", architecture=architecture, **LEARNING)
    answer = run(options | ({"unlabelled": unlabelled} if more else {}))
    assert answer.returncode == 0, answer.stderr
    metadata = artifact.read_metadata(tmp_path / "model")
    assert metadata.architecture == architecture
    assert set(metadata.files) == {files.WEIGHTS, files.ONNX, files.NGRAMS, files.VOCABULARY}
    test = Split.load(toy_dataset / "test")
    one, other = (Predictor.load(tmp_path / "model", runtime).probabilities(test) for runtime in ("onnx", "torch"))
    np.testing.assert_allclose(one, other, atol=1e-5)
    assert ((one >= 0.5) == (test.labels == 1)).mean() > 0.9


def test_each_epoch_has_its_line_and_the_best_one_is_kept(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    answer = run(by_hand(toy_dataset, tmp_path / "model", architecture="wide-lstm", epochs=4, patience=4))
    assert answer.returncode == 0, answer.stderr
    lines = [match.groups() for match in map(EPOCH_LINE.fullmatch, answer.stdout.splitlines()) if match]
    assert len(lines) == answer.stdout.count("\nepoch=")
    metrics = artifact.read_metadata(tmp_path / "model").metrics
    for stage, told in metrics["stages"].items():
        assert [line[0] for line in lines if line[6] == stage] == [str(each["epoch"]) for each in told["epochs"]]
        accuracies = [each["validation_accuracy"] for each in told["epochs"]]
        assert [line[4] for line in lines if line[6] == stage] == [f"{accuracy:.4f}" for accuracy in accuracies]
        assert told["best_epoch"] == 1 + accuracies.index(max(accuracies))
    assert [line[1] for line in lines if line[6] == "lstm"] == ["4"] * 4
    assert (metrics["epochs"], metrics["best_epoch"]) == (
        metrics["stages"]["lstm"]["epochs"],
        metrics["stages"]["lstm"]["best_epoch"],
    )


def test_the_last_figures_are_those_of_the_artifact(run: Run, noisy: Path, tmp_path: Path) -> None:
    answer = run(by_hand(noisy, tmp_path / "model", architecture="wide-lstm"))
    metrics = artifact.read_metadata(tmp_path / "model").metrics
    assert answer.stdout.splitlines()[-2] == (
        f"calibrated validation_loss={metrics['validation_loss']:.4f}"
        f" validation_accuracy={metrics['validation_accuracy']:.4f}"
    )
    validation = Split.load(noisy / "validation")
    probabilities = Predictor.load(tmp_path / "model").probabilities(validation)
    right = (probabilities >= 0.5) == (validation.labels == 1)
    assert right.mean() == pytest.approx(metrics["validation_accuracy"], abs=1e-6)
    losses = -np.log(np.where(validation.labels == 1, probabilities, 1 - probabilities))
    assert losses.mean() == pytest.approx(metrics["validation_loss"], abs=1e-4)


@pytest.mark.parametrize("architecture", PARTS)
def test_calibration_fits_the_probabilities_to_the_validation_split(
    run: Run, noisy: Path, tmp_path: Path, architecture: str
) -> None:
    assert run(by_hand(noisy, tmp_path / "model", architecture=architecture, **LEARNING)).returncode == 0
    validation = Split.load(noisy / "validation")
    parts = Predictor.load(tmp_path / "model").part_logits(validation)
    logits = np.sum(list(parts.values()), axis=0)

    positive, negative = int(validation.labels.sum()), int((1 - validation.labels).sum())
    targets = np.where(validation.labels, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss(scale: float) -> float:
        return float((np.logaddexp(0, scale * logits) - targets * scale * logits).mean())

    metrics = artifact.read_metadata(tmp_path / "model").metrics
    temperature = 1 / metrics["parts"][PARTS[architecture][0]]["scale"]
    least_sure, surest = (temperature == pytest.approx(limit.item()) for limit in TEMPERATURES.aminmax()[::-1])
    assert least_sure or loss(1.0) <= loss(0.9) + 1e-4
    assert surest or loss(1.0) <= loss(1.1) + 1e-4


@pytest.fixture
def noisy(dataset: Path) -> Path:
    """A dataset with wrong labels in the validation split, which no model can be sure of."""
    path = dataset / "validation" / "reviews-00000.npz"
    split = Split.read(path)
    labels = np.where(np.arange(len(split)) % 5, split.labels, 1 - split.labels).astype(np.uint8)
    replace(split, labels=labels).save(path)
    return dataset


def test_training_stops_when_validation_gets_no_better(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    answer = run(by_hand(toy_dataset, tmp_path / "model", architecture="lstm", epochs=60, patience=1))
    metrics = artifact.read_metadata(tmp_path / "model").metrics
    assert answer.returncode == 0
    assert len(metrics["epochs"]) == metrics["best_epoch"] + 1 < 60


@pytest.mark.parametrize("architecture", PARTS)
def test_one_seed_gives_one_model_and_another_another(
    run: Run, toy_dataset: Path, unlabelled: Path, tmp_path: Path, architecture: str
) -> None:
    digests = []
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        options = by_hand(toy_dataset, tmp_path / name, architecture=architecture, unlabelled=unlabelled, seed=seed)
        assert run(options).returncode == 0
        digests.append(artifact.read_metadata(tmp_path / name).files)
    assert digests[0] == digests[1]
    assert (digests[0][files.WEIGHTS] == digests[2][files.WEIGHTS]) == (architecture == "ngram")  # nothing random there


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_missing_channel_is_named(run: Run, toy_dataset: Path, tmp_path: Path, channel: str) -> None:
    options = by_hand(toy_dataset, tmp_path / "model")
    del options[channel]
    message = failure(run(options))
    assert f"--{channel}" in message
    assert f"SM_CHANNEL_{channel.upper()}" in message
    assert not (tmp_path / "model").exists()


def test_a_missing_model_folder_is_named(run: Run, toy_dataset: Path) -> None:
    options = by_hand(toy_dataset, Path("unused"))
    del options["model-dir"]
    assert "--model-dir" in failure(run(options))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("train/reviews-00000.npz", None, "does not exist"),
        ("train/reviews-00000.npz", b"PK damaged", "not a file of encoded reviews"),
        ("vocabulary/vocabulary.txt", b"<pad>\n<unk>\ncut", "cut off"),
        ("vocabulary/vocabulary.txt", b"<pad>\n<unk>\nfilm\n", "another vocabulary"),
        ("vocabulary/text.json", b"{", "text settings"),
        ("vocabulary/text.json", b"[]", "text settings"),
        ("vocabulary/text.json", b"\xff", "text settings"),
    ],
)
def test_damaged_data_is_named(
    run: Run, dataset: Path, tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    (dataset / name).unlink()
    if content is not None:
        (dataset / name).write_bytes(content)
    message = failure(run(by_hand(dataset, tmp_path / "model")))
    assert reason in message
    assert not (tmp_path / "model").exists()


def test_a_split_of_one_label_is_refused(run: Run, dataset: Path, tmp_path: Path) -> None:
    Split.from_reviews([[2, 3]] * 5, [1] * 5).save(dataset / "validation" / "reviews-00000.npz")
    assert "both labels" in failure(run(by_hand(dataset, tmp_path / "model")))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("lstm_vocabulary_size", 1),
        ("batch_size", -1),
        ("accumulation", 0),
        ("learning_rate", 0),
        ("dropout", 1.0),
        ("input_dropout", -0.1),
        ("seed", -1),
    ],
)
def test_an_impossible_hyperparameter_is_named(
    run: Run, toy_dataset: Path, tmp_path: Path, name: str, value: float
) -> None:
    assert name in failure(run(by_hand(toy_dataset, tmp_path / "model", **{name: value})))


def test_terminated_it_goes_on_from_its_last_checkpoint(
    run: Run, toy_dataset: Path, unlabelled: Path, tmp_path: Path
) -> None:
    options = by_hand(toy_dataset, tmp_path / "model", architecture="wide-lstm", unlabelled=unlabelled, epochs=12)
    checkpoints = {"checkpoint-dir": tmp_path / "checkpoints"}
    command = [sys.executable, str(TRAIN)]
    command += [part for name, value in (options | checkpoints).items() for part in (f"--{name}", str(value))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while not (line := process.stdout.readline()).endswith(" stage=fold-1\n"):
            assert line, process.communicate()
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143
    assert stderr.splitlines() == ["training interrupted: the same again goes on from the last checkpoint"]
    assert not (tmp_path / "model").exists()
    resumed = run(options | checkpoints)
    assert resumed.stdout.count("checkpoint=found, going on after epoch ") >= 3
    trained = {match[7] for match in map(EPOCH_LINE.fullmatch, resumed.stdout.splitlines()) if match}
    assert trained.isdisjoint({"ngram", "self-training"})
    assert "lstm" in trained
    assert run(options | {"model-dir": tmp_path / "whole"}).returncode == 0
    weights = [artifact.read_metadata(tmp_path / name).files[files.WEIGHTS] for name in ("model", "whole")]
    assert weights[0] == weights[1]


def test_a_checkpoint_of_other_data_is_left_alone(run: Run, dataset: Path, unlabelled: Path, tmp_path: Path) -> None:
    options = by_hand(dataset, tmp_path / "model", **{"checkpoint-dir": tmp_path / "checkpoints"})
    assert run(options).returncode == 0
    assert "going on after epoch 1 of 1" in run(options).stdout
    assert "other data or hyperparameters" in run(options | {"seed": 2}).stdout
    assert "other data or hyperparameters" in run(options).stdout
    assert "other data or hyperparameters" in run(options | {"unlabelled": unlabelled}).stdout
    assert "other data or hyperparameters" in run(options).stdout
    Split.from_reviews([[2, 3], [3, 4]] * 5, [1, 0] * 5).save(dataset / "validation" / "reviews-00000.npz")
    assert "other data or hyperparameters" in run(options).stdout


def test_sagemakers_checkpoint_folder_is_used_where_it_is(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    environment = {"SM_CHECKPOINT_DIR": str(folder)}
    options = by_hand(toy_dataset, tmp_path / "model")
    assert run(options, environment).returncode == 0
    assert not folder.exists()
    folder.mkdir()
    assert run(options, environment).returncode == 0
    assert [path.name for path in folder.iterdir()] == ["ngram.checkpoint"]


@pytest.mark.parametrize("value", ["transformer", "", "LSTM"])
def test_an_unknown_architecture_is_refused(run: Run, toy_dataset: Path, tmp_path: Path, value: str) -> None:
    with pytest.raises(SystemExit):
        run(by_hand(toy_dataset, tmp_path / "model", architecture=value))


@pytest.mark.parametrize("value", ["yes", "1"])
def test_a_switch_is_true_or_false(run: Run, toy_dataset: Path, tmp_path: Path, value: str) -> None:
    with pytest.raises(SystemExit):
        run(by_hand(toy_dataset, tmp_path / "model", mixed_precision=value))


def test_a_loss_beyond_numbers_ends_training(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    message = failure(run(by_hand(toy_dataset, tmp_path / "model", architecture="lstm", learning_rate=math.inf)))
    assert "learning_rate" in message
    assert not (tmp_path / "model" / files.METADATA).exists()


def test_sagemaker_is_told_why_the_job_failed(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "output" / "data").mkdir(parents=True)
    options = by_hand(toy_dataset, tmp_path / "model", epochs=0)
    answer = run(options, {"SM_OUTPUT_DATA_DIR": str(tmp_path / "output" / "data")})
    assert (tmp_path / "output" / "failure").read_text() in failure(answer)


def test_a_full_disk_is_the_reason_also_where_sagemaker_cannot_be_told(
    run: Run, toy_dataset: Path, tmp_path: Path
) -> None:
    (tmp_path / "output" / "data").mkdir(parents=True)
    (tmp_path / "output" / "failure").symlink_to("/dev/full")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        answer = run(
            by_hand(toy_dataset, tmp_path / "model", architecture="ngram"),
            {"SM_OUTPUT_DATA_DIR": str(tmp_path / "output" / "data")},
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "File too large" in failure(answer)
