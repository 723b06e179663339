"""S3 static website hosting at `/_website/<bucket>/<key>`, and what S3 does to keep buckets private."""

import re
import xml.etree.ElementTree as ET
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from sentictl.twin.control_plane.control_plane import REGION, Call, ControlPlane
from sentictl.twin.core.messages import Request, Response, authorization, s3_error
from sentictl.twin.iam import policies

WEBSITE = re.compile(r"/_website/(?P<bucket>[^/]+)(?P<key>/.*)?", re.DOTALL)
HANDED_ON = ("Content-Type", "Content-Encoding", "Cache-Control", "ETag", "Last-Modified")
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class Websites:
    """The data plane of S3 website hosting."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        control.after["s3", "CreateBucket"] = self._block_public_access
        control.before["s3", "PutBucketPolicy"] = self._refuse_public_policy

    def answer(self, request: Request) -> Response:
        """Answer a browser: a page, a redirect to a folder's page, or the error document."""
        found = WEBSITE.fullmatch(request.path)
        bucket = self._control.backend("s3").buckets.get(found["bucket"]) if found else None
        if found is None or bucket is None:
            return _error_page(404, "NoSuchBucket")
        if not bucket.website_configuration:
            return _error_page(404, "NoSuchWebsiteConfiguration")
        if request.method not in ("GET", "HEAD"):
            return _error_page(405, "MethodNotAllowed")
        if found["key"] is None:
            return Response(status=HTTPStatus.FOUND, headers={"Location": f"{request.target}/"})
        index, error = _documents(bucket.website_configuration)
        key = found["key"][1:]
        key = key + index if not key or key.endswith("/") else key
        return self._page(bucket, key, index, request.target) or self._error(bucket, key, error)

    def _page(self, bucket: Any, key: str, index: str, target: str) -> Response | None:
        if not _is_public(bucket, key):
            return None
        answer = self._get(bucket.name, key)
        if answer.ok:
            return answer
        if self._get(bucket.name, f"{key}/{index}").ok:
            return Response(status=HTTPStatus.FOUND, headers={"Location": f"{target}/"})
        return None

    def _error(self, bucket: Any, key: str, error: str) -> Response:
        # Whoever may not read a bucket is not told whether an object is in it.
        status, code = (404, "NoSuchKey") if _is_public(bucket, key) else (403, "AccessDenied")
        page = self._get(bucket.name, error) if error and _is_public(bucket, error) else None
        if page and page.ok:
            page.status_code = status
            return page
        return _error_page(status, code)

    def _get(self, bucket: str, key: str) -> Response:
        headers = {"authorization": authorization("s3", REGION)}
        answer = self._control.handle(Request.make("GET", f"/{bucket}/{quote(key)}", headers=headers))
        handed_on = {name: answer.headers[name] for name in HANDED_ON if name in answer.headers}
        return Response(answer.get_data(), answer.status_code, handed_on)

    def _block_public_access(self, call: Call) -> None:
        """Block all public access to a new bucket: AWS does since April 2023, moto does not."""
        self._control.backend("s3").put_public_access_block(call.labels["Bucket"], dict.fromkeys(BLOCKS, "true"))

    def _refuse_public_policy(self, call: Call) -> Response | None:
        """Refuse what is public where that is blocked, and what is no policy, on which moto breaks."""
        if not policies.is_document(call.request.get_data()):
            return s3_error("MalformedPolicy", "This policy contains invalid Json", HTTPStatus.BAD_REQUEST)
        bucket = self._control.backend("s3").buckets.get(call.labels["Bucket"])
        block = bucket.public_access_block if bucket else None
        public = policies.public_part(policies.document(call.request.get_data()))["Statement"]
        if not (block and block.block_public_policy and any(s.get("Effect") == "Allow" for s in public)):
            return None
        message = "public policies are blocked by the BlockPublicPolicy block public access setting."
        return s3_error("AccessDenied", f"Access Denied: {message}", HTTPStatus.FORBIDDEN)


def _documents(configuration: bytes) -> tuple[str, str]:
    """The index suffix and the error key of a website configuration."""
    root = ET.fromstring(configuration)  # noqa: S314  moto has parsed it already
    texts = {element.tag.rpartition("}")[2]: element.text or "" for element in root.iter()}
    return texts.get("Suffix", "index.html"), texts.get("Key", "")


def _is_public(bucket: Any, key: str) -> bool:
    if not bucket.policy or (bucket.public_access_block and bucket.public_access_block.restrict_public_buckets):
        return False
    policy = policies.public_part(policies.document(bucket.policy))
    return policies.decide([policy], "s3:GetObject", f"arn:aws:s3:::{bucket.name}/{key}") == "allowed"


def _error_page(status: int, code: str) -> Response:
    title = f"{status} {HTTPStatus(status).phrase}"
    body = f"<!doctype html><title>{title}</title><h1>{title}</h1><ul><li>Code: {escape(code)}</li></ul>"
    return Response(body, status, {"Content-Type": "text/html; charset=utf-8"})
