"""How a command names its environment. Imports nothing heavy."""


def env_option(environment: str, *, default: str = "") -> str:
    """Return what is written behind a command so that it goes to an environment, such as " --env prod".

    Args:
        environment: its name; empty where nothing is to be written.
        default: the environment that need not be named.
    """
    return "" if environment in ("", default) else f" --env {environment}"
