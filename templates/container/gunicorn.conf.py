"""How gunicorn serves `server.py` in the container: a process for each core, each with a copy of the model."""

import os

# https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html: 8080, or the port that is named.
bind = f"0.0.0.0:{os.environ.get('SAGEMAKER_BIND_TO_PORT', '8080')}"
workers = len(os.sched_getaffinity(0))
worker_class = "gthread"  # /ping is answered while a review is
threads = 4
keepalive = 75  # seconds; whoever stands in front keeps its connections
timeout = 60  # seconds, after which SageMaker waits no more for an answer
graceful_timeout = 25  # seconds between SIGTERM and SIGKILL, 30 on SageMaker
worker_tmp_dir = "/dev/shm"  # noqa: S108 - a heartbeat that no disk can hold up
