"""`predict` from the model on this machine: arguments, stdin, files, and what it answers."""

import csv
import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import SENTICTL, Run
from tests.prepared import popen as prepared

pytestmark = pytest.mark.usefixtures("project")


def test_one_review_gets_one_answer(run: Run) -> None:
    answer = json.loads(run("predict", "a superb film", "--json").stdout)
    assert answer.keys() == {"label", "sentiment", "probability", "model", "undecided"}
    assert (answer["label"], answer["sentiment"], answer["model"]) == ("positive", 1, "toy")
    assert 0.5 < answer["probability"] <= 1


@pytest.mark.parametrize("command", ["predict superb", "evaluate --data in.csv"])
@pytest.mark.parametrize(("environment", "told"), [("prod", "no model of the environment prod"), ("prd", "mean prod?")])
def test_the_model_of_another_environment_is_never_asked(
    run: Run, project: Path, command: str, environment: str, told: str
) -> None:
    with (project / "sentictl.toml").open("a") as file:
        file.write('[env.prod]\nregion = "eu-west-1"\n')
    (project / "in.csv").write_text("review,label\nsuperb,1\ndull,0\n")
    refused = run(*command.split(), "--env", environment)
    assert (refused.returncode != 0, refused.stdout) == (True, "")
    assert told in " ".join(refused.stderr.split())
    (project / ".sentictl" / "models" / "current-prod").symlink_to("toy")
    assert run(*command.split(), "--env", "prod").returncode == 0


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
    assert [answer.get("sentiment") for answer in answers] == [1, None, 0]
    assert answers[1]["error"] == {"code": "empty_review", "message": "line 2 of stdin: the review is empty."}


def test_a_blank_line_is_answered_with_a_blank_line(run: Run) -> None:
    done = run("predict", "-", stdin="superb\n\n \ndreadful\n")
    assert [line[:8] for line in done.stdout.split("\n")] == ["positive", "", "", "negative", ""]
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("output", ["out.jsonl", "out.csv"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("in.csv", 'id,review,label\n1,superb,a\n2,,b\n3\n4,"dreadful",c\n'),
        (
            "in.jsonl",
            '{"id": 1, "review": "superb", "label": "a"}\n{"id": 2, "review": "\\ud800 x", "label": "b"}\n'
            '{"id": 3, "review": null, "label": ""}\n{"id": 4, "review": "dreadful", "label": "c"}\n',
        ),
    ],
)
def test_a_bad_row_is_an_error_in_its_place_and_no_column_is_lost(
    run: Run, tmp_path: Path, name: str, content: str, output: str
) -> None:
    (tmp_path / name).write_text(content)
    asked = ("predict", "--file", name, "--output", output)
    done = run(*asked, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"output": output, "reviews": 4, "failed": 2}
    assert "The input has a column label, so the answer's is called prediction_label." in done.stderr
    with (tmp_path / output).open(newline="") as file:
        rows = list(csv.DictReader(file)) if output.endswith(".csv") else [json.loads(line) for line in file]
    assert [str(row["id"]) for row in rows] == ["1", "2", "3", "4"]
    assert [row["label"] or "" for row in rows] == ["a", "b", "", "c"]
    assert [row["prediction_label"] or "" for row in rows] == ["positive", "", "", "negative"]
    line = 3 if name == "in.csv" else 2
    assert f"line {line} of {name}: the review " in str(rows[1]["error"])
    assert f"line {line + 1} of {name}: " in str(rows[2]["error"])
    with (tmp_path / name).open("a") as file:
        file.write("5,superb,d\n" if name == "in.csv" else '{"id": 5, "review": "superb", "label": "d"}\n')
    again = run(*asked, "--resume")
    assert (again.returncode, again.stdout.split()[0]) == (0, "5"), again.stderr


@pytest.mark.parametrize(("arguments", "stdin"), [(("superb", "", "dreadful"), ""), (("-",), "superb\n\ndreadful\n")])
def test_one_of_several_reviews_that_cannot_be_answered_is_no_failure(
    run: Run, arguments: tuple[str, ...], stdin: str
) -> None:
    done = run("predict", *arguments, "--json", stdin=stdin)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert [answer.get("sentiment") for answer in answers] == [1, None, 0]
    assert answers[1]["error"]["code"] == "empty_review"
    strict = run("predict", *arguments, "--output", "out.csv", "--strict", stdin=stdin)
    assert (strict.returncode, "the review is empty" in strict.stderr) == (1, True)


def test_of_many_bad_rows_the_first_are_told_and_the_rest_counted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"review": "superb"}\n' + '{"review": ""}\n' * 2000)
    done = run("predict", "--file", "in.jsonl", "--output", "out.jsonl", "--json")
    assert json.loads(done.stdout)["failed"] == 2000
    told = done.stderr.splitlines()
    assert told[0] == "Not answered: line 2 of in.jsonl: the review is empty."
    assert told[-1] == "1,990 more were not answered."
    assert len(told) == 11


@pytest.mark.parametrize("separator", [(), ("--",)])
def test_a_review_may_begin_with_a_dash(run: Run, separator: tuple[str, ...]) -> None:
    reviews = ("superb", "-1 stars, dreadful", "- superb", "-10", "--superb, I say")
    done = run("predict", "--via", "local", "--json", *separator, *reviews)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert [answer["sentiment"] for answer in answers] == [1, 0, 1, None, 1]


def test_an_option_that_there_is_not_is_no_review(run: Run) -> None:
    done = run("predict", "superb", "-x")
    assert (done.returncode, done.stdout) == (2, "")
    assert "If it is no option but a value: sentictl predict superb -- -x" in " ".join(done.stderr.split())


@pytest.mark.parametrize("value", ["-yes", "--no"])
def test_a_value_that_looks_like_an_option_is_told_how_to_give(run: Run, value: str) -> None:
    refused = run("config", "set", "data.negative", value, "--json")
    assert refused.returncode == 2
    told = json.loads(refused.stdout)["error"]["hint"].partition("but a value: sentictl ")[2]
    done = run(*shlex.split(told))
    assert json.loads(done.stdout) == {"data.negative": value}


def test_a_setting_may_begin_with_a_dash(run: Run) -> None:
    assert run("config", "set", "data.negative", "-1").stdout == "data.negative = -1\n"
    assert run("config", "get", "data.negative").stdout == "-1\n"


def test_a_review_without_a_known_word_is_undecided(run: Run, tmp_path: Path) -> None:
    assert run("predict", "zzz qqq").stdout.split() == ["undecided", "zzz", "qqq"]
    answer = json.loads(run("predict", "zzz qqq", "--json").stdout)
    assert (answer["label"], answer["sentiment"], answer["undecided"]) == ("undecided", None, True)
    assert run("predict", "zzz qqq", "--output", "out.csv").returncode == 0
    assert "undecided" in (tmp_path / "out.csv").read_text()


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
        (("predict", "x", "--output", "out.parquet"), 2, "no known form"),
        (("predict", "x", "--output", "in.csv"), 2, "already"),
        (("predict", "x", "--resume"), 2, "--resume"),
        (("predict", "--via", "batch", "--file", "in.csv", "--output", "o.csv", "--resume"), 2, "by itself"),
        (("predict", "x", "--every", "day 03:00"), 2, "folder on S3"),
        (("predict", "--every", "day 03:00", "--instances", "3"), 2, "--instances"),
        (("predict", "--every", "day 03:00", "--review-column", "text"), 2, "--review-column"),
        (("predict", "--every", "day 03:00", "--via", "api"), 2, "asks no api"),
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


def test_answers_before_a_bad_row_are_kept_and_continued_when_it_is_mended(run: Run, tmp_path: Path) -> None:
    rows = ['{"review": "superb"}\n'] * 2000
    asked = ("predict", "--file", "in.jsonl", "--output", "out.jsonl")
    (tmp_path / "in.jsonl").write_text("".join([*rows, '{"review": 7}\n']))
    failed = run(*asked, "--strict")
    assert failed.returncode == 1
    answered = (tmp_path / "out.jsonl").read_text().splitlines()
    assert len(answered) == 2000
    assert f"{len(answered):,} reviews; go on with: sentictl {' '.join(asked)} --strict --resume" in failed.stderr
    (tmp_path / "in.jsonl").write_text("".join([*rows, '{"review": "dreadful"}\n']))
    again = run(*asked)
    assert again.returncode == 2
    assert "--resume" in again.stderr
    assert json.loads(run(*asked, "--resume", "--json").stdout)["reviews"] == 2001
    sentiments = [json.loads(line)["sentiment"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert sentiments == [1] * 2000 + [0]


def test_a_bad_first_row_leaves_no_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"review": 7}\n')
    assert run("predict", "--file", "in.jsonl", "--output", "out.jsonl", "--strict").returncode == 1
    assert not list(tmp_path.glob("*out.jsonl*"))


def test_with_json_an_error_after_answers_ends_the_list(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"review": "superb"}\n' * 5000 + "not JSON\n")
    done = run("predict", "--file", "in.jsonl", "--json", "--strict")
    assert done.returncode == 1
    *answers, last = json.loads(done.stdout)
    assert all(answer["sentiment"] == 1 for answer in answers)
    assert "not JSON" in last["error"]["message"]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_what_was_answered_when_it_ended_is_continued(
    run: Run, project: Path, tmp_path: Path, end: signal.Signals
) -> None:
    asked = ("predict", "-", "--output", "out.csv")
    process = prepared.Popen(
        [SENTICTL, *asked], cwd=project, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdin
    process.stdin.write("superb\ndreadful\n")
    process.stdin.flush()
    wait_for(lambda: (tmp_path / "out.csv").exists() and (tmp_path / "out.csv").read_bytes().count(b"\n") == 3)
    process.send_signal(end)
    _, stderr = process.communicate(timeout=30)
    if end is signal.SIGINT:
        assert process.returncode == 130
        assert "the first 2 reviews" in stderr
        assert "sentictl predict - --output out.csv --resume" in stderr
    with (tmp_path / "out.csv").open("ab") as file:
        file.write(b"positi")  # half an answer, as a kill may leave it
    assert run(*asked, "--resume", stdin="superb\ndreadful\nsuperb\n").returncode == 0
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [row["sentiment"] for row in csv.DictReader(file)] == ["1", "0", "1"]


def test_each_line_is_answered_before_the_next_is_written(project: Path) -> None:
    process = prepared.Popen(
        [SENTICTL, "predict", "-"], cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdin
    assert process.stdout
    for word, verdict in (("superb", "positive"), ("dreadful", "negative"), ("superb", "positive")):
        process.stdin.write(word + "\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(verdict)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_an_explanation_as_words(run: Run) -> None:
    done = run("predict", "--explain", "A superb plot, but dreadful acting. Superb!")
    assert "\x1b" not in done.stdout
    figures = {line.split("  ")[-1]: line for line in done.stdout.splitlines()}
    assert "+" in figures["superb (2 times)"]
    assert "-" in figures["dreadful"]


def test_an_explanation_as_data(run: Run) -> None:
    review = "Caf&eacute; scenes: <i>superb</i>"
    words = json.loads(run("predict", "--explain", review, "--json").stdout)["explanation"]["words"]
    assert [review[word["start"] : word["end"]] for word in words] == ["Caf&eacute;", "scenes", "superb"]
    (answer,) = json.loads(run("predict", "--explain", "-", "--json", stdin="superb\n").stdout)
    assert answer["explanation"]["words"][0]["contribution"] > 0


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [(("superb",), ""), (("superb", "--explain"), ""), (("superb", "--json"), ""), (("-",), "superb\ndull\n")],
)
def test_nothing_heavy_is_imported_for_a_quick_answer(project: Path, arguments: tuple[str, ...], stdin: str) -> None:
    program = """
import json, sys
from sentictl.cli.app import app
try:
    app()
except SystemExit as end:
    assert not end.code
heavy = {"torch", "nltk", "boto3", "botocore", "pydantic", "sagemaker", "tomlkit", "scipy", "pandas"}
print(json.dumps(sorted(heavy & set(sys.modules))), file=sys.stderr)
"""
    command = [sys.executable, "-c", program, "predict", *arguments]
    done = subprocess.run(command, cwd=project, input=stdin, capture_output=True, text=True, check=True, timeout=60)
    assert "positive" in done.stdout
    assert json.loads(done.stderr) == []


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_damaged_model_is_refused(run: Run, project: Path) -> None:
    (project / ".sentictl" / "models" / "toy" / "model.onnx").write_bytes(b"damaged")
    done = run("predict", "superb")
    assert done.returncode == 1
    assert "model.onnx" in done.stderr
    assert "sentictl train" in done.stderr


def test_a_reader_that_goes_away_is_no_error(project: Path) -> None:
    done = subprocess.run(
        f"yes superb | head -n 5000 | {SENTICTL} predict - | head -n 1",
        shell=True,
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("positive")
    assert done.stderr == ""


def test_a_file_is_read_as_told_and_the_settings_stay(run: Run, project: Path) -> None:
    (project / "other.csv").write_text("id^text\n7^Ein schönes, superb film\n", encoding="cp1252")
    with (project / "sentictl.toml").open("a") as settings:
        settings.write('[data]\ndelimiter = "|"\nencoding = "ascii"\n')
    before = (project / "sentictl.toml").read_text()
    options = ("--file", "other.csv", "--review-column", "text", "--delimiter", "^", "--encoding", "cp1252")
    done = run("predict", *options, "--json")
    assert "review with letters read as Windows-1252: 1, such as line 2 of other.csv: Ein schönes" in done.stderr
    answers = json.loads(done.stdout)
    assert [(answer["id"], answer["text"]) for answer in answers] == [("7", "Ein schönes, superb film")]
    assert (project / "sentictl.toml").read_text() == before
    (project / "other.csv").write_text("id;text\n7;So, so\n")
    refused = run("predict", "--file", "other.csv")
    assert refused.returncode == 1
    assert "sentictl predict --file other.csv --review-column" in " ".join(refused.stderr.split())


def test_how_a_file_is_read_needs_a_file(run: Run) -> None:
    done = run("predict", "what a film", "--delimiter", ";")
    assert done.returncode == 2
    assert "--delimiter says how a file is read" in done.stderr
