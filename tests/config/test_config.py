"""The project file: settings from every place they can come from, writes that lose nothing, state that survives."""

import json
import os
import re
import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.config.config import Config
from sentictl.config.dotted_keys import TABLES, all_keys, get
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.settings import Settings
from sentictl.config.state import STATE_VERSION, Record, State
from sentictl.errors import AccessError, SettingsError, StateError
from tests.forks import ends, killed_at_every_step

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
    settings = Config.load(folder).settings
    assert (settings.project.name, settings.train.epochs) == ("films", 3)
    assert settings.train.batch_size == Settings().train.batch_size


def test_an_environment_overrides_settings_and_says_where_it_is(folder: ProjectFolder) -> None:
    config = Config.load(folder, "prod")
    assert config.settings.deploy.instance_type == "ml.c5.large"
    assert (config.placement.region, config.placement.profile) == ("eu-west-1", "work")
    assert Config.load(folder).settings.deploy.instance_type == Settings().deploy.instance_type


def test_a_variable_goes_over_the_file(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTICTL_TRAIN_EPOCHS", "7")
    assert Config.load(folder).settings.train.epochs == 7


def test_setting_a_value_keeps_comments_and_order(folder: ProjectFolder) -> None:
    assert Config.load(folder).set({"train.epochs": 5, "project.name": "films"}) == {"train.epochs": 5}
    assert folder.settings_file.read_text() == FILE.replace("epochs = 3", "epochs = 5")


def test_a_value_set_in_an_environment_stays_in_it(folder: ProjectFolder) -> None:
    assert Config.load(folder, "prod").set({"train.epochs": 9}) == {"env.prod.train.epochs": 9}
    assert Config.load(folder, "prod").settings.train.epochs == 9
    assert Config.load(folder).settings.train.epochs == 3


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"train.ngram_epochs": 3}, "no setting train.ngram_epochs any more", "Take it out of sentictl.toml."),
        ({"train.epoch": 3}, "no setting called train.epoch", "Did you mean train.epochs?"),
        ({"train.epochs": 0}, "train.epochs cannot be 0", "sentictl config set train.epochs"),
        ({"project.name": "No Good"}, "project.name cannot be", "sentictl config set"),
    ],
)
def test_what_cannot_be_set_is_refused_and_nothing_is_written(
    folder: ProjectFolder, changes: dict[str, object], message: str, hint: str
) -> None:
    with pytest.raises(SettingsError, match=message) as refusal:
        Config.load(folder).set(changes)
    assert hint in refusal.value.hint
    assert folder.settings_file.read_text() == FILE


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[train]\nngram_epochs = 3", "no setting train.ngram_epochs any more", "Take it out of sentictl.toml."),
        ("[train]\nepoch = 3", "no setting called train.epoch", "Did you mean train.epochs?"),
        ("[trian]\nepochs = 3", "no setting called trian", "Did you mean train?"),
        ("[train]\nepochs = 'many'", 'train.epochs cannot be "many"', "Correct it in "),
        ("[train]\nepochs = true", "train.epochs cannot be true: input should be a valid integer", "Correct it in "),
        ("[train]\nseed = 4294967296", "train.seed cannot be 4294967296", "Correct it in "),
        (f"[train]\nseed = 0x{'f' * 5000}", "train.seed cannot be that", "Correct it in "),
        (f"[train]\nseed = {'9' * 5000}", "not valid TOML", "Correct that line"),
        ('[data]\nsource = "a\\u0000b"', "data.source cannot be .*without NUL characters", "Correct it in "),
        (f"[site]\ntitle = '{'x' * 5000}'", "site.title cannot be .{79}…: string", "Correct it in "),
        ("[train]\nepochs = 3\nepochs = 4", "not valid TOML: Cannot overwrite a value", "Correct that line"),
        ("[train]\nepochs = \0", "not valid TOML: .*line 2", "Correct that line"),
        ("a = " + "[" * 100_000, "not valid TOML", "Correct that line"),
        ("[train\nepochs = 3", "not valid TOML: .*line 1", "Correct that line"),
        ("train = 3", "train is not a table", "Correct it in "),
        ("env = 3", "env in .* is not a table", "Correct that line"),
        ("[[env]]\nname = 'prod'", "env in .* is not a table", "Correct that line"),
        ("env.local = 3", "env.local in .* is not a table", "Correct that line"),
        ("env.local.train = 3", "train is not a table", "Correct it in "),
        ("[env.local]\nregion = 'mars'", 'env.local.region cannot be "mars"', "Correct it in "),
        ("[state]\nlocal = 3", "state.local in .* is not a table", "Correct that line"),
        ("state = 3", "state in .* is not a table", "Correct that line"),
        ("[[state.local]]\nversion = 2", "state.local in .* is not a table", "Correct that line"),
        ("[state.local]", r"\[state.local\] in .*toml is damaged: its version", "sentictl import"),
        ("[state.local]\nversion = 99", "version 99", "Update sentictl"),
        ("[[state.local.resources]]\nname = 'x'", "is damaged", "version control"),
    ],
)
def test_a_file_that_is_not_right_says_where_and_what_to_do(
    folder: ProjectFolder, text: str, message: str, hint: str
) -> None:
    folder.settings_file.write_text(text)
    with pytest.raises((SettingsError, StateError), match=message) as refusal:
        Config.load(folder)
    assert "sentictl.toml" in refusal.value.message + refusal.value.hint or "Did you mean" in refusal.value.hint
    assert hint in refusal.value.hint
    assert folder.settings_file.read_text() == text


OF_ANOTHER_KIND: dict[type, tuple[str, ...]] = {
    bool: ("1", "0", "1.0", '"true"', "[]"),
    int: ("true", "false", "3.0", '"3"', "inf", "1979-05-27"),
    float: ("true", '"0.3"', "nan", "inf", "-inf", "[0.3]"),
    str: ("true", "3", "0.3", "07:32:00", '["a"]'),
    list: ("true", "3", '"a"', "[1]", '[["a"]]'),
}


def kind_of(key: str) -> type:
    table, _, name = key.rpartition(".")
    model: Any = TABLES[table].annotation
    annotation = model.model_fields[name].annotation
    return next((kind for kind in OF_ANOTHER_KIND if annotation is kind), type(get(Settings(), key)))


@pytest.mark.parametrize("key", tuple(all_keys()))
def test_a_value_in_the_file_is_of_the_kind_that_the_setting_has(folder: ProjectFolder, key: str) -> None:
    table, _, name = key.rpartition(".")
    for value in OF_ANOTHER_KIND[kind_of(key)]:
        if key.startswith("train.tune.") and value == "[1]":  # a range has values of its hyperparameter's kind
            continue
        folder.settings_file.write_text(f"[{table}]\n{name} = {value}\n")
        with pytest.raises(SettingsError, match=f"The setting {key} cannot be ") as refusal:
            Config.load(folder)
        assert refusal.value.hint == f"Correct it in {folder.settings_file}."


@pytest.mark.parametrize("key", tuple(all_keys()))
def test_a_value_from_python_is_of_the_kind_that_the_setting_has_or_a_text(folder: ProjectFolder, key: str) -> None:
    config = Config.load(folder)
    value = get(config.settings, key)
    wrong: object = 1 if isinstance(value, bool) else True
    with pytest.raises(SettingsError, match=f"The setting {key} cannot be "):
        config.change({key: wrong})
    text = json.dumps(value) if isinstance(value, list | bool) else str(value)
    assert config.change({key: text}) == {}


def test_a_long_name_of_no_setting_is_shown_in_part(folder: ProjectFolder) -> None:
    folder.settings_file.write_text(f"[train]\n{'x' * 5000} = 1\n")
    with pytest.raises(SettingsError, match=r"There is no setting called train\.x{73}…\."):
        Config.load(folder)


def test_an_unknown_environment_is_named(folder: ProjectFolder) -> None:
    with pytest.raises(SettingsError, match="no environment called prd") as refusal:
        Config.load(folder, "prd")
    assert refusal.value.hint.startswith("Did you mean prod? ")


@pytest.mark.parametrize("name", ["Prod", "p_1", "1st", "a-", "x" * 21, "a.b"])
def test_an_environment_that_no_name_on_aws_could_bear_is_refused(folder: ProjectFolder, name: str) -> None:
    folder.settings_file.write_text(f'[env."{name}"]\n')
    with pytest.raises(SettingsError, match=f"{name} cannot be an environment's name") as refusal:
        Config.load(folder, name)
    assert str(folder.settings_file) in refusal.value.hint


def test_a_variable_that_is_not_allowed_is_named(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTICTL_TRAIN_EPOCHS", "many")
    with pytest.raises(SettingsError, match=r"train.epochs cannot be") as refusal:
        Config.load(folder)
    assert refusal.value.hint == "Correct the variable SENTICTL_TRAIN_EPOCHS."


def test_local_has_overrides_too_and_they_are_what_is_changed(folder: ProjectFolder) -> None:
    folder.settings_file.write_text(FILE + "\n[env.local]\ntrain.epochs = 1\n")
    assert Config.load(folder).settings.train.epochs == 1
    assert Config.load(folder).set({"train.epochs": 2, "train.seed": 4}) == {
        "env.local.train.epochs": 2,
        "train.seed": 4,
    }
    assert (Config.load(folder).settings.train.epochs, Config.load(folder).settings.train.seed) == (2, 4)
    folder.settings_file.write_text(folder.settings_file.read_text() + "\n[env.test]\n")
    assert (Config.load(folder, "test").settings.train.epochs, Config.load(folder, "test").settings.train.seed) == (
        3,
        4,
    )


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
    config = Config.load(folder)
    for record in kept:
        config.state.keep(record)
        config.save_state()
    assert list(Config.load(folder).state) == list(config.state)
    config.state = State()
    config.save_state()
    assert folder.settings_file.read_text().startswith(FILE.rstrip())
    assert not len(Config.load(folder).state)


def test_saving_the_state_keeps_what_a_person_wrote_meanwhile(folder: ProjectFolder) -> None:
    config = Config.load(folder)
    folder.settings_file.write_text(FILE.replace("epochs = 3", "epochs = 8"))
    config.state.keep(Record("bucket", "b", "arn"))
    config.save_state()
    assert Config.load(folder).settings.train.epochs == 8


def test_environments_keep_their_state_apart(folder: ProjectFolder) -> None:
    for environment in ("local", "prod"):
        config = Config.load(folder, environment)
        config.state.keep(Record("bucket", environment, "arn"))
        config.save_state()
    assert [record.name for record in Config.load(folder, "prod").state] == ["prod"]
    local = Config.load(folder)
    local.state = State()
    local.save_state()
    assert [record.name for record in Config.load(folder, "prod").state] == ["prod"]
    assert local.stands_somewhere()


def test_saving_an_unchanged_state_does_not_touch_the_file(folder: ProjectFolder) -> None:
    config = Config.load(folder)
    config.state.keep(Record("bucket", "b", "arn", {"id": "1"}))
    config.save_state()
    before = folder.settings_file.stat().st_ino
    config.save_state()
    Config.load(folder).save_state()
    assert folder.settings_file.stat().st_ino == before  # a save replaces the file, and so its inode


def test_the_file_is_never_half_written(folder: ProjectFolder) -> None:
    config = Config.load(folder)
    seen: list[str] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(folder.settings_file.read_text())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(50):
        config.state.keep(Record("model", f"m{number}", "arn" * 50))
        config.save_state()
    done.set()
    watcher.join()
    for text in seen:
        assert text.startswith(FILE.rstrip())
        assert text.endswith("\n")


def test_a_save_killed_at_any_step_leaves_the_state_before_or_after(folder: ProjectFolder) -> None:
    config = Config.load(folder)
    config.state.keep(Record("bucket", "b", "arn"))
    config.save_state()
    old = folder.settings_file.read_bytes()
    config.state.keep(Record("model", "m"))
    seen = []
    for _ in killed_at_every_step(config.save_state):
        seen.append([record.kind for record in Config.load(folder).state])
        folder.settings_file.write_bytes(old)
    assert seen[0] == ["bucket"]
    assert seen[-1] == ["bucket", "model"]
    assert all(kinds in (seen[0], seen[-1]) for kinds in seen)


def test_a_full_disk_loses_no_record(folder: ProjectFolder) -> None:
    config = Config.load(folder)
    config.state.keep(Record("bucket", "b", "arn"))
    config.save_state()
    old = folder.settings_file.read_bytes()

    def save_on_a_full_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(old), len(old)))
        with pytest.raises(StateError, match=r"cannot be written: .* It is as it was before") as refusal:
            config.save_state()
        assert "Make room" in refusal.value.hint

    config.state.keep(Record("model", "m" * 100))
    assert ends(save_on_a_full_disk) == 0
    assert folder.settings_file.read_bytes() == old
    assert list(folder.root.iterdir()) == [folder.settings_file]
    config.save_state()
    assert list(Config.load(folder).state) == list(config.state)


def test_a_file_that_is_deleted_meanwhile_is_not_written_anew(folder: ProjectFolder) -> None:
    config = Config.load(folder)
    config.state.keep(Record("bucket", "b", "arn"))
    folder.settings_file.unlink()
    with pytest.raises(SettingsError, match="not there any more"):
        config.save_state()
    folder.settings_file.write_text(FILE)
    config.save_state()
    assert list(Config.load(folder).state) == [Record("bucket", "b", "arn")]


def test_nothing_is_saved_over_a_file_that_cannot_be_read(folder: ProjectFolder) -> None:
    config = Config.load(folder)
    config.state.keep(Record("bucket", "b", "arn"))
    folder.settings_file.write_text("[train\n")
    with pytest.raises(SettingsError, match="not valid TOML"):
        config.save_state()
    assert folder.settings_file.read_text() == "[train\n"
    folder.settings_file.write_text(FILE)
    config.save_state()
    assert list(Config.load(folder).state) == [Record("bucket", "b", "arn")]


@pytest.mark.parametrize("damage", ["", "version = 'x'", "version = 2\nresources = 3", "account = 1"])
def test_settings_load_without_a_damaged_state_which_the_next_save_replaces(folder: ProjectFolder, damage: str) -> None:
    folder.settings_file.write_text(f"{FILE}\n[state.prod]\n{damage}\n\n# mine\n[data]\nseed = 2\n")
    config = Config.load(folder, "prod", forget_damage=True)
    assert (config.settings.data.seed, config.placement.profile, len(config.state)) == (2, "work", 0)
    config.state.keep(Record("bucket", "b", "arn"))
    config.save_state()
    assert list(Config.load(folder, "prod").state) == [Record("bucket", "b", "arn")]
    assert folder.settings_file.read_text().endswith("# mine\n[data]\nseed = 2\n")


def test_a_state_that_can_be_read_is_never_forgotten(folder: ProjectFolder) -> None:
    config = Config.load(folder)
    config.state.keep(Record("bucket", "b", "arn"))
    config.save_state()
    assert list(Config.load(folder, forget_damage=True).state) == [Record("bucket", "b", "arn")]
    newer = folder.settings_file.read_text().replace(f"version = {STATE_VERSION}", f"version = {STATE_VERSION + 1}")
    folder.settings_file.write_text(newer)
    with pytest.raises(StateError, match=f"version {STATE_VERSION + 1}"):
        Config.load(folder, forget_damage=True)


def test_a_damaged_state_leaves_even_if_nothing_takes_its_place(folder: ProjectFolder) -> None:
    folder.settings_file.write_text(f"{FILE}\n[state.local]\n")
    Config.load(folder, forget_damage=True).save_state()
    assert folder.settings_file.read_text() == FILE


def test_the_first_account_is_recorded_with_the_first_resource(folder: ProjectFolder) -> None:
    config = Config.load(folder)
    config.recognize("111111111111")
    config.save_state()
    assert folder.settings_file.read_text() == FILE
    config.state.keep(Record("bucket", "b"))
    config.save_state()
    Config.load(folder).recognize("111111111111")
    assert Config.load(folder).state.account == "111111111111"


def test_the_region_is_recorded_with_the_account(folder: ProjectFolder) -> None:
    config = Config.load(folder, "prod")
    config.settle("eu-west-1")
    config.recognize("111111111111")
    config.state.keep(Record("bucket", "b"))
    config.save_state()
    again = Config.load(folder, "prod")
    assert again.state.region == "eu-west-1"
    again.settle("eu-west-1")


def test_another_region_is_refused_with_the_way_back_and_the_way_on(folder: ProjectFolder) -> None:
    config = Config.load(folder, "prod")
    config.state = State([Record("bucket", "b")], "111111111111", "eu-central-1")
    config.save_state()
    config = Config.load(folder, "prod")
    with pytest.raises(SettingsError, match=r"prod is in the region eu-central-1, .* says eu-west-1") as refusal:
        config.settle("eu-west-1")
    assert "sentictl down --env prod" in refusal.value.hint
    way_back = re.search(r"config set (\S+) (\S+)\. ", refusal.value.hint)
    assert way_back
    Config.load(folder).set({way_back[1]: way_back[2]})
    config = Config.load(folder, "prod")
    assert config.placement.region == "eu-central-1"
    config.settle(config.placement.region)


def test_an_environment_gets_its_region_and_profile_as_other_settings_do(folder: ProjectFolder) -> None:
    config = Config.load(folder)
    assert config.get("env.prod.region") == "eu-west-1"
    assert config.set({"env.prod.region": "eu-west-1"}) == {}
    assert config.set({"env.prod.region": "us-east-2"}) == {"env.prod.region": "us-east-2"}
    assert folder.settings_file.read_text() == FILE.replace("eu-west-1", "us-east-2")
    assert config.get("env.prod.region") == "us-east-2"


def test_an_environment_that_is_not_there_is_made_with_its_region(folder: ProjectFolder) -> None:
    config = Config.load(folder)
    assert config.get("env.test.region") == ""
    config.set({"env.test.region": "ap-south-1", "train.epochs": 4})
    assert Config.load(folder, "test").placement.region == "ap-south-1"
    assert Config.load(folder, "prod").settings.train.epochs == 4


@pytest.mark.parametrize(
    ("key", "value", "message", "hint"),
    [
        ("env.prod.region", "mars", 'env.prod.region cannot be "mars"', "config set env.prod.region VALUE"),
        ("env.prod.regoin", "eu-west-1", "no setting called env.prod.regoin", "Did you mean env.prod.region?"),
        ("env.Prod.region", "eu-west-1", "Prod cannot be an environment's name", "lower-case"),
        ("env.prod.train.epochs", "3", "no setting called env.prod.train.epochs", ""),
    ],
)
def test_what_an_environment_cannot_be_is_refused(
    folder: ProjectFolder, key: str, value: str, message: str, hint: str
) -> None:
    with pytest.raises(SettingsError, match=message) as refusal:
        Config.load(folder).set({key: value})
    assert hint in refusal.value.hint
    assert folder.settings_file.read_text() == FILE


def test_another_account_is_refused(folder: ProjectFolder) -> None:
    config = Config.load(folder, "prod")
    config.state = State([Record("bucket", "b")], "111111111111")
    config.save_state()
    with pytest.raises(AccessError, match=r"prod is in the account 111111111111, .* work, .* 222222222222") as refusal:
        Config.load(folder, "prod").recognize("222222222222")
    assert refusal.value.exit_code == 4
    assert "[env.prod]" in refusal.value.hint
    assert "sentictl down --env prod" in refusal.value.hint
    Config.load(folder).recognize("222222222222")


def test_a_state_of_version_1_learns_its_account_at_the_next_save(folder: ProjectFolder) -> None:
    entry = "kind = 'bucket'\nname = 'b'\narn = 'a'\nregion = 'r'\n"
    folder.settings_file.write_text(f"{FILE}\n[state.local]\nversion = 1\n\n[[state.local.resources]]\n{entry}")
    config = Config.load(folder)
    config.recognize("111111111111")
    config.save_state()
    assert f"version = {STATE_VERSION}" in folder.settings_file.read_text()
    migrated = Config.load(folder).state
    assert migrated.account == "111111111111"
    assert list(migrated) == [Record("bucket", "b", "a", {"region": "r"})]


def test_every_key_has_a_value() -> None:
    settings = Settings()
    tables = settings.model_dump(by_alias=True)
    tables |= {"train.tune": tables["train"].pop("tune"), "deploy.hours": tables["deploy"].pop("hours")}
    tables |= {f"{table}.schedule": tables[table].pop("schedule") for table in ("batch", "train")}
    assert {key: get(settings, key) for key in all_keys()} == {
        f"{table}.{name}": value for table, values in tables.items() for name, value in values.items()
    }


def test_a_table_in_a_table_is_set_by_its_dotted_key(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Config.load(folder, "prod").set({"deploy.hours.up": "MON-FRI  8:00"})
    assert written == {"env.prod.deploy.hours.up": "mon-fri 8:00"}
    assert Config.load(folder, "prod").settings.deploy.hours.up == "mon-fri 8:00"
    assert Config.load(folder).get("deploy.hours") == {"up": "", "down": "", "timezone": "UTC"}
    monkeypatch.setenv("SENTICTL_DEPLOY_HOURS_TIMEZONE", "Asia/Tokyo")
    assert Config.load(folder).settings.deploy.hours.timezone == "Asia/Tokyo"
    with pytest.raises(SettingsError, match=r"no setting called deploy\.hours\.open") as refusal:
        Config.load(folder).set({"deploy.hours.open": "mon 8:00"})
    assert "Did you mean deploy.hours." in refusal.value.hint


def test_the_weather_is_a_setting_of_the_local_twin(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Config.load(folder).placement.weather == "calm"
    folder.settings_file.write_text(f'{FILE}\n[env.local]\nweather = "rough"\n')
    assert Config.load(folder).placement.weather == "rough"
    monkeypatch.setenv("SENTICTL_TWIN_WEATHER", "calm")
    assert Config.load(folder).placement.weather == "calm"


def test_any_other_weather_is_refused(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTICTL_TWIN_WEATHER", "stormy")
    with pytest.raises(SettingsError, match=r"env\.local\.weather cannot be \"stormy\"") as refusal:
        Config.load(folder)
    assert refusal.value.hint == "Correct the variable SENTICTL_TWIN_WEATHER."
    Config.load(folder, "prod")


def test_aws_has_no_weather_to_choose(folder: ProjectFolder) -> None:
    folder.settings_file.write_text(FILE.replace("[env.prod]", '[env.prod]\nweather = "rough"'))
    with pytest.raises(SettingsError, match=r"env\.prod\.weather .* is not a setting"):
        Config.load(folder, "prod")


def test_an_id_is_made_once_and_is_that_of_all_environments(folder: ProjectFolder) -> None:
    assert Config.load(folder).identify()
    made = Config.load(folder).settings.project.id
    assert re.fullmatch("[0-9a-f]{12}", made)
    for environment in ("local", "prod"):
        config = Config.load(folder, environment)
        assert not config.identify()
        assert config.settings.project.id == made
    assert folder.settings_file.read_text() == FILE.replace("# the name\n", f'# the name\nid = "{made}"\n')


def test_an_id_that_was_taken_out_by_hand_comes_back_from_what_is_recorded(folder: ProjectFolder) -> None:
    config = Config.load(folder)
    config.identify()
    config.state.project_id = made = config.settings.project.id
    config.state.keep(Record("bucket", "b", "arn"))
    config.save_state()
    folder.settings_file.write_text(folder.settings_file.read_text().replace(f'\nid = "{made}"', ""))
    damaged = Config.load(folder)
    assert damaged.identify()
    assert damaged.settings.project.id == made


@pytest.mark.parametrize("value", ["0123", "0123456789AB", "0123456789abc", "../../etc/abc"])
def test_an_id_is_twelve_hexadecimal_digits(folder: ProjectFolder, value: str) -> None:
    with pytest.raises(SettingsError, match=r"project\.id"):
        Config.load(folder).set({"project.id": value})


@pytest.mark.parametrize(("key", "value"), [("project.name", "songs"), ("project.id", "0123456789ab")])
@pytest.mark.parametrize(("stands", "changed"), [("local", "local"), ("prod", "prod"), ("prod", "local")])
def test_what_a_project_is_known_by_stays_while_something_stands(
    folder: ProjectFolder, key: str, value: str, stands: str, changed: str
) -> None:
    config = Config.load(folder, stands)
    config.state.keep(Record("bucket", "films-bucket", "arn"))
    config.save_state()
    before = folder.settings_file.read_bytes()
    with pytest.raises(
        SettingsError, match=f"{key} cannot be changed while resources are recorded .*: {stands}"
    ) as refusal:
        Config.load(folder, changed).set({key: value})
    assert ("sentictl down --env prod" in refusal.value.hint) == (stands == "prod")
    assert folder.settings_file.read_bytes() == before
    config.state.forget(Record("bucket", "films-bucket"))
    config.save_state()
    Config.load(folder, changed).set({key: value})
    assert get(Config.load(folder, changed).settings, key) == value


def test_an_environment_with_a_name_of_its_own_does_not_keep_the_others_from_another(folder: ProjectFolder) -> None:
    config = Config.load(folder, "prod")
    config.set({"project.name": "songs"})
    config.state.keep(Record("bucket", "songs-bucket", "arn"))
    config.save_state()
    Config.load(folder).set({"project.name": "reviews"})
    assert Config.load(folder, "prod").settings.project.name == "songs"


def test_a_byte_order_mark_is_passed_over_and_stays(folder: ProjectFolder) -> None:
    folder.settings_file.write_text("\ufeff" + FILE)
    config = Config.load(folder)
    assert config.settings.project.name == "films"
    config.set({"train.epochs": 5})
    config.state.keep(Record("bucket", "b", "arn"))
    config.save_state()
    assert folder.settings_file.read_text().startswith("\ufeff# mine\n[project]\n")
    assert Config.load(folder).settings.train.epochs == 5
    assert list(Config.load(folder).state) == list(config.state)


def test_no_more_of_a_file_is_read_than_settings_can_have(folder: ProjectFolder) -> None:
    os.truncate(folder.settings_file, 1 << 34)
    with pytest.raises(SettingsError, match="it goes on after 8 MiB, which are reached in line 12"):
        Config.load(folder)


def test_what_stands_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sentictl.toml"
    kinds: dict[str, Callable[[], object]] = {
        "Is a directory": path.mkdir,
        "it is not a file": lambda: os.mkfifo(path),
        "which is not there": lambda: path.symlink_to("nowhere"),
        "Too many levels of symbolic links": lambda: path.symlink_to(path),
    }
    for reason, make in kinds.items():
        make()
        with pytest.raises(SettingsError, match=f"{path} .*{reason}"):
            Config.load(ProjectFolder.open(tmp_path))
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_the_states_of_all_environments_are_told_as_far_as_they_are_known_here(folder: ProjectFolder) -> None:
    folder.settings_file.write_text(
        '[env.prod]\nregion = "eu-west-1"\n\n[state.prod]\nversion = 3\n'
        'resources = [{kind = "bucket", name = "b", arn = "arn:b"}]\n'
    )
    folder.keep_copy("dev", '{"version": 3, "resources": [{"kind": "model", "name": "m", "arn": "arn:m"}]}')
    folder.keep_copy("prod", '{"version": 3, "resources": []}')  # of before it came into the file
    config = Config.load(folder)
    config.state.keep(Record("endpoint", "e", "arn:e"))
    known = {name: [record.name for record in state] for name, state in config.states().items()}
    assert known == {"local": ["e"], "dev": ["m"], "prod": ["b"]}
    folder.settings_file.write_text("[state.prod]\nversion = 0\n")
    with pytest.raises(StateError, match=rf"\[state\.prod\] in {folder.settings_file} is damaged"):
        config.states()
    folder.settings_file.write_text('[state]\nprod = "none"\n')
    with pytest.raises(SettingsError, match=rf"state\.prod in {folder.settings_file} is not a table"):
        config.states()


def test_a_project_that_was_renamed_by_hand_is_refused_while_something_stands(folder: ProjectFolder) -> None:
    """What has the old name would be lost track of, and go on costing money."""
    config = Config.load(folder, "prod")
    config.state.keep(Record("bucket", "films-prod-123456789012", "arn"))
    config.save_state()
    Config.load(folder, "prod")
    text = (folder.root / "sentictl.toml").read_text()
    (folder.root / "sentictl.toml").write_text(text.replace('name = "films"', 'name = "movies"'))
    with pytest.raises(SettingsError) as refused:
        Config.load(folder, "prod")
    assert "belongs to films" in refused.value.message
    assert "Call it films again" in refused.value.hint
    Config.load(folder)  # nothing of it stands here


def test_a_setting_of_an_environment_that_is_emptied_is_none(folder: ProjectFolder) -> None:
    config = Config.load(folder, "prod")
    config.set({"env.prod.profile": "", "env.prod.weather": "", "env.prod.twin": ""})
    again = Config.load(folder, "prod")
    assert (again.placement.profile, again.placement.region) == ("", "eu-west-1")
