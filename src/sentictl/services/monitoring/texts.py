"""What each alert says: what has happened, and the commands that show more of it or mend it."""

from collections.abc import Callable, Mapping

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.tables.deploy import MOST_MACHINES
from sentictl.lifecycle.resource import Context

MINUTES, NEEDED = 5, 3  # of these minutes, so many have to be bad before anybody is told
MOST_REFUSED = 0.5  # share of the requests
MOST_RATE, MOST_BURST = 10_000, 5_000  # that the settings take
LATELY = "--since 3h"


def text_of(context: Context, watched: str) -> str:
    """Return the text of the alert on what is watched; at most 1,024 characters, as CloudWatch has it."""
    return TEXTS[watched](context)


def _errors(context: Context) -> str:
    share = context.settings.alerts.error_percent
    return _told(
        context,
        f"More than {share:g} % of the requests to {_project(context)} failed (5xx) in {NEEDED} of {MINUTES} minutes.",
        ("What failed", f"logs lambda {LATELY}"),
        ("What stands", "status"),
        ("Back to the model before", "deploy --model previous"),
    )


def _latency(context: Context) -> str:
    milliseconds = context.settings.alerts.latency_ms
    deploy = context.settings.deploy
    option, machines = (
        ("--max-instances", deploy.max_instances) if deploy.scales else ("--instance-count", deploy.instance_count)
    )
    warm = min(deploy.provisioned_concurrency + 1, deploy.max_concurrency)
    mend = {
        "instance": ("On more machines", f"deploy {option} {min(machines + 1, MOST_MACHINES)}"),
        "serverless": (
            "Keep more of it warm, with the next deploy",
            f"config set deploy.provisioned_concurrency {warm}",
        ),
        "lambda": ("What the function wrote", f"logs lambda {LATELY}"),
    }
    return _told(
        context,
        f"One request in 100 to {_project(context)} took longer than {milliseconds:,} ms in {NEEDED} of {MINUTES} "
        "minutes.",
        ("Since when", f"metrics {LATELY}"),
        mend[deploy.serving],
    )


def _throttled(context: Context) -> str:
    api = context.settings.api
    half = f"wire-api --throttle-rate {api.throttle_rate / 2:g} --throttle-burst {max(api.throttle_burst // 2, 1)}"
    return _told(
        context,
        f"AWS refused to run the function of {_project(context)}: more requests came at once than the account may run.",
        ("How many came", f"metrics {LATELY}"),
        ("What the account may do", "doctor"),
        ("Let fewer in", half),
    )


def _refused(context: Context) -> str:
    api = context.settings.api
    rate, burst = _twice(api.throttle_rate, MOST_RATE), _twice(api.throttle_burst, MOST_BURST)
    of_each_key = (
        "Let each key ask more, with the next wire-api",
        f"config set api.key_rate {_twice(api.key_rate, MOST_RATE)}",
    )
    return _told(
        context,
        f"Over {100 * MOST_REFUSED:.0f} % of the requests to {_project(context)} were turned away (4xx) in {NEEDED} of "
        f"{MINUTES} minutes: too many came at once (429), they were not let in (401, 403), or they were wrong.",
        ("How many came", f"metrics {LATELY}"),
        ("Which ones", f"logs {'api' if api.access_log else 'lambda'} {LATELY}"),
        ("Let more in", f"wire-api --throttle-rate {rate} --throttle-burst {burst}"),
        *([of_each_key] if api.auth == "key" else ()),
    )


def _idle(context: Context) -> str:
    days = context.settings.alerts.idle_days
    hourly = context.settings.deploy.serving == "instance"
    stop = ("Stop what costs by the hour", "down endpoint") if hourly else ("Take it down", "down")
    return _told(
        context,
        f"Nobody has asked {_project(context)} in the last {f'{days} days' if days > 1 else 'day'}.",
        ("Whether it answers, and what it costs", "status"),
        stop,
    )


def _endpoint(context: Context) -> str:
    return _told(
        context,
        f"The endpoint of {_project(context)} is not as it should be.",
        ("Whether it answers", "status"),
        ("What it wrote", f"logs endpoint {LATELY}"),
        ("Bring it back", "deploy"),
    )


def _training(context: Context) -> str:
    return _told(
        context,
        f"A scheduled training of {_project(context)} failed.",
        ("Why, and whether the endpoint answers", "status"),
        ("What it wrote", "logs train"),
        ("Do without", "train --every off"),
    )


def _batch(context: Context) -> str:
    return _told(
        context,
        f"A scheduled transform job of {_project(context)} failed: the reviews of this time have no answers.",
        ("Why", "status"),
        ("What it wrote", "logs batch"),
        ("Do without", "predict --every off"),
    )


TEXTS: Mapping[str, Callable[[Context], str]] = {
    "errors": _errors,
    "latency": _latency,
    "throttled": _throttled,
    "refused": _refused,
    "idle": _idle,
    "endpoint": _endpoint,
    "training": _training,
    "batch": _batch,
}


def _twice(number: float, most: int) -> str:
    return f"{min(2 * number, most):g}"


def _project(context: Context) -> str:
    return context.naming.name()


def _told(context: Context, what: str, *steps: tuple[str, str]) -> str:
    where = env_option(context.environment.name, default=LOCAL)
    return "\n".join([what, *(f"{why}: sentictl {command}{where}" for why, command in steps)])
