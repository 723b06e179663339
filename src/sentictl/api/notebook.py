"""The Python API's part for what stands beside the chain: the project's notebook."""

from collections.abc import Mapping
from typing import Any

from sentictl.api import stack
from sentictl.api.session import Session
from sentictl.config.state import Record
from sentictl.errors import MissingStepError
from sentictl.lifecycle.reconcile import apply, destroy, is_ours
from sentictl.lifecycle.resource import Context
from sentictl.services.notebook import package
from sentictl.services.notebook.instance import COMMAND, Notebook, notebook_policy
from sentictl.services.resources.storage import Bucket

PART = "notebook"


class ProjectNotebook:
    """The notebook of a project in one environment: on AWS a notebook instance, in `local` a Jupyter on this machine.

    Each method does what the command of its name does.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, settings: Mapping[str, Any] | None = None, *, adopt: bool = False) -> Record:
        """Make the notebook, or give it the settings. Returns its record.

        Args:
            settings: to change first, such as `{"notebook.idle_minutes": 30}`.
            adopt: take over what is in the way.
        """
        observer = self._session.observer
        # What cannot go along is refused before anything is made.
        with self._session.change(settings, package.project) as context:
            observer.begin(PART)
            # The bucket is the chain's; the notebook fetches sentictl from it.
            kept = [Bucket(context), *stack.resources(context, COMMAND)]
            apply(kept, context, observer, adopt=adopt)
            observer.ended(PART)
            return context.recorded(Notebook)

    def open(self) -> str:
        """Start the notebook if it is stopped. Returns an address that lets one in: whoever has it is let in."""
        notebook = self._standing(self._session.read(announced=True))
        notebook.start()
        return notebook.url()

    def stop(self) -> None:
        """Stop the notebook. What is in its folder is kept, and it costs no more than its volume."""
        self._standing(self._session.read(announced=True)).stop()

    def delete(self) -> list[Record]:
        """Delete the notebook, with all that is in its folder. Returns what was deleted."""
        observer = self._session.observer
        with self._session.change() as context:
            observer.begin(PART)
            deleted, _ = destroy(stack.resources(context, COMMAND), context, observer)
            observer.ended(PART)
            return deleted

    def policy(self) -> dict[str, Any]:
        """Return the IAM policy that these methods need beside the project's own, as a dict for JSON."""
        return notebook_policy(self._session.read())

    def _standing(self, context: Context) -> Notebook:
        notebook = Notebook(context)
        if not is_ours(notebook, notebook.name):
            raise MissingStepError(
                f"There is no notebook in the environment {context.environment.name}.",
                f"Make it with: sentictl {COMMAND}",
            )
        return notebook
