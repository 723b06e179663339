"""The Python API's part for the keys of an API that takes one."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sentictl.api.session import Session
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.errors import MissingStepError, UsageError
from sentictl.lifecycle.reconcile import apply
from sentictl.lifecycle.resource import Context, Resource
from sentictl.services.web.api_key import ApiKey, check_label
from sentictl.services.web.key_use import KeyUse, uses_of_keys
from sentictl.services.web.rest_api import RestApi
from sentictl.services.web.usage_plan import UsagePlan

PART = "keys"


@dataclass(frozen=True)
class CreatedKey:
    """A key that was just made.

    Args:
        name: as a person gave it.
        value: the key itself, which is kept nowhere.
    """

    name: str
    value: str = field(repr=False)


class ProjectKeys:
    """The keys of a project's API in one environment.

    Each method does what the command of its name does.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, name: str) -> CreatedKey:
        """Make a key. Its value is told this once.

        Args:
            name: whose it is, or what for: letters, digits, - and _.

        Raises:
            UsageError: the name cannot be one, or there is a key of that name.
        """
        check_label(name)
        observer = self._session.observer
        with self._session.change(check=lambda context: _check_new(context, name)) as context:
            observer.begin(PART)
            key = ApiKey(context, name)
            apply([key], context, observer)
            with _taken_back_unless_let_in(key, context):
                apply(_plan(context), context, observer)
            observer.ended(PART)
            if context.settings.api.auth != "key":
                where = env_option(context.environment.name, default=LOCAL)
                observer.remark(
                    f"  Nobody is asked for a key yet: sentictl config set api.auth key{where} && sentictl up{where}"
                )
            return CreatedKey(name, key.value)

    def list(self) -> list[KeyUse]:
        """Return the keys, oldest first, and what they were used for."""
        return uses_of_keys(self._session.read())

    def revoke(self, name: str) -> None:
        """Delete a key: who has it is refused from now on.

        Raises:
            MissingStepError: there is no such key.
        """
        with self._session.change() as context:
            key = ApiKey(context, name)
            recorded = any(record.name == key.name for record in context.state.of_kind(key.kind))
            if not recorded and not key.read(key.name):  # one that somebody deleted elsewhere is forgotten here
                known = ", ".join(sorted({key.label_of(name) for name, _ in ApiKey(context).found()}))
                raise MissingStepError(
                    f"There is no key called {name}.", f"There are: {known}." if known else "There is none at all."
                )
            _delete(key, context)


@contextmanager
def _taken_back_unless_let_in(key: ApiKey, context: Context) -> Iterator[None]:
    """Delete a key again where it cannot be put into the plan: its value would be lost with the error."""
    try:
        yield
    except BaseException:
        with suppress(Exception):  # the reason stands; a key that is left is told of by the next `create`
            _delete(key, context)
        raise


def _delete(key: ApiKey, context: Context) -> None:
    record = Record(key.kind, key.name)
    key.delete(record)
    context.state.forget(record)
    context.config.save_state()


def _plan(context: Context) -> list[Resource]:
    """The usage plan, which lets the key in, where there is an API for it."""
    return [UsagePlan(context)] if context.state.latest(RestApi.kind) else []


def _check_new(context: Context, name: str) -> None:
    key = ApiKey(context, name)
    if key.read(key.name):
        where = env_option(context.environment.name, default=LOCAL)
        raise UsageError(
            f"There is a key called {name} already, and its value was told when it was made.",
            f"Give another name, or make it anew: sentictl keys revoke {name}{where} && "
            f"sentictl keys create {name}{where}",
        )
