"""The variables of the twin's processes, from which nothing leads past the twin. Imports nothing heavy."""

import os
from collections.abc import Mapping

FOREIGN = ("AWS_", "BOTO", "MOTO_")  # boto reads BOTO_CONFIG, botocore some that begin with its name
THIS_MACHINE = "127.0.0.1,localhost"


def own_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return a person's variables without those by which they set up AWS, and with what keeps to this machine.

    Args:
        variables: such as `os.environ`.
    """
    return {name: value for name, value in variables.items() if not name.startswith(FOREIGN)} | keeping(variables)


def keeping(variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables by which boto3 reads no file of a person's, and nothing asks a proxy for this machine.

    Args:
        variables: among which may be a list of other hosts that need no proxy.
    """
    others = variables.get("no_proxy") or variables.get("NO_PROXY")
    direct = f"{others},{THIS_MACHINE}" if others else THIS_MACHINE
    files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"), os.devnull)
    return {**files, "NO_PROXY": direct, "no_proxy": direct}
