"""`sentictl local run`: a program of the person's own, whose calls go to the twin."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sentictl.twin import daemon
from tests.chain.shell import Shell

TELL = "import json, os; print(json.dumps(dict(os.environ)))"
BUCKETS = "import boto3; print(boto3.client('s3').list_buckets()['Buckets'])"


def test_boto3_finds_the_twin_without_a_word_about_it(shell: Shell) -> None:
    assert shell.run("local", "run", sys.executable, "-c", BUCKETS).stdout == "[]\n"


def test_the_program_has_its_own_options_and_exit_code(shell: Shell) -> None:
    done = shell.run("local", "run", sys.executable, "-c", "import sys; sys.exit(len(sys.argv))", "--json", expect=2)
    assert (done.stdout, done.stderr) == ("", "")


def test_nothing_of_an_account_goes_along(shell: Shell) -> None:
    person = replace(shell, variables={"AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "planted", "EDITOR": "ed"})
    told = json.loads(person.run("local", "run", sys.executable, "-c", TELL).stdout)
    assert (told["EDITOR"], told["AWS_REGION"]) == ("ed", "us-east-1")
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & told.keys()
    assert (told["AWS_CONFIG_FILE"], told["AWS_SHARED_CREDENTIALS_FILE"]) == (os.devnull, os.devnull)


@pytest.mark.parametrize("others", ["", "intranet"])
def test_a_proxy_is_not_asked_for_the_twin(shell: Shell, others: str) -> None:
    proxies = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "no_proxy": others}
    person = replace(shell, variables=proxies)
    assert person.run("local", "run", sys.executable, "-c", BUCKETS).stdout == "[]\n"
    told = json.loads(person.run("local", "run", sys.executable, "-c", TELL).stdout)
    assert told["HTTP_PROXY"] == "http://127.0.0.1:9"
    assert others in told["no_proxy"]


def test_a_program_that_there_is_not(shell: Shell) -> None:
    error = json.loads(shell.run("local", "run", "--json", "no-such-program", expect=2).stdout)["error"]
    assert error["message"] == "no-such-program cannot be run: No such file or directory."


@pytest.mark.parametrize("line", [("local", "start"), ("local", "status"), ("local", "status", "--json"), ("status",)])
def test_no_command_shows_the_key(shell: Shell, line: tuple[str, ...]) -> None:
    shell.run("local", "start")
    key = daemon.access(shell.twin).key
    done = shell.run(*line, "--debug")
    assert key not in done.stdout + done.stderr


def test_the_key_is_nowhere_but_in_the_twins_record(shell: Shell) -> None:
    shell.run("up", "--debug")
    home = shell.twin
    key = daemon.access(home).key.encode()
    assert [path for path in files(shell.folder) if key in path.read_bytes()] == [home / "twin.json"]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
