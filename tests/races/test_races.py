"""A sample of the races and of the faults; `python -m tests.races` runs a thousand, and every fault at every call."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.races.races import KINDS

CHECKOUT = Path(__file__).parents[2]
SECONDS = 600
KILLED = ("kill", "survived by running again")


@pytest.fixture(scope="module")
def raced() -> dict[str, Any]:
    """What they say. They fork, which pytest with its threads must not."""
    command = [sys.executable, "-m", "tests.races", "--json", "--workers", "2", "--weather", "rough"]
    command += ["--races", str(len(KINDS)), "--call", "PutObject#2"]
    command += [word for fault in ("kill", "reset", "access-denied") for word in ("--fault", fault)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.stdout, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_of_writers_at_once_nobody_loses_a_record(raced: dict[str, Any]) -> None:
    assert {race["kind"] for race in raced["races"]} == KINDS.keys()
    assert [race for race in raced["races"] if race["problems"]] == []


def test_a_fault_of_one_harms_neither(raced: dict[str, Any]) -> None:
    assert [cell for cell in raced["cells"] if cell["problems"]] == []
    verdicts = {(cell["fault"], cell["verdict"]) for cell in raced["cells"]}
    assert verdicts == {
        KILLED,
        ("reset", "survived within the run"),
        ("access-denied", "survived by running again"),
    }
    assert len(raced["cells"]) == 2 * len(verdicts)
