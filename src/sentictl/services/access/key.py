"""`api.auth = "key"`: who has a key of the project may ask, as often as the usage plan allows it."""

from sentictl.services.access.way import Way

HEADER = "x-api-key"  # API Gateway looks for it in no other
KEYED = Way(
    who="whoever has a key",
    key_required=True,
    headers=(HEADER,),
    schemes={"key": {"type": "apiKey", "name": HEADER, "in": "header"}},
    denials={403: ("INVALID_API_KEY",), 429: ("QUOTA_EXCEEDED",)},
    about=f"Each request to ask needs a key in the header {HEADER}.",
)
