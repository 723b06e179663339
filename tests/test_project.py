"""The project file: settings from every place they can come from, writes that lose nothing, state that survives."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.errors import SettingsError, StateError
from sentictl.folder import ProjectFolder
from sentictl.project import Project, all_keys, get
from sentictl.settings import Settings
from sentictl.state import Record, State

FILE = """\
# mine
[project]
name = "films"  # the name

[train]
epochs = 3

[env.prod]
region = "eu-west-1"
profile = "work"
deploy.instance_type = "ml.c5.large"
"""


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    (tmp_path / "sentictl.toml").write_text(FILE)
    return ProjectFolder(tmp_path)


def test_settings_come_from_the_file_and_else_from_the_defaults(folder: ProjectFolder) -> None:
    settings = Project.load(folder).settings
    assert (settings.project.name, settings.train.epochs) == ("films", 3)
    assert settings.train.batch_size == Settings().train.batch_size


def test_an_environment_overrides_settings_and_says_where_it_is(folder: ProjectFolder) -> None:
    project = Project.load(folder, "prod")
    assert project.settings.deploy.instance_type == "ml.c5.large"
    assert (project.placement.region, project.placement.profile) == ("eu-west-1", "work")
    assert Project.load(folder).settings.deploy.instance_type == Settings().deploy.instance_type


def test_a_variable_goes_over_the_file(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTICTL_TRAIN_EPOCHS", "7")
    assert Project.load(folder).settings.train.epochs == 7


def test_setting_a_value_keeps_comments_and_order(folder: ProjectFolder) -> None:
    assert Project.load(folder).set({"train.epochs": 5, "project.name": "films"}) == {"train.epochs": 5}
    assert folder.settings_file.read_text() == FILE.replace("epochs = 3", "epochs = 5")


def test_a_value_set_in_an_environment_stays_in_it(folder: ProjectFolder) -> None:
    assert Project.load(folder, "prod").set({"train.epochs": 9}) == {"env.prod.train.epochs": 9}
    assert Project.load(folder, "prod").settings.train.epochs == 9
    assert Project.load(folder).settings.train.epochs == 3


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"train.epoch": 3}, "no setting called train.epoch", "Did you mean train.epochs?"),
        ({"train.epochs": 0}, "train.epochs cannot be 0", "sentictl config set train.epochs"),
        ({"project.name": "No Good"}, "project.name cannot be", "sentictl config set"),
    ],
)
def test_what_cannot_be_set_is_refused_and_nothing_is_written(
    folder: ProjectFolder, changes: dict[str, object], message: str, hint: str
) -> None:
    with pytest.raises(SettingsError, match=message) as refusal:
        Project.load(folder).set(changes)
    assert hint in refusal.value.hint
    assert folder.settings_file.read_text() == FILE


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[train]\nepoch = 3", "no setting called train.epoch", "Did you mean train.epochs?"),
        ("[trian]\nepochs = 3", "no setting called trian", "Did you mean train?"),
        ("[train]\nepochs = 'many'", 'train.epochs cannot be "many"', "config set"),
        ("[train\nepochs = 3", "not valid TOML", "Correct that line"),
        ("[state.local]\nversion = 99", "version 99", "Update sentictl"),
        ("[[state.local.resources]]\nname = 'x'", "no 'kind'", "Restore"),
    ],
)
def test_a_file_that_is_not_right_says_where_and_what_to_do(
    folder: ProjectFolder, text: str, message: str, hint: str
) -> None:
    folder.settings_file.write_text(text)
    with pytest.raises((SettingsError, StateError), match=message) as refusal:
        Project.load(folder)
    assert hint in refusal.value.hint


def test_an_unknown_environment_is_named(folder: ProjectFolder) -> None:
    with pytest.raises(SettingsError, match="no environment called prd") as refusal:
        Project.load(folder, "prd")
    assert refusal.value.hint == "Did you mean prod?"


names = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1, max_size=20)
records = st.builds(
    Record,
    kind=st.sampled_from(["bucket", "endpoint", "model"]),
    name=names,
    arn=names,
    attributes=st.dictionaries(st.sampled_from(["id", "artifact"]), names, max_size=2),
)


@given(st.lists(records, max_size=8))
def test_state_survives_the_file(tmp_path_factory: pytest.TempPathFactory, kept: list[Record]) -> None:
    folder = ProjectFolder(tmp_path_factory.mktemp("project"))
    folder.settings_file.write_text(FILE)
    project = Project.load(folder)
    for record in kept:
        project.state.keep(record)
        project.save_state()
    assert list(Project.load(folder).state) == list(project.state)
    project.state = State()
    project.save_state()
    assert folder.settings_file.read_text().startswith(FILE.rstrip())
    assert not len(Project.load(folder).state)


def test_saving_the_state_keeps_what_a_person_wrote_meanwhile(folder: ProjectFolder) -> None:
    project = Project.load(folder)
    folder.settings_file.write_text(FILE.replace("epochs = 3", "epochs = 8"))
    project.state.keep(Record("bucket", "b", "arn"))
    project.save_state()
    assert Project.load(folder).settings.train.epochs == 8


def test_environments_keep_their_state_apart(folder: ProjectFolder) -> None:
    for environment in ("local", "prod"):
        project = Project.load(folder, environment)
        project.state.keep(Record("bucket", environment, "arn"))
        project.save_state()
    assert [record.name for record in Project.load(folder, "prod").state] == ["prod"]
    local = Project.load(folder)
    local.state = State()
    local.save_state()
    assert [record.name for record in Project.load(folder, "prod").state] == ["prod"]
    assert local.stands_somewhere()


def test_saving_an_unchanged_state_does_not_touch_the_file(folder: ProjectFolder) -> None:
    project = Project.load(folder)
    project.state.keep(Record("bucket", "b", "arn", {"id": "1"}))
    project.save_state()
    before = folder.settings_file.stat().st_ino
    project.save_state()
    Project.load(folder).save_state()
    assert folder.settings_file.stat().st_ino == before  # a save replaces the file, and so its inode


HOLD = """
import sys
from pathlib import Path
from sentictl.folder import ProjectFolder
from sentictl.project import Project
with Project.load(ProjectFolder(Path(sys.argv[1]))).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_command_is_told_who_holds_the_lock(folder: ProjectFolder) -> None:
    command = [sys.executable, "-c", HOLD, str(folder.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with pytest.raises(StateError, match=f"process {first.pid}"), Project.load(folder).locked():
            raise AssertionError("the lock was given twice")
        first.communicate()
    with Project.load(folder).locked():
        Project.load(folder).set({"train.epochs": 4})
    assert Project.load(folder).settings.train.epochs == 4


def test_the_file_is_never_half_written(folder: ProjectFolder) -> None:
    project = Project.load(folder)
    seen: list[str] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(folder.settings_file.read_text())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(50):
        project.state.keep(Record("model", f"m{number}", "arn" * 50))
        project.save_state()
    done.set()
    watcher.join()
    for text in seen:
        assert text.startswith(FILE.rstrip())
        assert text.endswith("\n")


def test_every_key_has_a_value() -> None:
    settings = Settings()
    assert [get(settings, key) for key in all_keys()] == [
        value for table in settings.model_dump(by_alias=True).values() for value in table.values()
    ]
