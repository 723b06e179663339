"""Instance types that SageMaker knows, as its API model lists them. Whether an account may use one is its quota."""

import difflib

from sentictl.errors import SettingsError
from sentictl.lifecycle.resource import Context

# The API's own lists: a type can be there for training and not for endpoints.
LISTS = {"train": "TrainingInstanceType", "deploy": "ProductionVariantInstanceType"}


def check_instance_types(context: Context) -> None:
    """Refuse an instance type that SageMaker does not know, before anything is made with it.

    Raises:
        SettingsError: names the setting and the type that was probably meant.
    """
    model = context.environment.client("sagemaker").meta.service_model
    chosen = {"train": context.settings.train.instance_type, "deploy": context.settings.deploy.instance_type}
    for table, name in chosen.items():
        known = model.shape_for(LISTS[table]).enum
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise SettingsError(
                f"{name} is not an instance type that SageMaker knows for {table}.",
                f"Did you mean {close[0]}? Set it with: sentictl config set {table}.instance_type {close[0]}",
            )
