"""Predictions from an artifact."""

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sentimodel import files
from sentimodel import predictor as predictor_module
from sentimodel.artifact import PARTS, ArtifactError
from sentimodel.dataset import Split
from sentimodel.predictor import MOST_PHRASES, Explanation, Phrase, Predictor, Word
from sentimodel.text import Located
from sentimodel.vocabulary import UNK

from tests.conftest import BAD as BLAME
from tests.conftest import GOOD as PRAISE
from tests.conftest import THINGS

MODEL_CODE = Path(__file__).parents[2] / "model_code"
GOOD = "The acting was wonderful. The plot was superb."
BAD = "The acting was dreadful. The plot was boring."
Runtime = Literal["onnx", "torch"]
LOCATED = [Located("waste", 10, 15), Located("of", 16, 18)]
RUNTIMES: tuple[Runtime, ...] = ("onnx", "torch")
LINEAR = [architecture for architecture, parts in PARTS.items() if "ngram" in parts]
WITH_LSTM = [architecture for architecture, parts in PARTS.items() if "lstm" in parts]
texts = st.lists(
    st.sampled_from([*PRAISE, *BLAME, *THINGS, "the", "was", "isn't", "xylograph", ".", "<br />"]), max_size=90
).map(" ".join)


@pytest.fixture(scope="module", params=itertools.product(PARTS, RUNTIMES), ids="-".join)
def predictor(request: pytest.FixtureRequest, artifacts: dict[str, Path]) -> Predictor:
    """A model of each architecture under each runtime."""
    architecture, runtime = request.param
    return Predictor.load(artifacts[architecture], runtime)


@pytest.fixture(scope="module", params=PARTS)
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


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
    split = Split.load(toy_dataset / "test")
    right = (predictor.probabilities(split) >= 0.5) == (split.labels == 1)
    assert right.mean() > 0.9


def test_answers_come_in_the_order_of_the_reviews(predictor: Predictor) -> None:
    texts = [GOOD * (1 + number % 7) if number % 3 else BAD * (1 + number % 5) for number in range(150)]
    together = [prediction.probability for prediction in predictor.predict(texts)]
    alone = [predictor.predict([text])[0].probability for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_parts_add_up_to_the_logit(predictor: Predictor) -> None:
    reviews = predictor.encode([GOOD, BAD, "xylograph"])
    logits = np.sum(list(predictor.part_logits(reviews).values()), axis=0)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), predictor.probabilities(reviews), atol=1e-9)
    told = [prediction.probability for prediction in predictor.predict([GOOD, BAD, "xylograph"])]
    np.testing.assert_allclose(predictor.probabilities(reviews), told, atol=1e-9)


def test_no_reviews_give_no_predictions(predictor: Predictor) -> None:
    assert predictor.predict([]) == []


@pytest.mark.parametrize("text", ["", "   ", "xylograph qwertz"])
def test_a_review_without_a_known_word_tells_nothing(predictor: Predictor, text: str) -> None:
    (prediction,) = predictor.predict([text])
    assert prediction.probability == 0.5
    assert all(word.contribution == 0 for word in predictor.explain(text).words)


def test_both_runtimes_agree(artifacts: dict[str, Path], architecture: str, toy_dataset: Path) -> None:
    split = Split.load(toy_dataset / "test")
    one, other = (Predictor.load(artifacts[architecture], runtime) for runtime in RUNTIMES)
    np.testing.assert_allclose(one.probabilities(split), other.probabilities(split), atol=1e-5)
    assert one.part_logits(split).keys() == other.part_logits(split).keys() == set(PARTS[architecture])


def test_an_explanation_gives_each_token_its_place_and_part(predictor: Predictor) -> None:
    review = "The acting was <b>Wonderful</b>, the plot dreadful, the xylograph absent"
    explanation = predictor.explain(review)
    assert [word.word for word in explanation.words] == [
        token.lower() for token in (review[word.start : word.end] for word in explanation.words)
    ]
    assert {"acting", "wonderful", "plot", "dreadful", "xylograph", "absent"} <= {w.word for w in explanation.words}
    contributions = {word.word: word.contribution for word in explanation.words}
    assert contributions["wonderful"] > 0 > contributions["dreadful"]
    assert contributions["xylograph"] == 0


def bias_of(folder: Path) -> float:
    """What the linear part says of no n-gram at all."""
    return float(torch.load(folder / files.WEIGHTS, weights_only=True)["ngram.bias"].item())


def total(each: Sequence[Word] | Sequence[Phrase]) -> float:
    return sum(one.contribution for one in each)


@given(text=texts)
def test_contributions_add_up_to_the_linear_logit(artifacts: dict[str, Path], text: str) -> None:
    predictor = Predictor.load(artifacts["ngram"])
    reviews = predictor.encode([text])
    known = (reviews.ids > UNK).any()
    expected = predictor.part_logits(reviews)["ngram"][0] - bias_of(artifacts["ngram"]) if known else 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictor_module, "MOST_PHRASES", 10_000)
        explained = predictor.explain(text)
    assert total(explained.words) == pytest.approx(expected, abs=1e-5)
    assert total(explained.phrases) == pytest.approx(expected, abs=1e-5)
    assert len({phrase.phrase for phrase in explained.phrases}) == len(explained.phrases)
    strengths = [abs(phrase.contribution) for phrase in explained.phrases]
    assert strengths == sorted(strengths, reverse=True)
    assert predictor.explain(text).phrases == explained.phrases[:MOST_PHRASES]


def without(text: str, word: Word) -> str:
    """The text with a word that no model knows in the place of one."""
    return text[: word.start] + "xylograph" + text[word.end :]


@pytest.mark.parametrize("architecture", WITH_LSTM)
@pytest.mark.parametrize(
    "text",
    [
        "The plot was wonderful, the acting dreadful and the music wasn't superb",
        "wonderful",
        "The plot was superb. The acting was dreadful. " * 7,  # longer than what the LSTM reads
    ],
)
def test_what_the_lstm_contributes_is_what_it_says_less_without_the_word(
    artifacts: dict[str, Path], architecture: str, text: str
) -> None:
    predictor = Predictor.load(artifacts[architecture], "torch")
    words = predictor.explain(text).words
    logits = predictor.part_logits(predictor.encode([text, *(without(text, word) for word in words)]))
    lstm = logits["lstm"][0] - logits["lstm"][1:]
    lstm[: max(0, len(words) - predictor.metadata.hyperparameters["max_tokens"])] = 0
    contributions = np.array([word.contribution for word in words])
    if architecture == "lstm":
        assert np.abs(lstm).max() > 0.1
        np.testing.assert_allclose(contributions, lstm, atol=1e-4)
    else:
        linear = logits["ngram"][0] - bias_of(artifacts[architecture])
        assert total(words) == pytest.approx(linear + lstm.sum(), abs=1e-4)


def test_phrases_are_of_the_linear_part(predictor: Predictor) -> None:
    phrases = {phrase.phrase: phrase.contribution for phrase in predictor.explain(GOOD + " " + BAD).phrases}
    if predictor.metadata.architecture not in LINEAR:
        assert phrases == {}
        return
    assert len(phrases) == MOST_PHRASES
    assert max(phrases.values()) > 0 > min(phrases.values())
    assert any(" " in phrase for phrase in phrases)


def test_a_long_review_is_explained_as_far_as_it_is_read(predictor: Predictor) -> None:
    explained = predictor.explain("dreadful " * 5000 + "wonderful " * 32).words
    assert len(explained) == 5032
    assert any(word.contribution != 0 for word in explained[5000:])
    if predictor.metadata.architecture == "lstm":
        assert all(word.contribution == 0 for word in explained[:5000])
    else:
        assert all(word.contribution < 0 for word in explained[:4900])


@pytest.mark.parametrize(
    ("runtime", "name"),
    [
        ("onnx", files.ONNX),
        ("torch", files.WEIGHTS),
        *itertools.product(RUNTIMES, (files.NGRAMS, files.VOCABULARY)),
    ],
)
def test_a_changed_file_is_refused(damaged: Path, runtime: Runtime, name: str) -> None:
    (damaged / name).write_bytes(b"x" + (damaged / name).read_bytes())
    with pytest.raises(ArtifactError, match=name):
        Predictor.load(damaged, runtime)


@pytest.mark.parametrize(
    ("section", "key"), [("hyperparameters", "max_tokens"), ("hyperparameters", "hidden_dim"), ("text", "stem")]
)
def test_missing_settings_are_refused(damaged: Path, section: str, key: str) -> None:
    path = damaged / files.METADATA
    values = json.loads(path.read_text())
    del values[section][key]
    path.write_text(json.dumps(values))
    with pytest.raises(ArtifactError, match="no usable model"):
        Predictor.load(damaged, "torch")


def test_weights_of_another_size_are_refused(damaged: Path) -> None:
    path = damaged / files.METADATA
    values = json.loads(path.read_text())
    values["hyperparameters"]["hidden_dim"] += 1
    path.write_text(json.dumps(values))
    with pytest.raises(ArtifactError, match="no usable model"):
        Predictor.load(damaged, "torch")


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", ["transformer", "", "ngram", "lstm"])
def test_an_architecture_that_the_model_has_not_is_refused(damaged: Path, runtime: Runtime, name: str) -> None:
    path = damaged / files.METADATA
    values = json.loads(path.read_text())
    assert values["architecture"] == values["hyperparameters"]["architecture"] == "wide-lstm"
    values["architecture"] = values["hyperparameters"]["architecture"] = name
    path.write_text(json.dumps(values))
    with pytest.raises(ArtifactError, match=r"no usable model.*Train the model again"):
        Predictor.load(damaged, runtime)


def test_a_damaged_table_of_ngrams_is_named(damaged: Path) -> None:
    (damaged / files.NGRAMS).write_bytes(b"PK")
    path = damaged / files.METADATA
    values = json.loads(path.read_text())
    values["files"][files.NGRAMS] = hashlib.sha256(b"PK").hexdigest()
    path.write_text(json.dumps(values))
    with pytest.raises(ArtifactError, match=r"no usable model.*ngrams\.npy"):
        Predictor.load(damaged)


def test_onnx_predictions_import_nothing_heavy(toy_artifact: Path) -> None:
    program = f"""
import json, sys
from sentimodel.predictor import Predictor
predictions = Predictor.load({str(toy_artifact)!r}, "onnx").predict(["what a film"])
Predictor.load({str(toy_artifact)!r}).explain("what a film")
heavy = {{"torch", "nltk", "boto3", "pydantic", "sentictl", "pandas", "scipy"}} & set(sys.modules)
print(json.dumps([len(predictions), sorted(heavy)]))
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=MODEL_CODE, capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(answer.stdout) == [1, []]


def test_a_prediction_leaves_no_trace_of_telemetry(toy_artifact: Path, tmp_path: Path) -> None:
    program = f"""
import os
from sentimodel.predictor import Predictor
Predictor.load({str(toy_artifact)!r}).predict(["superb"])
print(os.environ["ORT_DISABLE_TELEMETRY"])  # ONNX Runtime reads it, and keeps no ID of the machine and no events then
"""
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=MODEL_CODE, env=variables, capture_output=True, check=True, timeout=60
    )
    assert answer.stdout == b"1\n"
    assert list(tmp_path.iterdir()) == []


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
    origin, logged, prediction = answer.stdout.splitlines()
    assert "model_code" not in origin
    assert json.loads(logged)["reviews"] == 1
    assert json.loads(prediction)["label"] == "positive"


def test_a_review_has_one_probability_in_any_batch_and_runtime(artifacts: dict[str, Path], architecture: str) -> None:
    texts = [GOOD, BAD, "superb", "xylograph", GOOD + BAD * 40, "dreadful " * 300, "\u00e9t\u00e9 &amp; 7/10 !!"]
    texts += [f"{GOOD} {number} {BAD * (number % 9)}" for number in range(100)]
    one_by_one = Predictor.load(artifacts[architecture])
    alone = [one_by_one.predict([text])[0].probability for text in texts]
    count = len(texts)
    for runtime in RUNTIMES:
        predictor = Predictor.load(artifacts[architecture], runtime)
        for order in (range(count), range(count - 1, -1, -1), [*range(1, count, 2), *range(0, count, 2)]):
            told = [prediction.probability for prediction in predictor.predict([texts[row] for row in order])]
            np.testing.assert_allclose(told, [alone[row] for row in order], atol=1e-5)


def test_padding_and_neighbors_change_nothing(predictor: Predictor) -> None:
    (alone,) = predictor.predict(["superb plot"])
    for company in (["dreadful " * 32], ["a"] * 63, ["moving music " * 20, "x", "dull"] * 21):
        assert predictor.predict(["superb plot", *company])[0].probability == pytest.approx(alone.probability, abs=1e-5)


def test_both_runtimes_explain_alike(artifacts: dict[str, Path], architecture: str) -> None:
    one, other = (Predictor.load(artifacts[architecture], runtime).explain(GOOD + BAD) for runtime in RUNTIMES)
    for left, right in zip(one.words, other.words, strict=True):
        assert (left.word, left.start, left.end) == (right.word, right.start, right.end)
        assert left.contribution == pytest.approx(right.contribution, abs=1e-4)


def test_several_threads_may_ask_at_the_same_time(predictor: Predictor) -> None:
    texts = [f"{GOOD * (number % 5)} {BAD * (number % 3)} superb" for number in range(40)]
    alone = predictor.predict(texts)
    with ThreadPoolExecutor(4) as pool:
        for together in pool.map(predictor.predict, [texts] * 8):
            np.testing.assert_allclose([p.probability for p in together], [p.probability for p in alone], atol=1e-9)


def test_a_word_contributes_what_the_parts_attribute_to_it() -> None:
    explanation = Explanation.of(LOCATED, {"ngram": np.array([-1.0, 0.5]), "lstm": np.array([-0.5, 0.25])}, ())
    assert explanation.words == (Word("waste", 10, 15, -1.5), Word("of", 16, 18, 0.75))
    assert explanation.phrases == ()


def test_without_a_part_nothing_contributes() -> None:
    assert [word.contribution for word in Explanation.of(LOCATED, {}, ()).words] == [0, 0]


def test_the_strongest_phrases_come_first_and_the_weak_are_left_out() -> None:
    phrases = [Phrase(f"p{number}", (-1) ** number * number / 10) for number in range(30)]
    strongest = Explanation.of(LOCATED, {}, phrases).phrases
    assert [phrase.phrase for phrase in strongest] == [f"p{number}" for number in range(29, 29 - MOST_PHRASES, -1)]
