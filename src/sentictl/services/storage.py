"""S3: the project's private bucket, and objects in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sentictl.aws.lookup import look_up
from sentictl.errors import AwsError
from sentictl.lifecycle.resource import Context, Live, Resource
from sentictl.state import Record

PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


class Bucket(Resource):
    """The project's bucket: private, tagged, emptied before it is deleted."""

    kind = "bucket"

    @property
    def name(self) -> str:
        return self.context.naming.bucket

    def desired(self) -> Mapping[str, Any]:
        return {"tags": self.context.naming.tags, "public_access_block": PRIVATE}

    def read(self, name: str) -> Live | None:
        if not _exists(self.context, name):
            return None
        client = self.context.environment.client("s3")
        tagging = look_up(client.get_bucket_tagging, Bucket=name) or {"TagSet": []}
        blocked = look_up(client.get_public_access_block, Bucket=name) or {"PublicAccessBlockConfiguration": {}}
        fields = {
            "tags": {tag["Key"]: tag["Value"] for tag in tagging["TagSet"]},
            "public_access_block": blocked["PublicAccessBlockConfiguration"],
        }
        return Live(bucket_arn(self.context, name), fields=fields)

    def create(self) -> None:
        create_bucket(self.context, self.name)
        self.update()

    def update(self) -> None:
        client = self.context.environment.client("s3")
        client.put_public_access_block(Bucket=self.name, PublicAccessBlockConfiguration=PRIVATE)
        client.put_bucket_tagging(Bucket=self.name, Tagging={"TagSet": self.context.naming.tag_list()})

    def delete(self, record: Record) -> None:
        delete_bucket(self.context, record.name)


class StoredObject(Resource):
    """A thing kept as one or more objects under a key in the project's bucket; its name is that key."""

    @property
    def bucket(self) -> str:
        return self.context.naming.bucket

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def delete(self, record: Record) -> None:
        if _exists(self.context, self.bucket):
            delete_objects(self.context, self.bucket, record.name)


def bucket_arn(context: Context, bucket: str) -> str:
    """The ARN of a bucket, which names neither a region nor an account."""
    return f"arn:{context.environment.partition}:s3:::{bucket}"


def create_bucket(context: Context, name: str) -> None:
    """Create a bucket in the environment's region.

    Raises:
        AwsError: somebody else has a bucket of that name; names are shared by all AWS accounts.
    """
    client = context.environment.client("s3")
    region = context.environment.region
    # us-east-1 is the one region that may not be named.
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        client.create_bucket(Bucket=name, **where)
    except client.exceptions.BucketAlreadyOwnedByYou:
        return  # made by a run that was killed before it could say so
    except client.exceptions.BucketAlreadyExists:
        raise _name_taken(name) from None


def delete_bucket(context: Context, name: str) -> None:
    """Empty a bucket, all versions of all objects, and delete it."""
    if not _exists(context, name):
        return
    client = context.environment.client("s3")
    for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        _delete_batch(client, name, [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries])
    client.delete_bucket(Bucket=name)


def delete_objects(context: Context, bucket: str, prefix: str) -> None:
    """Delete every object whose key begins with `prefix`."""
    client = context.environment.client("s3")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        _delete_batch(client, bucket, [{"Key": entry["Key"]} for entry in page.get("Contents", [])])


def read_object(context: Context, bucket: str, key: str) -> Mapping[str, Any] | None:
    """What HeadObject tells of an object, or None where there is none."""
    return look_up(context.environment.client("s3").head_object, Bucket=bucket, Key=key)


def download_folder(context: Context, bucket: str, prefix: str, folder: Path) -> None:
    """Download every object under `prefix` (which ends with a slash) into `folder`."""
    client = context.environment.client("s3")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            target = folder / entry["Key"].removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, entry["Key"], str(target))


def _exists(context: Context, bucket: str) -> bool:
    try:
        return look_up(context.environment.client("s3").head_bucket, Bucket=bucket) is not None
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] == "403":
            raise _name_taken(bucket) from None
        raise


def _name_taken(bucket: str) -> AwsError:
    return AwsError(
        f"The bucket name {bucket} is taken by another AWS account, or these credentials may not see it.",
        "Give the project another name: sentictl config set project.name NAME",
    )


def _delete_batch(client: Any, bucket: str, keys: list[dict[str, str]]) -> None:
    if keys:
        client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
