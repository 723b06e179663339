"""The chain on one page: the kinds of resources that it is made of, in the order in which they need each other."""

from sentictl.lifecycle.resource import Resource
from sentictl.services.iam.roles import ExecutionRole, FunctionRole, PageRole, ProcessingRole
from sentictl.services.monitoring.alarms import AlertAlarms
from sentictl.services.monitoring.budget import CostBudget
from sentictl.services.monitoring.dashboard import Dashboard
from sentictl.services.monitoring.endpoint_rule import EndpointRule
from sentictl.services.monitoring.topic import AlertTopic
from sentictl.services.resources.dataset import Dataset
from sentictl.services.resources.logs import ApiLogGroup, EndpointLogGroup, FunctionLogGroup
from sentictl.services.resources.processing import ProcessingJob
from sentictl.services.resources.processing_code import ProcessingCode
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
from sentictl.services.web.access_log import LogAccess
from sentictl.services.web.function import Function
from sentictl.services.web.function_archive import FunctionArchive
from sentictl.services.web.permission import Permission
from sentictl.services.web.rest_api import RestApi
from sentictl.services.web.usage_plan import UsagePlan
from sentictl.services.web.user_pool import UserPool, UserPoolDomain
from sentictl.services.web.user_pool_client import UserPoolClient
from sentictl.services.web.web_acl import WebAcl, WebAclAssociation
from sentictl.services.web.website import Page, WebsiteBucket

# Another kind of resource is another line here; all else is said by its class.
CHAIN: tuple[type[Resource], ...] = (
    Bucket,
    ProcessingRole,
    ProcessingCode,
    ProcessingJob,
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
    UserPool,
    UserPoolDomain,
    ApiLogGroup,
    LogAccess,
    RestApi,
    Permission,
    UsagePlan,
    UserPoolClient,
    WebAcl,
    WebAclAssociation,
    WebsiteBucket,
    Page,
    AlertTopic,
    AlertAlarms,
    EndpointRule,
    CostBudget,
    Dashboard,
)
