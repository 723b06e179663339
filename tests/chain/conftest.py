"""A project of its own for each module."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sentictl.twin import daemon
from tests.chain.shell import Shell, begin


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a new project; whatever stands at the end is taken down."""
    shell = begin(tmp_path_factory.mktemp("chain") / "toy")
    yield shell
    shell.run("down", "--yes")


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
