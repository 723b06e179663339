"""Endpoint configs with a shadow that AWS refuses: https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests.html."""

from collections.abc import Container, Mapping
from typing import Any

from sentictl.twin.control_plane.control_plane import ACCOUNT
from sentictl.twin.core.messages import Response, json_rpc_error


def refuse_shadow(config: Mapping[str, Any], region: str, models: Container[str]) -> Response | None:
    """Return AWS's refusal of what CreateEndpointConfig is asked for; None where it would make it.

    Args:
        config: the call's payload.
        region: the call's.
        models: the names of the models that there are.
    """
    shadows, served = config.get("ShadowProductionVariants") or [], config.get("ProductionVariants") or []
    if not shadows:
        return None
    if len(shadows) != 1 or len(served) != 1:
        message = "Exactly one production variant and one shadow variant can be specified with shadow variants."
        return json_rpc_error("ValidationException", message)
    if any("ServerlessConfig" in variant for variant in (*shadows, *served)):
        return json_rpc_error("ValidationException", "Shadow variants are not supported with serverless variants.")
    if shadows[0]["VariantName"] == served[0]["VariantName"]:
        return json_rpc_error("ValidationException", "Variant names within an endpoint config must be unique.")
    if shadows[0].get("ModelName") not in models:
        arn = f"arn:aws:sagemaker:{region}:{ACCOUNT}:model/{shadows[0].get('ModelName')}"
        return json_rpc_error("ValidationException", f'Could not find model "{arn}".')
    return None
