"""A project of its own for each module."""

from collections.abc import Iterator

import pytest

from tests.chain.shell import Shell, begin


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a new project; whatever stands at the end is taken down."""
    shell = begin(tmp_path_factory.mktemp("chain") / "toy")
    yield shell
    shell.run("down", "--yes")
