"""The picture of what stands, of parts that no command of their own name makes."""

import pytest

from sentictl.api.results import Status
from sentictl.api.stack import Finding
from sentictl.cli.view.status import draw
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Resource
from sentictl.services.batch.model import BatchModel
from sentictl.services.resources.storage import Bucket


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        (BatchModel, "batch not made yet · make it with: sentictl predict --via batch --env prod"),
        (Bucket, "data not made yet · make it with: sentictl data --env prod"),
    ],
)
def test_what_is_half_made_names_the_command_that_makes_the_rest(kind: type[Resource], advice: str) -> None:
    finding = Finding(Record(kind.kind, "films-prod", "arn"), "there", {}, "", "", kind, [])
    picture = str(draw(Status("prod", [finding]), " --env prod", 100))
    assert advice in " ".join(picture.replace("\N{NO-BREAK SPACE}", " ").split())
