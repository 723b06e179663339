"""The states of a definition, carried out one after the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

from sentictl.twin.core.clock import shortened
from sentictl.twin.stepfunctions import paths
from sentictl.twin.stepfunctions.choices import holds
from sentictl.twin.stepfunctions.tasks import TaskError

LONGEST_WAIT = 0.2  # seconds, whatever a state asks for: what is waited for takes seconds here, not minutes
ANY = ("States.ALL", "States.TaskFailed")
Make = Callable[[str, Mapping[str, Any]], Any]


class FailedError(Exception):
    """An execution failed.

    Args:
        error: its name.
        cause: why.
    """

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(cause)
        self.error = error
        self.cause = cause


class StoppedError(Exception):
    """The execution was told to stop."""


@dataclass(frozen=True)
class Interpreter:
    """What an execution of a definition needs.

    Args:
        definition: as `definitions.parsed` gives it.
        about: the context object, which `$$` is.
        make: makes a task's call, given its resource and its parameters.
        stop: set when the execution is to stop.
    """

    definition: Mapping[str, Any]
    about: Mapping[str, Any]
    make: Make
    stop: Event

    def run(self, data: Any) -> Any:
        """Carry out all states from the first one on.

        Args:
            data: the execution's input.

        Returns:
            Its output.

        Raises:
            FailedError: it failed.
            StoppedError: it was told to stop.
        """
        name: str | None = self.definition["StartAt"]
        while name is not None:
            if self.stop.is_set():
                raise StoppedError
            try:
                name, data = self._enter(self.definition["States"][name], data)
            except paths.PathError as problem:
                raise FailedError("States.Runtime", f"An error occurred in the state '{name}': {problem}") from problem
        return data

    def _enter(self, state: Mapping[str, Any], data: Any) -> tuple[str | None, Any]:
        """Carry out one state. Returns the name of the next one, None after the last, and what it gets."""
        kind = state["Type"]
        if kind == "Task":
            return self._task(state, data)
        if kind == "Choice":
            return self._choose(state, data), data
        if kind == "Fail":
            raise FailedError(self._text(state, "Error", data), self._text(state, "Cause", data))
        if kind == "Wait":
            self.stop.wait(shortened(min(state["Seconds"], LONGEST_WAIT)))
        if kind == "Pass" and ("Parameters" in state or "Result" in state):
            result = state.get("Result", paths.filled(state.get("Parameters"), data, self.about))
            data = paths.put(result, state.get("ResultPath", "$"), data)
        return state.get("Next"), data

    def _task(self, state: Mapping[str, Any], data: Any) -> tuple[str | None, Any]:
        parameters = paths.filled(state.get("Parameters", {}), data, self.about)
        try:
            result = self._tried(state, parameters)
        except TaskError as error:
            catcher = next((each for each in state.get("Catch", ()) if _catches(each, error)), None)
            if catcher is None:
                raise FailedError(error.name, error.cause) from error
            told = {"Error": error.name, "Cause": error.cause}
            return catcher["Next"], paths.put(told, catcher.get("ResultPath", "$"), data)
        if "ResultSelector" in state:
            result = paths.filled(state["ResultSelector"], result, self.about)
        return state.get("Next"), paths.put(result, state.get("ResultPath", "$"), data)

    def _tried(self, state: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
        """Make a task's call, and again as often as its retriers say."""
        retriers = state.get("Retry", ())
        left = [each.get("MaxAttempts", 3) for each in retriers]
        while True:
            try:
                return self.make(state["Resource"], parameters)
            except TaskError as error:
                place = next((number for number, each in enumerate(retriers) if _catches(each, error)), None)
                if place is None or not left[place] or self.stop.is_set():
                    raise
                left[place] -= 1
                self.stop.wait(shortened(min(retriers[place].get("IntervalSeconds", 1), LONGEST_WAIT)))

    def _choose(self, state: Mapping[str, Any], data: Any) -> str:
        for rule in state["Choices"]:
            if holds(rule, data, self.about):
                return str(rule["Next"])
        if "Default" not in state:
            raise FailedError("States.NoChoiceMatched", "None of the rules holds, and there is no default.")
        return str(state["Default"])

    def _text(self, state: Mapping[str, Any], name: str, data: Any) -> str:
        path = state.get(f"{name}Path")
        return str(paths.read(path, data, self.about) if path else state.get(name, ""))


def _catches(catcher: Mapping[str, Any], error: TaskError) -> bool:
    return any(name in (*ANY, error.name) for name in catcher["ErrorEquals"])
