"""What a visitor uploads: image files, or exactly one zip. Names, sizes and counts are not trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from workbench.datasets.samples import ImageSample, Listing
from workbench.datasets.zips import read_zip
from workbench.errors import BadInput

MAX_IMAGES = 256


def read_uploads(paths: Sequence[Path | str], *, limit: int = MAX_IMAGES) -> Listing:
    """Return the images of a list of files, each under a distinct name, or those of one zip.

    Args:
        paths: 1 to `limit` files that may turn out not to be images, or one zip.
        limit: largest number of images.

    Raises:
        BadInput: nothing, too many, a zip among other files, or a zip that is refused as a whole.
    """
    files = [Path(path) for path in paths]
    if not files:
        raise BadInput("Choose some images, or one zip of images; got none.")
    zips = [file for file in files if file.suffix.lower() == ".zip"]
    if zips and len(files) > 1:
        raise BadInput(f"Give images or one zip; got {len(zips)} zip(s) and {len(files) - len(zips)} other file(s).")
    if zips:
        listing = read_zip(zips[0], files=max(MAX_IMAGES, limit))
    else:
        used: Counter[str] = Counter()
        samples = []
        for file in files:
            used[file.name] += 1
            name = file.name if used[file.name] == 1 else f"{file.name} ({used[file.name]})"
            samples.append(ImageSample(name, file))
        listing = Listing(tuple(samples), files=tuple(files))
    if len(listing.samples) > limit:
        raise BadInput(f"At most {limit} images at once; got {len(listing.samples)}.")
    return listing
