"""Ray's `serve run`, as AWS's image starts it: in a Ray of its own, without a dashboard. `python ray_run.py CONFIG`."""

import sys

import ray
from ray.serve.scripts import cli


def main() -> None:
    """Serve until SIGTERM."""
    ray.init(address="local", namespace="serve", include_dashboard=False)
    cli(["run", sys.argv[1]])


if __name__ == "__main__":
    main()
