"""`sentictl costs` as it is called, within a project and outside of one."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

SETTINGS = '[project]\nname = "films"\n[deploy]\ninstance_type = "ml.m5.xlarge"\n'


def test_outside_of_a_project_the_defaults_are_compared(tmp_path: Path, run: Run) -> None:
    done = run("costs", "--requests", "10000/day")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "10,000 requests a day, 304,167 a month, of 1 review of 230 words"
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line for line in lines[3:5]}
    assert rows["lambda"].endswith("$1.69 *")
    assert rows["serverless"].endswith("$2.10")
    assert "1 x ml.t2.medium than serverless (2048 MB)" in done.stdout
    assert "built-in table of" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_in_a_project_its_settings_are_compared_without_a_twin(tmp_path: Path, run: Run) -> None:
    (tmp_path / "sentictl.toml").write_text(SETTINGS)
    done = run("costs", "--requests", "1M/day", "--words", "80", "--reviews-per-request", "20", "--json")
    document = json.loads(done.stdout)
    assert "1 x ml.m5.xlarge" in [choice["on"] for choice in document["choices"]]
    assert (document["words"], document["reviews_per_request"]) == (80, 20)
    assert json.loads(run("local", "status", "--json").stdout)["running"] is False
    assert (tmp_path / "sentictl.toml").read_text() == SETTINGS


def test_another_time_is_another_price(run: Run) -> None:
    prices = [
        json.loads(run("costs", "--requests", "1M", "--json", *more).stdout)["choices"][0]["monthly_cost"]
        for more in ((), ("--seconds", "0.1"))
    ]
    assert prices[0] < prices[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Missing option '--requests'"),
        (("--requests", "ten"), "'ten' is no number of requests."),
        (("--requests", "1/day", "--words", "0"), "0 words"),
        (("--requests", "1/day", "--seconds", "-1"), "-1 s"),
        (("--requests", "1/day", "--reviews-per-request", "500"), "the API takes 100 at most"),
        (("--requests", "1/day", "--env", "prod"), "There is no sentictl.toml"),
    ],
)
def test_what_cannot_be_is_one_error(run: Run, arguments: tuple[str, ...], told: str) -> None:
    done = run("costs", *arguments)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert told in done.stderr
    assert "Traceback" not in done.stderr
