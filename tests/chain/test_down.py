"""Taking everything away, and what commands say when there is nothing."""

import socket
from pathlib import Path

import pytest

from tests.chain.shell import Shell


def runs(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet waited for does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_down_leaves_no_process_no_port_and_no_state(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # one that no other twin takes as soon as it is free again
    shell.run("local", "start", "--port", str(port))
    shell.run("up")
    twin = shell.json("local", "status")
    assert twin["port"] == port
    answer = shell.json("down", "--yes")
    assert answer["left"] == []
    assert [entry["kind"] for entry in answer["deleted"]][-1] == "bucket"
    assert not (shell.folder / ".sentictl").exists()
    assert "state" not in (shell.folder / "sentictl.toml").read_text()
    assert not runs(twin["pid"])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", twin["port"])) != 0
    status = shell.json("status")
    assert (status["resources"], status["page_url"], status["api_url"]) == ([], None, None)
    assert shell.json("down", "--yes") == {"deleted": [], "left": []}
    assert not (shell.folder / ".sentictl").exists()


def test_a_part_is_found_and_taken_down_alone_where_the_record_is_lost(shell: Shell) -> None:
    settings = shell.folder / "sentictl.toml"
    before = settings.read_text()
    for command in ("data", "train", "deploy"):
        shell.run(command)
    settings.write_text(before)  # as `git checkout sentictl.toml` does
    deleted = shell.json("down", "endpoint", "--yes")["deleted"]
    assert "endpoint" in {entry["kind"] for entry in deleted}
    sagemaker = shell.client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert len(sagemaker.list_training_jobs()["TrainingJobSummaries"]) == 1
    assert len(shell.client("s3").list_buckets()["Buckets"]) == 1


def test_down_asks_first(shell: Shell) -> None:
    error = shell.json("down", expect=2)["error"]
    assert "--yes" in error["hint"]


@pytest.mark.parametrize(
    ("command", "next_step"),
    [
        (("train",), "sentictl data"),
        (("deploy",), "sentictl train"),
        (("wire-lambda",), "sentictl deploy"),
        (("wire-api",), "sentictl wire-lambda"),
        (("site",), "sentictl wire-api"),
        (("predict", "x"), "sentictl train"),
        (("predict", "x", "--via", "api"), "sentictl wire-api"),
        (("evaluate",), "sentictl train"),
        (("logs", "train"), "sentictl train"),
    ],
)
def test_a_command_that_comes_too_early_names_the_one_before(
    shell: Shell, command: tuple[str, ...], next_step: str
) -> None:
    assert next_step in shell.json(*command, expect=1)["error"]["hint"]
