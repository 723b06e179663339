"""One environment on AWS: where its calls go, as whom, and how its addresses look.

In `local`, and where `twin` is set, the calls go to a local twin, and nothing but the endpoint URL and the credentials
differ. Where the settings name other addresses, such as an emulator's, they go there with a person's own credentials.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError

from sentictl.aws.credentials import open_session, sign_in
from sentictl.aws.endpoints import ServiceEndpoints
from sentictl.aws.isolation import isolated_session
from sentictl.aws.refusals import Patience
from sentictl.aws.regions import dns_suffix, partition
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.errors import AwsError, NoCredentialsError

RETRIES = {"max_attempts": 6, "mode": "standard"}
CONNECT_SECONDS = 10
READ_SECONDS = 60
CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}  # by partition
# The regions whose S3 website addresses have a hyphen before the region; others have a dot: "Website endpoints" in the
# S3 guide.
DASHED = {
    *("us-east-1", "us-west-1", "us-west-2", "eu-west-1", "sa-east-1", "us-gov-west-1"),
    *("ap-southeast-1", "ap-southeast-2", "ap-northeast-1"),
}


@dataclass
class Environment:
    """Clients, identity and addresses of one environment.

    Args:
        name: the environment's name.
        region: the AWS region.
        profile: the AWS profile whose credentials are used; empty for the default chain.
        endpoint: the twin that all calls go to, or what gives its address when it is first needed; empty without one.
        access_key: gives the access key that the twin takes.
        endpoints: where services are asked without a twin.
        recognize: called with the account's id once it is known; it may refuse it by raising.
        refused: how often AWS refused each operation at first, and was asked again.
        unseen: whether no account is looked at, since nobody is logged in: AWS is asked nothing.
    """

    name: str
    region: str
    profile: str = ""
    endpoint: str | Callable[[], str] = ""
    access_key: Callable[[], str] = lambda: "local"
    endpoints: ServiceEndpoints = field(default_factory=ServiceEndpoints)
    recognize: Callable[[str], None] | None = None
    refused: Counter[str] = field(default_factory=Counter)
    unseen: bool = False
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def on_twin(self) -> bool:
        """Whether calls go to a local twin. Does not start it."""
        return bool(self.endpoint)

    @property
    def billed(self) -> bool:
        """Whether what is made costs money. Does not start the twin."""
        return not self.on_twin and self.endpoints.is_billed(self.region)

    def aws_cli(self, arguments: str) -> str:
        """Return the command by which AWS's own command line does something in this environment."""
        through = f"sentictl local run{env_option(self.name, default=LOCAL)} " if self.on_twin else ""
        return f"{through}aws {arguments}"

    @cached_property
    def endpoint_url(self) -> str:
        """The address of the twin that all calls go to; empty without one."""
        return self.endpoint if isinstance(self.endpoint, str) else self.endpoint()

    @cached_property
    def session(self) -> Any:
        """The boto3 session that all clients are made from."""
        if self.endpoint_url:
            return isolated_session(self.access_key(), "local", self.region)
        return open_session(self.profile, self.region)

    def sign_in(self) -> Any:
        """Fetch the credentials, or renew them where that is due, and return botocore's object of them.

        Raises:
            AccessError: there are none, or they cannot be had or used.
        """
        return sign_in(self.session, self.profile)

    def look_at_none(self, account: str) -> bool:
        """Look at no account where nobody is logged in to one, and no profile is named. Returns whether that is so.

        Args:
            account: what is written for its id.

        Raises:
            AccessError: there are credentials, and they cannot be used.
        """
        if self.on_twin or self.profile:  # a profile that was named ought to have some
            return False
        try:
            self.sign_in()
        except NoCredentialsError:
            self.account, self.unseen = account, True
        return self.unseen

    def client(self, service: str) -> Any:
        """The boto3 client of a service, made once; the account is recognized before any other is asked."""
        if self.recognize and service != "sts":
            self.identify()
        if service not in self._clients:
            config = Config(retries=RETRIES, connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
            client = self.new_client(service, config)
            Patience(self._note).attach(client)
            self._clients[service] = client
        return self._clients[service]

    def _note(self, operation: str, _reason: str) -> None:
        self.refused[operation] += 1

    def new_client(self, service: str, config: Config, region: str = "") -> Any:
        """Make a boto3 client of a service, without asking whose account it is.

        Args:
            service: its name in boto3.
            config: its time limits and retries.
            region: where it is asked; by default the environment's own region.

        Raises:
            AccessError: there are no credentials, or they cannot be had or used.
            AwsError: a setting of the person's for AWS is one that botocore cannot use.
        """
        if self.endpoint_url:
            direct = config.merge(Config(proxies={}))  # a proxy would look for the twin on its own machine
            return self.session.client(service, endpoint_url=self.endpoint_url, config=direct, verify=True)
        self.sign_in()
        try:
            options = self.endpoints.client_options(service, self.region, config)
            client = self.session.client(service, region_name=region or None, **options)
        except (ValueError, BotoCoreError) as problem:
            raise AwsError(
                f"Your settings for AWS cannot be used: {problem}",
                "Correct it in ~/.aws/config or the variable that sets it; a region under [env.NAME] in sentictl.toml.",
            ) from problem
        # Credentials that expire while sentictl waits are renewed where their faults are told, not within the call.
        client.meta.events.register_first("before-call", self._renew)
        return client

    def _renew(self, **_call: Any) -> None:
        self.sign_in()  # whose value botocore would take for AWS's answer

    @cached_property
    def account(self) -> str:
        """The account's 12-digit id, as AWS itself tells it."""
        account = str(self._caller["Account"])
        if self.recognize:
            self.recognize(account)
        return account

    @property
    def caller(self) -> str:
        """The ARN of whoever asks, as AWS itself tells it."""
        return str(self._caller["Arn"])

    @cached_property
    def _caller(self) -> dict[str, str]:
        answer: dict[str, str] = self.client("sts").get_caller_identity()
        return answer

    def identify(self) -> None:
        """Ask for the account: one that is not recognized is refused.

        Raises:
            SentictlError: what `recognize` raises.
        """
        _ = self.account

    @property
    def partition(self) -> str:
        """The part of AWS the region belongs to, the second field of its ARNs."""
        return partition(self.region)

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        """The ARN of a resource in this account; `region=False` for global services such as IAM."""
        return f"arn:{self.partition}:{service}:{self.region if region else ''}:{self.account}:{resource}"

    def api_gateway_arn(self, path: str) -> str:
        """The ARN of something of API Gateway's in this region, such as "/restapis/ID": it names no account."""
        return f"arn:{self.partition}:apigateway:{self.region}::{path}"

    def invoke_url(self, api_id: str, stage: str) -> str:
        """The address of a REST API's stage."""
        if address := self.beside_aws("apigateway"):
            return f"{address}/restapis/{api_id}/{stage}/_user_request_/"
        return f"https://{api_id}.execute-api.{self.region}.{dns_suffix(self.region)}/{stage}"

    def website_url(self, bucket: str) -> str:
        """The address of a bucket's static website."""
        if address := self.beside_aws("s3"):
            emulated = self.endpoints.of_settings("s3")  # what variables name is taken for a twin
            return f"{address}/{bucket}/index.html" if emulated else f"{address}/_website/{bucket}/"
        part = "-" if self.region in DASHED else "."
        return f"http://{bucket}.s3-website{part}{self.region}.{dns_suffix(self.region)}/"

    def sign_in_url(self, domain: str) -> str:
        """The address of a Cognito user pool's sign-in pages, under a domain of Cognito's own."""
        if address := self.beside_aws("cognito-idp"):
            return f"{address}/_cognito/{domain}"
        return f"https://{domain}.auth.{self.region}.amazoncognito.com"

    def console_url(self, service: str, place: str) -> str:
        """Return the address of something in AWS's console; empty where something else stands in for AWS.

        Args:
            service: as the console calls it, such as "cloudwatch".
            place: what follows the `#`.
        """
        if self.beside_aws(service):
            return ""
        console = CONSOLES.get(self.partition, "console.aws.amazon.com")
        return f"https://{self.region}.{console}/{service}/home?region={self.region}#{place}"

    def beside_aws(self, service: str) -> str:
        """Return the address of what stands in for AWS, by the settings or by boto3's variables; empty on AWS.

        Args:
            service: as boto3 calls its client.
        """
        return self.endpoint_url or self.endpoints.beside_aws(service, self.region)
