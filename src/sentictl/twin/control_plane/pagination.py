"""Lists as SageMaker gives them: filtered by name and time, sorted, in pages."""

from collections.abc import Iterable, Mapping
from typing import Any

from sentictl.twin.core.messages import Response, json_response, json_rpc_error

JSON_RPC = {"Content-Type": "application/x-amz-json-1.1"}
PAGE = 10  # what AWS lists when MaxResults is not given


def listing(key: str, noun: str, found: Iterable[Mapping[str, Any]], wanted: Mapping[str, Any]) -> Response:
    """Return the page of a list that a request asks for.

    Args:
        key: the list's name in the answer, such as `Models`.
        noun: what the entries' names begin with, such as `Model`.
        found: all summaries, with `<noun>Name`, `CreationTime` (seconds since the epoch) and perhaps `<noun>Status`.
        wanted: the request's parameters.
    """
    by = {"Name": f"{noun}Name", "Status": f"{noun}Status"}.get(wanted.get("SortBy", ""), "CreationTime")
    entries = [entry for entry in found if _is_wanted(entry, noun, wanted)]
    entries.sort(key=lambda entry: entry[by], reverse=wanted.get("SortOrder") == "Descending")
    token = wanted.get("NextToken") or "0"
    if not token.isdecimal():
        return json_rpc_error("ValidationException", "Invalid pagination token given.")
    begin = int(token)
    end = begin + int(wanted.get("MaxResults") or PAGE)
    more = {"NextToken": str(end)} if end < len(entries) else {}
    return json_response(200, {key: entries[begin:end], **more}, JSON_RPC)


def _is_wanted(entry: Mapping[str, Any], noun: str, filters: Mapping[str, Any]) -> bool:
    created = entry["CreationTime"]
    return (
        filters.get("NameContains", "") in entry[f"{noun}Name"]
        and filters.get("StatusEquals") in (None, entry.get(f"{noun}Status"))
        and filters.get("CreationTimeAfter", 0) <= created <= filters.get("CreationTimeBefore", created)
    )
