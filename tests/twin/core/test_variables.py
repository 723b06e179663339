"""What a twin's processes get to know of the variables of whoever started it."""

import pytest

from sentictl.twin.core.variables import own_variables


def test_nothing_of_aws_is_left_and_all_else_stays() -> None:
    given = {"PATH": "/bin", "AWS_PROFILE": "work", "BOTO_CONFIG": "x", "BOTOCORE_EXPERIMENTAL__PLUGINS": "x=y"}
    own = own_variables(given | {"MOTO_ACCOUNT_ID": "1"})
    assert own["PATH"] == "/bin"
    assert "x" not in "".join(own.values())
    assert not {"AWS_PROFILE", "MOTO_ACCOUNT_ID"} & own.keys()


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_hosts_that_need_no_proxy_are_kept(name: str) -> None:
    own = own_variables({name: "intranet"})
    assert own["NO_PROXY"] == own["no_proxy"] == "intranet,127.0.0.1,localhost"
