"""boto3 and botocore as they are installed, which nothing that a person has set up for AWS can change."""

import os
from typing import Any

import boto3
import botocore.session
from botocore.configprovider import ConfigChainFactory

from sentictl.assets.installed import botocore_data


def isolated_session(access_key: str, secret_key: str, region: str) -> Any:
    """Return a boto3 session that reads neither `~/.aws` nor a variable: no profile, no region, no endpoint, no option.

    Args:
        access_key: the access key id that its calls are signed with.
        secret_key: and its secret.
        region: the region that its calls are for.
    """
    core = botocore.session.Session()
    core.register_component("data_loader", botocore_data())
    store = core.get_component("config_store")
    defaults = ConfigChainFactory(core, environ={})
    for name, (_, _, default, conversion) in core.SESSION_VARIABLES.items():
        chain = defaults.create_config_chain(instance_name=name, default=default, conversion_func=conversion)
        store.set_config_provider(name, chain)
    for section in ("s3", "proxies_config"):
        store.set_config_variable(section, None)
    for file in ("config_file", "credentials_file"):
        core.set_config_variable(file, os.devnull)
    return boto3.Session(access_key, secret_key, region_name=region, botocore_session=core)  # noqa: TID251  (here it is)
