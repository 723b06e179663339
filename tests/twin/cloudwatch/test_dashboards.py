"""CloudWatch's dashboards and their tags."""

import json

from tests.twin.conftest import Cloud, code_of

BODY = json.dumps({"widgets": []})


def test_a_dashboard_has_tags_until_it_is_deleted(cloud: Cloud) -> None:
    name = cloud.name("dashboard")
    arn = f"arn:aws:cloudwatch::123456789012:dashboard/{name}"

    def tags() -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in cloud.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]}

    put = cloud.cloudwatch.put_dashboard
    put(DashboardName=name, DashboardBody=BODY, Tags=[{"Key": "whose", "Value": "ours"}])
    put(DashboardName=name, DashboardBody=BODY)  # keeps them
    cloud.cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "id", "Value": "1"}])
    assert tags() == {"whose": "ours", "id": "1"}
    cloud.cloudwatch.delete_dashboards(DashboardNames=[name])
    assert tags() == {}
    new = [{"Key": "id", "Value": "1"}]
    assert code_of(cloud.cloudwatch.tag_resource, ResourceARN=arn, Tags=new) == "ResourceNotFoundException"
