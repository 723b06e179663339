"""What tests of several parts share: a small dataset, and a model that train.py really trained on it."""

import csv
import fcntl
import gc
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sentictl.config.settings import DataSettings
from sentictl.reviews.prepare.preparation import prepare
from sentictl.reviews.read.tables.table import TableSource
from tests import order, poll
from tests.prepared import popen, programs
from tests.prepared import popen as prepared

# Test workers share the processor: several threads each would only wait for one another. Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# In the background of a shell Ctrl-C is ignored, also by all that is started there: tests send it to what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no failure; and what CI says of a change depends on the change alone.
settings.register_profile(
    "sentictl", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("sentictl")

poll.look_often()
programs.leave_out(programs.IRIS)

MODEL_CODE = Path(__file__).parents[1] / "model_code"
TRAIN_SECONDS = 120

GOOD = ("wonderful", "superb", "moving", "charming", "brilliant", "delightful", "excellent", "touching", "gripping")
BAD = ("dreadful", "boring", "awful", "tedious", "clumsy", "terrible", "dull", "wooden", "pointless", "lousy")
THINGS = ("plot", "acting", "music", "camera", "ending", "script", "hero", "villain", "dialogue", "pacing", "cast")
TOY_OPTIONS = {
    "model-name": "toy",
    "dataset": "0123456789abcdef",
    "epochs": 12,
    "patience": 12,
    "batch_size": 16,
    "learning_rate": 0.02,
    "embedding_dim": 8,
    "hidden_dim": 8,
    "max_tokens": 32,
}


def pytest_configure() -> None:
    """Remember for a whole run what was trained in it, and start twins from the prepared process."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="tests-"))
        (folder / "owner").write_text(str(os.getpid()))
        (folder / "models").mkdir()
        os.environ |= {popen.RUN: str(folder), programs.MEMORY: str(folder / "models")}
    programs.redirect_twins()
    programs.keep_to_own_ports()
    programs.share_what_botocore_reads()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a good part of the tests waits for programs that they started."""
    return (os.cpu_count() or 1) + 1


def pytest_unconfigure() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        del os.environ[programs.MEMORY]
        shutil.rmtree(os.environ.pop(popen.RUN), ignore_errors=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out the tests that take long (tests/order.py)")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if config.getoption("--quick") and order.is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: order.rank(item.path))
    gc.freeze()  # what the tests are made of stays to the end: not to be looked through again and again
    gc.set_threshold(20000)  # a tenth of the time of a worker goes into looking through what it makes, else


@pytest.fixture(scope="session")
def toy_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder, made as `sentictl data` makes it, of 400 short reviews that a small model can learn."""

    def make(folder: Path) -> None:
        table = folder / "reviews.csv"
        with table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("review", "label"), *toy_reviews(400)])
        settings = DataSettings(vocabulary_size=200)
        dataset = prepare(TableSource(table, settings), settings, folder, lambda *_: None)
        dataset.folder.rename(folder / "dataset")

    return once(tmp_path_factory, "toy_dataset", make) / "dataset"


@pytest.fixture(scope="session")
def toy_artifact(tmp_path_factory: pytest.TempPathFactory, toy_dataset: Path) -> Path:
    """An artifact folder, trained on `toy_dataset` by train.py. Its model is called `toy`. Don't change it: copy it."""

    def make(folder: Path) -> None:
        folders = {name: toy_dataset / name for name in ("train", "validation", "vocabulary")}
        options = {**TOY_OPTIONS, **folders, "model-dir": folder / "artifact"}
        command = [sys.executable, str(MODEL_CODE / "train.py")]
        command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SM_")}
        environment.pop("TRAINING_JOB_NAME", None)
        training = prepared.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TRAIN_SECONDS
        )
        assert training.returncode == 0, training.stderr

    return once(tmp_path_factory, "toy_artifact", make) / "artifact"


def toy_reviews(count: int) -> list[tuple[str, int]]:
    """So many short reviews with their labels, the same each time."""
    rng = random.Random(7)
    reviews = []
    for number in range(count):
        words, others = (GOOD, BAD) if number % 2 else (BAD, GOOD)
        if number % 3 == 0:  # what a word says alone has to be learned as well
            reviews.append((" ".join(rng.choice(words).capitalize() for _ in range(rng.randint(1, 3))), number % 2))
            continue
        sentences = [f"The {rng.choice(THINGS)} was {rng.choice(words)}." for _ in range(rng.randint(2, 5))]
        sentences.append(f"It isn't {rng.choice(others)} at all.<br />")
        rng.shuffle(sentences)
        reviews.append((" ".join(sentences), number % 2))
    return reviews


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is filled once in a test run, by whichever of the parallel workers needs it first."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
