"""A context without any AWS: settings from a text, and an account that nobody was asked for."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from moto import mock_aws

from sentictl.aws.environment import Environment
from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context

ACCOUNT = "111122223333"
MOTO_ACCOUNT = "123456789012"
FILMS = '[project]\nname = "films"\n[train]\nepochs = 7\n[site]\nintro = "It\'s $HOME `here`"\n'
ContextOf = Callable[[str], Context]


@pytest.fixture
def context_of(tmp_path: Path) -> ContextOf:
    """Makes a context of the settings in a text; its calls would go nowhere."""

    def make(settings: str) -> Context:
        (tmp_path / "sentictl.toml").write_text(settings)
        environment = Environment("local", "eu-west-1", endpoint="http://127.0.0.1:9")
        environment.__dict__["account"] = ACCOUNT  # as if AWS had told it
        return Context(Config.load(ProjectFolder(tmp_path)), environment, lambda *_: None)

    return make


@pytest.fixture
def offline(context_of: ContextOf) -> Context:
    """A context in the environment prod whose calls go nowhere."""
    environment = Environment("prod", "eu-west-1")
    environment.__dict__ |= {"account": ACCOUNT, "endpoint_url": "http://127.0.0.1:9"}
    return replace(context_of(FILMS), environment=environment)


@pytest.fixture
def moto_context_of(context_of: ContextOf, monkeypatch: pytest.MonkeyPatch) -> Iterator[ContextOf]:
    """Makes a context whose calls go to moto, in this process; it has no Price List, and none is reached."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", "http://127.0.0.1:9")

    def make(settings: str) -> Context:
        environment = Environment("local", "eu-west-1")
        environment.__dict__["account"] = MOTO_ACCOUNT
        return replace(context_of(settings), environment=environment)

    with mock_aws():
        yield make


@pytest.fixture
def shadowed(moto_context_of: ContextOf) -> Context:
    """Two versions on moto; the newest is served, and the other one is its shadow."""
    context = moto_context_of('[project]\nname = "films"\n[deploy]\nshadow = "films-local-a"\n')
    for name in ("a", "b"):
        attributes = {"artifact": f"s3://films/{name}/model.tar.gz"}
        context.state.keep(Record("training-job", f"films-local-{name}", "arn", attributes))
    return context
