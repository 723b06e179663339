"""`evaluate` on the model of this machine: what it says, as words, as JSON and as a page."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.conftest import TOY_OPTIONS, toy_reviews


@pytest.fixture(autouse=True)
def dataset(project: Path, toy_dataset: Path) -> Path:
    """The dataset of the toy model, on this machine."""
    return Path(shutil.copytree(toy_dataset, project / ".sentictl" / "datasets" / str(TOY_OPTIONS["dataset"])))


@pytest.fixture
def table(project: Path) -> Path:
    """The toy reviews as a table, a tenth of them with the wrong label."""
    lines = [f'"{text}",{label if number % 10 else 1 - label}' for number, (text, label) in enumerate(toy_reviews(200))]
    path = project / "reviews.csv"
    path.write_text("review,label\n" + "\n".join(lines) + "\n")
    return path


def test_words_for_a_person_fit_80_columns_without_color(run: Run, table: Path) -> None:
    done = run("evaluate", "--data", "reviews.csv", "--against", "toy")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.stdout
    for words in ("% right   95 % interval", "ECE 0.", "How sure it was", "Short and long", "The surest mistakes"):
        assert words in done.stdout
    assert sum("●" in line for line in lines) >= 4
    assert "toy and toy are not distinguishable on 200 reviews." in done.stdout


def test_json_holds_everything(run: Run) -> None:
    document = json.loads(run("evaluate", "--json", "--mistakes", "0").stdout)
    assert document["model"] == "toy"
    assert document["data"] == "test split of dataset 0123456789abcdef"
    assert document["reviews"] == sum(group["reviews"] for group in document["lengths"])
    assert document["roc_curve"][0] == [0, 0]
    assert document["parts"]
    assert document["mistakes"] == []
    assert "comparison" not in document


def test_mistakes_on_named_reviews_show_them_as_they_stand(run: Run, table: Path) -> None:
    mistakes = json.loads(run("evaluate", "--data", "reviews.csv", "--json", "--mistakes", "3").stdout)["mistakes"]
    assert len(mistakes) == 3
    texts = [text for text, _ in toy_reviews(200)]
    for mistake in mistakes:
        assert mistake["text"] in texts
        assert mistake["label"] == ("positive" if mistake["probability"] < 0.5 else "negative")
    sureness = [abs(mistake["probability"] - 0.5) for mistake in mistakes]
    assert sureness == sorted(sureness, reverse=True)


def test_the_report_is_written_whole_and_the_result_stays_the_same(run: Run, project: Path) -> None:
    plain, with_report = run("evaluate", "--json"), run("evaluate", "--json", "--report", "evaluation.html")
    assert with_report.stdout == plain.stdout
    assert "evaluation.html" in with_report.stderr
    assert (project / "evaluation.html").read_text().startswith("<!doctype html>")
    assert run("evaluate", "--report", "evaluation.html", "--quiet").stderr == ""


def test_a_model_of_another_dataset_needs_reviews_as_text(run: Run, project: Path, table: Path) -> None:
    models = project / ".sentictl" / "models"
    shutil.copytree(models / "toy", models / "other")
    metadata = models / "other" / "metadata.json"
    metadata.write_text(json.dumps(json.loads(metadata.read_text()) | {"model": "other", "dataset": "fedcba98"}))
    refused = run("evaluate", "--against", "other")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "other was trained on dataset fedcba98" in refused.stderr
    assert "--data PATH" in refused.stderr
    comparison = json.loads(run("evaluate", "--against", "other", "--data", "reviews.csv", "--json").stdout)[
        "comparison"
    ]
    assert (comparison["model"], comparison["against"], comparison["p_value"]) == ("toy", "other", 1)
    assert comparison["both_right"] + comparison["both_wrong"] == 200


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("--report", "missing/evaluation.html"), "There is no folder", 2),
        (("--report", "."), "is a folder", 2),
        (("--against", "tey"), "Did you mean toy?", 1),
        (("--data", "missing.csv"), "missing.csv", 1),
        (("--mistakes", "-1"), "--mistakes", 2),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, arguments: tuple[str, ...], said: str, code: int) -> None:
    done = run("evaluate", *arguments)
    assert done.returncode == code
    assert done.stdout == ""
    assert said in done.stderr


@pytest.mark.parametrize("length", [245, 400])  # room for the name but not for that of a temporary file; not even that
def test_a_report_that_cannot_be_written_is_one_message(run: Run, project: Path, length: int) -> None:
    before = sorted(project.iterdir())
    done = run("evaluate", "--report", "x" * length + ".html")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "cannot be written: File name too long." in done.stderr
    assert sorted(project.iterdir()) == before


def test_named_reviews_are_read_as_told_and_the_settings_stay(run: Run, project: Path) -> None:
    rows = "".join(f"{text};{5 if label else 1}\n" for text, label in toy_reviews(40) if ";" not in text)
    (project / "other.csv").write_text("text;stars\n" + rows + "So so;3\n", encoding="utf-16")
    with (project / "sentictl.toml").open("a") as settings:
        settings.write('[data]\ndelimiter = "|"\nencoding = "ascii"\ncolumns = "a,b"\n')
    before = (project / "sentictl.toml").read_text()
    options = ("--review-column", "text", "--label-column", "stars", "--positive", ">=4", "--negative", "-1,1,2")
    done = run("evaluate", "--data", "other.csv", *options, "--ignore", "3", "--json")
    assert done.returncode == 0, done.stdout
    document = json.loads(done.stdout)
    assert document["reviews"] == 40
    assert document["trained_on"]["reviews"] + document["trained_on"]["others"] == 40
    assert document["trained_on"]["reviews"] >= 20
    assert document["counted"][0]["what"] == "review with an ignored label skipped"
    assert "review with an ignored label skipped: 1, such as line" in done.stderr
    assert (project / "sentictl.toml").read_text() == before
    refused = json.loads(run("evaluate", "--data", "other.csv", "--json").stdout)["error"]
    assert refused["hint"].endswith("sentictl evaluate --data other.csv --review-column text")


def test_how_reviews_are_read_needs_reviews(run: Run) -> None:
    done = run("evaluate", "--label-column", "stars")
    assert done.returncode == 2
    assert "--label-column says how reviews are read" in done.stderr


def test_how_many_were_trained_on_is_told(run: Run, table: Path) -> None:
    words = " ".join(run("evaluate", "--data", "reviews.csv").stdout.split())
    assert "It was trained on 1" in words
    assert "without them" in words
