"""Service Quotas on the twin."""

from tests.twin.conftest import Cloud, code_of


def test_quotas_of_instance_types(cloud: Cloud) -> None:
    client = cloud.service_quotas
    pages = client.get_paginator("list_service_quotas").paginate(
        ServiceCode="sagemaker", PaginationConfig={"PageSize": 4}
    )
    quotas = {quota["QuotaName"]: quota for page in pages for quota in page["Quotas"]}
    assert quotas["ml.m5.large for endpoint usage"]["Value"] == 4
    assert quotas["ml.m5.xlarge for training job usage"]["Value"] == 4
    assert quotas["ml.g4dn.xlarge for training job usage"]["Value"] == 0
    for quota in quotas.values():
        assert client.get_service_quota(ServiceCode="sagemaker", QuotaCode=quota["QuotaCode"])["Quota"] == quota
    unknown = code_of(client.get_service_quota, ServiceCode="sagemaker", QuotaCode="L-0")
    assert unknown == "NoSuchResourceException"
