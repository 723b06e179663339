"""CloudWatch's dashboards: their tags, which moto leaves out."""

from typing import Any

from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse

from sentictl.twin.control_plane.control_plane import ACCOUNT, Call, ControlPlane

ARN = f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/"


class Dashboards:
    """What moto does not do for dashboards."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        response: Any = CloudWatchResponse
        backend: Any = CloudWatchBackend
        if response.put_dashboard is not _put:
            _moto.update(put=response.put_dashboard, tag=backend.tag_resource)
            response.put_dashboard, backend.tag_resource = _put, _tag
        control.after["monitoring", "DeleteDashboards"] = self._deleted

    def _deleted(self, call: Call) -> None:
        """Forget the tags of what is gone."""
        backend = self._control.backend("cloudwatch", call.region)
        for arn in [each for each in backend.tagger.tags if each.startswith(ARN)]:
            if arn.removeprefix(ARN) not in backend.dashboards:
                backend.tagger.delete_all_tags_for_resource(arn)


_moto: dict[str, Any] = {}  # its own methods


def _put(response: Any) -> Any:
    answer = _moto["put"](response)
    tags = response._get_param("Tags", [])
    if tags:
        response.cloudwatch_backend.tagger.tag_resource(ARN + response._get_param("DashboardName"), tags)
    return answer


def _tag(backend: Any, arn: str, tags: dict[str, str]) -> None:
    if arn.removeprefix(ARN) not in backend.dashboards:
        _moto["tag"](backend, arn, tags)
    else:
        backend.tagger.tag_resource(arn, backend.tagger.convert_dict_to_tags_input(tags))
