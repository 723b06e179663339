"""The model of this machine measured on a sample, and its figures on the test split kept beside it."""

import contextlib
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sentictl.assets.atomic import write_atomically
from sentictl.config.config import Config
from sentictl.errors import ModelError
from sentictl.lifecycle.resource import Context
from sentictl.services.evaluate.comparison import Comparison, compare
from sentictl.services.evaluate.evaluation import Answers, Evaluation, ask, evaluate
from sentictl.services.evaluate.local_models import load_model, opened_model
from sentictl.services.evaluate.samples import Sample, open_labelled, open_test_split

EVALUATION = "evaluation.json"


def measure(config: Config, connect: Callable[[], Context], data: Path | str | None, mistakes: int) -> Evaluation:
    """Measure the model of this machine; what the test split says of it is kept.

    Args:
        config: the project whose model it is.
        connect: gives a context where the dataset has to be fetched from S3.
        data: labelled reviews of any form that `data.source` takes; None for the dataset's test split.
        mistakes: how many of the surest mistakes to keep, at most.

    Raises:
        ModelError: there is no model, or the reviews cannot be given to it.
        DataError: the reviews cannot be used.
    """
    predictor = load_model(config.folder.current_model)
    sample = _sample(config, predictor.metadata.dataset, data, connect)
    return _evaluated(config, ask(predictor, sample), sample, data, mistakes)


def measure_against(
    against: str, config: Config, connect: Callable[[], Context], data: Path | str | None, mistakes: int
) -> tuple[Evaluation, Comparison]:
    """Measure the model of this machine and compare it with another on the same reviews.

    Args:
        against: the other model: its name, an artifact's folder, or a `model.tar.gz`.
        config: as in `measure`, as are the others.
        connect: see there.
        data: see there.
        mistakes: see there.
    """
    predictor = load_model(config.folder.current_model)
    with opened_model(against, config.folder.models) as other:
        sample = _sample(config, predictor.metadata.dataset, data, connect)
        others = ask(other, sample)  # first, as it may refuse these reviews
        answers = ask(predictor, sample)
    return _evaluated(config, answers, sample, data, mistakes), compare(answers, others, sample.labels)


def kept_figures(folder: Path) -> dict[str, Any] | None:
    """The accuracy on the test split, its interval and the number of reviews that were kept beside an artifact.

    Args:
        folder: the artifact's.

    Returns:
        None where nothing was kept.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / EVALUATION
    try:
        figures = json.loads(path.read_bytes())
        return {name: figures[name] for name in ("accuracy", "interval", "reviews")}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise ModelError(
            f"{path} cannot be read: {problem!r}.",
            f"Delete it: rm {shlex.quote(str(path))}; then measure again: sentictl evaluate",
        ) from None


def _sample(config: Config, digest: str, data: Path | str | None, connect: Callable[[], Context]) -> Sample:
    return open_test_split(config, digest, connect) if data is None else open_labelled(config, data)


def _evaluated(config: Config, answers: Answers, sample: Sample, data: Path | str | None, mistakes: int) -> Evaluation:
    result = evaluate(answers, sample, mistakes)
    if data is None:
        path = config.folder.current_model / EVALUATION
        with contextlib.suppress(OSError):  # on a disk that may only be read the figures are shown all the same
            write_atomically(path, json.dumps(result.figures(), indent=2).encode())
    return result
