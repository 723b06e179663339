"""Finds the entries that a journal need not keep: contents of objects that were overwritten or deleted later.

Most are checkpoints: a training job writes the same few objects again and again, and they are deleted when it has
ended. An entry goes only if no later call can have read what it stored.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from html import unescape
from typing import Any
from urllib.parse import parse_qs, unquote

KEY = re.compile(r"<Key>(.*?)</Key>", re.DOTALL)
Entry = dict[str, Any]


def spared(entries: Sequence[Entry], body_of: Callable[[Entry], bytes]) -> set[int]:
    """Return which of a journal's entries can go.

    Args:
        entries: all of them, oldest first.
        body_of: the body of a call.

    Returns:
        Their positions; none if the journal holds a call that makes it doubtful.
    """
    newest: dict[str, int] = {}
    gone = set()
    conditional = {unquote(entry["call"]["target"]) for entry in entries if _has_condition(entry.get("call"))}
    for position, entry in enumerate(entries):
        call = entry.get("call")
        if call and _is_doubtful(call):
            return set()
        if call and _is_for(call, "lambda"):
            newest.pop(_code_of(call, body_of), None)
        if not call or not _is_for(call, "s3"):
            continue
        gone |= {newest.pop(path) for path in _overwritten(call, body_of) if path in newest and path not in conditional}
        if call["method"] == "PUT" and _is_about_content(call):
            newest[unquote(call["target"])] = position
    return gone


def _is_doubtful(call: Entry) -> bool:
    """Whether a call may depend on earlier contents of any object: by a copy, or versions."""
    if "x-amz-copy-source" in call["headers"]:
        return True
    return _is_for(call, "s3") and "versioning" in _parameters(call)


def _has_condition(call: Entry | None) -> bool:
    """Whether a call depends on the earlier content of the object that it is about."""
    return call is not None and any(name.startswith("if-") for name in call["headers"])


def _code_of(call: Entry, body_of: Callable[[Entry], bytes]) -> str:
    """Return the path of the object that a call of Lambda's takes a function's code from; empty where it takes none."""
    try:
        document = json.loads(body_of(call) or b"{}")
    except ValueError:
        return ""
    code = document.get("Code", document) if isinstance(document, dict) else {}
    return f"/{code['S3Bucket']}/{code['S3Key']}" if "S3Key" in code else ""


def _overwritten(call: Entry, body_of: Callable[[Entry], bytes]) -> Iterator[str]:
    """The paths of objects whose content is another, or gone, after a call."""
    path = unquote(call["target"])
    if call["method"] in ("PUT", "DELETE") and _is_about_content(call):
        yield path
    if call["method"] == "POST" and "delete" in _parameters(call):
        keys = KEY.findall(body_of(call).decode("utf-8", "replace"))
        yield from (f"{path.rstrip('/')}/{unescape(key)}" for key in keys)


def _is_about_content(call: Entry) -> bool:
    """Whether a call is about an object itself, and not about a bucket, an object's tags or a part of an upload."""
    return "/" in call["target"].strip("/") and not _parameters(call) - {"x-id"}


def _is_for(call: Entry, service: str) -> bool:
    return f"/{service}/aws4_request" in call["headers"].get("authorization", "")


def _parameters(call: Entry) -> set[str]:
    return set(parse_qs(call["query"], keep_blank_values=True))
