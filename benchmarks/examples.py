"""Is the default model sure of the reviews that the help, the docs and the page give as examples?

    python benchmarks/examples.py                    # trains it first, with the default settings: some minutes
    python benchmarks/examples.py --artifact FOLDER  # asks one that is there, such as .sentictl/models/current-local

Ends with 1 where an example is answered otherwise than it reads, or with less than is promised here.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import train  # model_code/train.py, on the path of an editable installation
from sentimodel.predictor import Predictor
from sentimodel.training_inputs import CHANNELS

from sentictl.cli.examples import REVIEW
from sentictl.config.settings import DataSettings, SiteSettings
from sentictl.reviews.prepare.preparation import prepare
from sentictl.reviews.read.resolve import open_source, user_cache

# By review, the least and the highest probability of "positive" that it may have.
SURE = {
    REVIEW: (0.9, 1.0),
    "what a waste of time": (0.0, 0.1),
}
# What the page offers: the last one is meant to be mixed.
OFFERED = dict(zip(SiteSettings().examples, [(0.8, 1.0), (0.0, 0.2), (0.7, 1.0), (0.1, 0.6)], strict=True))


def main() -> int:
    """Ask about each example and print what is said. Returns how many are answered otherwise than promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifact", type=Path, help="the folder of a trained model")
    given = parser.parse_args().artifact
    with tempfile.TemporaryDirectory() as scratch:
        predictor = Predictor.load(given or trained(Path(scratch)))
        wrong = 0
        for review, (least, most) in (SURE | OFFERED).items():
            probability = predictor.predict([review])[0].probability
            holds = least <= probability <= most
            wrong += not holds
            print(f"{'ok   ' if holds else 'WRONG'} {probability:.3f} ({least} to {most})  {review}")
    return min(wrong, 1)


def trained(folder: Path) -> Path:
    """Train the default model on the default reviews. Returns its artifact's folder."""
    settings = DataSettings()
    source = open_source(settings, folder, user_cache(), lambda *_: None)
    dataset = prepare(source, settings, folder, lambda *_: None)
    channels = [part for name in CHANNELS for part in (f"--{name}", str(dataset.folder / name))]
    command = [sys.executable, str(train.__file__), "--model-dir", str(folder / "artifact"), *channels]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return folder / "artifact"


if __name__ == "__main__":
    sys.exit(main())
