"""The Lambda function as the settings want it."""

from collections.abc import Mapping
from typing import Any

import pytest

from sentictl.config.state import Record
from sentictl.errors import MissingStepError
from sentictl.lifecycle.resource import Context
from sentictl.services.iam.roles import FunctionRole
from sentictl.services.resources.storage import Bucket
from sentictl.services.resources.training import TrainingJob
from sentictl.services.web.function import Function
from sentictl.services.web.function_archive import FunctionArchive
from sentictl.services.web.live import live_artifact
from tests.services.conftest import ContextOf

CONNECT_SECONDS = 2  # the function's own time to reach the endpoint
ARTIFACT = "s3://bucket/models/films-1/output/model.tar.gz"
IN_FUNCTION = "[deploy]\nserving = 'lambda'\nmemory_mb = 3072\n"


def with_model(context: Context) -> Context:
    """The context of a project whose model is trained."""
    context.state.keep(Record(TrainingJob.kind, "films-1", "arn", {"artifact": ARTIFACT}))
    return context


def with_archive(context: Context) -> FunctionArchive:
    """Put an archive on S3 that stands for the function's, and record it."""
    archive = FunctionArchive(with_model(context))
    client = context.environment.client("s3")
    told = {"sha256": "of-the-archive", "artifact": ARTIFACT, "model": "films-1", "bytes": "9"}
    client.put_object(Bucket=archive.bucket, Key=archive.name, Body=b"no archive", Metadata=told)
    context.state.keep(Record(archive.kind, archive.name, archive.uri(archive.name), told))
    return archive


def changes(context: Context) -> list[tuple[str, Mapping[str, Any]]]:
    """A list to which every call that changes a function is added."""
    made: list[tuple[str, Mapping[str, Any]]] = []

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        if model.name.startswith(("Create", "Update")):
            made.append((model.name, params))

    context.environment.client("lambda").meta.events.register("provide-client-params", note)
    return made


@pytest.mark.parametrize("timeout", [8, 29])
def test_the_function_gives_the_endpoint_up_before_it_is_ended_itself(context_of: ContextOf, timeout: int) -> None:
    wanted = Function(context_of(f"[lambda]\ntimeout_seconds = {timeout}\n")).desired()
    seconds = int(wanted["Environment"]["Variables"]["ENDPOINT_SECONDS"])
    assert 0 < seconds < wanted["Timeout"] - CONNECT_SECONDS


def test_the_same_code_has_the_same_digest_and_settings_reach_the_function(context_of: ContextOf) -> None:
    first = Function(context_of("")).desired()
    second = Function(context_of("[api]\nmax_reviews = 7\n")).desired()
    assert first["CodeSha256"] == second["CodeSha256"]
    assert second["Environment"]["Variables"]["MAX_REVIEWS"] == "7"


def test_one_that_asks_an_endpoint_has_the_handler_alone(context_of: ContextOf) -> None:
    assert list(Function(context_of("")).sources()) == ["handler.py"]


def test_what_one_with_the_model_will_be_is_known_when_its_archive_is_made(context_of: ContextOf) -> None:
    context = with_model(context_of(IN_FUNCTION))
    with pytest.raises(MissingStepError, match="archive"):
        Function(context).desired()
    archive = FunctionArchive(context)
    context.state.keep(Record(archive.kind, archive.name, "arn", {"sha256": "digest"}))
    wanted = Function(context).desired()
    assert (wanted["CodeSha256"], wanted["Architectures"], wanted["MemorySize"]) == ("digest", ["arm64"], 3072)
    assert "ENDPOINT_NAME" not in wanted["Environment"]["Variables"]


def test_moving_the_model_into_the_function_and_out_again_always_has_code_that_fits(moto_context_of: ContextOf) -> None:
    """Code that holds the model can ask an endpoint; code that does not hold it cannot answer itself."""
    asking = moto_context_of("")
    Bucket(asking).create()
    FunctionRole(asking).create()
    Function(asking).create()

    holding = moto_context_of(IN_FUNCTION)
    archive = with_archive(holding)
    made = changes(holding)
    function = Function(holding)
    function.find()
    function.update()
    (code, given), (configuration, _) = made
    assert (code, configuration) == ("UpdateFunctionCode", "UpdateFunctionConfiguration")
    assert (given["S3Key"], given["Architectures"]) == (archive.name, ["arm64"])

    back = moto_context_of("")
    made = changes(back)
    function = Function(back)
    function.find()
    function.update()
    assert [name for name, _ in made] == ["UpdateFunctionConfiguration", "UpdateFunctionCode"]

    made.clear()
    function = Function(back)
    function.find()
    function.update()
    assert [name for name, _ in made] == ["UpdateFunctionCode", "UpdateFunctionConfiguration"]


def test_what_the_function_holds_is_live_while_it_answers_from_it(moto_context_of: ContextOf) -> None:
    context = moto_context_of(IN_FUNCTION)
    Bucket(context).create()
    FunctionRole(context).create()
    archive = with_archive(context)
    assert live_artifact(context) == ""
    Function(context).create()
    live = Function(context).find()
    assert live
    told = {**context.state.latest(archive.kind).attributes, "sha256": live.fields["CodeSha256"]}  # type: ignore[union-attr]
    context.state.keep(Record(archive.kind, archive.name, "arn", told))
    assert live_artifact(context) == ARTIFACT
    client = context.environment.client("lambda")
    client.update_function_configuration(FunctionName=Function(context).name, Environment={"Variables": {}})
    assert live_artifact(context) == ""


def test_a_template_of_one_with_the_model_takes_its_code_from_the_bucket(context_of: ContextOf) -> None:
    context = with_model(context_of(IN_FUNCTION))
    properties = Function(context).cloudformation()["Function"]["Properties"]
    assert properties["Code"]["S3Key"] == FunctionArchive(context).name
    assert (properties["Handler"], properties["Architectures"]) == ("handler.lambda_handler", ["arm64"])
