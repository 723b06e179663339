"""What the project's keys were used for: how often of late, and what is left of their quotas."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sentictl.lifecycle.resource import Context
from sentictl.services.web.api_key import ApiKey
from sentictl.services.web.usage_plan import UsagePlan

DAYS = 30  # that are looked back on


@dataclass(frozen=True)
class KeyUse:
    """A key, and what it was used for.

    Args:
        name: as a person gave it.
        created: when, in UTC.
        enabled: whether it opens the API.
        requests: that it made in the last `DAYS` days.
        last_used: the last of these days, by UTC, on which it was used; None where it was not.
        left: how many requests of its quota are left in this period; None where it has no quota, or no plan yet.
        quota: such as "1000/day"; empty where there is none.
    """

    name: str
    created: datetime
    enabled: bool
    requests: int
    last_used: date | None
    left: int | None
    quota: str

    def document(self) -> dict[str, Any]:
        last = self.last_used and self.last_used.isoformat()
        return asdict(self) | {"created": self.created.isoformat(timespec="seconds"), "last_used": last}


def uses_of_keys(context: Context) -> list[KeyUse]:
    """Return the project's keys, oldest first, with what AWS counted of them: minutes late at times."""
    resource = ApiKey(context)
    today = datetime.now(UTC).date()
    first = today - timedelta(DAYS - 1)
    plan = UsagePlan(context)
    live = plan.read(plan.name)
    counted = _counted(context, live.attributes["id"], first, today) if live else {}
    quota = (live.fields["quota"] if live else None) or {}
    told = f"{quota['limit']}/{quota['period'].lower()}" if quota else ""
    return [
        _use(resource.label_of(key["name"]), key, counted.get(key["id"], []), first, quota.get("limit"), told)
        for key in resource.listed()
    ]


def _use(
    name: str, key: dict[str, Any], days: Sequence[Sequence[int]], first: date, limit: int | None, quota: str
) -> KeyUse:
    used = [first + timedelta(number) for number, day in enumerate(days) if day[0]]
    left = limit if limit is None or not days else days[-1][1]
    created = key["createdDate"].astimezone(UTC)
    requests = sum(day[0] for day in days)
    return KeyUse(name, created, key["enabled"], requests, max(used, default=None), left, quota)


def _counted(context: Context, plan: str, first: date, last: date) -> dict[str, list[list[int]]]:
    """By a key's id, for each day how often it was used, and what is left after it."""
    pages = context.environment.client("apigateway").get_paginator("get_usage")
    found: dict[str, list[list[int]]] = {}
    for page in pages.paginate(usagePlanId=plan, startDate=first.isoformat(), endDate=last.isoformat()):
        found |= page.get("items", {})
    return found
