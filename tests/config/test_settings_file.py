"""The text of sentictl.toml: what is changed in it is changed, and all else stays as people wrote it."""

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.config.settings_file import SettingsFile
from sentictl.errors import SettingsError
from tests.config.test_state import states

TRIVIA = ("", "\n", "\n\n", "# a note\n", "  # indented\n\n", "\n# [state.local] is below\n", "\t\n")
TABLES = (
    '[project]  # who\nname = "films"\n',
    "[train]\nepochs = 3   # three\n# of them\nbatch_size=64\n",
    '[env.prod]\nregion = "eu-west-1"\ndeploy.instance_type = "ml.c5.large" # big\n',
    "[env.prod.train]\nepochs = 9\n",
    '[env.test]\nprofile = "work"\n',
    "[data]\nlist = [\n  [1],  # one\n]\n",
    '[state.prod]\nversion = 1\n\n[[state.prod.resources]]\nkind = "a"\nname = "b"\narn = ""\n',
    '[state.local]\nversion = 1\n[[state.local.resources]]\nkind = "c"\nname = "d"\n',
)
CHANGES: dict[str, Any] = {
    "train.epochs": 5,
    "deploy.instance_type": "ml.m5.large",
    "env.prod.train.epochs": 7,
    "env.prod.deploy.instance_count": 2,
    "env.prod.site.title": 'A "quoted"\ntitle',
    "env.test.train.spot": True,
    "env.new.api.throttle_rate": 0.5,
}


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Text as a person may have left it: tables in any order, notes and empty lines in between, either line ending."""
    tables = draw(st.permutations(TABLES))[: draw(st.integers(0, len(TABLES)))]
    text = "".join(draw(st.sampled_from(TRIVIA)) + table for table in tables) + draw(st.sampled_from(TRIVIA))
    text = text.removesuffix("\n") if draw(st.booleans()) else text
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> SettingsFile:
    return SettingsFile(tmp_path_factory.mktemp("project") / "sentictl.toml")


@given(documents(), states.filter(len))
def test_state_goes_in_and_out_and_all_else_stays(file: SettingsFile, text: str, state: Any) -> None:
    _write(file, text)
    before = file.read()
    file.put_state("local", state.to_toml())
    assert file.read() == before | {"state": before.get("state", {}) | {"local": state.to_toml()}}
    once = file.path.read_bytes()
    file.put_state("local", state.to_toml())
    assert file.path.read_bytes() == once
    file.put_state("local", {})
    assert "local" not in file.read().get("state", {})
    assert _notes(file.path.read_bytes().decode()) == _notes(text)
    if "[[state.local" not in text:
        assert file.path.read_bytes().decode() in (text, text + "\n", text + "\r\n")


@given(documents(), st.lists(st.sampled_from(list(CHANGES)), min_size=1, unique=True))
def test_settings_go_in_and_all_else_stays(file: SettingsFile, text: str, keys: list[str]) -> None:
    _write(file, text)
    before = file.read()
    file.put({key: CHANGES[key] for key in keys})
    values = _flat(file.read())
    assert values == _flat(before) | {key: CHANGES[key] for key in keys}
    assert _notes(file.path.read_bytes().decode()) == _notes(text)


@given(documents(), st.data())
def test_a_file_cut_off_anywhere_is_refused_or_read_as_it_stands(
    file: SettingsFile, text: str, data: st.DataObject
) -> None:
    cut = text.encode()[: data.draw(st.integers(0, len(text)))]
    file.path.write_bytes(cut)
    try:
        expected = tomllib.loads(cut.decode())
    except tomllib.TOMLDecodeError:
        with pytest.raises(SettingsError, match=r"not valid TOML: .*(line \d+|end of document)"):
            file.put_state("local", {"version": 2})
        assert file.path.read_bytes() == cut
    else:
        assert file.read() == expected


@given(st.binary(max_size=60))
def test_bytes_of_any_kind_are_read_or_refused(file: SettingsFile, content: bytes) -> None:
    file.path.write_bytes(content)
    try:
        expected = tomllib.loads(content.decode())
    except ValueError:
        with pytest.raises(SettingsError, match=re.escape(str(file.path))) as refusal:
            file.read()
        assert "version control" in refusal.value.hint
    else:
        assert _flat(file.read()).keys() == _flat(expected).keys()  # a NaN is not equal to itself


def test_what_stands_between_and_below_the_recorded_tables_stays_where_it_was(file: SettingsFile) -> None:
    _write(file, "# mine\n[state.local]\nversion = 1\nresources = []\n\n# of training\n[train]\nepochs = 3\n")
    file.put_state("local", {"version": 2, "resources": [{"kind": "a", "name": "b"}]})
    above, _, below = file.path.read_text().partition("version = 2")
    assert above == "# mine\n\n[state.local]\n"
    assert below.endswith('name = "b"\n\n# of training\n[train]\nepochs = 3\n')


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("state = {prod = {version = 1}}\n", lambda file: file.put_state("local", {"version": 2})),
        ("[state]\nlocal.version = 1\n", lambda file: file.put_state("local", {"version": 2})),
        ('note = """\n[state.local]\n"""\n', lambda file: file.put_state("local", {"version": 2})),
        ("env = {prod = {region = 'eu-west-1'}}\n", lambda file: file.put({"env.prod.train.epochs": 3})),
        ("train = 3\n", lambda file: file.put({"train.epochs": 3})),
    ],
)
def test_a_form_that_cannot_be_changed_safely_is_left_alone(
    file: SettingsFile, text: str, change: Callable[[SettingsFile], None]
) -> None:
    _write(file, text)
    with pytest.raises(SettingsError, match="in a form in which sentictl cannot change") as refusal:
        change(file)
    assert "headers of their own" in refusal.value.hint
    assert file.path.read_text() == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[train]\nepochs = = 3\n", r"not valid TOML: .*line 2"),
        (b"[train]\n# \xff\n", r"not UTF-8 text \(line 2\)"),
        (b"\x00\x01\x02", "not valid TOML"),
        (b"a = " + b"[" * 5000, "not valid TOML"),
    ],
)
def test_what_cannot_be_read_names_the_file_and_the_line(file: SettingsFile, content: bytes, message: str) -> None:
    file.path.write_bytes(content)
    for attempt in (file.read, lambda: file.put({"train.epochs": 3}), lambda: file.put_state("local", {})):
        with pytest.raises(SettingsError, match=message) as refusal:
            attempt()
        assert str(file.path) in refusal.value.message
    assert file.path.read_bytes() == content


def test_a_file_that_went_away_is_not_made_anew(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "sentictl.toml")
    with pytest.raises(SettingsError, match="is not there any more") as refusal:
        file.put_state("local", {"version": 2})
    assert "sentictl import" in refusal.value.hint
    assert not file.path.exists()


def _write(file: SettingsFile, text: str) -> None:
    file.path.write_bytes(text.encode())


def _notes(text: str) -> list[str]:
    return re.findall(r"#[^\r\n]*", text)


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def test_an_edit_that_is_saved_while_it_is_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sentictl.toml"
    path.write_text('[project]\nname = "films"\n[train]\nepochs = 3\n')
    sync, edits = os.fsync, ['[project]\nname = "films"\n[train]\nepochs = 3\nbatch_size = 32\n']

    def sync_slowly(descriptor: int) -> None:
        """Meanwhile somebody saves the file in an editor, once."""
        if edits:
            path.write_text(edits.pop())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", sync_slowly)
    SettingsFile(path).put({"train.epochs": 9})
    assert SettingsFile(path).read()["train"] == {"epochs": 9, "batch_size": 32}
    assert [entry.name for entry in tmp_path.iterdir()] == ["sentictl.toml"]
