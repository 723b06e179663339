"""Whether a project can be trained by a schedule at all."""

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.errors import SettingsError
from sentictl.lifecycle.resource import Context
from sentictl.reviews.read.bucket import SCHEME
from sentictl.services.resources.processing_code import AWS
from sentictl.services.resources.sagemaker import OF_SCHEDULE, has_endpoint

NAME_CHARACTERS = 63  # of a training job, a processing job, a model or an endpoint config
RUN_CHARACTERS = 14  # of a run's name, a time


def obstacle(context: Context) -> tuple[str, str] | None:
    """Return why the project cannot be trained by a schedule, and what to do about it; None where it can."""
    if len(context.naming.name(OF_SCHEDULE)) + RUN_CHARACTERS > NAME_CHARACTERS:
        return (
            f"the names of its jobs would have more than the {NAME_CHARACTERS} characters that SageMaker takes",
            "Use an environment with a shorter name: sentictl init --env prod",
        )
    settings, where = context.settings, env_option(context.environment.name, default=LOCAL)
    if not settings.data.source.startswith(SCHEME) or settings.data.on != AWS:
        return (
            "the reviews are prepared on this machine, so that it would learn from the same dataset each time",
            f"Let AWS prepare them from S3: sentictl data --source s3://BUCKET/FOLDER/ --on aws{where}",
        )
    if not has_endpoint(context):
        return (
            'deploy.serving is "lambda": the model is packed into the function, which is done on this machine',
            f"Serve it at an endpoint: sentictl deploy --serving instance{where}",
        )
    if settings.deploy.shadow:
        return ("deploy.shadow is set: the endpoint has a shadow", f"End it: sentictl deploy --shadow off{where}")
    if settings.deploy.guarded:
        return (
            "deploy.rollout or deploy.rollback_on is set: their alarms watch what the last deploy made",
            f"Do without: sentictl deploy --rollout all-at-once --rollback-on ''{where}",
        )
    if settings.deploy.hours.up:
        return (
            "deploy.hours.up is set: the endpoint would come up with the model of the last deploy",
            f"Do without hours: sentictl config set deploy.hours.up ''{where}",
        )
    if settings.deploy.model:
        return (
            f"deploy.model is set: {settings.deploy.model} is to stay",
            f"Serve the newest: sentictl deploy --model latest{where}",
        )
    return None


def check_fit(context: Context) -> None:
    """Refuse a schedule for a project that cannot be trained by one.

    Raises:
        SettingsError: says why.
    """
    found = obstacle(context) if context.settings.train.schedule.every else None
    if found is not None:
        why, hint = found
        raise SettingsError(f"No schedule can train this project: {why}.", hint)
