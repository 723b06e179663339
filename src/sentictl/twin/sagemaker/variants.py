"""The variants of an endpoint config, as moto keeps them: what each serves, and on what."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sentictl.twin.core.processes import StartFailedError
from sentictl.twin.sagemaker.model_server import Variant


def production_variants(backend: Any, config: str, counts: Mapping[str, int]) -> list[Variant]:
    """Return the variants that answer.

    Args:
        backend: moto's SageMaker of a region.
        config: the endpoint config's name.
        counts: how many instances variants keep, by name, whatever the config says.

    Raises:
        StartFailedError: there is no such endpoint config, or no such model.
    """
    if config not in backend.endpoint_configs:
        raise StartFailedError(f"The endpoint configuration {config} does not exist.")
    found = [variant_of(backend, wanted) for wanted in backend.endpoint_configs[config].production_variants]
    return [replace(each, instances=counts.get(each.name, each.instances)) for each in found]


def shadow_variant(backend: Any, config: str) -> Variant | None:
    """Return the variant that gets a copy of the requests; None where there is none.

    Raises:
        StartFailedError: there is no such model.
    """
    wanted = backend.endpoint_configs[config].shadow_production_variants
    return variant_of(backend, wanted[0]) if wanted else None


def is_serverless(backend: Any, config: str) -> bool:
    """Tell whether an endpoint config has no instances."""
    found = backend.endpoint_configs.get(config)
    return bool(found and found.production_variants[0].get("ServerlessConfig"))


def variant_of(backend: Any, wanted: Mapping[str, Any]) -> Variant:
    """Return what a model is served as.

    Args:
        backend: moto's SageMaker of a region.
        wanted: a production variant as requests have it; of its members VariantName and ModelName alone are needed.

    Raises:
        StartFailedError: there is no such model.
    """
    model = backend._models.get(wanted["ModelName"])
    if model is None:
        raise StartFailedError(f"The model {wanted['ModelName']} does not exist.")
    container = model.primary_container or model.containers[0]
    if not isinstance(container, dict):
        container = container.response_object
    return Variant(
        name=wanted["VariantName"],
        role=model.execution_role_arn,
        model_data=container.get("ModelDataUrl") or "",
        environment={str(k): str(v) for k, v in (container.get("Environment") or {}).items()},
        image=container.get("Image") or "",
        instances=wanted.get("InitialInstanceCount") or 1,
        serverless=wanted.get("ServerlessConfig"),
        weight=float(wanted.get("InitialVariantWeight") or 1),
    )
