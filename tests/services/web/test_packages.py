"""The packages of a function that holds the model, as pip fetches them from a folder."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from sentictl.errors import PackagingError
from sentictl.services.web.packages import installed_files, wheels
from tests.services.conftest import ContextOf
from tests.services.web.wheels import ask_for, keep_pip_offline, make_wheel

FILES = {
    "small/__init__.py": b"import small.core",
    "small/core.cpython-313-aarch64-linux-gnu.so": b"\x7fELF" * 100,
    "small/core.pyi": b"",
    "small/include/small.h": b"",
    "small/tests/test_core.py": b"",
    "small-1.0.data/purelib/beside.py": b"",
    "small-1.0.data/scripts/small": b"",
}


def test_wheels_for_lambda_are_fetched_once_whatever_this_machine_is(
    context_of: ContextOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, shelf = context_of(""), tmp_path / "shelf"
    small = make_wheel(shelf, "small", FILES)
    make_wheel(shelf, "small", {}, "cp311-cp311-manylinux_2_28_x86_64")
    pure = make_wheel(shelf, "pure", {"pure.py": b""}, "py3-none-any")
    keep_pip_offline(monkeypatch, shelf)
    requirements = ask_for(tmp_path, small, pure)
    fetched = wheels(context, requirements)
    assert [path.name for path in fetched] == [pure.name, small.name]

    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    assert wheels(context, requirements) == fetched

    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    assert [path.name for path in wheels(context, ask_for(tmp_path, pure))] == [pure.name]
    assert not fetched[0].exists()


def test_of_a_wheel_comes_what_predictions_need(tmp_path: Path) -> None:
    names = {member.name for member in installed_files(make_wheel(tmp_path, "small", FILES))}
    assert {name for name in names if ".dist-info/" not in name} == {
        "small/__init__.py",
        "small/core.cpython-313-aarch64-linux-gnu.so",
        "beside.py",
    }


def test_another_wheel_than_the_one_that_is_written_down_is_refused(
    context_of: ContextOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "shelf"
    requirements = ask_for(tmp_path, make_wheel(shelf, "small", FILES))
    make_wheel(shelf, "small", {"small/__init__.py": b"another"})
    keep_pip_offline(monkeypatch, shelf)
    with pytest.raises(PackagingError) as caught:
        wheels(context_of(""), requirements)
    assert "HASHES" in caught.value.message
    assert "deploy.serving" in caught.value.hint
    assert not list((tmp_path / ".sentictl" / "wheels").iterdir())


def test_without_pip_its_installation_is_named(
    context_of: ContextOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec

    def without_pip(name: str, *others: Any) -> Any:
        return None if name == "pip" else find(name, *others)

    monkeypatch.setattr(importlib.util, "find_spec", without_pip)
    with pytest.raises(PackagingError) as caught:
        wheels(context_of(""), ask_for(tmp_path))
    assert "pip install" in caught.value.hint


def test_a_damaged_wheel_is_told_with_what_to_delete(tmp_path: Path) -> None:
    path = tmp_path / "small-1.0-py3-none-any.whl"
    path.write_bytes(b"no archive")
    with pytest.raises(PackagingError) as caught:
        list(installed_files(path))
    assert f"rm -r {tmp_path}" in caught.value.hint
