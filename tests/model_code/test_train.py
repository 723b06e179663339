"""train.py, run as a program."""

import json
import math
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentimodel import artifact
from sentimodel.dataset import Split
from sentimodel.network import pair_rows
from sentimodel.predictor import Predictor

from tests.model_code.scripts import MODEL_CODE, load_script

TRAIN = MODEL_CODE / "train.py"
CHANNELS = ("train", "validation", "vocabulary")
QUICK: dict[str, Any] = {"epochs": 2, "batch_size": 32, "embedding_dim": 4, "hidden_dim": 4, "max_tokens": 16}
EPOCH_LINE = re.compile(
    r"epoch=(\d+) epochs=(\d+) train_loss=(\d+\.\d{4}) validation_loss=(\d+\.\d{4})"
    r" validation_accuracy=(\d\.\d{4}) seconds=(\d+\.\d)"
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


@pytest.fixture
def dataset(toy_dataset: Path, tmp_path: Path) -> Path:
    """A copy of the toy dataset to do harm to."""
    return Path(shutil.copytree(toy_dataset, tmp_path / "dataset"))


def test_sagemakers_variables_are_enough(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    folders = {f"SM_CHANNEL_{name.upper()}": str(toy_dataset / name) for name in CHANNELS}
    environment = {**folders, "SM_MODEL_DIR": str(tmp_path / "model"), "TRAINING_JOB_NAME": "job-7"}
    answer = run({"epochs": 1, "dataset": "abc"}, environment)
    assert answer.returncode == 0, answer.stderr
    metadata = artifact.read_metadata(tmp_path / "model")
    assert (metadata.model, metadata.dataset, metadata.hyperparameters["epochs"]) == ("job-7", "abc", 1)
    assert Predictor.load(tmp_path / "model").predict(["superb"])[0].model == "job-7"


def test_the_job_name_is_found_in_the_training_environment(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    environment = {"SM_TRAINING_ENV": json.dumps({"job_name": "job-8"})}
    assert run(by_hand(toy_dataset, tmp_path / "model", epochs=1), environment).returncode == 0
    assert artifact.read_metadata(tmp_path / "model").model == "job-8"


def test_each_epoch_has_its_line_and_the_best_one_is_kept(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    answer = run(by_hand(toy_dataset, tmp_path / "model", epochs=6, patience=6, learning_rate=0.02))
    assert answer.returncode == 0, answer.stderr
    lines = [match.groups() for match in map(EPOCH_LINE.fullmatch, answer.stdout.splitlines()) if match]
    assert [(number, epochs) for number, epochs, *_ in lines] == [(str(epoch), "6") for epoch in range(1, 7)]
    metrics = artifact.read_metadata(tmp_path / "model").metrics
    accuracies = [entry["validation_accuracy"] for entry in metrics["epochs"]]
    assert [f"{accuracy:.4f}" for accuracy in accuracies] == [line[4] for line in lines]
    assert metrics["best_epoch"] == 1 + accuracies.index(max(accuracies))
    validation = Split.load(toy_dataset / "validation" / "reviews.npz")
    predicted = Predictor.load(tmp_path / "model").probabilities(validation) >= 0.5
    assert (predicted == (validation.labels == 1)).mean() == pytest.approx(max(accuracies), abs=1e-6)


def test_training_stops_when_validation_gets_no_better(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    answer = run(by_hand(toy_dataset, tmp_path / "model", epochs=60, patience=1, learning_rate=0.03))
    metrics = artifact.read_metadata(tmp_path / "model").metrics
    assert answer.returncode == 0
    assert len(metrics["epochs"]) == metrics["best_epoch"] + 1 < 60


def test_one_seed_gives_one_model_and_another_another(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    digests = []
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        assert run(by_hand(toy_dataset, tmp_path / name, seed=seed)).returncode == 0
        digests.append(artifact.read_metadata(tmp_path / name).files)
    assert digests[0] == digests[1]
    assert digests[0][artifact.WEIGHTS] != digests[2][artifact.WEIGHTS]


def test_ratios_count_each_review_once_and_pairs_only_within_one() -> None:
    split = Split.from_reviews([[2, 2, 3], [2, 3], [3, 1, 2], [4, 3]], [1, 1, 0, 0])
    words, pairs = script.score_ratios(split, 6)
    # Reviews that hold each of the six words, and one more; four such reviews and six more in all.
    praise, blame = np.array([1, 1, 3, 3, 1, 1]) / 10, np.array([1, 1, 2, 3, 2, 1]) / 10
    np.testing.assert_allclose(words.numpy(), np.log(praise / blame), atol=1e-6)
    found = {tuple(pair): int(pair_rows(*torch.tensor(pair))) for pair in ([2, 2], [2, 3], [4, 3])}
    assert set(pairs.nonzero().flatten().tolist()) == set(found.values())
    assert pairs[found[2, 3]] > pairs[found[2, 2]] > 0 > pairs[found[4, 3]]


def test_calibration_fits_the_probabilities_to_the_validation_split(toy_artifact: Path, toy_dataset: Path) -> None:
    validation = Split.load(toy_dataset / "validation" / "reviews.npz")
    probabilities = Predictor.load(toy_artifact).probabilities(validation)
    logits = np.log(probabilities) - np.log1p(-probabilities)

    def loss(scale: float) -> float:
        return float(np.logaddexp(0, -scale * logits * (2.0 * validation.labels - 1)).mean())

    temperature = artifact.read_metadata(toy_artifact).metrics["temperature"]
    assert loss(1.0) <= loss(0.9) + 1e-3
    assert temperature == 0.5 or loss(1.0) <= loss(1.1) + 1e-3  # 0.5 is the lowest allowed


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
        ("train/reviews.npz", None, "does not exist"),
        ("train/reviews.npz", b"PK damaged", "not a file of encoded reviews"),
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
    Split.from_reviews([[2, 3]] * 5, [1] * 5).save(dataset / "validation" / "reviews.npz")
    assert "both labels" in failure(run(by_hand(dataset, tmp_path / "model")))


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 0), ("batch_size", -1), ("learning_rate", 0), ("dropout", 1.0), ("input_dropout", -0.1), ("seed", -1)],
)
def test_an_impossible_hyperparameter_is_named(
    run: Run, toy_dataset: Path, tmp_path: Path, name: str, value: float
) -> None:
    assert name in failure(run(by_hand(toy_dataset, tmp_path / "model", **{name: value})))


def test_a_loss_beyond_numbers_ends_training(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    message = failure(run(by_hand(toy_dataset, tmp_path / "model", learning_rate=math.inf, epochs=3)))
    assert "learning_rate" in message
    assert not (tmp_path / "model" / artifact.METADATA).exists()


def test_sagemaker_is_told_why_the_job_failed(run: Run, toy_dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "output" / "data").mkdir(parents=True)
    options = by_hand(toy_dataset, tmp_path / "model", epochs=0)
    answer = run(options, {"SM_OUTPUT_DATA_DIR": str(tmp_path / "output" / "data")})
    assert (tmp_path / "output" / "failure").read_text() in failure(answer)
