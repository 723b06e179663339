"""`predict` from the model on this machine: arguments, stdin, files, and what it answers."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("project")


def test_one_review_gets_one_answer(run: Run) -> None:
    answer = json.loads(run("predict", "a superb film", "--json").stdout)
    assert answer.keys() == {"label", "sentiment", "probability", "model"}
    assert (answer["label"], answer["sentiment"], answer["model"]) == ("positive", 1, "toy")
    assert 0.5 < answer["probability"] <= 1


def test_several_reviews_get_a_list_in_their_order(run: Run) -> None:
    answers = json.loads(run("predict", "superb", "dreadful", "superb", "--json").stdout)
    assert [answer["sentiment"] for answer in answers] == [1, 0, 1]


def test_words_for_a_person(run: Run) -> None:
    lines = run("predict", "superb", "dreadful").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["positive", "negative"]
    assert all("%" in line for line in lines)


@pytest.mark.parametrize("arguments", [("predict", "-"), ("predict",)])
def test_stdin_is_a_review_a_line(run: Run, arguments: tuple[str, ...]) -> None:
    answers = json.loads(run(*arguments, "--json", stdin="superb\n\ndreadful\n").stdout)
    assert [answer["sentiment"] for answer in answers] == [1, 0]


def test_stdin_that_is_not_utf8_is_read_all_the_same(run: Run) -> None:
    done = run("predict", "-", stdin=b"superb \xff\xfe acting\n")
    assert done.returncode == 0
    assert done.stdout.startswith("positive")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("in.csv", "id,review\n1,superb\n2,dreadful\n"),
        ("in.jsonl", '{"id": 1, "review": "superb"}\n{"id": 2, "review": "dreadful"}\n'),
        ("in.txt", "superb\ndreadful\n"),
    ],
)
def test_a_file_becomes_one_object_a_line_with_its_fields(run: Run, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert run("predict", "--file", name, "--output", "out.jsonl").returncode == 0
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [answer["sentiment"] for answer in answers] == [1, 0]
    if not name.endswith(".txt"):
        assert [str(answer["id"]) for answer in answers] == ["1", "2"]
        assert [answer["review"] for answer in answers] == ["superb", "dreadful"]


def test_a_file_without_output_is_answered_on_stdout(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("superb\n")
    (answer,) = json.loads(run("predict", "--file", "in.txt", "--json").stdout)
    assert answer["label"] == "positive"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("predict", ""), 2, "empty"),
        (("predict", "x", "--file", "in.csv"), 2, "both"),
        (("predict", "--file", "absent.csv"), 1, "absent.csv"),
        (("predict", "--file", "bad.csv"), 1, "no column"),
        (("predict", "x", "--output", "no/such/folder/out.jsonl"), 2, "no folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_message(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    (tmp_path / "in.csv").write_text("review\nsuperb\n")
    (tmp_path / "bad.csv").write_text("text\nsuperb\n")
    done = run(*arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stdout == ""
    assert "should not happen" not in done.stderr
    error = json.loads(run(*arguments, "--json").stdout)["error"]
    assert words in error["message"]
    assert error["hint"]


def test_a_bad_row_leaves_no_half_written_answer(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"review": "superb"}\n{"review": 7}\n')
    assert run("predict", "--file", "in.jsonl", "--output", "out.jsonl").returncode == 1
    assert not list(tmp_path.glob("*out.jsonl*"))


def test_a_damaged_model_is_refused(run: Run, project: Path) -> None:
    (project / ".sentictl" / "models" / "toy" / "model.onnx").write_bytes(b"damaged")
    done = run("predict", "superb")
    assert done.returncode == 1
    assert "model.onnx" in done.stderr
    assert "sentictl train" in done.stderr


def test_a_reader_that_goes_away_is_no_error(project: Path) -> None:
    import subprocess
    import sys

    sentictl = Path(sys.executable).with_name("sentictl")
    done = subprocess.run(
        f"yes superb | head -n 5000 | {sentictl} predict - | head -n 1",
        shell=True,
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("positive")
    assert done.stderr == ""
