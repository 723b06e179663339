"""The chain on one page: which resources each command keeps, in the order in which they need each other."""

from sentictl.lifecycle.resource import Context, Resource
from sentictl.services.dataset import Dataset
from sentictl.services.endpoint import Endpoint, EndpointConfig, Model
from sentictl.services.function import Function, LogGroup
from sentictl.services.gateway import Permission, RestApi
from sentictl.services.roles import ExecutionRole, FunctionRole, PageRole
from sentictl.services.storage import Bucket
from sentictl.services.training import SourceArchive, TrainingJob
from sentictl.services.website import Page, WebsiteBucket

CHAIN: dict[str, tuple[type[Resource], ...]] = {
    "data": (Bucket, Dataset),
    "train": (ExecutionRole, SourceArchive, TrainingJob),
    "deploy": (Model, EndpointConfig, Endpoint),
    "wire-lambda": (FunctionRole, LogGroup, Function),
    "wire-api": (PageRole, RestApi, Permission),
    "site": (WebsiteBucket, Page),
}


def resources(context: Context, *commands: str) -> list[Resource]:
    """The resources of these commands, or of the whole chain, ready to be reconciled."""
    return [resource(context) for command in commands or CHAIN for resource in CHAIN[command]]
