"""Instance types that SageMaker does not know are refused before anything is made."""

import pytest

from sentictl.aws.instance_types import check_instance_types
from sentictl.config.settings import Settings
from sentictl.errors import SettingsError


def settings(**tables: object) -> Settings:
    return Settings.model_validate({"project": {"name": "films"}, **tables})


def test_the_defaults_are_known() -> None:
    check_instance_types(settings())


@pytest.mark.parametrize("table", ["train", "deploy"])
def test_an_unknown_type_gets_a_suggestion(table: str) -> None:
    with pytest.raises(SettingsError, match=f"ml.m5.lage is not an instance type .* for {table}") as refusal:
        check_instance_types(settings(**{table: {"instance_type": "ml.m5.lage"}}))
    assert "Did you mean ml.m5.large?" in refusal.value.hint
