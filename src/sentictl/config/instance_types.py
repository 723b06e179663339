"""Instance types: which there are for what, and which of them AWS's PyTorch images run on.

SageMaker's lists are those in botocore's model of its API, as new as the botocore that is installed. Whether an account
may use a type is its quota.
"""

import difflib
import re
from collections import defaultdict
from typing import Literal

from sentictl.assets.installed import botocore_data

Use = Literal["data", "train", "deploy", "batch", "notebook"]  # the tables of settings that have an `instance_type`

LISTS: dict[Use, str] = {
    "data": "ProcessingInstanceType",
    "train": "TrainingInstanceType",
    "deploy": "ProductionVariantInstanceType",
    "batch": "TransformInstanceType",
    "notebook": "InstanceType",
}
# A g behind the number of a family's generation stands for AWS Graviton, an ARM processor:
# https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
GRAVITON = re.compile(r"[a-z]+\d+g[a-z]*")
GPU = re.compile(r"[gp]\d.*")
# Families that no PyTorch image is for, by use, and why; the images are those that `aws.images` names.
OTHER_ACCELERATOR = "its accelerator needs a model compiled for it, and AWS's PyTorch images have none"
GRACE = "its processors are ARM, and AWS's PyTorch images for GPUs are for x86"
# The GPU image of PyTorch 2.10 is built for CUDA 13, whose oldest GPUs are Turing's:
# https://github.com/pytorch/pytorch/issues/172352
OLD_GPU = "its GPUs are older than Turing, and AWS's training image is built for CUDA 13, which knows none of them"
# As sagemaker.core's image_uris says, too.
P2 = "PyTorch 1.12 was the last that AWS's images had for P2 machines"
WITHOUT_IMAGE = {
    re.compile(r"inf\d.*|trn\d.*|dl\d.*"): (("train", "deploy", "batch"), OTHER_ACCELERATOR),
    re.compile(r"p6e-gb.*"): (("train", "deploy"), GRACE),
    re.compile(r"p2"): (("train", "deploy", "batch"), P2),
    re.compile(r"p3(dn)?"): (("train",), OLD_GPU),
}


def family(instance_type: str) -> str:
    """Return the family of an instance type, such as "m5" of "ml.m5.large"."""
    return instance_type.split(".")[1]


def is_graviton(instance_type: str) -> bool:
    """Return whether the machine's processor is AWS Graviton, which takes images of its own."""
    return GRAVITON.fullmatch(family(instance_type)) is not None


def has_gpu(instance_type: str) -> bool:
    """Return whether the machine has GPUs."""
    return GPU.fullmatch(family(instance_type)) is not None


def without_image(instance_type: str, use: Use) -> str:
    """Return why none of AWS's PyTorch images runs on a machine in that use; empty where one does."""
    for families, (uses, why) in WITHOUT_IMAGE.items():
        if use in uses and families.fullmatch(family(instance_type)):
            return why
    return ""


def usable_instance_types() -> dict[str, list[Use]]:
    """Return what each instance type can be used for here, by its name."""
    shapes = botocore_data().load_service_model("sagemaker", "service-2")["shapes"]
    uses: defaultdict[str, list[Use]] = defaultdict(list)
    for use, listed in LISTS.items():
        for name in shapes[listed]["enum"]:
            if not without_image(name, use):
                uses[name].append(use)
    return dict(sorted(uses.items()))


def refusal(instance_type: str, use: Use) -> tuple[str, str] | None:
    """Look whether an instance type can be used.

    Returns:
        Why it cannot, and one that can and was perhaps meant, empty where there is such a type; None where it can.
    """
    why = without_image(instance_type, use)
    if why:
        return f"{why}; sentictl doctor --instances lists those that can", ""
    usable = [name for name, uses in usable_instance_types().items() if use in uses]
    if instance_type in usable:
        return None
    near = difflib.get_close_matches(instance_type, usable, n=1, cutoff=0)[0]
    return "there is no such instance type for it, as far as the installed boto3 knows", near
