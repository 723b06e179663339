"""Doing once what each fork would do anew: importing, and reading what botocore and moto know of the services."""

import os
from importlib import import_module
from typing import Any

import boto3
import botocore.session
from botocore.loaders import create_loader

MODULES = (
    "boto3.s3.transfer",
    "sentictl.cli.commands.down",
    "sentictl.cli.commands.up",
    "sentictl.services.evaluate.evaluation",
    "sentictl.services.evaluate.local_models",
    "sentictl.services.evaluate.samples",
    "sentictl.api.stack",
)
SERVICES = ("apigateway", "iam", "lambda", "logs", "s3", "sagemaker", "scheduler", "sts")
# botocore's component that reads the descriptions of services, and keeps what it read.
LOADER = create_loader()


def preload() -> None:
    """Import the commands and the twin with all they use. Starts no thread: what forks must have none."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # cells share the processor; also, numpy's threads would be some
    for module in MODULES:
        import_module(module)
    from moto.moto_server import werkzeug_app

    make_application: Any = werkzeug_app.create_backend_app
    session = boto3.Session("nobody", "secret", region_name="us-east-1", botocore_session=botocore_session())
    for service in SERVICES:
        session.client(service)
        make_application(service)


def botocore_session() -> botocore.session.Session:
    """A new session of botocore, which need not read what was read before."""
    session = botocore.session.get_session()
    session.register_component("data_loader", LOADER)
    return session
