"""API keys and usage plans: which key may ask which stage, how often, and how much of its quota is used.

Keys and plans are in the journal, and what was used is written there when the twin stops; one that is killed forgets
what was used since its start. AWS counts quotas "on a best-effort basis", too (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html).
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sentictl.twin.apigateway.gateway_responses import invalid_api_key, quota_exceeded, throttled
from sentictl.twin.apigateway.token_bucket import TokenBuckets
from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.credentials import same
from sentictl.twin.core.messages import Request, Response, json_response, rest_error

HEADER = "x-api-key"
USED = "api-keys-used"  # the fact in the journal
REMEMBERED = timedelta(days=90)  # for which AWS tells of what was used


class UsagePlans:
    """Looks at the keys of requests, counts what they use, and answers the calls about it as AWS does."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._lock = threading.Lock()
        self._used: Counter[tuple[str, str, date]] = Counter()  # by plan, key and day
        self._buckets = TokenBuckets()
        control.facts[USED] = self._restore
        control.instead["apigateway", "GetUsage"] = self._get_usage
        control.instead["apigateway", "UpdateUsagePlan"] = self._update
        control.before["apigateway", "DeleteUsagePlan"] = self._refuse_with_stages
        control.before["apigateway", "CreateUsagePlanKey"] = self._refuse_second_key
        control.before["apigateway", "DeleteUsagePlanKey"] = self._missing_key
        control.before["apigateway", "CreateUsagePlan"] = self._missing_stage
        control.after["apigateway", "DeleteApiKey"] = self._take_out

    def admit(self, region: str, api: str, stage: str, value: str) -> Any:
        """Let a request with a key in, or refuse it; what it takes of the key's limits is counted.

        Args:
            region: of the API.
            api: its id.
            stage: the stage's name.
            value: the key as it was sent; empty where none was.

        Returns:
            moto's object of the key.

        Raises:
            GatewayError: there is no such key, it is disabled or of no plan of this stage; or it was used too much.
        """
        with self._control.lock:
            key, plan = self._find(region, api, stage, value)
        limits = plan.throttle
        if limits and not self._buckets.take((plan.id, key.id), float(limits["rateLimit"]), int(limits["burstLimit"])):
            raise throttled()
        today = datetime.now(UTC).date()
        with self._lock:
            if plan.quota and self._count(plan, key.id, today) >= int(plan.quota["limit"]):
                raise quota_exceeded()
            self._used[plan.id, key.id, today] += 1
        return key

    def close(self) -> None:
        """Write down what was used, for the next start."""
        oldest = datetime.now(UTC).date() - REMEMBERED
        with self._lock:
            counted = [[*key[:2], key[2].isoformat(), count] for key, count in self._used.items() if key[2] >= oldest]
        if counted:
            self._control.record(USED, counted=counted)

    def _restore(self, data: dict[str, Any], _body: bytes) -> None:
        counted = {(plan, key, date.fromisoformat(day)): count for plan, key, day, count in data["counted"]}
        with self._lock:
            self._used = Counter(counted)

    def _find(self, region: str, api: str, stage: str, value: str) -> tuple[Any, Any]:
        backend = self._control.backend("apigateway", region)
        key = next((key for key in backend.keys.values() if value and same(key.value, value)), None)
        if key is None or not key.enabled:
            raise invalid_api_key()
        for plan in backend.usage_plans.values():
            stages = [(covered["apiId"], covered["stage"]) for covered in plan.api_stages]
            if (api, stage) in stages and key.id in backend.usage_plan_keys.get(plan.id, {}):
                return key, plan
        raise invalid_api_key()

    def _count(self, plan: Any, key: str, day: date) -> int:
        """How often a key was used in the quota's period that a day is in, up to that day."""
        begin = _begin(plan.quota["period"], day)
        return sum(self._used[plan.id, key, begin + timedelta(n)] for n in range((day - begin).days + 1))

    def _get_usage(self, call: Call) -> Response:
        """GetUsage, which moto lacks: what was used and what is left on each day, by key."""
        backend, query = self._control.backend("apigateway", call.region), call.request.args
        plan = backend.usage_plans.get(call.labels["usageplanId"])
        if plan is None:
            return rest_error("NotFoundException", "Invalid Usage Plan ID specified", 404)
        days = list(_days(date.fromisoformat(query["startDate"]), date.fromisoformat(query["endDate"])))
        keys = [key for key in backend.usage_plan_keys.get(plan.id, {}) if query.get("keyId", key) == key]
        with self._lock:
            values = {
                key: [[self._used[plan.id, key, day], self._left(plan, key, day)] for day in days]
                for key in keys
                if any(self._used[plan.id, key, day] for day in days)
            }
        told = {"usagePlanId": plan.id, "startDate": query["startDate"], "endDate": query["endDate"]}
        return json_response(200, told | {"values": values})

    def _left(self, plan: Any, key: str, day: date) -> int:
        if not plan.quota:
            return 2**31 - 1  # so AWS tells that there is no quota
        return max(0, int(plan.quota["limit"]) - self._count(plan, key, day))

    def _update(self, call: Call) -> Response | None:
        """moto makes whole numbers of rates, and keeps a quota's limit as text."""
        answer = self._control.ask_moto(_without_limits(call))
        plan = self._control.backend("apigateway", call.region).usage_plans.get(call.labels["usageplanId"])
        if not answer.ok or plan is None:
            return answer
        for patch in call.payload["patchOperations"]:
            kind, _, member = patch["path"].strip("/").partition("/")
            if kind in ("throttle", "quota") and member and patch["op"] in ("add", "replace"):
                value = patch["value"]
                getattr(plan, kind)[member] = (
                    value if member == "period" else float(value) if member == "rateLimit" else int(value)
                )
        return json_response(200, plan.to_json())

    def _refuse_with_stages(self, call: Call) -> Response | None:
        """moto deletes a plan that still covers stages, and breaks on one that is not there."""
        backend = self._control.backend("apigateway", call.region)
        plan = backend.usage_plans.get(call.labels["usageplanId"])
        if plan is None:
            return rest_error("NotFoundException", "Invalid Usage Plan ID specified", 404)
        if plan.api_stages:
            message = f"Cannot delete Usage Plan {plan.id} because there are API Stages associated with it"
            return rest_error("BadRequestException", message, 400)
        backend.usage_plan_keys.pop(plan.id, None)
        return None

    def _refuse_second_key(self, call: Call) -> Response | None:
        backend = self._control.backend("apigateway", call.region)
        plan = call.labels["usageplanId"]
        if plan not in backend.usage_plans:
            return rest_error("NotFoundException", "Invalid Usage Plan ID specified", 404)
        if call.payload["keyId"] in backend.usage_plan_keys.get(plan, {}):
            message = f"Usage Plan {plan} already has the API Key {call.payload['keyId']}"
            return rest_error("ConflictException", message, 409)
        return None

    def _missing_key(self, call: Call) -> Response | None:
        """moto breaks on a key that is not in the plan."""
        keys = self._control.backend("apigateway", call.region).usage_plan_keys.get(call.labels["usageplanId"], {})
        if call.labels["keyId"] in keys:
            return None
        return rest_error("NotFoundException", "Invalid API Key identifier specified", 404)

    def _missing_stage(self, call: Call) -> Response | None:
        """moto takes any stage."""
        apis = self._control.backend("apigateway", call.region).apis
        for covered in call.payload.get("apiStages") or []:
            api = apis.get(covered["apiId"])
            if api is None or covered["stage"] not in api.stages:
                return rest_error("NotFoundException", "API Stage not found: {apiId}:{stage}".format(**covered), 404)
        return None

    def _take_out(self, call: Call) -> None:
        """A key that is deleted is in no plan any more."""
        for keys in self._control.backend("apigateway", call.region).usage_plan_keys.values():
            keys.pop(call.labels["api_Key"], None)


def _without_limits(call: Call) -> Request:
    kept = [
        patch
        for patch in call.payload["patchOperations"]
        if not (patch["op"] in ("add", "replace") and patch["path"].startswith(("/throttle/", "/quota/")))
    ]
    return call.request.changed(json.dumps({"patchOperations": kept}).encode())


def _begin(period: str, day: date) -> date:
    """The first day of a quota's period: weeks begin on Sundays where no offset is set, months on their first day."""
    if period == "MONTH":
        return day.replace(day=1)
    return day - timedelta((day.weekday() + 1) % 7) if period == "WEEK" else day


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(n) for n in range((last - first).days + 1))
