"""What moto does at each start or at each request, and need not do here."""

import sys
from types import ModuleType
from typing import Any

import botocore.session
from moto import backends
from moto.core import loaders, models, utils
from moto.core.common_models import BaseModel

VALIDATOR = "openapi_spec_validator"


def lighten() -> None:
    """Spare moto what takes most of the twin's start. Comes before moto's services are imported."""
    # A loader looks once for botocore's models; moto makes one for each model, and each session another. A client of S3
    # takes the bucket out of the paths of the model that it was given, which is not to be moto's.
    of_moto, of_sessions = loaders.create_loader(), loaders.create_loader()
    vars(utils)["create_loader"] = lambda: of_moto
    vars(botocore.session)["create_loader"] = lambda _path=None: of_sessions
    # moto reads the list of its own folders twice a request.
    services = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: services
    # moto's dashboard, which nobody opens here, keeps every instance ever made: deleted objects, dropped log lines.
    model: Any = BaseModel
    model.__new__ = _untracked
    # moto lets its own process ask an API, by mocks of HTTP that hold each one ever deployed. Nobody asks there.
    mocks: Any = models.responses_mock
    mocks.add = _ignored
    if VALIDATOR not in sys.modules:
        sys.modules.update(_stand_in())


def _untracked(kind: type[object], *_arguments: object, **_named: object) -> object:
    return object.__new__(kind)


def _ignored(*_arguments: object, **_named: object) -> None:
    pass


def _stand_in() -> dict[str, ModuleType]:
    """Modules in the place of the validator of OpenAPI documents, which takes longer to import than all of moto.

    moto's API Gateway asks it only where a document comes with `failonwarnings`.
    """
    package: Any = ModuleType(VALIDATOR)
    exceptions: Any = ModuleType(f"{VALIDATOR}.validation.exceptions")
    modules = {VALIDATOR: package, f"{VALIDATOR}.validation": package, exceptions.__name__: exceptions}

    def validate(document: Any) -> None:
        for name in modules.keys() & sys.modules.keys():
            del sys.modules[name]
        modules.clear()  # from now on there is the real one
        from openapi_spec_validator import validate as really_validate
        from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

        try:
            really_validate(document)
        except OpenAPIValidationError as error:
            raise _InvalidError(error.message) from error

    package.validate, exceptions.OpenAPIValidationError = validate, _InvalidError
    return modules


class _InvalidError(Exception):
    """A document is not as OpenAPI has it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
