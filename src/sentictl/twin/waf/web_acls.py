"""Web ACLs in front of the stages of REST APIs: moto's, carried out.

A rule is rate-based, and by the address that a request really came from: what X-Forwarded-For says is anybody's to
write. All requests count that the rule looks at, those that it blocks as well (docs.aws.amazon.com/waf/latest/
developerguide, "Using rate-based rule statements"). AWS estimates the rate every few seconds, so that its block begins
and ends late; here it is exact, but for slices of a thirtieth of the window.
"""

import base64
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Request, Response, json_rpc_error

SERVICE = "wafv2"
WINDOW = 300  # seconds, where a rule names no other
SLICES = 30
MOST_ADDRESSES = 10_000  # that are counted at a time
LIMITS = (10, 2_000_000_000)
WINDOWS = (60, 120, 300, 600)


class WebAcls:
    """Counts requests, and tells which are to be blocked.

    Args:
        control: the control plane, whose web ACLs hold.
        clock: seconds that only go forward.
    """

    def __init__(self, control: ControlPlane, clock: Callable[[], float] = time.monotonic) -> None:
        self._control = control
        self._clock = clock
        self._counts: dict[tuple[str, str], Counts] = {}  # by web ACL and rule
        for operation in ("CreateWebACL", "UpdateWebACL"):
            control.before[SERVICE, operation] = _refuse_rules
        control.before[SERVICE, "AssociateWebACL"] = self._move
        control.before[SERVICE, "DeleteWebACL"] = self._refuse_deletion

    def blocks(self, request: Request, region: str, api: str, stage: str) -> bool:
        """Count a request to a stage, and tell whether a web ACL that stands in front of it lets it through."""
        if region not in self._control.regions(SERVICE):
            return False
        arn = f"arn:aws:apigateway:{region}::/restapis/{api}/stages/{stage}"
        acl = self._control.backend(SERVICE, region).get_web_acl_for_resource(arn)
        rules = sorted(acl.rules, key=lambda rule: rule.priority) if acl else []
        return any(self._exceeds(request, acl.arn, rule) and "Block" in (rule.action or {}) for rule in rules)

    def _exceeds(self, request: Request, acl: str, rule: Any) -> bool:
        statement = rule.statement["RateBasedStatement"]
        if not _is_about(request, statement.get("ScopeDownStatement")):
            return False
        window = statement.get("EvaluationWindowSec") or WINDOW
        counts = self._counts.setdefault((acl, rule.name), Counts())
        return counts.add(request.remote_addr or "", self._clock(), window) > int(statement["Limit"])

    def _move(self, call: Call) -> Response | None:
        """A stage has one web ACL; moto would give it a second one. It takes stages that are not there, too."""
        backend, arn = self._control.backend(SERVICE, call.region), call.payload["ResourceArn"]
        if not self._stands(arn, call.region):
            return _missing()
        if call.payload["WebACLArn"] in backend.wacls:
            backend.disassociate_web_acl(arn)
        return None

    def _refuse_deletion(self, call: Call) -> Response | None:
        acls = self._control.backend(SERVICE, call.region).wacls.values()
        acl = next((each for each in acls if each.id == call.payload["Id"]), None)
        if acl is None or not any(self._stands(arn, call.region) for arn in acl.associated_resources):
            return None
        message = "AWS WAF couldn't perform the operation because your resource is being used by another resource."
        return json_rpc_error("WAFAssociatedItemException", message)

    def _stands(self, arn: str, region: str) -> bool:
        api, _, stage = arn.partition("/restapis/")[2].partition("/stages/")
        found = self._control.backend("apigateway", region).apis.get(api)
        return found is not None and stage in found.stages


class Counts:
    """The requests of each address in slices of a window that ends now; thread-safe."""

    def __init__(self) -> None:
        self._slices: dict[str, dict[int, int]] = defaultdict(dict)
        self._lock = threading.Lock()

    def add(self, address: str, now: float, window: int) -> int:
        """Count a request, and return how many there are of this address in the window."""
        current = int(now * SLICES / window)
        with self._lock:
            seen = self._slices.pop(address, {})
            kept = {number: count for number, count in seen.items() if number > current - SLICES}
            kept[current] = kept.get(current, 0) + 1
            self._slices[address] = kept  # the last one now: the first are those that were not seen for longest
            while len(self._slices) > MOST_ADDRESSES:
                del self._slices[next(iter(self._slices))]
            return sum(kept.values())


def _is_about(request: Request, statement: Mapping[str, Any] | None) -> bool:
    """Tell whether a rule looks at a request: at all, or at those of one method."""
    if statement is None:
        return True
    wanted: str = base64.b64decode(statement["ByteMatchStatement"]["SearchString"]).decode("latin-1")
    return request.method == wanted


def _refuse_rules(call: Call) -> Response | None:
    """Refuse limits that AWS refuses, and what the twin would not carry out."""
    for rule in call.payload.get("Rules") or ():
        statement = rule["Statement"].get("RateBasedStatement")
        if statement is None or statement["AggregateKeyType"] != "IP" or not _is_method(statement):
            raise NotImplementedError("Rules of its web ACLs are rate-based, by address, for all methods or one.")
        least, most = LIMITS
        if not least <= statement["Limit"] <= most or statement.get("EvaluationWindowSec", WINDOW) not in WINDOWS:
            message = "Error reason: The parameter contains a value that is not valid., field: RATE_BASED_STATEMENT"
            return json_rpc_error("WAFInvalidParameterException", message)
    return None


def _is_method(statement: Mapping[str, Any]) -> bool:
    down = statement.get("ScopeDownStatement")
    match = (down or {}).get("ByteMatchStatement", {})
    return down is None or ("Method" in match.get("FieldToMatch", {}) and match["PositionalConstraint"] == "EXACTLY")


def _missing() -> Response:
    message = "AWS WAF couldn't perform the operation because your resource doesn't exist."
    return json_rpc_error("WAFNonexistentItemException", message)
