"""Predictions from an artifact."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from sentimodel import artifact
from sentimodel.artifact import ArtifactError
from sentimodel.dataset import Split
from sentimodel.predictor import Predictor

MODEL_CODE = Path(__file__).parents[2] / "model_code"
GOOD = "The acting was wonderful. The plot was superb."
BAD = "The acting was dreadful. The plot was boring."
Runtime = Literal["onnx", "torch"]


@pytest.fixture(params=["onnx", "torch"])
def predictor(request: pytest.FixtureRequest, toy_artifact: Path) -> Predictor:
    """The toy model under each runtime."""
    return Predictor.load(toy_artifact, request.param)


@pytest.fixture
def damaged(toy_artifact: Path, tmp_path: Path) -> Path:
    """A copy of the toy artifact to do harm to."""
    return Path(shutil.copytree(toy_artifact, tmp_path / "copy"))


def test_good_and_bad_reviews_are_told_apart(predictor: Predictor) -> None:
    good, bad = predictor.predict([GOOD, BAD])
    assert (good.label, good.sentiment, good.model) == ("positive", 1, "toy")
    assert (bad.label, bad.sentiment, bad.model) == ("negative", 0, "toy")
    assert 0 <= bad.probability < 0.5 < good.probability <= 1


def test_most_of_the_test_split_is_right(predictor: Predictor, toy_dataset: Path) -> None:
    split = Split.load(toy_dataset / "test" / "reviews.npz")
    right = (predictor.probabilities(split) >= 0.5) == (split.labels == 1)
    assert right.mean() > 0.9


def test_answers_come_in_the_order_of_the_reviews(predictor: Predictor) -> None:
    texts = [GOOD * (1 + number % 7) if number % 3 else BAD * (1 + number % 5) for number in range(150)]
    together = [prediction.probability for prediction in predictor.predict(texts)]
    alone = [predictor.predict([text])[0].probability for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_no_reviews_give_no_predictions(predictor: Predictor) -> None:
    assert predictor.predict([]) == []


@pytest.mark.parametrize("text", ["", "the of and", "   ", "xylograph qwertz"])
def test_a_review_without_a_known_word_tells_nothing(predictor: Predictor, text: str) -> None:
    (prediction,) = predictor.predict([text])
    assert prediction.probability == 0.5
    assert all(contribution == 0 for _, contribution in predictor.explain(text))


def test_both_runtimes_agree(toy_artifact: Path, toy_dataset: Path) -> None:
    split = Split.load(toy_dataset / "test" / "reviews.npz")
    onnx, torch = (Predictor.load(toy_artifact, runtime).probabilities(split) for runtime in ("onnx", "torch"))
    np.testing.assert_allclose(onnx, torch, atol=1e-5)


def test_an_explanation_gives_each_token_its_part(predictor: Predictor) -> None:
    explanation = predictor.explain("The acting was <b>Wonderful</b>, the plot dreadful, the xylograph absent")
    assert [word for word, _ in explanation] == ["acting", "wonderful", "plot", "dreadful", "xylograph", "absent"]
    contributions = dict(explanation)
    assert contributions["wonderful"] > 0 > contributions["dreadful"]
    assert contributions["xylograph"] == 0


def test_a_contribution_is_the_logit_without_the_word(predictor: Predictor) -> None:
    def logit(text: str) -> float:
        probability = predictor.predict([text])[0].probability
        return float(np.log(probability / (1 - probability)))

    contributions = dict(predictor.explain("wonderful plot, dreadful acting"))
    expected = logit("wonderful plot, dreadful acting") - logit("xylograph plot, dreadful acting")
    assert contributions["wonderful"] == pytest.approx(expected, abs=1e-3)


def test_a_long_review_is_explained_to_its_last_tokens(predictor: Predictor) -> None:
    explanation = predictor.explain("dreadful " * 5000 + "wonderful " * 32)
    assert len(explanation) == 5032
    assert all(contribution == 0 for _, contribution in explanation[:5000])
    assert any(contribution != 0 for _, contribution in explanation[5000:])


@pytest.mark.parametrize(("runtime", "name"), [("onnx", artifact.ONNX), ("torch", artifact.WEIGHTS)])
def test_a_changed_file_is_refused(damaged: Path, runtime: Runtime, name: str) -> None:
    (damaged / name).write_bytes(b"x" + (damaged / name).read_bytes())
    with pytest.raises(ArtifactError, match=name):
        Predictor.load(damaged, runtime)


@pytest.mark.parametrize(
    ("section", "key"), [("hyperparameters", "max_tokens"), ("hyperparameters", "hidden_dim"), ("text", "stem")]
)
def test_missing_settings_are_refused(damaged: Path, section: str, key: str) -> None:
    path = damaged / artifact.METADATA
    values = json.loads(path.read_text())
    del values[section][key]
    path.write_text(json.dumps(values))
    with pytest.raises(ArtifactError, match="no usable model"):
        Predictor.load(damaged, "torch")


def test_weights_of_another_size_are_refused(damaged: Path) -> None:
    path = damaged / artifact.METADATA
    values = json.loads(path.read_text())
    values["hyperparameters"]["hidden_dim"] += 1
    path.write_text(json.dumps(values))
    with pytest.raises(ArtifactError, match="no usable model"):
        Predictor.load(damaged, "torch")


def test_onnx_predictions_import_nothing_heavy(toy_artifact: Path) -> None:
    program = f"""
import json, sys
from sentimodel.predictor import Predictor
predictions = Predictor.load({str(toy_artifact)!r}, "onnx").predict(["what a film"])
heavy = {{"torch", "nltk", "boto3", "pydantic", "sentictl", "pandas", "scipy"}} & set(sys.modules)
print(json.dumps([len(predictions), sorted(heavy)]))
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=MODEL_CODE, capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(answer.stdout) == [1, []]


def test_the_copied_code_predicts_without_the_checkout(toy_artifact: Path, tmp_path: Path) -> None:
    program = """
import sys
sys.path.insert(0, "code")
import inference, sentimodel
model = inference.model_fn(".")
print(sentimodel.__file__)
print(inference.output_fn(inference.predict_fn(inference.input_fn(b"superb", "text/plain"), model), "*/*")[0])
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=toy_artifact, capture_output=True, text=True, check=True, timeout=120
    )
    origin, prediction = answer.stdout.splitlines()
    assert "model_code" not in origin
    assert json.loads(prediction)["label"] == "positive"
