"""Which tests take long: a parallel run begins with them, so that none is left when the others are done."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent

# Folders and modules whose tests start a twin, a browser, a JVM, a training, cfn-lint or a program for each test. The
# longest come first; how long they take is said by `pytest --durations 0`.
SLOW = (
    *("chain/test_terminal.py", "chain/test_conversation.py", "chain/test_examples.py", "chain/test_lifecycle.py"),
    *("chain/test_killed.py", "chain/test_chain.py", "chain/test_resuming.py", "chain/test_rollback.py"),
    "chain/test_two_projects.py",
    *("model_code/test_distributed.py", "browser/test_page_access.py", "chain/test_notebook.py"),
    *(
        "chain/test_permissions.py",
        "sweep/test_sweep.py",
        "races",
        "chain",
        "conformance",
        "notebooks",
        "twin/test_daemon.py",
    ),
    *(
        "golden/test_requests.py",
        "cli/test_init.py",
        "services/notebook/test_instance.py",
        "api",
        "benchmarks",
        "cases",
    ),
    *("browser", "packaging", "cli", "twin", "load", "services/resources/test_training.py"),
    "services/web/test_user_pool.py",
    *("services/evaluate/test_versions.py", "services/evaluate/test_local_models.py"),
    *("services/evaluate/test_samples.py", "services/predict/test_clients.py", "model_code/test_train.py"),
    *("model_code/test_stages.py", "model_code/test_several_processes.py"),
    *("model_code/test_inference.py", "model_code/test_predictor.py"),
    *("model_code/test_onnx_export.py", "model_code/test_fit_lstm.py", "docs/test_site.py", "scaffold"),
    *("services/export/test_cloudformation.py", "services/export/test_github.py"),
)


def is_slow(path: Path) -> bool:
    """Return whether a module of tests, or a folder of them, takes long."""
    return rank(path) < len(SLOW)


@cache
def rank(path: Path) -> int:
    """Return the first place in `SLOW` that is about this path; its length where none is."""
    inside = path.relative_to(FOLDER)
    about = {inside, *inside.parents}
    return next((place for place, slow in enumerate(SLOW) if Path(slow) in about), len(SLOW))
