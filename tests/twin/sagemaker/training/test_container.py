"""The stand-in for AWS's training toolkit, held against the toolkit itself."""

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.twin.sagemaker.training.container import TrainingContainer

mapping = pytest.importorskip("sagemaker_training.mapping")
names = st.text(string.ascii_lowercase, min_size=1, max_size=8)
scalars = st.integers() | st.floats(allow_nan=False) | st.booleans() | st.text(max_size=10) | st.none()
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(names, st.integers() | names, max_size=3)


@given(st.dictionaries(names, values, max_size=5))
def test_arguments_are_those_of_the_toolkit(hyperparameters: dict[str, Any]) -> None:
    request = {"HyperParameters": {name: json.dumps(value) for name, value in hyperparameters.items()}}
    assert TrainingContainer(Path("/opt/ml"), request).arguments == mapping.to_cmd_args(hyperparameters)


@given(st.dictionaries(names, values, max_size=5))
def test_variables_are_those_of_the_toolkit(hyperparameters: dict[str, Any]) -> None:
    request = {
        "TrainingJobName": "job",
        "ResourceConfig": {},
        "HyperParameters": {name: json.dumps(value) for name, value in hyperparameters.items()},
    }
    environment = TrainingContainer(Path("/opt/ml"), request).environment("us-east-1", "algo-1")
    expected = mapping.to_env_vars({"hps": hyperparameters, **{f"hp_{k}": v for k, v in hyperparameters.items()}})
    assert {name: environment[name] for name in expected} == expected


def test_plain_strings_stay_strings() -> None:
    request = {"HyperParameters": {"note": "not json", "sagemaker_program": "main.py"}}
    container = TrainingContainer(Path("/opt/ml"), request)
    assert (container.arguments, container.program) == (["--note", "not json"], "main.py")
