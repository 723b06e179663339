"""What must hold after any race: no record lost, one line of descent, and nobody left with the lease."""

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from tests.races.account import BUCKET
from tests.races.writer import Field


def problems(client: Any, field: Field, acknowledged: Iterable[str], *, done: bool = True) -> list[str]:
    """What is wrong.

    Args:
        client: S3's.
        field: where the writers were.
        acknowledged: the names of what writers said to have made and recorded.
        done: whether every writer has come to its end by itself.
    """
    documents = list(_documents(client, f"{field.prefix}/prod.json"))
    recorded = {entry["name"]: entry["arn"] for entry in documents[-1]["state"]["resources"]} if documents else {}
    made = set(field.ledger.read_text().split()) if field.ledger.exists() else set()
    found = [f"made and not recorded: {name}" for name in sorted(made - recorded.keys())]
    found += [f"acknowledged and not confirmed: {name}" for name in acknowledged if not recorded.get(name)]
    found += list(_breaks(documents))
    holder = _content(client, f"{field.prefix}/prod.lease")
    if done and holder is not None and not holder["free"]:
        found.append(f"the lease is left with {holder['signed']['command']}")
    return found


def _breaks(documents: list[dict[str, Any]]) -> Iterator[str]:
    """Where a version does not follow from the one before it."""
    for before, after in pairwise(documents):
        if after["lineage"] != before["lineage"] or after["serial"] != before["serial"] + 1:
            yield f"number {after['serial']} does not follow {before['serial']}"
        names = ({entry["name"] for entry in each["state"]["resources"]} for each in (before, after))
        if lost := set.difference(*names):
            yield f"number {after['serial']} lost {sorted(lost)}"


def _documents(client: Any, key: str) -> Iterator[dict[str, Any]]:
    """All versions of the state, oldest first."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix=key)
    versions = [entry for page in pages for entry in page.get("Versions", [])]
    for entry in reversed(versions):
        answer = client.get_object(Bucket=BUCKET, Key=key, VersionId=entry["VersionId"])
        yield json.loads(answer["Body"].read())


def _content(client: Any, key: str) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(client.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    except client.exceptions.NoSuchKey:
        return None
    return content
