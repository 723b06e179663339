"""The Python API: what a notebook or a script does with a project, on the twin."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentictl import Project
from sentictl.api.results import Live
from sentictl.errors import DataError, MissingStepError, SettingsError, StateError
from sentictl.lifecycle.reconcile import Action
from sentictl.reviews.read.tables.table import TableSource
from sentictl.services.predict.batches import predict_each
from tests.chain.shell import GOOD, begin


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, said: list[str]) -> Iterator[Project]:
    """A toy project, which nothing stands of yet."""
    project = Project(begin(tmp_path_factory.mktemp("api") / "toy").folder, tell=said.append)
    yield project
    project.down()


@pytest.fixture(scope="module")
def live(project: Project) -> Live:
    return project.up()


def test_importing_sentictl_imports_nothing_heavy() -> None:
    heavy = "{'boto3', 'pydantic', 'torch', 'numpy'}"
    code = f"import sys, sentictl; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_project_begins_in_a_folder_of_its_own(tmp_path: Path) -> None:
    said: list[str] = []
    project = Project.begin(tmp_path / "new" / "films", tell=said.append)
    assert said == [f"wrote {tmp_path}/new/films/sentictl.toml: the project is called films"]
    assert project.folder == tmp_path / "new" / "films"
    assert project.settings.project.name == "films"
    assert project.set({"train.epochs": 2}) == {"train.epochs": 2}
    assert Project(project.folder).settings.train.epochs == 2
    with pytest.raises(SettingsError, match="already"):
        Project.begin(project.folder)


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=f"There is no sentictl.toml in {tmp_path}"):
        Project(tmp_path)


def test_nothing_stands_at_first_and_a_plan_says_what_will(tmp_path: Path) -> None:
    project = Project(begin(tmp_path / "toy").folder, tell=None)
    assert project.status().findings == ()
    assert project.models() == []
    planned = project.plan("data")
    assert planned.changes
    assert {step.action for step in planned.steps} == {Action.CREATE}
    project.down()


def test_up_tells_each_part_and_answers_where_it_is(project: Project, live: Live, said: list[str]) -> None:
    told = [line.split()[0] for line in said]
    for command in ("data", "train", "deploy", "wire-lambda", "wire-api", "site"):
        assert command in told
    with urllib.request.urlopen(live.page_url) as page:
        assert page.headers["Content-Type"].startswith("text/html")
    assert (project.page_url, project.api_url) == (live.page_url, live.api_url)
    assert live.evaluation.accuracy > 0.8
    assert not project.plan().changes
    assert not project.status().differs


def test_training_asks_for_the_dataset_that_the_settings_want(project: Project, live: Live) -> None:
    with pytest.raises(MissingStepError, match="that the settings ask for") as refusal:
        project.plan("train", settings={"data.seed": 2})
    assert "sentictl data" in refusal.value.hint


@pytest.mark.parametrize("via", ["local", "api", "endpoint"])
def test_predictions_are_the_same_whoever_is_asked(project: Project, live: Live, via: str) -> None:
    good = f"a {GOOD[0]} film"
    answer = project.predict(good, via=via)
    assert (answer["label"], answer["model"]) == ("positive", live.evaluation.model)
    rounded = {**answer, "probability": pytest.approx(answer["probability"], abs=1e-5)}  # by how many are asked at once
    assert project.predict([good, good], via=via) == [rounded, rounded]
    assert "explanation" in project.predict(good, via=via, explain=True)


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("via", ["local", "api", "endpoint"])
def test_what_no_model_can_judge_is_told_alike_whoever_is_asked(project: Project, via: str) -> None:
    unknown = project.predict("zzzz qqqq", via=via)
    assert (unknown["label"], unknown["sentiment"], unknown["undecided"]) == ("undecided", None, True)
    for reviews in (["superb", None], ["superb", float("nan")], ["superb", " "], ["superb", "\ud800"]):
        with pytest.raises(DataError, match="Review 2"):
            project.predict(reviews, via=via)


@pytest.mark.usefixtures("live")
def test_a_review_that_the_api_refuses_is_named_and_the_others_are_answered(project: Project) -> None:
    longest = project.settings.api.max_review_characters
    reviews = ["superb", "x" * (longest + 1), *["superb"] * 5]
    with pytest.raises(DataError, match=f"Review 2: .* at most {longest:,} are read"):
        project.predict(reviews, via="api")
    answers = [answer for _, answer in predict_each(project.asker("api"), [reviews], str)]
    assert ["error" in answer for answer in answers] == [False, True, *[False] * 5]
    assert answers[1]["error"]["code"] == "review_too_long"


@pytest.mark.usefixtures("live")
def test_a_model_is_measured_and_compared(project: Project) -> None:
    version = project.models()[-1]
    assert version.live
    assert version.current
    assert version.test is not None
    evaluation, comparison = project.compare(version.name)
    assert evaluation.accuracy == version.test["accuracy"] == project.evaluate().accuracy
    assert comparison.difference == 0
    assert {"epoch", "train_loss", "validation_accuracy"} <= set(project.metrics()["epochs"][0])
    assert any("epoch=" in line for line in project.logs("train"))


@pytest.mark.usefixtures("live")
def test_a_part_is_changed_taken_down_and_brought_back(project: Project, said: list[str]) -> None:
    project.plan("deploy", settings={"deploy.max_concurrency": 7})
    assert said.pop() == '  deploy.max_concurrency has no effect while deploy.serving is "instance"'
    project.wire_lambda({"lambda.memory_mb": 512})
    assert Project(project.folder).settings.lambda_.memory_mb == 512
    assert [step.kind for step in project.plan_down("site").steps] == ["page"]
    removal = project.down("site")
    assert [record.kind for record in removal.deleted] == ["page"]
    assert [step.kind for step in project.plan().steps if step.action is Action.CREATE] == ["page"]
    project.site()
    assert not project.plan().changes
    document = project.status().document()
    assert document["resources"][0].keys() == {"kind", "name", "status", "arn", "changes", "mend"}
    assert json.dumps(document)


def test_the_reviews_are_read_once_to_plan_what_to_do_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    fingerprint = TableSource.fingerprint

    def counted(source: TableSource) -> str:
        read.append(tmp_path)
        return fingerprint(source)

    monkeypatch.setattr(TableSource, "fingerprint", counted)
    project = Project(begin(tmp_path / "toy").folder, tell=None)
    project.plan("data")
    assert len(read) == 1
    project.down()
