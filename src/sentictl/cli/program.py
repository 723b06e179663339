"""The program `sentictl`: a plain question to the model here at once, everything else through the command line.

Importing Typer and building its commands takes longer than an answer, so `sentictl predict 'a review'` does without.
"""

import os
import sys

FLAGS = ("--explain", "--json", "--quiet")


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    name, *arguments = sys.argv[1:] or [""]
    flags = {argument for argument in arguments if argument in FLAGS}
    reviews = [argument for argument in arguments if argument not in FLAGS]
    if name == "predict" and reviews and not any(review.startswith("-") for review in reviews):
        code = _predict(reviews, flags)
        if code is not None:
            os._exit(code)  # all is written, and Python would take another tenth of the time to take itself apart
    from sentictl.cli import app

    app.main()


def _predict(reviews: list[str], flags: set[str]) -> int | None:
    """Do what `sentictl predict` does with nothing but reviews and flags.

    Returns:
        The exit code; None where a person may be asked where the environment is, which the command line does.
    """
    from sentictl.cli import answers
    from sentictl.cli.invocation import Invocation, end
    from sentictl.cli.streams import open_streams
    from sentictl.cli.view.output import FALLBACK
    from sentictl.errors import UndescribedEnvironmentError
    from sentictl.scaffold.overrides import use_model_code_here

    open_streams(FALLBACK)
    invocation = Invocation(json="--json" in flags, quiet="--quiet" in flags)
    try:
        use_model_code_here()  # before anything imports it
        asked = answers.given(invocation, reviews)
        answers.tell(invocation, asked, answers.asker_of(invocation, explain="--explain" in flags, threads=1))
        sys.stdout.flush()
    except UndescribedEnvironmentError:
        return None
    except (Exception, KeyboardInterrupt) as problem:  # noqa: BLE001  (the end of the program)
        return end(problem, invocation)
    return 0
