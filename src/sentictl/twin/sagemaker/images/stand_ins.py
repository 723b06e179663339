"""Which program stands in for an image, by the image's URI."""

import re

from sentictl.twin.sagemaker.images import pytorch_inference, ray_serve

# Whatever registry they are in: AWS's own, or one that has copies of them.
KNOWN = {
    re.compile(r"(.*/)?pytorch[a-z0-9-]*([:@].*)?"): pytorch_inference.__file__,
    re.compile(r"(.*/)?ray:serve-ml-sagemaker-.*"): ray_serve.__file__,
}


class UnknownImageError(Exception):
    """Nothing stands in for an image; the message is for people."""


def stand_in(image: str) -> str:
    """Return the path of the program that does what an image does: `python PROGRAM MODEL_DIR CONTROL_FD`.

    Raises:
        UnknownImageError: the image is not one of those that the twin knows.
    """
    program = next((program for known, program in KNOWN.items() if known.fullmatch(image)), None)
    if program is None:
        raise UnknownImageError(
            f"Requested image {image} not found: a local twin runs no containers, and stands in for AWS's PyTorch and "
            "Ray Serve images alone. Take one of these here: sentictl config set deploy.image pytorch; and yours in an "
            "environment on AWS, such as prod: sentictl deploy --env prod --image IMAGE. To try yours on this machine, "
            "run its server as docs/serving.md shows"
        )
    return program
