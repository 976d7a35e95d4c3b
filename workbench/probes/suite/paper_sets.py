"""The 27 data sets of the CLIP paper, as data. Nothing is downloaded: a set is a folder that the user has.

Sizes and metrics are those of the paper's table 9, linear probes those of its table 10. `template` is the first of the
released templates and `prompts` their number; the lists are not copied, so that zero-shot here uses the first.

Source: Radford et al. 2021, arXiv:2103.00020, appendix A; `data/prompts.md` of the released code.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.probes.suite.metrics import Metric
from workbench.probes.suite.sources import SOURCES, SetSource

PROBED = ("openai/clip-vit-large-patch14", "openai/clip-vit-large-patch14-336", "openai/clip-vit-base-patch32")


@dataclass(frozen=True)
class PaperSet:
    """One data set."""

    key: str
    title: str
    classes: int
    train: int  # images
    test: int
    metric: Metric
    template: str
    prompts: int  # templates that the paper averaged
    probes: tuple[float, float, float]  # published linear probes in percent, of `PROBED`
    names: tuple[str, ...] = ()  # of folders, besides key and title
    note: str = ""  # on the split

    @property
    def source(self) -> SetSource:
        """Licence, name on the hub, files."""
        return SOURCES[self.key]


MEAN: Metric = "mean per class"
PAPER_SETS: tuple[PaperSet, ...] = (
    PaperSet(
        "food101", "Food-101", 101, 75750, 25250, "accuracy", "a photo of {}, a type of food.", 1, (95.2, 95.9, 88.8)
    ),
    PaperSet("cifar10", "CIFAR-10", 10, 50000, 10000, "accuracy", "a photo of a {}.", 18, (98.0, 97.9, 95.1)),
    PaperSet("cifar100", "CIFAR-100", 100, 50000, 10000, "accuracy", "a photo of a {}.", 18, (87.5, 87.4, 80.5)),
    PaperSet(
        "birdsnap", "Birdsnap", 500, 42283, 2149, "accuracy", "a photo of a {}, a type of bird.", 1, (77.0, 79.9, 58.5)
    ),
    PaperSet(
        "sun397", "SUN397", 397, 19850, 19850, "accuracy", "a photo of a {}.", 2, (81.8, 82.2, 76.6), note="split 1"
    ),
    PaperSet(
        *("cars", "Stanford Cars", 196, 8144, 8041, "accuracy", "a photo of a {}.", 8, (90.9, 91.5, 81.8)),
        names=("stanford_cars",),
    ),
    PaperSet(
        *("aircraft", "FGVC Aircraft", 100, 6667, 3333, MEAN, "a photo of a {}, a type of aircraft.", 2),
        (69.4, 71.6, 52.0),
        names=("fgvc_aircraft",),
    ),
    PaperSet(
        *("voc2007", "Pascal VOC 2007", 20, 5011, 4952, "11-point mAP", "a photo of a {}.", 1, (89.6, 89.9, 87.7)),
        names=("voc", "pascal_voc"),
        note="several labels an image: a table with one row an image, labels joined by |, or one row a label",
    ),
    PaperSet(
        *("dtd", "Describable Textures", 47, 3760, 1880, "accuracy", "a photo of a {} texture.", 8, (82.1, 83.0, 76.5)),
        note="split 1",
    ),
    PaperSet(
        *("pets", "Oxford-IIIT Pets", 37, 3680, 3669, MEAN, "a photo of a {}, a type of pet.", 1, (95.1, 95.1, 90.0)),
        names=("oxford_pets",),
    ),
    PaperSet("caltech101", "Caltech-101", 102, 3060, 6085, MEAN, "a photo of a {}.", 34, (96.5, 96.0, 93.0)),
    PaperSet(
        *("flowers102", "Oxford Flowers 102", 102, 2040, 6149, MEAN, "a photo of a {}, a type of flower.", 1),
        (99.2, 99.2, 96.9),
        names=("oxford_flowers",),
    ),
    PaperSet("mnist", "MNIST", 10, 60000, 10000, "accuracy", 'a photo of the number: "{}".', 1, (99.2, 99.2, 99.0)),
    PaperSet(
        *("fer2013", "FER 2013", 8, 32140, 3574, "accuracy", "a photo of a {} looking face.", 6, (72.2, 72.9, 69.2)),
        names=("facial_emotion",),
        note="several names a class in the released prompts",
    ),
    PaperSet("stl10", "STL-10", 10, 1000, 8000, "accuracy", "a photo of a {}.", 2, (99.7, 99.7, 98.3)),
    PaperSet(
        *("eurosat", "EuroSAT", 10, 10000, 5000, "accuracy", "a centered satellite photo of {}.", 3),
        (98.2, 98.1, 97.0),
    ),
    PaperSet("resisc45", "RESISC45", 45, 3150, 25200, "accuracy", "satellite imagery of {}.", 18, (94.1, 94.9, 90.5)),
    PaperSet(
        *("gtsrb", "GTSRB", 43, 26640, 12630, "accuracy", 'a zoomed in photo of a "{}" traffic sign.', 3),
        (92.5, 92.4, 85.3),
    ),
    PaperSet(
        *("kitti", "KITTI distance", 4, 6770, 711, "accuracy", "{}", 1, (64.7, 69.2, 66.2)), names=("kitti_distance",)
    ),
    PaperSet(
        *("country211", "Country211", 211, 31650, 21100, "accuracy", "a photo i took in {}.", 5, (42.9, 46.4, 27.8)),
        note="150 and 100 images a class",
    ),
    PaperSet(
        *("pcam", "PatchCamelyon", 2, 294912, 32768, "accuracy", "this is a photo of {}", 1, (85.8, 85.6, 83.9)),
        names=("patch_camelyon",),
    ),
    PaperSet(
        *("ucf101", "UCF101", 101, 9537, 1794, "accuracy", "a photo of a person {}.", 48, (91.5, 92.0, 85.5)),
        note="middle frame of each video",
    ),
    PaperSet(
        *("kinetics700", "Kinetics-700", 700, 494801, 31669, "mean of top 1 and top 5", "a photo of {}.", 28),
        (72.0, 73.0, 61.7),
        note="middle frame of each video",
    ),
    PaperSet(
        *("clevr", "CLEVR Counts", 8, 2000, 500, "accuracy", "a photo of {} objects.", 1, (57.8, 60.3, 52.1)),
        names=("clevr_counts",),
    ),
    PaperSet("hateful_memes", "Hateful Memes", 2, 8500, 500, "ROC AUC", "a {}.", 1, (76.2, 77.3, 66.7)),
    PaperSet(
        *("sst2", "Rendered SST2", 2, 7792, 1821, "accuracy", "a {} review of a movie.", 1, (80.8, 80.5, 70.8)),
        names=("rendered_sst2",),
    ),
    PaperSet(
        *("imagenet", "ImageNet", 1000, 1281167, 50000, "accuracy", "a photo of a {}.", 80, (83.9, 85.4, 76.1)),
        names=("imagenet1k", "ilsvrc2012"),
    ),
)


def paper_set(name: str) -> PaperSet | None:
    """Return the data set that a folder's name means, or None; case, spaces and signs do not matter."""
    plain = _plain(name)
    for row in PAPER_SETS:
        if plain in {_plain(one) for one in (row.key, row.title, *row.names)}:
            return row
    return None


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
