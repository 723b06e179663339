"""A project's folder and its lock."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import ModelError, StateError
from tests.forks import ends

HOLD = """
import sys
from pathlib import Path
from sentictl.config.project_folder import ProjectFolder
folder = ProjectFolder(Path(sys.argv[1]))
with folder.locked():
    print("held", flush=True)
    if sys.stdin.readline() == "delete\\n":
        folder.delete_cache()
        print("deleted", flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return ProjectFolder(tmp_path)


@contextmanager
def holder(folder: ProjectFolder) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lock, and deletes the cache when told to."""
    command = [sys.executable, "-c", HOLD, str(folder.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def is_free(folder: ProjectFolder) -> bool:
    """Whether another process could take the lock."""
    return ends(lambda: folder.locked().__enter__()) == 0


def test_the_project_is_found_from_a_folder_below_it(tmp_path: Path) -> None:
    (tmp_path / "sentictl.toml").touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert ProjectFolder.find(tmp_path / "a" / "b") == ProjectFolder(tmp_path.resolve())


def test_a_second_command_is_told_who_holds_the_lock(folder: ProjectFolder) -> None:
    with holder(folder) as first:
        with pytest.raises(StateError, match=rf"\(process {first.pid}\)") as refusal, folder.locked():
            raise AssertionError("the lock was given twice")
        assert "run this again" in refusal.value.hint


def test_the_lock_dies_with_its_holder(folder: ProjectFolder) -> None:
    with holder(folder) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        with folder.locked():
            assert folder.lock_file.read_text() == str(os.getpid())


@pytest.mark.parametrize("content", [b"", b"99999999", b"\xff\x00 not a pid", b"x" * 100_000])
def test_what_an_old_lock_says_does_no_harm(folder: ProjectFolder, content: bytes) -> None:
    folder.cache.mkdir()
    folder.lock_file.write_bytes(content)
    with folder.locked():
        assert folder.lock_file.read_text() == str(os.getpid())
        folder.lock_file.write_bytes(content)
        with pytest.raises(StateError, match="Another sentictl command"), folder.locked():
            raise AssertionError("the lock was given twice")


def test_deleting_the_cache_takes_the_lock_file_along(folder: ProjectFolder) -> None:
    with folder.locked():
        (folder.datasets / "d").mkdir(parents=True)
        (folder.datasets / "d" / "file").touch()
        folder.models.symlink_to(folder.datasets)
        folder.log_file.touch()
        folder.delete_cache()
    assert list(folder.root.iterdir()) == []


def test_who_begins_while_the_cache_is_deleted_keeps_what_is_new(folder: ProjectFolder) -> None:
    with holder(folder) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        first.stdin.write("delete\n")
        first.stdin.flush()
        assert first.stdout.readline() == "deleted\n"
        with folder.locked():  # of another file by now, which the first one does not touch any more
            folder.datasets.mkdir()
            first.communicate("end\n")
            assert folder.datasets.is_dir()
            assert not is_free(folder)
    assert is_free(folder)


def test_the_temporary_files_of_killed_writers_go_away(folder: ProjectFolder) -> None:
    (folder.root / ".sentictl.toml.a1b2c3d4.tmp").touch()
    with folder.locked():
        assert [entry.name for entry in folder.root.iterdir()] == [".sentictl"]


def test_a_cache_that_is_a_file_is_refused(folder: ProjectFolder) -> None:
    folder.cache.touch()
    with pytest.raises(StateError, match=f"{folder.lock_file} cannot be taken: Not a directory"), folder.locked():
        raise AssertionError("there is nothing to lock")


def test_a_lock_that_is_a_folder_is_refused(folder: ProjectFolder) -> None:
    folder.lock_file.mkdir(parents=True)
    with pytest.raises(StateError, match=f"{folder.lock_file} cannot be taken: Is a directory"), folder.locked():
        raise AssertionError("there is nothing to lock")


def test_a_folder_that_went_away_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be taken: No such file"), ProjectFolder(tmp_path / "gone").locked():
        raise AssertionError("there is nothing to lock")


def test_a_copy_of_a_state_is_kept_by_environment_until_it_is_empty(folder: ProjectFolder) -> None:
    assert folder.kept_copies() == {}
    folder.keep_copy("prod", '{"version": 3}')
    folder.keep_copy("dev", "{}")
    assert {name: path.read_text() for name, path in folder.kept_copies().items()} == {
        "dev": "{}",
        "prod": '{"version": 3}',
    }
    folder.keep_copy("prod", "")
    folder.keep_copy("never", "")
    assert list(folder.kept_copies()) == ["dev"]


def test_models_of_an_environment_are_forgotten_and_others_stay(folder: ProjectFolder) -> None:
    for name in ("a", "b"):
        (folder.models / name).mkdir(parents=True)
    folder.current_model("local").symlink_to("a")
    folder.current_model("prod").symlink_to("b")
    assert folder.model_of("local").resolve().name == "a"
    folder.forget_models("local", ["a", "gone"])
    assert sorted(path.name for path in folder.models.iterdir()) == ["b", "current-prod"]
    with pytest.raises(ModelError, match="There is no model of the environment local on this machine") as refusal:
        folder.model_of("local")
    assert refusal.value.hint.startswith("Train one: sentictl train, fetch")
    with pytest.raises(ModelError) as refusal:
        folder.model_of("dev")
    assert "sentictl deploy --env dev, " in refusal.value.hint


def test_every_twin_has_a_folder_of_its_own(folder: ProjectFolder) -> None:
    assert folder.twin_homes() == [folder.twin_home]
    for name in ("b", "a"):
        (folder.twins / name).mkdir(parents=True)
    assert folder.twin_homes() == [folder.twin_home, folder.twins / "a", folder.twins / "b"]
