"""A case: a file, the command that is run on it, and what is right."""

import csv
import json
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from tests.chain.shell import Shell, begin

KINDS = {"ignored": "ignored label", "skipped": "empty row"}  # what they are called where they are counted
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Case:
    """An entry of a `cases.json`.

    Args:
        file: the file or folder.
        options: of `sentictl data`; `(predict)` and `(as sentictl.toml)` are about other commands.
        why: why people have such a file.
        right: `exit`, and what else is right then; `or_exit` is another exit that is right.
    """

    file: Path
    options: str
    why: str
    right: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Args:
        exit: the exit code.
        document: what stdout held.
        text: all that was said.
        wrong: what is not right.
    """

    exit: int
    document: Any
    text: str
    wrong: list[str] = field(default_factory=list)


def cases_in(folder: Path) -> Iterator[Case]:
    """Yields the cases that the `cases.json` of a folder tells of."""
    for entry in json.loads((folder / "cases.json").read_text(encoding="utf-8")):
        yield Case((folder / entry["file"]).resolve(), entry["data_options"], entry["why"], entry["right"])


class Trial:
    """A project in which cases are tried, one after the other.

    Args:
        folder: where to make it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shell = begin(folder / "toy")
        self._trained = False

    def run(self, case: Case) -> Outcome:
        """Run a case, and judge what came of it."""
        if case.options == "(predict)":
            return self._predicted(case)
        if case.options == "(as sentictl.toml)":
            return self._configured(case)
        self._forget_settings()
        shell = self._shell
        done = shell.run("data", "--source", str(case.file), *shlex.split(case.options), "--json", expect=None)
        document = json.loads(done.stdout)
        return _judged(case.right, Outcome(done.returncode, document, done.stdout + done.stderr))

    def end(self) -> None:
        """Take down what stands."""
        self._shell.run("down", "--yes", expect=None)

    def _predicted(self, case: Case) -> Outcome:
        if not self._trained:
            self._forget_settings()
            self._shell.run("data", "--json")
            self._shell.run("train", "--json")
            self._trained = True
        done = self._shell.run("predict", "--file", str(case.file), "--json", expect=None)
        rows = json.loads(done.stdout)
        return _judged(case.right, Outcome(done.returncode, rows, done.stdout + done.stderr, _misread(case, rows)))

    def _configured(self, case: Case) -> Outcome:
        folder = self._folder / "configured"
        folder.mkdir()
        shutil.copy(case.file, folder / "sentictl.toml")
        done = Shell(folder).run("config", "get", "data.source", expect=None)
        return _judged(case.right, Outcome(done.returncode, {}, done.stdout + done.stderr))

    def _forget_settings(self) -> None:
        """Back to the reviews that the project began with; what is recorded stays."""
        path = self._shell.folder / "sentictl.toml"
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
        document["data"] = {"source": "reviews.csv", "vocabulary_size": 200}
        path.write_text(tomlkit.dumps(document), encoding="utf-8")


def _misread(case: Case, rows: Any) -> list[str]:
    """What is not right in the answers to a file: how many there are, and the rows that the case is about."""
    if not isinstance(rows, list) or len(rows) != case.right["rows"]:
        return ["rows"]
    with case.file.open(encoding="utf-8", newline="") as file:
        given = list(csv.DictReader(file))
    wrong = []
    if case.right.get("input_label_kept") and any(
        row["label"] != was["label"] for row, was in zip(rows, given, strict=True)
    ):
        wrong.append("label")
    for number in range(1, len(rows) + 1):
        expected = case.right.get(f"row_{number}", "")
        word = "error" if "error" in expected else expected
        if word not in json.dumps(rows[number - 1]):
            wrong.append(f"row {number}")
    return wrong


def _judged(right: Mapping[str, Any], outcome: Outcome) -> Outcome:
    wrong = outcome.wrong
    if outcome.exit == right.get("or_exit"):
        wrong += _unsaid(right.get("or_says", ""), outcome)
    elif outcome.exit != right["exit"]:
        wrong.append(f"exit {outcome.exit}")
    elif outcome.exit == 0 and isinstance(outcome.document, dict):
        wrong += _miscounted(right, outcome) + _unsaid(right.get("says", ""), outcome)
    else:
        wrong += _unsaid(right.get("says", ""), outcome)
    return outcome


def _miscounted(right: Mapping[str, Any], outcome: Outcome) -> list[str]:
    document = outcome.document
    found = {name: document["splits"][name]["reviews"] for name in SPLITS} if "splits" in document else {}
    found["reviews"] = document.get("reviews")
    for name, kind in KINDS.items():
        found[name] = sum(entry["count"] for entry in document.get("counted", []) if kind in entry["what"])
    wrong = [f"{name} {found[name]}" for name in found if name in right and found[name] != right[name]]
    lost = right.get("text_contains", "")
    return wrong + ([f"no {lost!r}"] if lost not in json.dumps(document, ensure_ascii=False) else [])


def _unsaid(words: str, outcome: Outcome) -> list[str]:
    """The numbers and commands in what should be said that are not: the rest is for a person to read."""
    return [f"no {number}" for number in re.findall(r"\b\d+\b", words) if not re.search(rf"\b{number}\b", outcome.text)]
