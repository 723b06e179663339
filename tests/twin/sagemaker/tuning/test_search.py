"""The values that the twin's tuning jobs try."""

import random
from typing import Any

import pytest

from sentictl.twin.sagemaker.tuning.search import FIRST_BY_CHANCE, Parameter, parameters_of, propose

RATE = Parameter("rate", low=0.0001, high=0.1, logarithmic=True)
UNITS = Parameter("units", low=4, high=64, whole=True)
KIND = Parameter("kind", values=('"a"', '"b"', '"c"'))
EVERY = (RATE, UNITS, KIND)


def test_ranges_are_read_from_a_request() -> None:
    ranges: dict[str, list[dict[str, Any]]] = {
        "CategoricalParameterRanges": [{"Name": "kind", "Values": ["1", "2"]}],
        "IntegerParameterRanges": [{"Name": "units", "MinValue": "4", "MaxValue": "64", "ScalingType": "Auto"}],
        "ContinuousParameterRanges": [
            {"Name": "rate", "MinValue": "1e-4", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
        ],
    }
    kind, units, rate = parameters_of(ranges)
    assert (kind.values, units, rate) == (["1", "2"], UNITS, RATE)


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Hyperband"])
def test_values_are_within_their_ranges_and_the_same_each_time(strategy: str) -> None:
    tried = [({"rate": "0.01", "units": "8", "kind": '"b"'}, float(number)) for number in range(5)]
    for number in range(1, 30):
        values = propose(strategy, EVERY, tried, "7", number)
        assert values == propose(strategy, EVERY, tried, "7", number)
        assert values is not None
        assert 0.0001 <= float(values["rate"]) <= 0.1
        assert 4 <= int(values["units"]) <= 64
        assert values["kind"] in KIND.values


def test_a_logarithmic_range_is_spread_evenly_by_its_logarithm() -> None:
    values = [propose("Random", [RATE], [], "1", number) for number in range(400)]
    small = sum(float(each["rate"]) < 0.00316 for each in values if each)  # below the middle of the logarithms
    assert 150 < small < 250


def test_a_grid_has_each_combination_once() -> None:
    sizes = Parameter("size", values=("1", "2"))
    grid = [propose("Grid", [KIND, sizes], [], "1", number) for number in range(1, 8)]
    assert len({tuple(sorted(values.items())) for values in grid[:6] if values}) == 6
    assert grid[6] is None


def test_the_bayesian_search_tries_what_is_near_the_better_trials() -> None:
    parts = (0.1, 0.2, 0.3, 0.4, 0.8, 0.85)  # of the rate's range: the last two did well
    tried = [
        ({"rate": RATE.at(part), "units": UNITS.at(0.5), "kind": '"b"' if part > 0.5 else '"a"'}, part)
        for part in parts
    ]
    proposed = [propose("Bayesian", EVERY, tried, "5", number) or {} for number in range(40)]
    assert sum(RATE.part(values["rate"]) > 0.6 for values in proposed) >= 30
    assert sum(values["kind"] == '"a"' for values in proposed) <= 10
    assert len({values["rate"] for values in proposed}) > 20


def test_the_first_trials_are_by_chance() -> None:
    tried = [({"rate": "0.1", "units": "64", "kind": '"c"'}, 1.0)] * (FIRST_BY_CHANCE - 1)
    assert propose("Bayesian", EVERY, tried, "3", 2) == propose("Random", EVERY, [], "3", 2)


def test_a_range_of_one_value_can_be_searched() -> None:
    one = Parameter("x", low=2, high=2, whole=True)
    assert one.at(random.Random(1).random()) == "2"
    assert one.part("2") == 0.5
