"""Finds what a journal tells of resources that are gone: their creation, their deletion, and all calls in between.

So a start takes as long as there are resources, whatever was made and deleted before. What another resource was made
of stays for as long as that is kept: a replay would be refused without it.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, unquote_plus

Entry = dict[str, Any]
Key = tuple[str, ...]  # region, service, kind and name

SCOPE = re.compile(r"/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
WORD = re.compile(rb"[\w.-]+")
CREATED, DELETED = "Create", "Delete"
# Operations of services that are called by name, and the parameter that names the resource.
SAGEMAKER = re.compile(r"(?P<verb>Create|Update|Stop|Delete)(?P<kind>Model|EndpointConfig|Endpoint|TrainingJob)")
# ARNs that are tagged, and what an operation on them is about.
TAGGED = re.compile(r":sagemaker:[^:]*:[^:]*:(?P<kind>model|endpoint-config|endpoint|training-job)/(?P<name>[^/]+)")
# What scales belongs to its endpoint: it is deregistered when that is deleted.
SCALING = "application-autoscaling"
SCALED = re.compile(r"endpoint/(?P<name>[^/]+)/variant/")
KINDS = {"model": "Model", "endpoint-config": "EndpointConfig", "endpoint": "Endpoint", "training-job": "TrainingJob"}
# The log streams of a training job outlive it, until they are deleted themselves.
TRAINING_GROUP = "/aws/sagemaker/TrainingJobs"
# What an account of API Gateway is told: the role that writes its logs, or none any more.
ACCOUNT, LOGS_ROLE = "/account", "cloudwatchRoleArn"
# Paths of services that are called by method and path.
PATHS = {
    "lambda": re.compile(r"/[\d-]+/functions(?:/(?P<name>[^/:]+)(?P<rest>/.*)?)?/?"),
    "scheduler": re.compile(r"/schedules/(?P<name>[^/]+)(?P<rest>/.*)?"),
    "apigateway": re.compile(r"/(?:restapis|usageplans|apikeys)(?:/(?P<name>[^/]+)(?P<rest>/.*)?)?"),
    "s3": re.compile(r"/(?P<name>[^/]+)(?P<rest>/.+)?/?"),
}


@dataclass(frozen=True)
class Touch:
    """A call's effect on the resource that it is about, or on a part of it that is deleted by itself."""

    key: Key
    verb: str
    part: str = ""


@dataclass(frozen=True)
class Lifetime:
    """A resource that was created and deleted: its name, and the positions of all entries about it."""

    name: str
    positions: tuple[int, ...]


def ended(entries: Sequence[Entry], body_of: Callable[[Entry], bytes]) -> set[int]:
    """Return the positions of the entries that are only about resources which are gone.

    Args:
        entries: a journal's, oldest first.
        body_of: the body of a call.
    """
    over = list(_lifetimes(entries, body_of))
    mentions = _mentions(entries, body_of, {lifetime.name for lifetime in over})
    while True:
        gone = {position for lifetime in over for position in lifetime.positions}
        unneeded = [lifetime for lifetime in over if not _is_needed(lifetime, mentions, gone)]
        if len(unneeded) == len(over):
            return gone
        over = unneeded


def _lifetimes(entries: Sequence[Entry], body_of: Callable[[Entry], bytes]) -> Iterator[Lifetime]:
    alive: dict[Key, tuple[list[int], set[str]]] = {}  # the entries about each, and the parts of it that are there
    for position, entry in enumerate(entries):
        touch = _touch(entry, body_of)
        if touch is None:
            continue
        if touch.verb == CREATED and not touch.part:
            alive.setdefault(touch.key, ([], set()))
        if touch.key not in alive:
            continue
        positions, parts = alive[touch.key]
        positions.append(position)
        if touch.verb == CREATED:
            parts.add(touch.part)
        if touch.verb == DELETED:
            parts.discard(touch.part)
            if not parts:
                yield Lifetime(touch.key[-1], tuple(alive.pop(touch.key)[0]))


def _mentions(
    entries: Sequence[Entry], body_of: Callable[[Entry], bytes], names: set[str]
) -> Mapping[str, Sequence[int]]:
    """Return where each name is mentioned: each of its words stands in an entry."""
    wanted = {name: _longest_word(name) for name in names}
    places = defaultdict[bytes, list[int]](list)
    words = set(wanted.values())
    for position, entry in enumerate(entries):
        for word in words & set(WORD.findall(_text(entry, body_of))):
            places[word].append(position)
    return {name: places[word] for name, word in wanted.items()}


def _is_needed(lifetime: Lifetime, mentions: Mapping[str, Sequence[int]], gone: set[int]) -> bool:
    """Whether something that stays mentions a resource while that was there."""
    first, last = lifetime.positions[0], lifetime.positions[-1]
    return any(first <= position <= last and position not in gone for position in mentions[lifetime.name])


def _longest_word(name: str) -> bytes:
    return max(WORD.findall(name.encode()), key=len, default=b"")


def _text(entry: Entry, body_of: Callable[[Entry], bytes]) -> bytes:
    """All of an entry in which a name may stand. What is in an object is no business of other calls."""
    if "fact" in entry:
        return json.dumps(entry["data"]).encode()
    call = entry["call"]
    headers = " ".join(value for name, value in call["headers"].items() if name != "authorization")
    content = b"" if _service(call)[1] == "s3" and call["method"] == "PUT" else body_of(call)
    head = f"{call['target']} {call['query']} {headers} {entry.get('made', '')}"
    return unquote(head).encode() + b" " + unquote_plus(content.decode("utf-8", "replace")).encode()


def _touch(entry: Entry, body_of: Callable[[Entry], bytes]) -> Touch | None:
    """Return what an entry does to which resource; None where it is about none that is known here."""
    try:
        return _of_fact(entry) if "fact" in entry else _of_call(entry, body_of)
    except (ValueError, KeyError, TypeError, AttributeError):  # not of AWS's form: the replay says what it makes of it
        return None


def _of_fact(entry: Entry) -> Touch | None:
    told = entry["data"]
    if entry["fact"] in ("schedule-carried-out", "schedule-over"):
        return Touch((told["key"][0], "scheduler", "scheduler", told["name"]), "")
    if entry["fact"] == "training-log":
        return _of_stream(told["region"], told["stream"], CREATED)
    if entry["fact"] == "training-job-ended":
        stream = told["job"]["log_stream"] or f"{told['name']}/"
        return _of_stream(told["region"], stream, CREATED if told["job"]["log_stream"] else "")
    about_endpoint = entry["fact"] in ("endpoint-settled", "variant-scaled", "scaling-activity")
    return Touch((told["region"], "sagemaker", "Endpoint", told["name"]), "") if about_endpoint else None


def _of_stream(region: str, stream: str, verb: str) -> Touch:
    """Of a log stream of a training job, which is called by the job's name and more."""
    return Touch((region, "sagemaker", "TrainingJob", stream.partition("/")[0]), verb, stream)


def _of_call(entry: Entry, body_of: Callable[[Entry], bytes]) -> Touch | None:
    region, service = _service(entry["call"])
    about: tuple[str, str, str] | None = None
    if entry["call"]["headers"].get("x-amz-target", "").endswith(".DeleteLogStream"):
        document = _document(entry["call"], body_of)
        if document["logGroupName"] == TRAINING_GROUP:
            return _of_stream(region, document["logStreamName"], DELETED)
    if service in PATHS:
        about = _by_path(service, entry, body_of)
    elif service == "iam":
        about = _by_form(entry["call"], body_of)
    elif service in ("sagemaker", "logs"):
        about = _by_document(service, entry["call"], body_of)
    elif service == SCALING and (endpoint := SCALED.match(_document(entry["call"], body_of).get("ResourceId", ""))):
        return Touch((region, "sagemaker", "Endpoint", endpoint["name"]), "")
    return Touch((region, service, *about[:2]), about[2]) if about else None


def _by_form(call: Entry, body_of: Callable[[Entry], bytes]) -> tuple[str, str, str] | None:
    form = parse_qs(body_of(call).decode("utf-8", "replace"))
    action, name = form.get("Action", [""])[0], form.get("RoleName", [""])[0]
    verb = {"CreateRole": CREATED, "DeleteRole": DELETED}.get(action, "")
    return ("Role", name, verb) if name else None


def _by_document(service: str, call: Entry, body_of: Callable[[Entry], bytes]) -> tuple[str, str, str] | None:
    operation = call["headers"].get("x-amz-target", "").rpartition(".")[2]
    document = _document(call, body_of)
    if service == "logs":
        name = document.get("logGroupName") or document.get("resourceArn", "").partition(":log-group:")[2]
        verb = {"CreateLogGroup": CREATED, "DeleteLogGroup": DELETED}.get(operation, "")
        return ("LogGroup", name, verb) if name else None
    if found := SAGEMAKER.fullmatch(operation):
        return found["kind"], document[f"{found['kind']}Name"], found["verb"]
    tagged = TAGGED.search(document.get("ResourceArn", ""))
    return (KINDS[tagged["kind"]], tagged["name"], "") if tagged else None


def _document(call: Entry, body_of: Callable[[Entry], bytes]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(body_of(call) or b"{}")
    return document


def _by_path(service: str, entry: Entry, body_of: Callable[[Entry], bytes]) -> tuple[str, str, str] | None:
    call = entry["call"]
    if service == "apigateway" and call["target"] == ACCOUNT:
        (change,) = _document(call, body_of)["patchOperations"]
        about_role = change["path"] == f"/{LOGS_ROLE}"
        return ("Account", LOGS_ROLE, CREATED if change["value"] else DELETED) if about_role else None
    found = PATHS[service].fullmatch(unquote(call["target"]))
    if found is None:
        return None
    name = found["name"] or _made(service, entry, body_of)
    makes = "PUT" if service == "s3" else "POST"
    whole = not found["rest"] and not call["query"]
    verb = {makes: CREATED, "DELETE": DELETED}.get(call["method"], "") if whole or service == "scheduler" else ""
    return (service, name, verb) if name else None


def _made(service: str, entry: Entry, body_of: Callable[[Entry], bytes]) -> str:
    """Return the name of what a call made, whose path does not tell it."""
    if service == "lambda":
        return str(json.loads(body_of(entry["call"]) or b"{}").get("FunctionName", ""))
    return str(entry.get("made", ""))


def _service(call: Entry) -> tuple[str, str]:
    """Return the region and the service that a call is for; S3 and IAM have one of all regions."""
    found = SCOPE.search(call["headers"].get("authorization", ""))
    region, service = (found["region"], found["service"]) if found else ("", "")
    return "" if service in ("s3", "iam") else region, service
