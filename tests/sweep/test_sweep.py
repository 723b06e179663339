"""Some cells of the sweep, in rough weather: spread over what can be asked of AWS and what can go wrong.

`make sweep` runs them all, in either weather.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
SECONDS = 600
WITHIN, AGAIN = "survived within the run", "survived by running again"
CELLS = {
    "up:iam.CreateRole#1:reset": WITHIN,
    "up:sagemaker.CreateTrainingJob#1:kill": AGAIN,
    "up:lambda.CreateFunction#1:access-denied": AGAIN,
    "move:sagemaker.CreateEndpoint#1:kill": AGAIN,
    "down:sagemaker.DeleteEndpoint#1:kill": AGAIN,
    "down:iam.DeleteRole#1:expired-token": AGAIN,
}


@pytest.fixture(scope="module")
def swept() -> dict[str, Any]:
    """What the sweep says of these cells. It forks, which pytest with its threads must not."""
    command = [sys.executable, "-m", "tests.sweep", "--json", "--workers", "2", "--weather", "rough"]
    command += [word for cell in CELLS for word in ("--cell", cell)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.stdout, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_without_faults_all_is_well(swept: dict[str, Any]) -> None:
    assert swept["problems"] == []


def test_a_second_up_only_reads(swept: dict[str, Any]) -> None:
    assert swept["runs"]["up"]["changing"] > 0
    assert swept["runs"]["again"]["changing"] == 0


@pytest.mark.parametrize("cell", CELLS)
def test_a_fault_is_survived(swept: dict[str, Any], cell: str) -> None:
    told = swept["cells"][cell]
    assert (told["verdict"], told["problems"]) == (CELLS[cell], [])
