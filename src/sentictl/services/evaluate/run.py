"""An environment's model on this machine measured on a sample, and its figures on the test split kept beside it."""

import contextlib
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from sentimodel.predictor import Predictor

from sentictl.assets.atomic import write_atomically
from sentictl.config.config import Config
from sentictl.errors import ModelError
from sentictl.lifecycle.resource import Context
from sentictl.services.evaluate.comparison import Comparison, compare
from sentictl.services.evaluate.evaluation import Answers, Evaluation, ask, evaluate
from sentictl.services.evaluate.local_models import load_model, opened_model
from sentictl.services.evaluate.samples import Sample, open_labelled, open_test_split

EVALUATION = "evaluation.json"


def measure(
    config: Config,
    connect: Callable[[], Context],
    data: Path | str | None,
    mistakes: int,
    reading: Mapping[str, str] | None = None,
) -> Evaluation:
    """Measure the environment's model on this machine; what the test split says of it is kept.

    Args:
        config: the project whose model it is.
        connect: gives a context where the dataset has to be fetched from S3.
        data: labelled reviews of any form that `data.source` takes; None for the dataset's test split.
        mistakes: how many of the surest mistakes to keep, at most.
        reading: settings of `data` that hold for these reviews alone.

    Raises:
        ModelError: there is no model, or the reviews cannot be given to it.
        DataError: the reviews cannot be used.
    """
    predictor = load_model(config.folder.model_of(config.environment))
    sample = _sample(config, predictor.metadata.dataset, data, connect, reading)
    return _evaluated(config, ask(predictor, sample), sample, predictor, mistakes, keep=data is None)


def measure_against(
    against: str,
    config: Config,
    connect: Callable[[], Context],
    data: Path | str | None,
    mistakes: int,
    reading: Mapping[str, str] | None = None,
) -> tuple[Evaluation, Comparison]:
    """Measure the environment's model on this machine and compare it with another on the same reviews.

    Args:
        against: the other model: a version's number or name, an artifact's folder, or a `model.tar.gz`.
        config: as in `measure`, as are the others.
        connect: see there.
        data: see there.
        mistakes: see there.
        reading: see there.
    """
    predictor = load_model(config.folder.model_of(config.environment))
    with opened_model(against, config, connect) as other:
        sample = _sample(config, predictor.metadata.dataset, data, connect, reading)
        others = ask(other, sample)  # first, as it may refuse these reviews
        answers = ask(predictor, sample)
    result = _evaluated(config, answers, sample, predictor, mistakes, keep=data is None)
    return result, compare(answers, others, sample.labels)


def kept_evaluation(config: Config) -> Evaluation | None:
    """Return what was kept of the environment's current model on the test split; None where nothing is to be found.

    A model and the test split that it was measured on never change once made.
    """
    with contextlib.suppress(OSError, ValueError):
        return TypeAdapter(Evaluation).validate_json((config.current_model / EVALUATION).read_bytes())
    return None


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


def _sample(
    config: Config,
    digest: str,
    data: Path | str | None,
    connect: Callable[[], Context],
    reading: Mapping[str, str] | None,
) -> Sample:
    if data is None:
        return open_test_split(config, digest, connect)
    return open_labelled(config, data, connect, reading)


def _evaluated(
    config: Config, answers: Answers, sample: Sample, predictor: Predictor, mistakes: int, *, keep: bool
) -> Evaluation:
    result = evaluate(answers, sample, mistakes, sample.trained_on(predictor))
    if keep:
        path = config.current_model / EVALUATION
        with contextlib.suppress(OSError):  # on a disk that may only be read the figures are shown all the same
            write_atomically(path, json.dumps(replace(result, mistakes=[]).document(), indent=2).encode())
    return result
