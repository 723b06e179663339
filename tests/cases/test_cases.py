"""The runner of cases, and files of the kinds that people have, through the commands."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cases.case import Case, Trial, cases_in

WORDS = (("dreadful", "dull", "awful"), ("superb", "moving", "lovely"))
RIGHT = {"exit": 0, "reviews": 120}


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A project that cases are tried in."""
    trial = Trial(tmp_path_factory.mktemp("cases"))
    yield trial
    trial.end()


def rows(delimiter: str = ",", labels: tuple[str, str] = ("0", "1"), header: str = "review,label") -> str:
    """120 reviews as a table."""
    lines = [header.replace(",", delimiter)] if header else []
    lines += [f"A {WORDS[n % 2][n % 3]} film no {n}{delimiter}{labels[n % 2]}" for n in range(120)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("name", "content", "options", "right"),
    [
        ("pipes.csv", rows("|"), "", RIGHT),
        ("utf-16.csv", rows(";").encode("utf-16"), "", RIGHT),
        ("latin.csv", rows().replace("film", "comédie").encode("latin-1"), "", {**RIGHT, "text_contains": "comédie"}),
        ("minus.csv", rows(labels=("-1", "yes")), "--positive yes --negative -1", RIGHT),
        ("stars.csv", rows(labels=("2.0", "4.5")), "--positive '>=4'", RIGHT),
        ("none.csv", rows(header=""), "--columns review,label", RIGHT),
        ("none at all.csv", rows(header=""), "", {"exit": 1}),
        ("blanks.csv", rows(", ", ('"0"', '"1"')), "", RIGHT),
        ("ragged.csv", rows(header="review,label,note"), "", RIGHT),
        ("twice.csv", rows(header="review,label,note,note"), "", RIGHT),
        ("third.csv", rows() + "So so,meh\n", "", {"exit": 1, "says": "line 122"}),
        ("ignored.csv", rows() + "So so,2\n,\n", "--ignore 2", {**RIGHT, "ignored": 1, "skipped": 1}),
    ],
)
def test_a_file_as_people_have_it(
    trial: Trial, tmp_path: Path, name: str, content: str | bytes, options: str, right: dict[str, Any]
) -> None:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert trial.run(Case(file, options, "", right)).wrong == []


def test_a_hint_works_as_pasted(trial: Trial, tmp_path: Path) -> None:
    file = tmp_path / "no header.csv"
    file.write_text(rows(header=""))
    hint = trial.run(Case(file, "", "", {"exit": 1})).document["error"]["hint"]
    options = hint.partition("sentictl data --source ")[2].removeprefix(f"'{file}'")
    assert trial.run(Case(file, options, "", RIGHT)).wrong == []


def test_what_is_not_right_is_said(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(rows())
    right = {"exit": 0, "reviews": 5, "train": 96, "ignored": 1, "text_contains": "comedy", "says": "777 texts"}
    entry = {"file": "a.csv", "data_options": "", "why": "", "right": right}
    (tmp_path / "cases.json").write_text(json.dumps([entry, {**entry, "right": {"exit": 1}}]))
    outcomes = [trial.run(case) for case in cases_in(tmp_path)]
    assert outcomes[0].wrong == ["reviews 120", "ignored 0", "no 'comedy'", "no 777"]
    assert outcomes[1].wrong == ["exit 0"]
