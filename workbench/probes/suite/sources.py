"""Where the paper's 27 data sets come from: licence, name on the hub, and the files as their authors ship them.

Nothing is downloaded. Every set is read as class folders (`train/` and `test/` above them where both are given), as a
table with the columns `path`, `label` and `split`, or as what the package `datasets` saved; `files` says what the
authors' own files need for that.

The licence is the one that the authors or the named hub copy state. "not stated" means that none is known here: the
images belong to whoever made them, and most of these sets ask for use in research only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Reader: TypeAlias = Literal["folder", "csv"]
NUMBERED = "clip-benchmark/wds_"  # copies as WebDataset; labels are numbers, names lie in their classnames.txt


@dataclass(frozen=True)
class SetSource:
    """One data set's origin."""

    licence: str
    hub: str  # `owner/name` for the package datasets; empty where no copy with images is known
    reader: Reader  # of the authors' files
    files: str  # what they are


LISTS, FOLDERS = "class folders; the split is in text files: make a table", "class folders in train/ and test/"
SOURCES: dict[str, SetSource] = {  # by key of `PAPER_SETS`
    "food101": SetSource("not stated", "ethz/food101", "csv", LISTS),
    "cifar10": SetSource("not stated", "uoft-cs/cifar10", "folder", "pickled arrays: save them as images"),
    "cifar100": SetSource("not stated", "uoft-cs/cifar100", "folder", "pickled arrays: save them as images"),
    "birdsnap": SetSource("not stated", "", "csv", "a list of addresses, of which many are gone"),
    "sun397": SetSource("not stated", "tanganke/sun397", "csv", LISTS),
    "cars": SetSource(
        "not stated", "tanganke/stanford_cars", "csv", "loose images with .mat annotations: make a table"
    ),
    "aircraft": SetSource("research only", f"{NUMBERED}fgvc_aircraft", "csv", "loose images with lists of variants"),
    "voc2007": SetSource(
        "Flickr's terms",
        f"{NUMBERED}voc2007_multilabel",
        "csv",
        "loose images, one list a class, several labels an image",
    ),
    "dtd": SetSource("research only", "tanganke/dtd", "csv", LISTS),
    "pets": SetSource("CC BY-SA 4.0", "timm/oxford-iiit-pet", "csv", "loose images; breed and split are in text files"),
    "caltech101": SetSource("CC BY 4.0", f"{NUMBERED}vtab-caltech101", "folder", "class folders without a split"),
    "flowers102": SetSource(
        "not stated", "dpdl-benchmark/oxford_flowers102", "csv", "loose images with .mat annotations: make a table"
    ),
    "mnist": SetSource("not stated", "ylecun/mnist", "folder", "binary arrays: save them as images"),
    "fer2013": SetSource("not stated", f"{NUMBERED}fer2013", "csv", "pixels in a CSV: save them as images"),
    "stl10": SetSource("not stated", f"{NUMBERED}stl10", "folder", "binary arrays: save them as images"),
    "eurosat": SetSource("MIT", "tanganke/eurosat", "folder", "class folders without a split"),
    "resisc45": SetSource("not stated", "tanganke/resisc45", "folder", "class folders without a split"),
    "gtsrb": SetSource(
        "not stated", "tanganke/gtsrb", "csv", "numbered class folders in train; a CSV for the test images"
    ),
    "kitti": SetSource(
        "CC BY-NC-SA 3.0", f"{NUMBERED}vtab-kitti_closest_vehicle_distance", "csv", "boxes; classes are distances"
    ),
    "country211": SetSource("CC licences of each photo", f"{NUMBERED}country211", "folder", FOLDERS),
    "pcam": SetSource("CC0", "1aurent/PatchCamelyon", "folder", "HDF5 arrays: save them as images"),
    "ucf101": SetSource("not stated", "", "folder", "videos in class folders: save the middle frame of each"),
    "kinetics700": SetSource("CC BY 4.0 (annotations)", "", "folder", "addresses of videos: save the middle frames"),
    "clevr": SetSource("CC BY 4.0", f"{NUMBERED}vtab-clevr_count_all", "csv", "scenes as JSON; the class is the count"),
    "hateful_memes": SetSource("its own, research only", "", "csv", "images with JSON lines: make a table"),
    "sst2": SetSource("not stated", f"{NUMBERED}renderedsst2", "folder", FOLDERS),
    "imagenet": SetSource(
        "research only", "ILSVRC/imagenet-1k", "folder", "class folders by WordNet id; validation images need sorting"
    ),
}
