"""Versions of the model: which there are, which one is chosen, and which may not take the live one's place."""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from moto import mock_aws
from sentimodel.artifact import read_metadata
from sentimodel.files import METADATA, NGRAMS, ONNX
from sentimodel.network import NetworkConfig, SentimentNetwork
from sentimodel.onnx_export import to_onnx

from sentictl.aws.environment import Environment
from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.state import Record
from sentictl.config.tables.deploy import DeploySettings
from sentictl.errors import MissingStepError, ModelError, WorseModelError
from sentictl.lifecycle.resource import Context
from sentictl.services.evaluate.run import measure
from sentictl.services.evaluate.versions import check_not_worse, choose, follow_served, named, unserved, versions
from sentictl.services.resources.storage import create_bucket
from sentictl.services.serving.endpoint import Endpoint, EndpointConfig
from sentictl.services.serving.model import Model, trained
from tests.conftest import TOY_OPTIONS
from tests.services.conftest import ACCOUNT

DATASET = str(TOY_OPTIONS["dataset"])


class Cloud:
    """A project whose models lie in moto's S3, and whose endpoint is moto's."""

    def __init__(self, folder: Path) -> None:
        (folder / "sentictl.toml").write_text('[project]\nname = "films"\n')
        environment = Environment("local", "eu-west-1")
        environment.__dict__["account"] = ACCOUNT  # as if AWS had told it
        self.said: list[str] = []
        self.context = Context(Config.load(ProjectFolder(folder)), environment, lambda what, *_: self.said.append(what))
        create_bucket(self.context, self.context.naming.bucket)

    @property
    def models(self) -> Path:
        return self.context.config.folder.models

    def train(self, name: str, day: int, accuracy: float | None = 0.9, dataset: str = DATASET) -> None:
        """A training job made this model on that day."""
        attributes = {"artifact": self._uri(name), "trained": f"2026-11-{day:02}T10:00:00.000+00:00"}
        attributes |= {"architecture": "ngram", "dataset": dataset}
        attributes |= {} if accuracy is None else {"validation_accuracy": f"{accuracy:.4f}"}
        self.context.state.keep(Record("training-job", name, f"arn:{name}", attributes))

    def put_artifact(self, name: str, folder: Path) -> None:
        """The model's artifact is in the bucket."""
        archive = folder.parent / f"{name}.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(folder, arcname=".")
        self.context.environment.client("s3").upload_file(str(archive), self.context.naming.bucket, self._key(name))

    def choose(self, name: str) -> None:
        """The settings choose this version, or the newest."""
        self.context.config.change({"deploy.model": name})

    def serve(self, name: str) -> None:
        """The endpoint serves this version."""
        self.choose(name)
        for part in (Model, EndpointConfig, Endpoint):
            part(self.context).create()
        self.choose("")

    def _key(self, name: str) -> str:
        return f"models/{name}/output/model.tar.gz"

    def _uri(self, name: str) -> str:
        return f"s3://{self.context.naming.bucket}/{self._key(name)}"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with mock_aws():
        yield Cloud(tmp_path)


@pytest.fixture
def three(cloud: Cloud) -> Cloud:
    """Three versions that are recorded in another order than they were trained in; the second one is live."""
    cloud.train("films-local-c", 3)
    cloud.train("films-local-a", 1)
    cloud.train("films-local-b", 2)
    cloud.serve("films-local-b")
    return cloud


@pytest.fixture(scope="module")
def poor_artifact(tmp_path_factory: pytest.TempPathFactory, toy_artifact: Path) -> Path:
    """The toy model's artifact with a network that was never trained."""
    folder = Path(shutil.copytree(toy_artifact, tmp_path_factory.mktemp("poor") / "artifact"))
    torch.manual_seed(1)
    network = SentimentNetwork(NetworkConfig.from_hyperparameters(read_metadata(folder).hyperparameters))
    (folder / ONNX).write_bytes(to_onnx(network.eval()))
    metadata = json.loads((folder / METADATA).read_text())
    metadata["files"][ONNX] = hashlib.sha256((folder / ONNX).read_bytes()).hexdigest()
    (folder / METADATA).write_text(json.dumps(metadata))
    return folder


@pytest.fixture
def pair(cloud: Cloud, toy_dataset: Path, toy_artifact: Path, poor_artifact: Path) -> Cloud:
    """A good and a poor version, trained on one dataset, in the bucket alone."""
    shutil.copytree(toy_dataset, cloud.context.config.folder.datasets / DATASET)
    for day, (name, folder) in enumerate({"films-local-good": toy_artifact, "films-local-poor": poor_artifact}.items()):
        cloud.train(name, day + 1)
        cloud.put_artifact(name, folder)
    return cloud


def test_versions_are_numbered_in_the_order_in_which_they_were_trained(three: Cloud) -> None:
    three.context.state.keep(Record("training-job", "films-local-d", "arn:d"))  # has not ended
    found = versions(three.context)
    assert [(each.number, each.name[-1]) for each in found] == [(1, "a"), (2, "b"), (3, "c")]
    assert [each.live for each in found] == [False, True, False]
    assert (found[0].architecture, found[0].validation_accuracy, found[0].trained[:10]) == ("ngram", 0.9, "2026-11-01")


@pytest.mark.parametrize(
    ("given", "chosen"),
    [("1", "films-local-a"), ("films-local-c", "films-local-c"), ("previous", "films-local-a"), ("latest", "")],
)
def test_a_version_is_chosen_by_number_name_or_place(three: Cloud, toy_artifact: Path, given: str, chosen: str) -> None:
    for name in ("films-local-a", "films-local-c"):
        three.put_artifact(name, toy_artifact)
    assert choose(three.context, given) == chosen


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("films-local-bb", "Did you mean films-local-b?"),
        ("4", "Versions: 1 (films-local-a), 2 (films-local-b), 3 (films-local-c)."),
        ("0", "Versions: 1 (films-local-a)"),
        ("", "Versions: 1 (films-local-a)"),
    ],
)
def test_what_there_is_not_is_told_with_what_there_is(three: Cloud, given: str, hint: str) -> None:
    with pytest.raises(ModelError, match="There is no version") as error:
        choose(three.context, given)
    assert hint in error.value.hint


def test_going_back_that_was_interrupted_goes_back_no_further_when_it_is_run_again(
    three: Cloud, toy_artifact: Path
) -> None:
    for name in ("films-local-a", "films-local-b"):
        three.put_artifact(name, toy_artifact)
    three.choose("films-local-b")
    superseded = Record("endpoint-config", "of-films-local-c", "arn:c")
    for record in (superseded, Record("endpoint-config", "of-films-local-b", "arn:b")):
        three.context.state.keep(record)
    assert choose(three.context, "previous") == "films-local-b"
    three.context.state.forget(superseded)
    assert choose(three.context, "previous") == "films-local-a"


@pytest.mark.parametrize(("given", "name"), [("previous", "films-local-a"), ("latest", "films-local-b"), ("2", "2")])
def test_a_version_is_named_by_its_place(three: Cloud, given: str, name: str) -> None:
    three.context.state.keep(Record("training-job", "films-local-d", "arn:d"))  # has not ended
    assert named(lambda: three.context, given) == name


def test_before_anything_is_trained_there_is_no_latest(cloud: Cloud) -> None:
    with pytest.raises(ModelError, match="No version is trained"):
        named(lambda: cloud.context, "latest")


def test_before_the_first_version_there_is_none(cloud: Cloud) -> None:
    with pytest.raises(ModelError, match="None of the versions is live"):
        choose(cloud.context, "previous")
    with pytest.raises(ModelError, match="There is no version 1") as error:
        choose(cloud.context, "1")
    assert "sentictl train" in error.value.hint
    cloud.train("films-local-a", 1)
    cloud.serve("films-local-a")
    with pytest.raises(ModelError, match=r"none before films-local-a \(version 1\)"):
        choose(cloud.context, "previous")


def test_a_version_whose_artifact_is_gone_cannot_be_chosen(three: Cloud) -> None:
    with pytest.raises(ModelError, match="The artifact of films-local-a is not there any more: s3://films-local-"):
        choose(three.context, "1")


def test_the_settings_choose_the_newest_or_the_one_they_name(three: Cloud) -> None:
    assert trained(three.context).name == "films-local-b"  # recorded last: what the other settings make
    three.choose("films-local-a")
    assert trained(three.context).name == "films-local-a"
    three.choose("1")
    assert trained(three.context).name == "films-local-a"
    three.choose("films-local-x")
    with pytest.raises(MissingStepError, match="films-local-x") as error:
        trained(three.context)
    assert "--model latest" in error.value.hint


def test_a_choice_is_of_one_environment_alone(cloud: Cloud) -> None:
    folder = cloud.context.config.folder
    folder.settings_file.write_text('[project]\nname = "films"\n[env.prod]\nregion = "eu-west-1"\n')
    config = Config.load(folder)
    assert config.set({"deploy.model": "films-local-a"}) == {"env.local.deploy.model": "films-local-a"}
    assert Config.load(folder).settings.deploy.model == "films-local-a"
    assert Config.load(folder, "prod").settings.deploy == DeploySettings()


def test_a_worse_model_on_the_same_validation_reviews_is_refused(pair: Cloud) -> None:
    pair.serve("films-local-good")
    with pytest.raises(WorseModelError) as error:
        check_not_worse(pair.context)
    message = error.value.message
    assert message.startswith("films-local-poor (version 2) is worse than films-local-good (version 1), which is live:")
    assert "of the 40 validation reviews" in message
    assert message.endswith("(one-sided McNemar test, p < 0.001).")
    assert "sentictl deploy --model latest --force" in error.value.hint
    assert "sentictl deploy --model 1" in error.value.hint


def test_a_rollback_to_a_worse_model_is_refused_with_its_own_next_step(pair: Cloud) -> None:
    pair.serve("films-local-good")
    pair.choose("films-local-poor")
    with pytest.raises(WorseModelError) as error:
        check_not_worse(pair.context)
    assert "sentictl deploy --model 2 --force" in error.value.hint


def test_a_better_model_is_taken(pair: Cloud) -> None:
    pair.serve("films-local-poor")
    pair.choose("films-local-good")
    check_not_worse(pair.context)


def test_a_model_that_differs_by_chance_is_taken(pair: Cloud, toy_artifact: Path) -> None:
    pair.train("films-local-twin", 3)
    pair.put_artifact("films-local-twin", toy_artifact)
    pair.serve("films-local-good")
    check_not_worse(pair.context)


def test_where_nothing_or_the_same_model_is_live_nothing_is_asked(cloud: Cloud) -> None:
    cloud.train("films-local-a", 1)  # its artifact is nowhere
    check_not_worse(cloud.context)
    cloud.serve("films-local-a")
    check_not_worse(cloud.context)
    assert cloud.said == []


def test_what_cannot_be_compared_is_refused_with_the_reason(pair: Cloud) -> None:
    pair.train("films-local-lost", 3)
    pair.serve("films-local-good")
    with pytest.raises(WorseModelError, match=r"cannot be compared .* artifact of films-local-lost is not there"):
        check_not_worse(pair.context)


@pytest.mark.parametrize(("accuracy", "shown"), [(0.95, "95.0 %"), (0.5, "50.0 %"), (None, "an unknown share")])
def test_a_model_of_another_dataset_is_taken_with_a_warning(cloud: Cloud, accuracy: float | None, shown: str) -> None:
    cloud.train("films-local-a", 1, 0.9)
    cloud.serve("films-local-a")
    cloud.train("films-local-b", 2, accuracy, dataset="fedcba9876543210")
    warning = check_not_worse(cloud.context)
    assert "films-local-b (version 2) and films-local-a (version 1), which is live, learned from different" in warning
    assert f"they got {shown} and 90.0 % right" in warning
    assert warning.endswith("sentictl evaluate --data PATH --against 1")
    cloud.context.environment.name = "prod"
    cloud.serve("films-local-a")
    assert check_not_worse(cloud.context).endswith("sentictl evaluate --data PATH --against 1 --env prod")


def test_a_version_that_waits_to_be_served_is_told(three: Cloud) -> None:
    three.context.state.forget(Record("training-job", "films-local-b"))
    assert unserved(three.context) == ""  # what is live is no version any more
    three.train("films-local-b", 2)
    assert unserved(three.context) == ""  # recorded last: what the settings make
    three.train("films-local-c", 3)
    assert unserved(three.context) == "Version 3 is trained, version 2 is live. Serve the newer: sentictl deploy"
    three.choose("films-local-b")
    assert unserved(three.context) == (
        "Version 3 is trained, version 2 is live, to which deploy.model is set. "
        "Serve the newer: sentictl deploy --model latest"
    )
    three.context.state.keep(Record("training-job", "films-local-d", "arn:d"))  # has not ended
    assert unserved(three.context) == ""


def test_the_served_version_is_fetched_and_asked_here(pair: Cloud) -> None:
    follow_served(pair.context)
    assert [each.current for each in versions(pair.context)] == [False, True]
    assert pair.said == []
    pair.choose("films-local-good")
    follow_served(pair.context)
    assert [each.current for each in versions(pair.context)] == [True, False]
    assert (pair.context.config.current_model / NGRAMS).exists()
    assert pair.said == ["pinned to films-local-good; sentictl deploy --model latest serves the newest again"]


def test_an_environment_never_asks_the_model_of_another(pair: Cloud) -> None:
    follow_served(pair.context)
    folder = pair.context.config.folder
    folder.settings_file.write_text('[project]\nname = "films"\n[env.prod]\nregion = "eu-west-1"\n')
    prod = Config.load(folder, "prod")
    with pytest.raises(ModelError, match="no model of the environment prod on this machine") as error:
        measure(prod, lambda: pair.context, None, mistakes=0)
    assert "sentictl deploy --env prod" in error.value.hint
    assert folder.model_of("local").resolve().name == "films-local-poor"


def test_figures_on_the_test_split_are_kept_beside_the_artifact(pair: Cloud) -> None:
    follow_served(pair.context)
    assert [version.test for version in versions(pair.context)] == [None, None]
    measured = measure(pair.context.config, lambda: pair.context, None, mistakes=0)
    kept = {"accuracy": measured.accuracy, "interval": list(measured.interval), "reviews": measured.reviews}
    assert [version.test for version in versions(pair.context)] == [None, kept]
    (pair.models / "films-local-poor" / "evaluation.json").write_text("{")
    with pytest.raises(ModelError, match=r"evaluation\.json cannot be read"):
        versions(pair.context)
