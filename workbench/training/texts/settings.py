"""The settings of the recipe of texts, which the record beside the weights repeats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationError

from workbench.checkpoints.shipped import POCKET
from workbench.training.order import Order
from workbench.training.pocket.settings import Ingredients, Share, begun, gathered
from workbench.training.recipe import refused
from workbench.training.record import TEXTS
from workbench.training.texts.vectors import BEATS, OWN, WEIGHTS, Goals

OF_TOWER: dict[str, dict[str, Any]] = {  # what its pictures want; chosen on selection pictures
    "lite0": {
        **{"own": 0.7, "attacked": 0.45, "noted": 0.97},
        "weights": {
            "beats": 2.0,
            "read on things": 0.2,
            "read as photo": 0.3,
            "photo": 8.0,
            "colour": 2.5,
            "count": 0.6,
        },
    },
    "lite2": {},
}


class Settings(Ingredients):
    """Everything that decides the weights; written into `training.json`."""

    recipe: ClassVar[str] = TEXTS
    start: Path  # the checkpoint whose image tower stays
    pictures: Annotated[int, Field(ge=200)] = 60_000
    vector_steps: Annotated[int, Field(ge=1)] = 180
    scale: Annotated[float, Field(gt=0, le=100)] = 40.0  # of cosines, while vectors are fitted
    own: Share = OWN  # of a photo's answer; the rest is the classifier's and its label's
    attacked: Share = BEATS["attacked"]  # how sure a printed word on a thing is to beat the thing
    noted: Share = BEATS["noted"]  # and a handwritten one
    weights: dict[str, float] = Field(default_factory=dict)  # of losses, where others than usual
    steps: Annotated[int, Field(ge=1)] = 3_000  # of the text tower, in each cycle
    cycles: Annotated[int, Field(ge=1)] = 2  # in which the rate rises and falls

    def goals(self, scale: float) -> Goals:
        """What pictures want of vectors, where the model has cosines at `scale`."""
        beats = {"attacked": self.attacked, "noted": self.noted}
        return Goals((scale, self.scale), self.own, beats, WEIGHTS | self.weights)


def settings(order: Order) -> Settings:
    """Read an order: `data` is the folder of photos, `model` the checkpoint whose image tower stays.

    Raises:
        BadInput: no folder of photos, no such checkpoint, a number out of bounds, or a word that this recipe does not
            know.
        OutOfResources: a device that is not here.
    """
    values = gathered(order, TEXTS) | begun(order.model or POCKET.key, TEXTS)
    values |= OF_TOWER[values["image_tower"]]
    try:
        return Settings(**values)
    except ValidationError as error:
        raise refused(TEXTS, error) from None
