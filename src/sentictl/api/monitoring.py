"""The Python API's part for how it goes: who is told when something is wrong, and the figures of the last hours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sentictl.api import stack
from sentictl.api.session import Session
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.errors import SettingsError
from sentictl.lifecycle.reconcile import apply
from sentictl.lifecycle.resource import Context
from sentictl.services.monitoring.alarms import AlertAlarms
from sentictl.services.monitoring.budget import activation_note
from sentictl.services.monitoring.dashboard import dashboard_url
from sentictl.services.monitoring.measurements import SINCE, Measurements, measure_traffic
from sentictl.services.monitoring.topic import COMMAND, check_topic, confirmation_note


@dataclass(frozen=True)
class Alerts:
    """Who is told when something is wrong.

    Args:
        tells: mail addresses, or the ARN of a topic; empty where nobody is told.
        notes: what is still to be done for it.
        dashboard_url: where the dashboard is in AWS's console; empty where there is none.
    """

    tells: Sequence[str]
    notes: Sequence[str]
    dashboard_url: str

    def document(self) -> dict[str, Any]:
        return {"tells": list(self.tells), "notes": list(self.notes), "dashboard_url": self.dashboard_url or None}


class ProjectMonitoring:
    """How a project goes in one environment. Each method does what the command of its name does."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def alerts(self, settings: Mapping[str, Any] | None = None, *, adopt: bool = False) -> Alerts:
        """Make or change what tells people that something is wrong, and the dashboard; or take it away.

        Args:
            settings: to change first, such as `{"alerts.email": ["ops@example.org"]}`.
            adopt: take over what is in the way.

        Raises:
            SettingsError: the settings name nobody who is to be told, or a topic of another region.
            MissingStepError: there is nothing to watch yet.
        """
        observer = self._session.observer
        with self._session.change(settings, check_alerts) as context:
            stack.check_ready(context, COMMAND)
            observer.begin(COMMAND)
            apply(stack.resources(context, COMMAND), context, observer, adopt=adopt)
            observer.ended(COMMAND)
            alerts = context.settings.alerts
            told = [*alerts.email, *([alerts.topic] if alerts.topic else [])]
            notes = [confirmation_note(context), activation_note(context)]
            return Alerts(told, [note for note in notes if note], dashboard_url(context))

    def metrics(self, since: timedelta = SINCE, period: timedelta | None = None) -> Measurements:
        """Return requests, latency, errors and verdicts of the last hours.

        Args:
            since: how far to look back.
            period: of each figure, in whole minutes; by default what makes some dozens of them.

        Raises:
            UsageError: CloudWatch has no figures of such a period, or none that long ago.
            MissingStepError: there is no API yet.
        """
        return measure_traffic(self._session.read(), since, period)


def check_alerts(context: Context) -> None:
    """Refuse to make nothing for nobody, and what could not tell anybody.

    Raises:
        SettingsError: the settings name nobody, and nothing is there to be taken away; or a topic of another region.
    """
    check_topic(context)
    if not context.settings.alerts.wanted and not context.state.of_kind(AlertAlarms.kind):
        where = env_option(context.environment.name, default=LOCAL)
        raise SettingsError(
            "Nobody is to be told: alerts.email and alerts.topic are empty.",
            f"Give an address: sentictl alerts --email ops@example.org{where}",
        )
