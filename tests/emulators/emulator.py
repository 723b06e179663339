"""One emulator of AWS: its address, and how it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import urllib3
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ANSWER_SECONDS = 60
# Headers that are of one connection or one signature, and not of what is asked.
OWN = {"authorization", "connection", "content-length", "expect", "host", "transfer-encoding"}


@dataclass(frozen=True)
class Asked:
    """A request.

    Args:
        service: as it signs; empty where it is not signed.
        region: for which it is signed.
        target: the path and the query, as they arrived.
    """

    service: str
    region: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return self.status < 400


@dataclass(frozen=True)
class Emulator:
    """Something that answers AWS's API, and the credentials that it takes."""

    url: str
    key: str = "test"
    secret: str = field(default="test", repr=False)
    ca_bundle: str = ""

    def ask(self, asked: Asked) -> Reply:
        """Sign a request with this emulator's credentials, and return what it answers."""
        kept = {name: value for name, value in asked.headers.items() if name.lower() not in OWN}
        request = AWSRequest(asked.method, self.url + asked.target, data=asked.body, headers=kept)
        if asked.service:
            auth = S3SigV4Auth if asked.service == "s3" else SigV4Auth
            auth(Credentials(self.key, self.secret), asked.service, asked.region).add_auth(request)
        with self._pool() as pool:
            answer = pool.urlopen(
                asked.method,
                self.url + asked.target,
                body=asked.body,
                headers=dict(request.headers.items()),
                retries=False,
                redirect=False,
                timeout=ANSWER_SECONDS,
                decode_content=False,
            )
        return Reply(answer.status, dict(answer.headers.items()), answer.data)

    def client(self, service: str, region: str) -> Any:
        """Return boto3's client of a service."""
        session = boto3.Session(self.key, self.secret, region_name=region)
        return session.client(service, endpoint_url=self.url, verify=self.ca_bundle or None)

    def _pool(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(ca_certs=self.ca_bundle) if self.ca_bundle else urllib3.PoolManager()
