"""moto without what it does over and over: it finds the same services, and refuses the same documents."""

import sys

import pytest
from moto import backends

from sentictl.twin.control_plane import moto_start

VALID = {"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": {}}


@pytest.fixture(autouse=True)
def lightened(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == moto_start.VALIDATOR]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(backends, "list_of_moto_modules", backends.list_of_moto_modules)
    moto_start.lighten()


def test_documents_are_validated_by_the_validator_once_one_is_to_be() -> None:
    from openapi_spec_validator import validate
    from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

    assert not hasattr(sys.modules[moto_start.VALIDATOR], "OpenAPIV30SpecValidator")
    for _ in range(2):
        validate(VALID)
        with pytest.raises(OpenAPIValidationError) as refusal:
            validate({"openapi": "3.0.1", "paths": {}})
        assert "info" in refusal.value.message
    assert hasattr(sys.modules[moto_start.VALIDATOR], "OpenAPIV30SpecValidator")


def test_every_service_is_found_each_time() -> None:
    assert {"s3", "iam", "sagemaker"} <= set(backends.list_of_moto_modules())
    assert {"s3", "iam", "sagemaker"} <= set(backends.list_of_moto_modules())
