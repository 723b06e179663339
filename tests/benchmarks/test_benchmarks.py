"""The benchmarks of the model run, on reviews that are learned in seconds; and what an ablation changes is real."""

import csv
import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sentimodel.dataset import GroupedSplit, Reviews, Split
from sentimodel.files import shard_name
from sentimodel.network import LstmClassifier, NetworkConfig
from sentimodel.training_inputs import Hyperparameters
from torch import Tensor

from sentictl.config.settings import DataSettings
from sentictl.reviews.read.tables.table import TableSource
from tests.conftest import toy_reviews
from tests.prepared import popen as prepared

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
REVIEWS = 400
SECONDS = 120

# Not by an import statement: type checkers would follow it, to libraries that may not be there.
sys.path.append(str(BENCHMARKS))  # where Python looks first when it runs one of them
ablations = importlib.import_module("benchmarks.ablations")
accuracy = importlib.import_module("benchmarks.accuracy")
document_vectors = importlib.import_module("benchmarks.document_vectors")
machines = importlib.import_module("benchmarks.machines")
many = importlib.import_module("benchmarks.many")
measure = importlib.import_module("benchmarks.measure")


def needs(module: str) -> pytest.MarkDecorator:
    """Skips what compares with a library that is not there."""
    return pytest.mark.skipif(find_spec(module) is None, reason=f"{module} is not installed: it is in the extra bench")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "reviews.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("review", "label"), *toy_reviews(REVIEWS)])
    return path


@pytest.mark.parametrize(
    "model",
    [
        pytest.param("scikit-learn", marks=needs("sklearn")),
        pytest.param("fasttext", marks=needs("fasttext")),
        pytest.param("vader", marks=needs("vaderSentiment")),
        pytest.param("textblob", marks=needs("textblob")),
        "tutorial",
        "ngram",
    ],
)
def test_a_model_is_measured_on_the_test_split(
    model: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "accuracy.json"
    monkeypatch.setattr("tutorial.LENGTH", 40)  # no review here is longer
    options = ["--only", model, "--tutorial-epochs", "6", "--json", str(file)]
    monkeypatch.setattr(sys, "argv", ["accuracy.py", str(source), *options])
    accuracy.main()
    section = json.loads(file.read_text())
    assert f"{REVIEWS * 9 // 10} reviews to learn from, {REVIEWS // 10} test reviews" in section["about"]
    ((name, *figures),) = section["tables"][0]["rows"]
    accuracy_percent, low, high, predicting = float(figures[0]), *map(float, figures[1].split(" to ")), figures[-1]
    assert name == model
    assert 50 < low < accuracy_percent <= high <= 100  # these reviews say plainly what they mean
    assert float(predicting) >= 0
    assert f"| {model} " in capfd.readouterr().out


@pytest.mark.parametrize(
    ("only", "message"),
    [
        ("scikit", "there is no model 'scikit'"),
        ("vader", "pip install -e '.[bench]'"),
        ("lstm+unlabelled", "reviews.csv has no unlabelled reviews"),
    ],
)
def test_what_cannot_be_measured_is_said(
    only: str, message: str, source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(accuracy, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["accuracy.py", str(source), "--only", only])
    with pytest.raises(SystemExit) as end:
        accuracy.main()
    assert end.value.code != 0
    assert message in capsys.readouterr().err + str(end.value)


def test_the_rows_of_ablations_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["ablations.py", "--list"])
    ablations.main()
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == list(ablations.ROWS)


def test_an_ablation_trains_and_shows_the_parts_there_are(source: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SM_")}
    command = [sys.executable, str(BENCHMARKS / "ablations.py"), "no-ends", str(source)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert run.returncode == 0, run.stderr
    assert "40 validation reviews, not by film" in run.stdout
    changed, row, ngram, lstm, together, _ = (
        cell.strip() for cell in run.stdout.splitlines()[-1].strip("| ").split("|")
    )
    assert (changed, row, lstm) == ("no scores of their own at the end", "no-ends", "")
    assert ngram == together
    assert float(ngram) > 90


def test_several_seeds_give_their_mean_and_how_far_apart_they_are() -> None:
    assert ablations.percent([0.905]) == "90.50"
    assert ablations.percent([0.91, 0.90, 0.905]) == "90.50 (90.00 to 91.00)"
    assert ablations.percent([]) == ""


@pytest.mark.parametrize("name", ablations.ROWS)
def test_a_row_changes_what_there_is(name: str) -> None:
    row = ablations.ROWS[name]
    DataSettings(**row.data)
    before = {**DataSettings().model_dump(), **asdict(Hyperparameters())}
    changes = [before[key] != value for key, value in {**row.data, **row.hyperparameters}.items()]
    changes += [getattr(owner, attribute) != value for owner, attribute, value in row.patches]
    assert all(changes)
    assert bool(changes) == (name != "default")


@pytest.mark.parametrize(
    ("positions", "kept"),
    [
        (Reviews.positions, [[6, 7, 8, 9], [10, 11, 12, -1]]),
        (ablations.first_tokens, [[0, 1, 2, 3], [10, 11, 12, -1]]),
        (ablations.both_ends, [[0, 1, 8, 9], [10, 11, 12, -1]]),
    ],
)
def test_of_a_long_review_the_said_tokens_are_kept(
    positions: Callable[[Reviews, NDArray[np.int64], int], NDArray[np.int64]], kept: list[list[int]]
) -> None:
    reviews = Reviews.from_reviews([list(range(10)), list(range(3))])
    assert positions(reviews, np.array([0, 1]), 4).tolist() == kept


@pytest.mark.parametrize(
    ("pooled", "expected"),
    [
        (ablations.POOLED, [0.5, 0.4, 0.3, 0.3]),
        (ablations.highest_alone, [0.5, 0.4, 0.0, 0.0]),
        (ablations.mean_alone, [0.0, 0.0, 0.3, 0.3]),
        (ablations.last_state, [0.1, 0.4, 0.0, 0.0]),
    ],
)
def test_states_are_pooled_as_said_and_padding_is_left_out(
    pooled: Callable[[LstmClassifier, Tensor, Tensor], Tensor], expected: list[float]
) -> None:
    lstm = LstmClassifier(NetworkConfig("lstm", 1, 3, 1, 2, 0.0, 0.0))
    states = torch.tensor([[[0.5, 0.2], [0.1, 0.4], [0.9, 0.9]]])
    steps = torch.tensor([[[True], [True], [False]]])
    assert pooled(lstm, states, steps)[0].tolist() == pytest.approx(expected)


def test_several_machines_train_the_model_of_one(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str | Path], folder: Path, environment: dict[str, str]) -> Any:
        ran = prepared.run(list(map(str, command)), cwd=folder, env=environment, capture_output=True, timeout=SECONDS)
        assert ran.returncode == 0, ran.stderr
        return measure.Cost(1, 2, 3)

    file = tmp_path / "machines.json"
    options = ["--reviews", "300", "--machines", "1", "2", "--architecture", "ngram", "--json", str(file)]
    monkeypatch.setattr(machines, "measured", run)
    monkeypatch.setattr(sys, "argv", ["machines.py", str(source), *options])
    machines.main()
    one, two = json.loads(file.read_text())["tables"][0]["rows"]
    assert (one[:4], two[:4]) == (["1", "1", "2", "3"], ["2", "1", "2 2", "3 3"])
    assert one[4:] == two[4:]


@pytest.mark.parametrize("kind", ["csv", "jsonl", pytest.param("parquet", marks=needs("pyarrow"))])
def test_many_reviews_are_made_in_several_files_the_same_in_any_format(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    read = []
    for folder, form in (("one", kind), ("other", "csv")):
        options = [str(tmp_path / folder), str(source), "--reviews", "25", "--files", "2", "--format", form]
        monkeypatch.setattr(sys, "argv", ["many.py", *options])
        many.main()
        files = [tmp_path / folder / f"part-{number:02d}.{form}" for number in (0, 1)]
        sources = [TableSource(path, DataSettings()) for path in files]
        read.append([[(review.text, review.label) for review in source.all_reviews()] for source in sources])
    assert read[0] == read[1]
    assert [len(rows) for rows in read[0]] == [12, 13]
    assert read[0][0][:12] != read[0][1][:12]
    assert [label for rows in read[0] for _, label in rows] == [0, 1] * 6 + [0, 1] * 6 + [0]


def test_each_review_is_left_out_of_one_fold_together_with_its_film(toy_dataset: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "dataset"
    shutil.copytree(toy_dataset, dataset)
    split = GroupedSplit.load(dataset / "train")
    films = np.arange(len(split), dtype=np.int32) // 3
    replace(split, groups=films).save(dataset / "train" / shard_name(0))
    left_out = []
    for fold in ablations.folds.fold_datasets(dataset, tmp_path / "folds", 4):
        parts = {name: Split.load(fold / name) for name in ("train", "validation", "held-out")}
        assert sum(map(len, parts.values())) == len(split)
        held_out = [review_of(parts["held-out"], row) for row in range(len(parts["held-out"]))]
        left_out += held_out
        assert set(GroupedSplit.load(fold / "train").groups) < set(films)
    assert sorted(left_out) == sorted(review_of(split, row) for row in range(len(split)))


def review_of(split: Split, row: int) -> tuple[list[int], int]:
    return split.review(row).tolist(), int(split.labels[row])


def test_document_vectors_are_cross_validated_beside_the_linear_part(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--folds", "2", "--dimensions", "8", "--passes", "20"]
    monkeypatch.setattr(sys, "argv", ["document_vectors.py", str(source), *options])
    document_vectors.main()
    table = capsys.readouterr().out.splitlines()
    rows = {cells[0]: cells[1:] for cells in ([cell.strip() for cell in line.split("|")[1:-1]] for line in table[2:6])}
    assert list(rows) == ["linear", "vectors", "added", "side by side"]
    assert all(float(accuracy) > 80 for accuracy, _ in rows.values())  # these reviews say plainly what they mean
    assert rows["linear"][1] == ""
    assert rows["added"][1].endswith(")")


def test_a_document_s_vector_lies_near_those_of_its_n_grams() -> None:
    texts = Reviews.from_reviews([[2, 3, 2, 3], [4, 5, 4, 5]] * 20)
    vectors = document_vectors.DocumentVectors(texts, dimensions=8, passes=20)
    found = vectors.of(Reviews.from_reviews([[2, 3], [3, 2, 3], [4, 5]]))
    assert found.norm(dim=1).tolist() == pytest.approx([1.0] * 3, abs=1e-5)
    assert vectors.table.norm(dim=1).tolist() == pytest.approx([1.0] * len(vectors.table), abs=1e-5)
    cosines = found @ found.T
    assert cosines[0, 1] > 0.5 > cosines[0, 2]


def test_a_difference_is_that_of_pairs() -> None:
    ones, others = np.array([1.0, 1.0, -1.0, 1.0] * 100), np.array([1.0, -1.0, -1.0, 1.0] * 100)
    points, low, high = ablations.folds.difference(ones, others)
    assert points == 25
    assert (low, high) == pytest.approx((25 - 1.96 * 43.30127 / 20, 25 + 1.96 * 43.30127 / 20))
