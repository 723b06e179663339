"""The web page: rendered to one file, served by the API's own GET or by a public S3 website."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from sentictl.assets.atomic import write_atomically
from sentictl.assets.installed import template_files
from sentictl.aws.lookup import if_there
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.page.render import INDEX, SignIn, render
from sentictl.services.resources.storage import (
    DELETING,
    S3Bucket,
    bucket_arn,
    bucket_exists,
    bucket_tags,
    read_object,
)
from sentictl.services.web.rest_api import invoke_url
from sentictl.services.web.rest_api_definition import PAGE_KEY
from sentictl.services.web.user_pool import sign_in_url, signs_in
from sentictl.services.web.user_pool_client import client_id

WEBSITE = {"IndexDocument": {"Suffix": INDEX}}
HEADERS = {"ContentType": "text/html; charset=utf-8", "CacheControl": "max-age=60"}


class WebsiteBucket(S3Bucket):
    """A public bucket for the page alone, where `site.publish` is s3. The project's own bucket stays private."""

    kind = "website-bucket"
    command = "site"
    actions = Actions(
        read="s3:ListBucket s3:GetBucketWebsite s3:GetBucketPolicy s3:GetBucketTagging",
        create="s3:CreateBucket s3:PutBucketTagging s3:TagResource "
        "s3:PutBucketPublicAccessBlock s3:PutBucketPolicy s3:PutBucketWebsite",
        update="s3:PutBucketPublicAccessBlock s3:PutBucketPolicy s3:PutBucketWebsite",
        delete=f"{DELETING} s3:DeleteBucket",
    )

    @property
    def name(self) -> str:
        return self.context.naming.website_bucket

    @property
    def wanted(self) -> bool:
        return self.context.settings.site.publish == "s3"

    def desired(self) -> Mapping[str, Any]:
        return {"website": WEBSITE, "policy": self._policy()}

    def read(self, name: str) -> LiveResource | None:
        client = self.context.environment.client("s3")
        if not bucket_exists(self.context, name):
            return None
        website = if_there(client.get_bucket_website, Bucket=name) or {}
        policy = if_there(client.get_bucket_policy, Bucket=name) or {"Policy": "null"}
        fields = {
            "website": {key: website[key] for key in WEBSITE if key in website},
            "policy": json.loads(policy["Policy"]),
        }
        return LiveResource(bucket_arn(self.context, name), fields=fields)

    def update(self) -> None:
        client = self.context.environment.client("s3")
        client.delete_public_access_block(Bucket=self.name)
        client.put_bucket_policy(Bucket=self.name, Policy=json.dumps(self._policy()))
        client.put_bucket_website(Bucket=self.name, WebsiteConfiguration=WEBSITE)

    def cloudformation(self) -> Entries:
        private = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        properties = {
            "BucketName": self.name,
            "PublicAccessBlockConfiguration": dict.fromkeys(private, False),
            "WebsiteConfiguration": {"IndexDocument": INDEX},
        }
        policy = {"Bucket": {"Ref": self.logical_id}, "PolicyDocument": self._policy()}
        return {
            **self.entry("AWS::S3::Bucket", properties),
            "WebsiteBucketPolicy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy},
        }

    def _policy(self) -> dict[str, Any]:
        statement = {
            "Sid": "AnyoneMayReadThePage",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"{bucket_arn(self.context, self.name)}/{INDEX}",
        }
        return {"Version": "2012-10-17", "Statement": [statement]}


class Page(Resource):
    """The page's object on S3; its name is bucket and key. A copy stays on this machine, where it works as a file."""

    kind = "page"
    command = "site"
    face = True
    removed_as = "site"
    in_template = False  # CloudFormation has no type for it
    tagged = False
    actions = Actions(
        read="s3:ListBucket s3:GetObject s3:GetBucketTagging",
        create="s3:PutObject",
        update="s3:PutObject",
        delete="s3:DeleteObject",
    )

    @property
    def name(self) -> str:
        naming = self.context.naming
        if self.context.settings.site.publish == "s3":
            return f"{naming.website_bucket}/{INDEX}"
        return f"{naming.bucket}/{PAGE_KEY}"

    def desired(self) -> Mapping[str, Any]:
        return {"sha256": hashlib.sha256(self._html).hexdigest()}

    def read(self, name: str) -> LiveResource | None:
        bucket, _, key = name.partition("/")
        head = read_object(self.context, bucket, key)
        if head is None:
            return None
        fields = {"sha256": head["Metadata"].get("sha256")}
        return LiveResource(f"{bucket_arn(self.context, bucket)}/{key}", fields=fields)

    def tags(self, name: str) -> Mapping[str, str]:
        return bucket_tags(self.context, name.partition("/")[0])

    def create(self) -> None:
        bucket, _, key = self.name.partition("/")
        write_atomically(self.context.config.folder.page, self._html)
        self.context.environment.client("s3").put_object(
            Bucket=bucket, Key=key, Body=self._html, Metadata=dict(self.desired()), **HEADERS
        )

    def update(self) -> None:
        self.create()

    def delete(self, record: Record) -> None:
        bucket, _, key = record.name.partition("/")
        if_there(self.context.environment.client("s3").delete_object, Bucket=bucket, Key=key)

    def summary(self) -> str:
        host = "a public website bucket" if self.context.settings.site.publish == "s3" else "the API's own GET"
        return f"one file, {len(self._html) / 1000:.0f} kB, served by {host}"

    def facts(self, record: Record) -> Sequence[str]:
        return [page_url(self.context)] if record.arn else []

    @cached_property
    def _html(self) -> bytes:
        return render_page(self.context)


def render_page(context: Context) -> bytes:
    """Render the page as the settings want it, for the API as it stands.

    Raises:
        MissingStepError: there is no API yet.
    """
    settings, files = context.settings, template_files("site", context.config.folder.root)
    sign_in = SignIn(sign_in_url(context), client_id(context)) if signs_in(context) else None
    limit, access = settings.api.max_review_characters, settings.api.auth
    return render(settings.site, invoke_url(context), limit, files, access, sign_in)


def page_url(context: Context) -> str:
    """Return the address of the page for a browser.

    Raises:
        MissingStepError: there is no API yet.
    """
    if context.settings.site.publish == "s3":
        return context.environment.website_url(context.naming.website_bucket)
    return invoke_url(context)
