"""AWS's `serve` for a machine that is no container: other model servers may run there, and /etc is not ours to write.

`python serve.py` in an empty folder, with the container's environment.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

torchserve: Any = import_module("sagemaker_pytorch_serving_container.torchserve")
serving: Any = import_module("sagemaker_pytorch_serving_container.serving")


def main() -> None:
    """Serve until SIGTERM."""
    torchserve.TS_CONFIG_FILE = str(Path.cwd() / "sagemaker-ts.properties")
    every = torchserve.psutil.process_iter
    # The toolkit refuses to start where it sees two model servers: let it see its own process group alone.
    torchserve.psutil.process_iter = lambda: [one for one in every() if os.getpgid(one.pid) == os.getpgrp()]
    serving.main()


if __name__ == "__main__":
    main()
