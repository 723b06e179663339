"""The values that a tuning job tries next: by chance, all combinations, or by those that were tried before.

The last is a tree-structured Parzen estimator (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"):
values are drawn near those of the better trials, and of several draws the one is tried that is likelier among the
better trials than among the others. AWS's own Bayesian search is a Gaussian process.
"""

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FIRST_BY_CHANCE = 3  # trials, before there is anything to learn from
BETTER = 0.25  # the share of trials that counts as the better ones
DRAWS = 24
WIDTH = 0.2  # of a kernel over a range from 0 to 1, around one trial alone; it narrows as there are more
DIGITS = 6  # of a continuous value

Values = Mapping[str, str]  # of a trial, by hyperparameter
Tried = Sequence[tuple[Values, float]]  # trials that are over, each with its objective: the higher, the better


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter and its range.

    Args:
        name: the hyperparameter's.
        values: those of a categorical one; none where all between the bounds are possible.
        low: the lower bound,
        high: and the upper one.
        whole: whether only whole numbers are possible.
        logarithmic: whether values are spread evenly by their logarithm.
    """

    name: str
    values: Sequence[str] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    logarithmic: bool = False

    def at(self, part: float) -> str:
        """Return the value at a part of the range, from 0 to 1."""
        if self.values:
            return self.values[min(int(part * len(self.values)), len(self.values) - 1)]
        low, high = map(self._scaled, (self.low, self.high))
        scaled = low + part * (high - low)
        value = math.exp(scaled) if self.logarithmic else scaled
        return str(
            min(max(round(value), int(self.low)), int(self.high)) if self.whole else float(f"{value:.{DIGITS}g}")
        )

    def part(self, value: str) -> float:
        """Return at which part of the range a value lies."""
        if self.values:
            return (self.values.index(value) + 0.5) / len(self.values)
        low, high = map(self._scaled, (self.low, self.high))
        return (self._scaled(float(value)) - low) / (high - low) if low < high else 0.5

    def density(self, part: float, around: Sequence[float]) -> float:
        """Return how likely a part of the range is, given others: kernels around them, and one over all of it."""
        if self.values:
            same = sum(self.at(other) == self.at(part) for other in around)
            return (same + 1) / (len(around) + len(self.values))
        width = _width(around)
        kernels = sum(math.exp(-(((part - other) / width) ** 2) / 2) / width for other in around)
        return (kernels + 1) / (len(around) + 1)

    def near(self, part: float, others: Sequence[float], rng: random.Random) -> float:
        """Draw a part of the range near another one, or at times any; of categories that one."""
        if rng.random() * (len(others) + 1) < 1:
            return rng.random()
        return part if self.values else min(max(rng.gauss(part, _width(others)), 0.0), 1.0)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.logarithmic else value


def parameters_of(ranges: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Parameter]:
    """Return the parameters of a request's `ParameterRanges`.

    Raises:
        ValueError: a bound is no number.
    """
    return [*_categorical(ranges), *_numeric(ranges, whole=True), *_numeric(ranges, whole=False)]


def propose(strategy: str, parameters: Sequence[Parameter], tried: Tried, seed: str, number: int) -> Values | None:
    """Return the values of a trial; None where all combinations were tried. The same question has the same answer.

    Args:
        strategy: AWS's word.
        parameters: what is searched.
        tried: the trials that are over.
        seed: what chance begins with.
        number: the trial's, from 1.
    """
    rng = random.Random(f"{seed}/{number}")  # noqa: S311  (nothing secret)
    if strategy == "Grid":
        names = [parameter.name for parameter in parameters]
        combinations = itertools.product(*(parameter.values for parameter in parameters))
        chosen = next(itertools.islice(combinations, number - 1, None), None)
        return None if chosen is None else dict(zip(names, chosen, strict=True))
    if strategy == "Bayesian" and len(tried) >= FIRST_BY_CHANCE:
        return _by_those_before(parameters, tried, rng)
    return {parameter.name: parameter.at(rng.random()) for parameter in parameters}


def _by_those_before(parameters: Sequence[Parameter], tried: Tried, rng: random.Random) -> Values:
    ranked = [values for values, _ in sorted(tried, key=lambda trial: -trial[1])]
    many = math.ceil(BETTER * len(ranked))
    better, others = ranked[:many], ranked[many:]
    draws = [_draw(parameters, better, others, rng) for _ in range(DRAWS)]
    return max(draws, key=lambda draw: draw[1])[0]


def _draw(
    parameters: Sequence[Parameter], better: Sequence[Values], others: Sequence[Values], rng: random.Random
) -> tuple[Values, float]:
    """Draw values near those of the better trials. Returns them, and how much likelier they are among those."""
    drawn, gain = {}, 0.0
    for parameter in parameters:
        good, bad = ([parameter.part(values[parameter.name]) for values in each] for each in (better, others))
        part = parameter.near(rng.choice(good), good, rng)
        drawn[parameter.name] = parameter.at(part)
        gain += math.log(parameter.density(part, good) / parameter.density(part, bad))
    return drawn, gain


def _width(around: Sequence[float]) -> float:
    return WIDTH / math.sqrt(max(len(around), 1))


def _categorical(ranges: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Parameter]:
    for each in ranges.get("CategoricalParameterRanges") or ():
        yield Parameter(each["Name"], values=each["Values"])


def _numeric(ranges: Mapping[str, Sequence[Mapping[str, Any]]], *, whole: bool) -> Iterator[Parameter]:
    for each in ranges.get("IntegerParameterRanges" if whole else "ContinuousParameterRanges") or ():
        low, high = float(each["MinValue"]), float(each["MaxValue"])
        yield Parameter(each["Name"], (), low, high, whole, each.get("ScalingType") == "Logarithmic")
