"""The archive of a function that holds the model."""

import io
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sentictl.config.state import Record
from sentictl.errors import MissingStepError, PackagingError, SettingsError
from sentictl.lifecycle.resource import Context
from sentictl.services.resources.storage import Bucket
from sentictl.services.resources.training import TrainingJob
from sentictl.services.web import function_archive
from sentictl.services.web.function_archive import FunctionArchive, check_packages
from tests.services.conftest import ContextOf
from tests.services.web.wheels import ask_for

IN_FUNCTION = '[project]\nname = "films"\n[deploy]\nserving = "lambda"\n'
Trained = Callable[[Context, str], None]


@pytest.fixture
def trained(tmp_path: Path, toy_artifact: Path) -> Trained:
    """Has a training job of this name end with the toy model; the function needs no packages of its own."""

    def make(context: Context, name: str) -> None:
        ask_for(tmp_path)
        folder = context.config.folder.models / name
        shutil.copytree(toy_artifact, folder)
        uri = f"s3://{context.naming.bucket}/models/{name}/output/model.tar.gz"
        context.state.keep(Record(TrainingJob.kind, name, f"arn:{name}", {"artifact": uri, "trained": name}))

    return make


def uploaded(context: Context) -> bytes:
    archive = FunctionArchive(context)
    archive.create()
    stored = context.environment.client("s3").get_object(Bucket=archive.bucket, Key=archive.name)
    content: bytes = stored["Body"].read()
    return content


def test_it_holds_the_code_and_the_artifact_and_always_the_same_bytes(
    moto_context_of: ContextOf, trained: Trained
) -> None:
    context = moto_context_of(IN_FUNCTION)
    trained(context, "films-1")
    Bucket(context).create()
    content = uploaded(context)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = set(archive.namelist())
    assert {"handler.py", "held_model.py", "inference.py", "sentimodel/predictor.py", "artifact/model.onnx"} <= names
    assert not {"requirements.txt", "artifact/model.pt"} & names
    assert uploaded(context) == content


def test_it_is_read_with_what_lambda_will_tell_of_it(moto_context_of: ContextOf, trained: Trained) -> None:
    context = moto_context_of(IN_FUNCTION)
    trained(context, "films-1")
    Bucket(context).create()
    archive = FunctionArchive(context)
    assert archive.read(archive.name) is None
    archive.create()
    ((name, live),) = archive.found()
    assert name == archive.name
    assert live.attributes["model"] == "films-1"
    assert live.attributes["artifact"].endswith("/models/films-1/output/model.tar.gz")
    assert len(live.attributes["sha256"]) == 44
    assert archive.facts(Record(archive.kind, name, live.arn, live.attributes))[1] == "films-1"


def test_its_name_follows_from_what_goes_into_it_without_packing(
    context_of: ContextOf, trained: Trained, tmp_path: Path
) -> None:
    context = context_of(IN_FUNCTION)
    trained(context, "films-1")
    first = FunctionArchive(context).name
    assert first == FunctionArchive(context).name
    with (tmp_path / "templates" / "lambda" / "requirements.txt").open("a") as requirements:
        requirements.write("# one more line\n")
    second = FunctionArchive(context).name
    trained(context, "films-2")
    assert len({first, second, FunctionArchive(context).name}) == 3
    assert not (tmp_path / ".sentictl" / "wheels").exists()


def test_without_a_model_there_is_none(context_of: ContextOf) -> None:
    with pytest.raises(MissingStepError, match="training-job"):
        FunctionArchive(context_of(IN_FUNCTION)).name  # noqa: B018


def test_what_lambda_does_not_take_is_refused_before_it_is_uploaded(
    context_of: ContextOf, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = context_of(IN_FUNCTION)
    trained(context, "films-1")
    check_packages(context)
    monkeypatch.setattr(function_archive, "MOST_BYTES", 1_000)
    with pytest.raises(PackagingError) as caught:
        FunctionArchive(context).create()
    assert "MB unpacked, 0 MB of it packages" in caught.value.message
    assert "deploy.serving serverless" in caught.value.hint
    context.environment.name = "prod"
    with pytest.raises(PackagingError) as caught:
        FunctionArchive(context).create()
    assert "(sentictl config set train.ngrams 200000 --env prod)" in caught.value.hint


def test_an_own_handler_that_asks_an_endpoint_alone_is_refused(
    context_of: ContextOf, trained: Trained, tmp_path: Path
) -> None:
    context = context_of(IN_FUNCTION)
    trained(context, "films-1")
    (tmp_path / "templates" / "lambda" / "handler.py").write_text("import boto3\n")
    with pytest.raises(SettingsError, match="before the model could be in the function"):
        check_packages(context)
    instance = replace(context_of('[project]\nname = "films"\n'), environment=context.environment)
    check_packages(instance)
