"""AWS's regions: which one an environment is in, and how the parts of AWS differ that regions belong to.

Those parts (partitions) are the commercial regions, China's, the European Union's own, and isolated ones.
"""

import os
import re
from collections.abc import Mapping
from typing import Any

from sentictl.assets.installed import botocore_data
from sentictl.aws.credentials import open_session
from sentictl.config.config import Config
from sentictl.config.state import State
from sentictl.errors import SettingsError

DEFAULT = "us-east-1"  # the twin's, and until sentictl recorded regions that of every environment which named none


def settle_region(config: Config) -> None:
    """Find out which region a project's environment is in, before AWS is asked there.

    It is the one that `[env.NAME]` says, else the recorded one, else that of AWS's own tools.

    Raises:
        SettingsError: nothing says which, or what is recorded is in another one.
        AccessError: there is no such profile, or a file of AWS's settings cannot be read.
    """
    placement = config.placement
    state = State() if config.is_state_remote else config.state  # where that is follows from the region
    region = placement.region or state.region
    if not region and (config.on_twin or len(state)):
        region = DEFAULT
    region = region or os.environ.get("AWS_REGION", "") or _region_of_profile(placement.profile)
    if not region:
        raise SettingsError(
            f"Nothing says in which region the environment {config.environment} is.",
            "AWS_REGION or the region of the AWS profile counts, or else what you choose by: "
            f"sentictl config set env.{config.environment}.region eu-west-1",
        )
    config.settle(region)


def _region_of_profile(profile: str) -> str:
    """Return the region that boto3 finds: of AWS_DEFAULT_REGION, else of the profile; empty where there is none."""
    return str(open_session(profile, "").region_name or "")


def dns_suffix(region: str) -> str:
    """Return the end of AWS's host names in a region, such as "amazonaws.com"."""
    return str(_part_of(region)["outputs"]["dnsSuffix"])


def is_of_aws(host: str, region: str) -> bool:
    """Return whether AWS answers at a host: in a region's part, over IPv4 alone or over IPv6 as well, or in a VPC."""
    outputs = _part_of(region)["outputs"]
    return host.endswith((f".{outputs['dnsSuffix']}", f".{outputs['dualStackDnsSuffix']}"))


def partition(region: str) -> str:
    """Return the name of the part of AWS that a region belongs to, such as "aws"."""
    return str(_part_of(region)["id"])


def _part_of(region: str) -> Mapping[str, Any]:
    """Return what botocore's table says of a region's part; of a region that it does not know, the commercial one."""
    parts = botocore_data().load_data("partitions")["partitions"]
    found: Mapping[str, Any] = next((part for part in parts if re.match(part["regionRegex"], region)), parts[0])
    return found
