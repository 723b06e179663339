"""Environment variables: which of a person's reach the twin and its children, and which lead a program to the twin.

Imports nothing heavy.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from sentictl.twin.core.clock import SPEED_VARIABLE
from sentictl.twin.core.credentials import SECRET, role_key

# What a Python program needs to run, and to use this machine as the person wants it. Nothing here is a secret.
PASSED_ON = {
    "CUDA_VISIBLE_DEVICES",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "VIRTUAL_ENV",
    SPEED_VARIABLE,
}
THIS_MACHINE = "127.0.0.1,localhost"
FAMILIES = ("LC_", "MKL_", "OMP_", "OPENBLAS_", "PYTHON")


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Return those of a person's variables that the twin and its children get: no credentials, whatever their name."""
    return {name: value for name, value in environment.items() if name in PASSED_ON or name.startswith(FAMILIES)}


def keeping(variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables by which boto3 reads no file of a person's, and nothing asks a proxy for this machine.

    Args:
        variables: among which may be a list of other hosts that need no proxy.
    """
    others = variables.get("no_proxy") or variables.get("NO_PROXY")
    direct = f"{others},{THIS_MACHINE}" if others else THIS_MACHINE
    files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"), os.devnull)
    return {**files, "NO_PROXY": direct, "no_proxy": direct}


@dataclass(frozen=True)
class Access:
    """Where a twin is, and the key by which it is asked."""

    url: str
    key: str = field(repr=False)

    def variables(self, region: str, role: str = "") -> dict[str, str]:
        """Return the variables by which AWS's clients find the twin, and nothing of a real account.

        Args:
            role: the name of the role whose key they are to use; by default the twin's own.
        """
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": role_key(self.key, role) if role else self.key,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
            **keeping(os.environ),
        }

    def child_environment(self, region: str) -> dict[str, str]:
        """Return the whole environment of a process that the twin starts."""
        return passed_on(os.environ) | self.variables(region) | {"PYTHONUNBUFFERED": "1"}
