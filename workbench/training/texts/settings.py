"""The settings of the recipe of texts, which the record beside the weights repeats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, ValidationError

from workbench.checkpoints.shipped import POCKET
from workbench.training.order import Order
from workbench.training.pocket.settings import Ingredients, begun, gathered
from workbench.training.recipe import refused
from workbench.training.record import TEXTS


class Settings(Ingredients):
    """Everything that decides the weights; written into `training.json`."""

    recipe: ClassVar[str] = TEXTS
    start: Path  # the checkpoint whose image tower stays
    pictures: Annotated[int, Field(ge=200)] = 60_000
    vector_steps: Annotated[int, Field(ge=1)] = 180
    scale: Annotated[float, Field(gt=0, le=100)] = 40.0  # of cosines, while vectors are fitted
    steps: Annotated[int, Field(ge=1)] = 3_000  # of the text tower, in each cycle
    cycles: Annotated[int, Field(ge=1)] = 2  # in which the rate rises and falls


def settings(order: Order) -> Settings:
    """Read an order: `data` is the folder of photos, `model` the checkpoint whose image tower stays.

    Raises:
        BadInput: no folder of photos, no such checkpoint, a number out of bounds, or a word that this recipe does not
            know.
        OutOfResources: a device that is not here.
    """
    values = gathered(order, TEXTS) | begun(order.model or POCKET.key, TEXTS)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise refused(TEXTS, error) from None
