"""`init` and `config`: beginning a project and changing its settings."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from sentictl import Project
from sentictl.errors import StateError
from tests.chain.shell import Shell
from tests.cli.conftest import SENTICTL, Run

PLAIN = {"sentictl.toml", "Makefile", ".gitignore", ".github/workflows/sentictl.yml"}
TARGETS = ("plan", "up", "data", "train", "deploy", "status", "down")
# What a review must not set off: in make, in the shell, or in sentictl.
REVIEWS = (
    'it\'s "great" $HOME $$ $(shell touch made) ${made} `touch made`',
    "-5 stars, \\ #1; & | > made",
    "two\nlines",
)


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def make(folder: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SENTICTL_", "MAKE"))}
    path = f"{SENTICTL.parent}:{environment['PATH']}"
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=environment | {"PATH": path} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def echo(tmp_path: Path) -> str:
    """A program in sentictl's place that tells how it was called, as JSON."""
    program = tmp_path / "echo"
    script = "import json, os, sys; print(json.dumps([os.environ.get('SENTICTL_ENV'), *sys.argv[1:]]))"
    program.write_text(f"#!{SENTICTL.with_name('python')}\n{script}\n")
    program.chmod(0o755)
    return f"SENTICTL={program}"


def test_init_writes_a_file_that_all_commands_read(run: Run, tmp_path: Path) -> None:
    assert run("init", "--name", "films").returncode == 0
    shown = json.loads(run("config", "show", "--json").stdout)
    assert shown["project"]["name"] == "films"
    assert "# epochs" in (tmp_path / "sentictl.toml").read_text()


@pytest.mark.parametrize(
    ("folder", "name"), [("films", r"films"), ("2024 Films", r"p2024-films-[0-9a-f]{6}"), ("a", r"a-[0-9a-f]{6}")]
)
def test_the_name_follows_from_the_folders_and_is_said(tmp_path: Path, folder: str, name: str) -> None:
    (tmp_path / folder).mkdir()
    shell = Shell(tmp_path / folder)
    said = re.search(rf"The project is called ({name})\.", shell.run("init").stdout)
    assert said
    assert shell.json("config", "get", "project.name") == said[1]


def test_up_says_the_name_that_it_chooses(tmp_path: Path) -> None:
    (tmp_path / "2024 Films").mkdir()
    shell = Shell(tmp_path / "2024 Films", {"SENTICTL_TRAIN_EPOCHS": "0"})  # so that it ends before the chain begins
    said = re.search(r"wrote sentictl.toml: the project is called (p2024-films-\w+)", shell.run("up", expect=2).stderr)
    assert said
    assert said[1] in (shell.folder / "sentictl.toml").read_text()


def test_the_name_is_told_to_programs_only_where_it_is_chosen(run: Run) -> None:
    assert json.loads(run("init", "--name", "films", "--json").stdout)["name"] == "films"
    assert json.loads(run("init", "--json").stdout)["name"] is None


def test_two_projects_of_one_name_have_different_ids(tmp_path: Path) -> None:
    shells = [Shell(tmp_path / place / "films") for place in ("here", "there")]
    for shell in shells:
        shell.folder.mkdir(parents=True)
        shell.run("init")
    names, ids = ([shell.json("config", "get", key) for shell in shells] for key in ("project.name", "project.id"))
    assert names == ["films", "films"]
    assert len(set(ids)) == 2
    assert all(re.fullmatch("[0-9a-f]{12}", each) for each in ids)


def test_init_lists_what_it_wrote(run: Run, tmp_path: Path) -> None:
    told = json.loads(run("init", "--json").stdout)
    assert set(told["written"]) == PLAIN == files_in(tmp_path)
    assert told["kept"] == told["advice"] == []


def test_init_never_overwrites(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    for name in PLAIN:
        (tmp_path / name).write_text("# mine\n")
    told = json.loads(run("init", "--json").stdout)
    assert set(told["kept"]) == PLAIN
    assert told["written"] == []
    assert {(tmp_path / name).read_text() for name in PLAIN} == {"# mine\n"}
    assert ".sentictl/" in told["advice"][0]


def test_init_adds_what_a_project_lacks(run: Run, project: Path) -> None:
    before = (project / "sentictl.toml").read_text()
    told = json.loads(run("init", "--json").stdout)
    assert set(told["written"]) == PLAIN - {"sentictl.toml"}
    assert (project / "sentictl.toml").read_text() == before


def test_a_project_is_not_given_another_name_on_the_way(run: Run, project: Path) -> None:
    done = run("init", "--name", "other")
    assert done.returncode == 2
    assert "config set project.name" in done.stderr
    assert files_in(project).isdisjoint(PLAIN - {"sentictl.toml"})


def test_where_one_file_cannot_be_written_none_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".github").write_text("a file")
    done = run("init")
    assert done.returncode == 1
    assert ".github" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [".github"]


def test_what_was_written_before_a_place_that_cannot_be_is_taken_back(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "workflows").symlink_to("/proc")  # no file can be moved there
    done = run("init", "--eject")
    assert done.returncode == 1
    assert "workflows/sentictl.yml" in "".join(done.stderr.split())
    assert "Nothing was written" in " ".join(done.stderr.split())
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []
    assert files_in(tmp_path / "model_code") | files_in(tmp_path / "templates") == set()


def test_a_folder_that_cannot_be_made_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "films").write_text("a file")
    with pytest.raises(StateError, match="cannot be written"):
        Project.begin(tmp_path / "films", tell=None)


def test_a_workflow_below_the_top_of_a_repository_is_told_to_be_moved(run: Run, tmp_path: Path) -> None:
    below = tmp_path / "apps" / "films"
    below.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    done = subprocess.run([SENTICTL, "init"], cwd=below, capture_output=True, text=True, check=True)
    assert f"to {tmp_path}" in done.stdout
    assert "apps/films" in done.stdout


@pytest.mark.parametrize(
    "name", ["UPPER", "a", "-x", "much-too-long-for-a-project-name", "naïve", "2024 films", "xn--films"]
)
def test_a_name_that_aws_does_not_take_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    done = run("init", f"--name={name}")
    assert done.returncode == 2
    assert name in done.stderr
    assert not files_in(tmp_path)


def test_make_alone_lists_the_targets(run: Run, tmp_path: Path) -> None:
    run("init")
    listed = make(tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert [line.split()[1] for line in listed.stdout.splitlines() if line.startswith("make ")] == [
        "help",
        *(target for target in ("plan", "up", "data", "train", "deploy", "status", "predict", "down")),
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_is_the_command_in_the_environment_asked_for(run: Run, tmp_path: Path, echo: str, target: str) -> None:
    run("init")
    assert json.loads(_last(make(tmp_path, echo, target))) == ["local", target]
    elsewhere = make(tmp_path, echo, target, "ENV=prod", "ARGS=--json --quiet")
    assert json.loads(_last(elsewhere)) == ["prod", target, "--json", "--quiet"]
    told = make(tmp_path, echo, target, SENTICTL_ENV="prod", ENV="/etc/shrc")  # which is a shell's startup file
    assert json.loads(_last(told)) == ["prod", target]


@pytest.mark.parametrize("review", REVIEWS)
def test_a_review_goes_through_make_as_it_was_typed(run: Run, tmp_path: Path, echo: str, review: str) -> None:
    run("init")
    expected = ["local", "predict", "--", review]
    assert json.loads(make(tmp_path, echo, "predict", f"TEXT={review}").stdout) == expected
    assert json.loads(make(tmp_path, echo, "predict", TEXT=review).stdout) == expected
    assert not (tmp_path / "made").exists()


def test_the_targets_work_with_sentictl_itself(run: Run, project: Path) -> None:
    run("init")
    status = make(project, "status")
    assert status.returncode == 0, status.stderr
    answer = make(project, "predict", "ARGS=--json", 'TEXT=it\'s "superb" \\$HOME')
    assert json.loads(answer.stdout)["label"] == "positive"
    nothing = make(project, "predict")
    assert nothing.returncode == 2
    assert "make predict TEXT=" in nothing.stderr


def test_the_workflow_is_what_github_takes(run: Run, tmp_path: Path) -> None:
    run("init")
    checker = SENTICTL.with_name("check-jsonschema")
    workflow = tmp_path / ".github" / "workflows" / "sentictl.yml"
    command = [str(checker), "--builtin-schema", "vendor.github-workflows", str(workflow)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    workflow.write_text(workflow.read_text().replace("runs-on:", "runs-at:"))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_the_workflow_asks_for_no_more_than_it_needs(run: Run, tmp_path: Path) -> None:
    run("init")
    workflow = yaml.safe_load((tmp_path / ".github" / "workflows" / "sentictl.yml").read_text())
    assert workflow["permissions"] == {}
    more = {"preview": "write", "stale": "read", "remove": "write"}  # to comment on pull requests, or look at them
    for name, job in workflow["jobs"].items():
        pulls = {"pull-requests": more[name]} if name in more else {}
        assert job["permissions"] == {"id-token": "write", "contents": "read", **pulls}
        assert job["concurrency"]["group"]
        assert job["timeout-minutes"]
        assert "vars.SENTICTL_PACKAGE != ''" in job["if"]  # or pip would take what has that name on an index
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")  # nothing from outside becomes part of a script
            subprocess.run(["bash", "-n", "-c", step.get("run", "")], check=True)
    assert workflow["jobs"]["up"]["concurrency"]["cancel-in-progress"] is False
    for name in more:
        assert "vars.AWS_PREVIEW_ROLE_ARN != ''" in workflow["jobs"][name]["if"]
    made, removed = (workflow["jobs"][name]["concurrency"]["group"].split("${{")[0] for name in ("preview", "remove"))
    assert made == removed  # closing a pull request ends what still makes its preview


def test_eject_adds_copies_that_are_used_from_then_on(run: Run, project: Path) -> None:
    before = (project / "sentictl.toml").read_text()
    told = json.loads(run("init", "--eject", "--json").stdout)
    wanted = {"model_code/train.py", "model_code/sentimodel/text.py", "templates/lambda/handler.py"}
    wanted |= {"templates/site/index.html", "templates/policies/predict.json", "ejected.sha256"}
    assert wanted <= set(told["written"])
    assert (project / "sentictl.toml").read_text() == before
    text = project / "model_code" / "sentimodel" / "text.py"
    unchanged = json.loads(run("predict", "zork zork", "--json").stdout)["probability"]
    known = json.loads(run("predict", "superb superb", "--json").stdout)["probability"]
    ours = '_cleaned(text, settings).replace("zork", "superb"))'
    text.write_text(text.read_text().replace("_cleaned(text, settings))", ours))
    assert json.loads(run("predict", "zork zork", "--json").stdout)["probability"] == known != unchanged


def test_eject_again_adds_what_was_deleted_and_keeps_what_was_changed(run: Run, tmp_path: Path) -> None:
    run("init", "--eject")
    changed, deleted = tmp_path / "model_code" / "train.py", tmp_path / "templates" / "site" / "index.html"
    changed.write_text("# mine\n")
    deleted.unlink()
    told = json.loads(run("init", "--eject", "--json").stdout)
    assert told["written"] == ["templates/site/index.html", "ejected.sha256"]
    assert changed.read_text() == "# mine\n"
    assert deleted.is_file()


def test_what_is_wrong_in_the_projects_own_code_is_said_to_be_there(run: Run, project: Path) -> None:
    run("init", "--eject")
    (project / "model_code" / "sentimodel" / "text.py").write_text("def tokenize(:\n")
    done = run("predict", "superb")
    assert done.returncode == 1
    assert "model_code/sentimodel/text.py, line 1" in done.stderr
    (project / "model_code" / "sentimodel" / "text.py").write_text("")  # as an older copy lacks what is asked for now
    assert "The project's own code failed (model_code)" in run("predict", "superb").stderr


@pytest.mark.parametrize("theirs", ["model_code/sentimodel/text.py", "templates/site/index.html", "sentictl.toml"])
def test_what_belongs_to_somebody_else_is_used_in_its_own_folder_alone(run: Run, project: Path, theirs: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    run("init", "--eject")
    os.chown(project / theirs, 12345, -1)
    below = project / "below"
    below.mkdir()
    done = subprocess.run([SENTICTL, "predict", "superb"], cwd=below, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "12345" in done.stderr
    assert run("predict", "superb").returncode == 0


def test_a_setting_is_shown_changed_and_kept(run: Run, project: Path) -> None:
    assert run("config", "set", "train.epochs", "4").stdout == "train.epochs = 4\n"
    assert run("config", "get", "train.epochs").stdout == "4\n"
    assert run("config", "set", "data.stem", "true").stdout == "data.stem = true\n"
    assert "already" in run("config", "set", "train.epochs", "4").stdout


@pytest.mark.parametrize(
    ("key", "value", "words"), [("train.epoch", "3", "train.epochs"), ("train.epochs", "many", "train.epochs")]
)
def test_a_wrong_key_or_value_is_refused(run: Run, project: Path, key: str, value: str, words: str) -> None:
    before = (project / "sentictl.toml").read_text()
    done = run("config", "set", key, value)
    assert done.returncode == 2
    assert words in done.stderr
    assert (project / "sentictl.toml").read_text() == before


def _last(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_init_describes_an_environment_on_aws(run: Run, tmp_path: Path) -> None:
    done = json.loads(run("init", "--env", "prod", "--region", "eu-west-1", "--json").stdout)
    assert (done["environment"], "sentictl.toml" in done["written"]) == ("prod", True)
    assert run("config", "get", "env.prod.region").stdout == "eu-west-1\n"
    assert run("config", "get", "deploy.serving", "--env", "prod").stdout == "lambda\n"
    assert run("config", "get", "deploy.serving").stdout == "instance\n"
    text = (tmp_path / "sentictl.toml").read_text()
    assert json.loads(run("init", "--env", "prod", "--region", "eu-west-1", "--json").stdout)["environment"] is None
    other = run("init", "--env", "prod", "--region", "eu-west-2")
    assert other.returncode == 2
    assert "sentictl config set env.prod.region eu-west-2" in other.stderr
    assert (tmp_path / "sentictl.toml").read_text() == text


def test_a_setting_is_written_also_where_a_variable_says_the_same(run: Run) -> None:
    run("init")
    done = run("config", "set", "train.epochs", "5", variables={"SENTICTL_TRAIN_EPOCHS": "5"})
    assert done.stdout == "train.epochs = 5\n"
    assert "The variable SENTICTL_TRAIN_EPOCHS goes before it" in done.stderr
    assert run("config", "get", "train.epochs").stdout == "5\n"


def test_init_leaves_what_the_project_says_of_serving(run: Run) -> None:
    run("init")
    run("config", "set", "deploy.serving", "serverless")
    run("init", "--env", "prod", "--region", "eu-west-1")
    assert run("config", "get", "deploy.serving", "--env", "prod").stdout == "serverless\n"


@pytest.mark.parametrize(
    ("setting", "value", "serving"), [("deploy.max_instances", "3", "instance"), ("train.epochs", "4", "lambda")]
)
def test_init_serves_where_nothing_is_paid_by_the_hour_unless_a_setting_is_against_it(
    run: Run, setting: str, value: str, serving: str
) -> None:
    run("init")
    run("config", "set", setting, value)
    variables = {"SENTICTL_TRAIN_BATCH_SIZE": "32"}  # which says nothing of how the model is served
    assert run("init", "--env", "prod", "--region", "eu-west-1", variables=variables).returncode == 0
    assert run("config", "get", "deploy.serving", "--env", "prod").stdout == f"{serving}\n"


def test_init_describes_an_environment_on_a_twin(run: Run) -> None:
    done = run("init", "--env", "staging", "--twin")
    assert "Described the environment staging in sentictl.toml: it is on a local twin" in done.stdout
    assert run("config", "get", "env.staging.twin").stdout == "true\n"
    assert json.loads(run("init", "--env", "staging", "--twin", "--json").stdout)["environment"] is None
    refused = run("init", "--env", "staging", "--region", "eu-west-1")
    assert (refused.returncode, "config set env.staging.twin false" in refused.stderr) == (2, True)
    run("init", "--env", "prod", "--region", "eu-west-1")
    refused = run("init", "--env", "prod", "--twin")
    assert (refused.returncode, "config set env.prod.twin true" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (["--twin"], "sentictl init --env staging --twin"),
        (["--env", "staging", "--twin", "--region", "eu-west-1"], "Give --twin or --region"),
        (["--env", "Prod 1", "--twin"], "lower-case letters"),
        (["--env", "prod"], "sentictl init --env prod --region eu-west-1"),
        (["--env", "prod", "--region", "nowhere"], "sentictl init --env prod --region eu-west-1"),
        (["--env", "Prod 1", "--region", "eu-west-1"], "lower-case letters"),
        (["--region", "eu-west-2"], "sentictl init --env prod --region eu-west-2"),
    ],
)
def test_an_environment_that_cannot_be_described_leaves_nothing(
    run: Run, tmp_path: Path, options: list[str], hint: str
) -> None:
    refused = run("init", *options)
    assert (refused.returncode, list(tmp_path.iterdir())) == (2, [])
    assert hint in refused.stderr


def test_an_environment_that_there_is_not_is_told_how_to_describe(run: Run) -> None:
    run("init")
    for command in (["plan"], ["config", "set", "train.epochs", "3"]):
        hint = json.loads(run(*command, "--env", "prod", "--json").stdout)["error"]["hint"]
        described = hint.partition("A new one: sentictl ")[2]
        assert described.startswith("init --env prod")
    assert run(*described.split()).returncode == 0
    assert run("config", "get", "env.prod.region").stdout == "eu-west-1\n"
