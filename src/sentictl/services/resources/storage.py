"""S3: the project's private bucket, and objects in it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sentictl.aws.lookup import if_there
from sentictl.aws.names import tags_in
from sentictl.aws.remote_state.place import OWN, STATE_FOLDER, VERSIONED
from sentictl.config.state import Record
from sentictl.errors import AccessError, AwsError
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.resource import Actions, Context, LiveResource, Resource
from sentictl.services.pricing.table import prices

PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
# What it takes to delete an object with its older versions.
DELETING = "s3:ListBucketVersions s3:DeleteObject s3:DeleteObjectVersion"
OBJECT_ACTIONS = {
    "s3:GetObject",
    "s3:PutObject",
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
}


class S3Bucket(Resource):
    """A bucket: tagged, given its fields when it is made, emptied before it is deleted."""

    def tags(self, name: str) -> Mapping[str, str]:
        return bucket_tags(self.context, name)

    def tag(self, name: str) -> None:
        tag_bucket(self.context, name)

    def create(self) -> None:
        create_bucket(self.context, self.name)
        self.update()

    def delete(self, record: Record) -> None:
        delete_bucket(self.context, record.name)

    def scope(self, action: str) -> Sequence[str]:
        return bucket_scope(self.context, self.name, action)


class Bucket(S3Bucket):
    """The project's bucket, which is private."""

    kind = "bucket"
    command = "data"
    holds_data = True
    arn_pattern = r":s3:::(?P<name>[^/]+)"
    in_template = False  # it has to hold the artifact before the stack can be made
    actions = Actions(
        read="s3:ListBucket s3:GetBucketPublicAccessBlock s3:GetBucketTagging",
        create="s3:CreateBucket s3:PutBucketTagging s3:TagResource s3:PutBucketPublicAccessBlock",
        update="s3:PutBucketPublicAccessBlock",
        delete=f"{DELETING} s3:DeleteBucket",
    )

    @property
    def name(self) -> str:
        return self.context.naming.bucket

    def desired(self) -> Mapping[str, Any]:
        versioned = {"versioning": VERSIONED} if self.holds_state else {}
        return {"public_access_block": PRIVATE, **versioned}

    @property
    def holds_state(self) -> bool:
        """Whether the project's state is kept in it, so that it keeps older versions of what is in it."""
        return self.context.settings.project.state == OWN

    def read(self, name: str) -> LiveResource | None:
        if not bucket_exists(self.context, name):
            return None
        client = self.context.environment.client("s3")
        blocked = if_there(client.get_public_access_block, Bucket=name) or {"PublicAccessBlockConfiguration": {}}
        fields = {"public_access_block": blocked["PublicAccessBlockConfiguration"]}
        if self.holds_state:
            fields["versioning"] = client.get_bucket_versioning(Bucket=name).get("Status", "")
        return LiveResource(bucket_arn(self.context, name), fields=fields)

    def update(self) -> None:
        client = self.context.environment.client("s3")
        client.put_public_access_block(Bucket=self.name, PublicAccessBlockConfiguration=PRIVATE)
        if self.holds_state:
            client.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": VERSIONED})

    def uses(self) -> Sequence[Use]:
        return [Use("S3", "a GB kept for a month", prices()["s3_gb_month"])]


class StoredObject(Resource):
    """A thing kept as one or more objects under a key in the project's bucket; its name is that key."""

    holds_data = True
    tagged = False
    in_template = False  # CloudFormation has no type for it

    @property
    def bucket(self) -> str:
        return self.context.naming.bucket

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def tags(self, name: str) -> Mapping[str, str]:  # noqa: ARG002  (the bucket's)
        return bucket_tags(self.context, self.bucket)

    def delete(self, record: Record) -> None:
        if bucket_exists(self.context, self.bucket):
            delete_objects(self.context, self.bucket, record.name)


def bucket_arn(context: Context, bucket: str) -> str:
    """Return the ARN of a bucket, which names neither a region nor an account."""
    return f"arn:{context.environment.partition}:s3:::{bucket}"


def bucket_scope(context: Context, bucket: str, action: str) -> Sequence[str]:
    """Return the ARNs that an action of S3's on a bucket, or on the objects in it, is limited to."""
    if not action.startswith("s3:"):
        return []
    arn = bucket_arn(context, bucket)
    return [f"{arn}/*" if action in OBJECT_ACTIONS else arn]


def create_bucket(context: Context, name: str) -> None:
    """Create a bucket in the environment's region, with the project's tags from the first moment.

    Raises:
        AccessError: somebody else has a bucket of that name; names are shared by all AWS accounts.
    """
    client = context.environment.client("s3")
    region = context.environment.region
    # us-east-1 is the one region that may not be named.
    where = {} if region == "us-east-1" else {"LocationConstraint": region}
    try:
        client.create_bucket(Bucket=name, CreateBucketConfiguration={**where, "Tags": context.naming.tag_list()})
    except client.exceptions.BucketAlreadyExists:
        raise _name_taken(name) from None


def bucket_tags(context: Context, name: str) -> dict[str, str]:
    """Return a bucket's tags; none where it is gone."""
    tagging = if_there(context.environment.client("s3").get_bucket_tagging, Bucket=name) or {"TagSet": []}
    return tags_in(tagging["TagSet"])


def tag_bucket(context: Context, name: str) -> None:
    """Put the project's tags on a bucket; others that it has stay."""
    tags = bucket_tags(context, name) | context.naming.tags
    tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
    context.environment.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_set})


def delete_bucket(context: Context, name: str) -> None:
    """Empty a bucket, all versions of all objects, and delete it.

    The state goes last, if it is in there, and its lease: until then a kill leaves the record of what is left, and
    whoever waits for the lease does not begin in a bucket that is about to be deleted.
    """
    if not bucket_exists(context, name):
        return
    client = context.environment.client("s3")
    if context.settings.project.state == OWN:
        _delete_versions(client, name, "", but=STATE_FOLDER)
    _delete_versions(client, name, "")
    if_there(client.delete_bucket, Bucket=name)


def delete_objects(context: Context, bucket: str, prefix: str) -> None:
    """Delete every object whose key begins with `prefix`, with its older versions.

    A bucket in which the state was once goes on keeping those.
    """
    _delete_versions(context.environment.client("s3"), bucket, prefix)


def _delete_versions(client: Any, bucket: str, prefix: str, *, but: str | None = None) -> None:
    """Delete all versions of what begins with a prefix, but not of what begins with another."""
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        doomed = [entry for entry in entries if but is None or not entry["Key"].startswith(but)]
        _delete_batch(client, bucket, [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in doomed])


def list_keys(context: Context, bucket: str, prefix: str) -> Iterable[str]:
    """Yield the keys of all objects under a prefix; none where there is no bucket."""
    return (key for key, _ in list_sizes(context, bucket, prefix))


def folder_sizes(context: Context, bucket: str, prefix: str) -> dict[str, int]:
    """Return the bytes under each folder directly below a prefix, which ends with a slash, by the folder's own prefix.

    An object directly below has its key; there is nothing where there is no bucket.
    """
    sizes: dict[str, int] = {}
    for key, size in list_sizes(context, bucket, prefix):
        name, slash, _ = key.removeprefix(prefix).partition("/")
        sizes[f"{prefix}{name}{slash}"] = sizes.get(f"{prefix}{name}{slash}", 0) + size
    return sizes


def list_sizes(context: Context, bucket: str, prefix: str) -> Iterable[tuple[str, int]]:
    """Yield the key and the bytes of each object under a prefix; none where there is no bucket."""
    if bucket_exists(context, bucket):
        pages = context.environment.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        yield from ((entry["Key"], entry["Size"]) for page in pages for entry in page.get("Contents", []))


def read_object(context: Context, bucket: str, key: str) -> Mapping[str, Any] | None:
    """Return what HeadObject tells of an object, or None where there is none."""
    return if_there(context.environment.client("s3").head_object, Bucket=bucket, Key=key)


def download_folder(context: Context, bucket: str, prefix: str, folder: Path) -> None:
    """Download every object under `prefix` (which ends with a slash) into `folder`."""
    client = context.environment.client("s3")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            target = folder / entry["Key"].removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, entry["Key"], str(target))


def bucket_exists(context: Context, bucket: str) -> bool:
    """Tell whether there is a bucket of that name.

    Raises:
        AccessError: there is, but not for these credentials to see.
    """
    try:
        return if_there(context.environment.client("s3").head_bucket, Bucket=bucket) is not None
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] == "403":
            raise _name_taken(bucket) from None
        raise


def bucket_may_exist(context: Context, bucket: str) -> bool:
    """Tell whether there is a bucket of that name, or may be: not everybody may see what others may."""
    try:
        return bucket_exists(context, bucket)
    except AccessError:
        return True


def _name_taken(bucket: str) -> AccessError:
    return AccessError(
        f"The bucket name {bucket} is taken by another AWS account, or these credentials may not see it.",
        "Ask for s3:ListBucket on it (sentictl doctor --policy), or give the project another name: "
        "sentictl config set project.name NAME",
    )


def _delete_batch(client: Any, bucket: str, keys: list[dict[str, str]]) -> None:
    if not keys:
        return
    refused = client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True}).get("Errors", [])
    if refused:
        raise AwsError(
            f"S3 does not delete {len(refused)} objects of {bucket}, such as {refused[0]['Key']}: "
            f"{refused[0].get('Message', refused[0].get('Code'))}.",
            "Look at the bucket's policy and object locks, then run this again: it goes on.",
        )
