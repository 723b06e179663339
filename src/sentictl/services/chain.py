"""The chain on one page: the kinds of resources that it is made of, in the order in which they need each other."""

from sentictl.lifecycle.resource import Resource
from sentictl.services.iam.roles import ExecutionRole, FunctionRole, PageRole
from sentictl.services.resources.dataset import Dataset
from sentictl.services.resources.logs import EndpointLogGroup, FunctionLogGroup
from sentictl.services.resources.storage import Bucket
from sentictl.services.resources.training import SourceArchive, TrainingJob
from sentictl.services.serving.alarms import RollbackAlarms
from sentictl.services.serving.endpoint import Endpoint, EndpointConfig
from sentictl.services.serving.hours import Closing, Opening
from sentictl.services.serving.image import ImageAccess
from sentictl.services.serving.model import Model
from sentictl.services.serving.scaling import ScalableTarget, ScalingPolicy
from sentictl.services.serving.schedule import Schedule, ScheduleRole
from sentictl.services.serving.shadow import CaptureAccess, ShadowModel
from sentictl.services.web.function import Function
from sentictl.services.web.function_archive import FunctionArchive
from sentictl.services.web.rest_api import Permission, RestApi
from sentictl.services.web.website import Page, WebsiteBucket

# Another kind of resource is another line here; all else is said by its class.
CHAIN: tuple[type[Resource], ...] = (
    Bucket,
    Dataset,
    ExecutionRole,
    SourceArchive,
    TrainingJob,
    ImageAccess,
    Model,
    CaptureAccess,
    ShadowModel,
    EndpointConfig,
    EndpointLogGroup,
    RollbackAlarms,
    Endpoint,
    ScalableTarget,
    ScalingPolicy,
    ScheduleRole,
    Schedule,
    Closing,
    Opening,
    FunctionArchive,
    FunctionRole,
    FunctionLogGroup,
    Function,
    PageRole,
    RestApi,
    Permission,
    WebsiteBucket,
    Page,
)
