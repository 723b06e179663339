"""What is wrong with how a command ended, and with what visitors were answered."""

import json
from collections.abc import Collection, Sequence

from tests.soak.events import Event
from tests.soak.troubles import COMMANDS_DISK, ENDS_COMMAND, SHARED, Trouble
from tests.soak.visitors import Visit
from tests.sweep.runs import Run

ENDS = {0, 1, 4}  # exit codes of what ends by itself: done, failed, refused by AWS
KILLED = -9
OK = 200
PATIENCE_SECONDS = 60.0  # for an API to answer again after a kill


def judge_run(run: Run, trouble: Trouble, met: Collection[str], expected: int = 0) -> list[str]:
    """What is wrong with a run.

    Args:
        trouble: what was to go wrong in it.
        met: what happened to the account meanwhile.
        expected: the exit code where nothing goes wrong.
    """
    if run.code is None:
        return [f"hangs: {(run.stdout + run.stderr)[-3000:]}"]
    if "Traceback" in run.stderr or "should not happen" in run.stdout + run.stderr:
        return [f"ends in an error that is none of a person's: {(run.stdout + run.stderr)[-3000:]}"]
    if run.code == expected or (run.code == KILLED and trouble.what in ENDS_COMMAND):
        return []
    if run.code not in ENDS or not (trouble.what or set(met) & SHARED):
        return [f"ends with {run.code}: {(run.stdout + run.stderr)[-3000:]}"]
    return _judge_error(run.stdout, trouble)


def _judge_error(stdout: str, trouble: Trouble) -> list[str]:
    """An error says what happened and what comes next. What `down` could not delete is told in its answer."""
    try:
        document = json.loads(stdout)
    except ValueError:
        # Its stdout is a file, too: what does not fit is not in it.
        return [] if trouble.what == COMMANDS_DISK else [f"stdout is no JSON document: {stdout[-300:]}"]
    if document.get("left"):
        return []
    error = document.get("error", {})
    return [f"the error has no {name}: {stdout}" for name in ("code", "message", "hint") if not error.get(name)]


def judge_visits(visits: Sequence[Visit], label: str, models: Collection[str], events: Sequence[Event]) -> list[str]:
    """What is wrong with answers, oldest first: each has to be right, but for those that a kill met.

    Args:
        label: the right verdict.
        models: those that may have given it.
        events: what happened meanwhile.
    """
    problems = [
        f"a wrong answer: {visit}"
        for visit in visits
        if visit.status == OK and (visit.label != label or visit.model not in models)
    ]
    return problems + [f"failed without a kill: {visit}" for visit in visits if _failed_alone(visit, visits, events)]


def _failed_alone(visit: Visit, visits: Sequence[Visit], events: Sequence[Event]) -> bool:
    """Whether a request failed that no kill met: none came since the last good answer was asked for."""
    if visit.status == OK:
        return False
    good = max((each.began for each in visits if each.status == OK and each.began < visit.began), default=0.0)
    since = max(good, visit.began - PATIENCE_SECONDS)
    return not any(event.what in SHARED and event.overlaps(since, visit.ended) for event in events)
