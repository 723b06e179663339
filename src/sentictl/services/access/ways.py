"""The ways of asking, by what `api.auth` calls them."""

from collections.abc import Mapping

from sentictl.config.settings import Settings
from sentictl.services.access.cognito import SIGNED_IN
from sentictl.services.access.iam import SIGNED
from sentictl.services.access.key import KEYED
from sentictl.services.access.none import OPEN
from sentictl.services.access.way import Way

WAYS: Mapping[str, Way] = {"none": OPEN, "key": KEYED, "iam": SIGNED, "cognito": SIGNED_IN}


def way_of(settings: Settings) -> Way:
    """Return the way of asking that the settings want."""
    return WAYS[settings.api.auth]
