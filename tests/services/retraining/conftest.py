"""A project that a schedule can train, whose calls go to moto."""

import pytest

from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context
from sentictl.services.serving.endpoint import Endpoint
from tests.services.conftest import ContextOf

SETTINGS = """\
[project]
name = "films"
id = "0123456789ab"
[data]
source = "s3://raw/2026/"
on = "aws"
[train]
architecture = "ngram"
[train.schedule]
every = "sunday 02:00"
tolerance = 0.25
"""
ARTIFACT = "s3://films-local-123456789012/models/films-local-a/output/model.tar.gz"


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    """One version is trained, and an endpoint is recorded."""
    context = moto_context_of(SETTINGS)
    context.state.keep(Record("training-job", "films-local-a", "arn", {"artifact": ARTIFACT}))
    context.state.keep(Record(Endpoint.kind, "films-local-endpoint", "arn"))
    return context
