"""Settings that count only where the model is served in some ways, and so do nothing while it is served in another.

What would ask for something that there is not (a rollout, hours, a shadow, …) the settings refuse themselves.
"""

from collections.abc import Iterable

from sentictl.config.settings import Settings

MACHINES, ENDPOINT = {"instance"}, {"instance", "serverless"}
# The values of deploy.serving with which a setting has an effect; all others have one with each.
COUNTS_WITH = {
    "deploy.instance_type": MACHINES,
    "deploy.instance_count": MACHINES,
    "deploy.min_instances": MACHINES,
    "deploy.scale_on": MACHINES,
    "deploy.scale_target": MACHINES,
    "deploy.rollout_percent": MACHINES,
    "deploy.rollout_minutes": MACHINES,
    "deploy.hours.timezone": MACHINES,
    "deploy.image": ENDPOINT,
    "deploy.memory_mb": {"serverless", "lambda"},
    "deploy.max_concurrency": {"serverless"},
    "deploy.provisioned_concurrency": {"serverless"},
    "lambda.memory_mb": ENDPOINT,
}
# What counts in the place of one that does not.
INSTEAD = {"lambda.memory_mb": "deploy.memory_mb"}


def without_effect(settings: Settings, changed: Iterable[str]) -> list[str]:
    """Tell which of the settings that were just changed do nothing, as the model is served now.

    Args:
        settings: all that are in force.
        changed: dotted keys.

    Returns:
        A sentence on each of those.
    """
    serving = settings.deploy.serving
    idle = [key for key in changed if serving not in COUNTS_WITH.get(key, {serving})]
    return [f'{key} has no effect while deploy.serving is "{serving}"{_instead(key, serving)}' for key in idle]


def _instead(key: str, serving: str) -> str:
    other = INSTEAD.get(key, "")
    counts = other and serving in COUNTS_WITH.get(other, {serving})
    return f": the function has {other} then" if counts else ""
