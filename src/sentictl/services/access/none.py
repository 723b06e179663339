"""`api.auth = "none"`: whoever knows the address may ask."""

from sentictl.services.access.way import Way

OPEN = Way(who="everybody", about="Nobody has to log in.")
