"""What a person sees: the chain as it comes alive, what stands, and what went wrong, on terminals and elsewhere."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.chain.shell import Shell, begin
from tests.chain.terminal import CTRL_C, Recording, on_terminal
from tests.prepared.programs import MEMORY

PARTS = ("data", "train", "deploy", "wire-lambda", "wire-api", "site")
COLOR = re.compile(r"\x1b\[(?:[0-9]+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9]+)*m")
SHOWING = (
    ("up",),
    ("status",),
    ("status", "--resources"),
    ("plan",),
    ("models",),
    ("doctor",),
    ("evaluate",),
    ("down", "--dry-run"),
    ("config", "get", "data.sourse"),
)


@pytest.fixture(scope="module")
def first(shell: Shell) -> Recording:
    """The first `up` of a project, which really trains: what is remembered would be told all at once."""
    return on_terminal(shell, "up", variables={MEMORY: ""})


def too_long(lines: Sequence[str], columns: int) -> list[str]:
    """Lines that do not fit. A command, and a word that takes half a line, may stick out: broken, they could not be
    copied."""
    wide = [line for line in lines if len(line) > columns and not line.startswith("Next: sentictl ")]
    return [line for line in wide if all(len(word) < columns / 2 for word in line.split())]


def rows(lines: Sequence[str], part: str) -> list[str]:
    """The lines that begin with a part's name."""
    return [line for line in lines if line.split()[:1] == [part]]


def test_the_chain_is_drawn_whole_from_the_start(first: Recording) -> None:
    assert first.code == 0, first.written
    beginning = next(lines for lines in first.moments() if rows(lines, "data"))
    assert all(rows(beginning, part) for part in PARTS)
    assert not any("✓" in line for line in beginning)
    assert any("epoch" in line and "loss" in line for lines in first.moments() for line in rows(lines, "train"))


def test_at_the_end_each_part_stands_once_with_its_facts(first: Recording) -> None:
    lines = first.lines()
    assert [len(rows(lines, part)) for part in PARTS] == [1] * len(PARTS)
    assert all(rows(lines, part)[0].split()[1] == "✓" for part in PARTS)
    for fact in ("192 train", "validation", "toy-local-endpoint in service", "Page:", "API:", "% right", "Next:"):
        assert fact in first.text()
    assert re.search(r"loss [▁-█]+ · validation [\d.]+ % [▁-█]+", rows(lines, "train")[0])
    assert any(line.startswith("╭─ Live") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "columns"), [*((line, 40) for line in SHOWING), (("up",), 60), (("status",), 60)]
)
@pytest.mark.usefixtures("first")
def test_nothing_is_cut_or_broken_by_the_terminal(shell: Shell, arguments: Sequence[str], columns: int) -> None:
    shown = on_terminal(shell, *arguments, columns=columns)
    assert shown.lines() != [""]
    assert too_long(shown.lines(), columns) == []
    assert "Traceback" not in shown.written


@pytest.mark.usefixtures("first")
def test_a_second_up_says_that_nothing_changed(shell: Shell) -> None:
    lines = on_terminal(shell, "up").lines()
    assert all(rows(lines, part)[0].split()[1:3] == ["=", "unchanged"] for part in PARTS)


@pytest.mark.parametrize("arguments", SHOWING, ids=" ".join)
@pytest.mark.usefixtures("first")
def test_a_log_file_holds_plain_lines(shell: Shell, arguments: Sequence[str]) -> None:
    done = shell.run(*arguments, expect=2 if "data.sourse" in arguments else 0)
    lines = (done.stdout + done.stderr).splitlines()
    assert not [line for line in lines if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line)]
    wide = [line for line in too_long(lines, 80) if not line.startswith("✗ ")]  # messages stay whole, to be searched
    assert wide == []


@pytest.mark.usefixtures("first")
def test_a_log_file_has_each_milestone_once(shell: Shell) -> None:
    lines = shell.run("up").stderr.splitlines()
    assert [len(rows(lines, part)) for part in PARTS] == [1] * len(PARTS)


@pytest.mark.parametrize(
    ("arguments", "variables"), [((), {"NO_COLOR": "1"}), (("--no-color",), {}), ((), {"TERM": "dumb"})]
)
@pytest.mark.parametrize("command", [("status",), ("config", "get", "data.sourse")], ids=" ".join)
def test_color_can_be_done_without(
    first: Recording, shell: Shell, command: Sequence[str], arguments: Sequence[str], variables: dict[str, str]
) -> None:
    assert COLOR.search(first.written)
    plain = on_terminal(shell, *command, *arguments, variables=variables)
    assert not COLOR.search(plain.written)
    assert "TERM" not in variables or "\x1b" not in plain.written


@pytest.mark.parametrize(
    "arguments", [("up",), ("status",), ("evaluate",), ("config", "get", "data.sourse")], ids=" ".join
)
@pytest.mark.usefixtures("first")
def test_signs_that_cannot_be_written_are_spelled(shell: Shell, arguments: Sequence[str]) -> None:
    shown = on_terminal(shell, *arguments, variables={"PYTHONIOENCODING": "ascii"})
    assert b"".join(shown.pieces).isascii()
    assert shown.code == (2 if "data.sourse" in arguments else 0), shown.written


@pytest.mark.usefixtures("first")
def test_quiet_says_the_result_and_nothing_else(shell: Shell) -> None:
    done = shell.run("up", "--quiet")
    assert done.stderr == ""
    assert "http://127.0.0.1" in done.stdout


def test_ctrl_c_leaves_the_training_job_running_and_says_how_to_go_on(aws: Shell) -> None:
    with (aws.folder / "sentictl.toml").open("a") as settings:
        settings.write("train.patience = 100\ntrain.hidden_dim = 512\n")  # a job that is not over soon
    aws.run("config", "set", "train.epochs", "100", "--env", "prod")
    stopped = on_terminal(aws, "up", "--env", "prod", typing={" of 100": CTRL_C})
    assert stopped.code == 130
    lines, text = stopped.lines(), stopped.text()
    assert [len(rows(lines, part)) for part in PARTS] == [1] * len(PARTS)
    assert rows(lines, "data")[0].split()[1] == "✓"
    assert rows(lines, "train")[0].split()[1] == "✗"
    assert "runs on" in text
    assert "sentictl train --env prod --stop" in text.replace("│ │ ", "").replace("│", "")
    job = aws.json("status", "--env", "prod")["resources"][-1]
    assert job["status"] == "InProgress"
    assert aws.json("train", "--stop", "--env", "prod") == {"stopped": job["name"]}


@pytest.mark.usefixtures("first")
def test_an_error_says_what_why_and_what_next(shell: Shell) -> None:
    shown = on_terminal(shell, "deploy", "--instance-type", "ml.m5.huge")
    assert shown.code == 2
    framed = " ".join(" ".join(line for line in shown.lines() if line.startswith("│")).replace("│", " ").split())
    assert 'deploy.instance_type cannot be "ml.m5.huge": there is no such instance type' in framed
    assert "Did you mean ml.m5.large?" in framed
    piped = shell.run("deploy", "--instance-type", "ml.m5.huge", expect=2).stderr
    assert '✗ The setting deploy.instance_type cannot be "ml.m5.huge": ' in piped
    assert "\n  Did you mean ml.m5.large? " in piped


@pytest.mark.usefixtures("first")
def test_what_fails_once_it_has_begun_is_marked_where_it_stands(shell: Shell) -> None:
    shown = on_terminal(shell, "deploy", "--model", "99")
    assert shown.code != 0
    assert rows(shown.lines(), "deploy")[0].split()[1] == "✗"


@pytest.mark.usefixtures("first")
def test_status_shows_what_is_gone_and_what_mends_it(shell: Shell) -> None:
    shell.client("sagemaker").delete_endpoint(EndpointName="toy-local-endpoint")
    shown = on_terminal(shell, "status")
    marks = {line.split()[1]: line.split()[0] for line in shown.lines() if line.split()[:1] in (["●"], ["○"], ["✗"])}
    assert marks == dict.fromkeys(PARTS, "●") | {"deploy": "✗"}
    assert "endpoint toy-local-endpoint: missing. Mend it: sentictl deploy" in shown.text()
    assert "1 of 18 resources are not as the settings want them." in shown.text()
    shell.run("deploy")


def test_status_of_a_chain_that_is_not_whole_yet(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    assert "Nothing stands in the environment local." in shell.run("status").stdout
    shell.run("data")
    lines = shell.run("status").stdout.splitlines()
    assert lines[0].startswith("  ● data         s3://toy-local-")
    assert lines[2] == "  ○ train        not made yet · make it with: sentictl train"
    shell.run("down", "--yes")


def test_something_is_said_before_what_takes_long_is_loaded(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    heavy = {"boto3", "pydantic", "rich", "tomlkit", "numpy"}
    code = f"""
import sys
from sentictl.cli import app
class Spy:
    def __getattr__(self, name):
        return getattr(sys.__stderr__, name)
    def write(self, text):
        print(repr(text), sorted({heavy!r} & set(sys.modules)))
        sys.stdout.flush()
        sys.exit()
app.open_streams = lambda _: None
sys.stderr = Spy()
sys.argv = ["sentictl", "up"]
app.main()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=shell.folder, capture_output=True, text=True, check=False)
    assert re.match(r"'sentictl [\w.+]+ ' \[\]", done.stdout), done.stdout + done.stderr
