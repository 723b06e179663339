"""Instance types that SageMaker knows, as its API model lists them. Whether an account may use one is its quota."""

import difflib
from collections import defaultdict

from sentictl.aws.isolation import installed_data
from sentictl.config.settings import Settings
from sentictl.errors import SettingsError

# The API's own lists: a type can be there for training and not for endpoints.
LISTS = {"train": "TrainingInstanceType", "deploy": "ProductionVariantInstanceType"}


def known_instance_types() -> dict[str, list[str]]:
    """Return what each instance type is for: `train`, `deploy` or both."""
    shapes = installed_data().load_service_model("sagemaker", "service-2")["shapes"]
    uses: defaultdict[str, list[str]] = defaultdict(list)
    for use, listed in LISTS.items():
        for name in shapes[listed]["enum"]:
            uses[name].append(use)
    return dict(sorted(uses.items()))


def check_instance_types(settings: Settings) -> None:
    """Refuse an instance type that SageMaker does not know, before anything is made with it.

    Raises:
        SettingsError: names the setting and the type that was probably meant.
    """
    known = known_instance_types()
    chosen = {"train": settings.train.instance_type, "deploy": settings.deploy.instance_type}
    for table, name in chosen.items():
        names = [known_name for known_name, uses in known.items() if table in uses]
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1, cutoff=0)
            raise SettingsError(
                f"{name} is not an instance type that SageMaker knows for {table}.",
                f"Did you mean {close[0]}? Set it with: sentictl config set {table}.instance_type {close[0]}",
            )
