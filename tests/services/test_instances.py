"""Instance types that SageMaker does not know are refused before anything is made."""

import pytest

from sentictl.errors import SettingsError
from sentictl.services.instances import check_instance_types
from tests.services.conftest import ContextOf


def test_the_defaults_are_known(context_of: ContextOf) -> None:
    check_instance_types(context_of(""))


@pytest.mark.parametrize("table", ["train", "deploy"])
def test_an_unknown_type_gets_a_suggestion(context_of: ContextOf, table: str) -> None:
    with pytest.raises(SettingsError, match=f"ml.m5.lage is not an instance type .* for {table}") as refusal:
        check_instance_types(context_of(f'[{table}]\ninstance_type = "ml.m5.lage"\n'))
    assert "Did you mean ml.m5.large?" in refusal.value.hint
