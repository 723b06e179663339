"""The control plane's handlers."""

import pytest

from sentictl.twin.control_plane.control_plane import Handlers


def test_an_operation_has_one_handler_of_a_kind() -> None:
    handlers: Handlers[str] = Handlers()
    handlers["s3", "PutObject"] = "one"
    handlers["s3", "GetObject"] = "another"
    with pytest.raises(ValueError, match="s3:PutObject has a handler already"):
        handlers["s3", "PutObject"] = "a third"
    assert handlers == {("s3", "PutObject"): "one", ("s3", "GetObject"): "another"}
