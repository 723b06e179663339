"""The page about the API tells the errors that its OpenAPI document has."""

import re
from pathlib import Path

import pytest

from sentictl.services.export.openapi import ERRORS

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\d{3})` \|([^|]*)\|", PAGE, re.MULTILINE))


@pytest.mark.parametrize("status", ERRORS)
def test_the_codes_of_a_status_are_those_of_the_document(status: int) -> None:
    _, codes, gateway = ERRORS[status]
    assert set(re.findall(r"`(\w+)`", ROWS[str(status)])) == {*codes, *gateway}
