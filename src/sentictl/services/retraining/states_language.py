"""The Amazon States Language: the states that a state machine is made of, and the rules by which one follows another.

A path, such as "$.endpoint.status", names a place in what goes from state to state.
https://states-language.net/spec.html
"""

from typing import Any

from sentictl.lifecycle.resource import Context

State = dict[str, Any]
States = dict[str, State]
ERROR = "$.error"  # the path of what was caught
AGAIN = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 5, "MaxAttempts": 3, "BackoffRate": 2.0}]


def task(context: Context, call: str, parameters: State, following: str, **more: Any) -> State:
    """Make a call of AWS's by an "AWS SDK integration", and try it again where it fails.

    Args:
        context: the project, whose partition is asked.
        call: the service and its call, such as "sagemaker:describeModel".
        parameters: those of the call; the value of a name that ends in ".$" is a path or an intrinsic function.
        following: the name of the next state.
        more: other fields of the state, such as ResultPath.
    """
    return {
        "Type": "Task",
        "Resource": f"arn:{context.environment.partition}:states:::aws-sdk:{call}",
        "Parameters": parameters,
        "Retry": AGAIN,
        **more,
        "Next": following,
    }


def task_if_possible(context: Context, call: str, parameters: State, following: str) -> State:
    """Make a call without which all goes on as well. The arguments are `task`'s."""
    return task(context, call, parameters, following, ResultPath=None, Catch=catch(following, path=None))


def catch(following: str, *, error: str = "States.ALL", path: str | None = ERROR) -> list[State]:
    """Say what follows where a task fails, as the field Catch takes it.

    Args:
        following: the name of the next state then.
        error: the error's name; any by default.
        path: where the error and its cause are kept; None drops them.
    """
    return [{"ErrorEquals": [error], "ResultPath": path, "Next": following}]


def pass_state(parameters: State, following: str, **more: Any) -> State:
    """Put values together. The arguments are `task`'s."""
    return {"Type": "Pass", "Parameters": parameters, **more, "Next": following}


def wait(seconds: int, following: str) -> State:
    """Let some seconds pass."""
    return {"Type": "Wait", "Seconds": seconds, "Next": following}


def choice(*rules: tuple[State, str], otherwise: str) -> State:
    """Go on by the first rule that holds.

    Args:
        rules: each with the name of the state that follows where it holds.
        otherwise: the name of the one that follows where none does.
    """
    return {"Type": "Choice", "Choices": [{**rule, "Next": name} for rule, name in rules], "Default": otherwise}


def end(**output: str) -> State:
    """End well, with this output."""
    return {"Type": "Pass", "Parameters": output, "End": True}


def fail(error: str, cause: str) -> State:
    """Fail.

    Args:
        error: its name.
        cause: a path or an intrinsic function that tells why.
    """
    return {"Type": "Fail", "Error": error, "CausePath": cause}


def formatted(text: str, *paths: str) -> str:
    """Return the intrinsic function that fills in a text.

    Args:
        text: with {} for each value, and without apostrophes.
        paths: of the values, in order.
    """
    return f"States.Format('{text}', {', '.join(paths)})"


def equals(path: str, text: str) -> State:
    """The rule that a value is this text."""
    return {"Variable": path, "StringEquals": text}


def equals_path(path: str, other: str) -> State:
    """The rule that the texts at two paths are the same."""
    return {"Variable": path, "StringEqualsPath": other}


def matches(path: str, pattern: str) -> State:
    """The rule that a text is like a pattern, in which * stands for any letters."""
    return {"Variable": path, "StringMatches": pattern}


def is_present(path: str) -> State:
    """The rule that there is a value."""
    return {"Variable": path, "IsPresent": True}


def refused(pattern: str) -> State:
    """The rule that the cause of what was caught is like a pattern."""
    return matches(f"{ERROR}.Cause", pattern)
