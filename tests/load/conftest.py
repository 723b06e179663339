"""A project of its own, as the tests of the chain have it."""

from tests.chain.conftest import shell

__all__ = ["shell"]
