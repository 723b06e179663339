"""A project of its own for each module: new, or a copy of one that is up."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sentictl.twin import daemon
from tests.chain.shell import Shell, begin, copy
from tests.conftest import once


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a new project, whose twin ends with the module and whatever stands in it."""
    shell = begin(tmp_path_factory.mktemp("chain") / "toy")
    yield shell
    daemon.destroy(shell.twin)


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is up, brought up once in a run of tests, and its twin stopped. Don't change it: copy it."""

    def make(folder: Path) -> None:
        shell = begin(folder / "toy")
        shell.run("config", "set", "train.architecture", "ngram")  # the quickest to train and to start
        shell.run("up")
        daemon.stop(shell.twin)

    return once(tmp_path_factory, "standing", make) / "toy"


@pytest.fixture(scope="module")
def live(standing: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a project that is up, a copy of `standing`, whose twin ends with the module."""
    shell = copy(standing, tmp_path_factory.mktemp("live") / "toy")
    shell.run("up")  # the twin starts, at an address of its own that the page has to know
    yield shell
    daemon.destroy(shell.twin)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A project with an environment `prod`, whose AWS is a twin that nothing but AWS_ENDPOINT_URL tells of."""
    home = tmp_path_factory.mktemp("aws") / "twin"
    shell = begin(tmp_path_factory.mktemp("prod") / "toy")
    with (shell.folder / "sentictl.toml").open("a") as settings:
        settings.write('\n[env.prod]\nregion = "eu-west-1"\ntrain.epochs = 7\n')
    daemon.start(home)
    access = daemon.access(home)
    credentials = {"AWS_ACCESS_KEY_ID": access.key, "AWS_SECRET_ACCESS_KEY": "secret"}
    yield replace(shell, variables={**credentials, "AWS_ENDPOINT_URL": access.url})
    daemon.destroy(home)
