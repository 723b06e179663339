"""Buckets, where moto's S3 does otherwise than AWS's: tags from the first moment, policies with conditions and more."""

import json
import re

from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Response, s3_error
from sentictl.twin.iam import policies

TAGS = re.compile(rb"<Tags>(.*)</Tags>", re.DOTALL)
QUIET = re.compile(rb"<Quiet>\s*true\s*</Quiet>")
DELETED = re.compile(rb"<Deleted>.*?</Deleted>", re.DOTALL)


class Buckets:
    """Handlers of S3's operations on buckets that moto has wrong."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._policies: dict[str, bytes] = {}
        control.instead["s3", "CreateBucket"] = self._create
        control.instead["s3", "DeleteObjects"] = self._delete_objects
        control.after["s3", "PutBucketPolicy"] = self._keep_policy
        control.before["s3", "CreateMultipartUpload"] = self._missing_bucket
        control.before["s3", "PostObject"] = self._not_a_form
        control.instead["s3", "GetBucketPolicy"] = self._kept_policy

    def _create(self, call: Call) -> Response:
        """Create a bucket with its tags, which moto ignores in a CreateBucketConfiguration."""
        known = call.labels["Bucket"] in self._control.backend("s3").buckets
        answer = self._control.ask_moto(call.request)
        tags = TAGS.search(call.request.get_data())
        if known or not answer.ok or not tags:
            return answer
        tagging = b"<Tagging><TagSet>" + tags[1] + b"</TagSet></Tagging>"
        self._control.ask_moto(call.request.changed(tagging, query="tagging="))
        return answer

    def _delete_objects(self, call: Call) -> Response:
        """Answer a quiet deletion with what could not be deleted alone, where moto tells of all.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
        """
        answer = self._control.ask_moto(call.request)
        if answer.ok and QUIET.search(call.request.get_data()):
            answer.set_data(DELETED.sub(b"", answer.get_data()))
        return answer

    def _missing_bucket(self, call: Call) -> Response | None:
        """moto breaks on a bucket that is not there."""
        if call.labels["Bucket"] in self._control.backend("s3").buckets:
            return None
        return s3_error("NoSuchBucket", "The specified bucket does not exist", 404)

    def _not_a_form(self, call: Call) -> Response | None:
        """moto breaks on a POST to a bucket that is no form, or no form of an object."""
        if call.request.mimetype != "multipart/form-data":
            return s3_error("PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data", 412)
        call.request.get_data()  # kept, so that moto can read it again
        if "key" not in call.request.form:
            return s3_error("InvalidArgument", "Bucket POST must contain a field named 'key'.", 400)
        return self._missing_bucket(call)

    def _keep_policy(self, call: Call) -> None:
        """Keep the whole policy, and leave moto the statements without conditional denials.

        moto ignores conditions: it would take "deny what is not TLS" for "deny all".
        """
        bucket = self._control.backend("s3").get_bucket(call.labels["Bucket"])
        policy = policies.document(call.request.get_data())
        self._policies[bucket.name] = bucket.policy
        conditional = [s for s in policy["Statement"] if s.get("Effect") == "Deny" and s.get("Condition")]
        rest = [statement for statement in policy["Statement"] if statement not in conditional]
        bucket.policy = json.dumps(policy | {"Statement": rest}).encode()

    def _kept_policy(self, call: Call) -> Response | None:
        bucket = self._control.backend("s3").buckets.get(call.labels["Bucket"])
        if bucket is None or bucket.policy is None:
            return None
        return Response(self._policies[bucket.name], headers={"Content-Type": "application/json"})
