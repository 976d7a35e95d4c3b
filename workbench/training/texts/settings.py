"""The settings of recipes that begin from a checkpoint, which the record beside the weights repeats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import Field, ValidationError

from workbench.checkpoints.shipped import POCKET
from workbench.loading.hf import preprocessing_of
from workbench.training.order import PROJECTION, SYNONYMS, TEXTS, Order
from workbench.training.pocket.settings import Ingredients, Share, begun, gathered
from workbench.training.recipe import refused
from workbench.training.texts.vectors import BEATS, OWN, WEIGHTS, Goals

OF_TOWER: dict[str, dict[str, Any]] = {  # what its pictures want; chosen on selection pictures
    "lite0": {
        **{"pictures": 30_000, "own": 0.7, "attacked": 0.15, "noted": 0.97},
        "weights": {
            "beats": 2.0,
            "read on things": 0.2,
            "read as photo": 0.3,
            "photo": 8.0,
            "colour": 2.5,
            "count": 0.6,
        },
    },
    "lite2": {
        **{"pictures": 30_000, "own": 0.97, "attacked": 0.6, "noted": 0.995},
        "weights": {"photo": 20.0, "photo bare": 1.0, "beats": 16.0, "pair": 1.0},
    },
}
PROJECTIONS: dict[str, dict[str, Any]] = {  # likewise
    "lite0": {
        **{"own": 0.3, "attacked": 0.3, "noted": 0.99, "stay": 20.0},
        "weights": {
            **{"beats": 2.0, "read on things": 0.2, "read as photo": 0.3, "photo": 14.0, "photo bare": 0.2},
            **{"drawing": 5.0, "colour": 5.0, "count": 1.0, "alone": 0.5},
        },
    },
    "lite2": {
        **{"pictures": 30_000, "own": 0.3, "attacked": 0.6},
        "weights": {"photo": 14.0, "drawing": 5.0, "colour": 4.0, "count": 1.0, "alone": 0.4},
    },
}


class Begun(Ingredients):
    """What begins from a checkpoint of the pocket recipe."""

    recipe: ClassVar[str]
    of_tower: ClassVar[dict[str, dict[str, Any]]]  # what is set for each image tower
    start: Path  # the checkpoint
    size: int  # pixels a side of what it sees


class Seeing(Begun):
    """What pictures a checkpoint looks at, and what these want of its texts; its image tower stays."""

    pictures: Annotated[int, Field(ge=200)] = 60_000
    scale: Annotated[float, Field(gt=0, le=100)] = 40.0  # of cosines, while anything is fitted
    own: Share = OWN  # of a photo's answer; the rest is the classifier's and its label's
    attacked: Share = BEATS["attacked"]  # how sure a printed word on a thing is to beat the thing
    noted: Share = BEATS["noted"]  # and a handwritten one
    weights: dict[str, float] = Field(default_factory=dict)  # of losses, where others than usual

    def goals(self, scale: float) -> Goals:
        """What pictures want of vectors, where the model has cosines at `scale`."""
        beats = {"attacked": self.attacked, "noted": self.noted}
        return Goals((scale, self.scale), self.own, beats, WEIGHTS | self.weights)


class Settings(Seeing):
    """Everything that decides the weights of a text tower; written into `training.json`."""

    recipe: ClassVar[str] = TEXTS
    of_tower: ClassVar[dict[str, dict[str, Any]]] = OF_TOWER
    vector_steps: Annotated[int, Field(ge=1)] = 180
    steps: Annotated[int, Field(ge=1)] = 1_500  # of the text tower, in each cycle
    cycles: Annotated[int, Field(ge=1)] = 1  # in which the rate rises and falls


class SynonymsSettings(Seeing):
    """Everything that decides the weights of a text tower that knows synonyms better; written into `training.json`."""

    recipe: ClassVar[str] = SYNONYMS
    of_tower: ClassVar[dict[str, dict[str, Any]]] = {"lite0": {"nearer": 0.5}, "lite2": {"nearer": 0.6}}
    pictures: Annotated[int, Field(ge=200)] = 3_000  # that say which directions count
    nearer: Share = 0.5  # of the way to its class's first name, a sentence of another of its names
    steps: Annotated[int, Field(ge=1)] = 2_000
    pace: Annotated[float, Field(gt=0, le=1)] = 0.6  # of the rates of texts


class ProjectionSettings(Seeing):
    """Everything that decides the weights of a projection; written into `training.json`."""

    recipe: ClassVar[str] = PROJECTION
    of_tower: ClassVar[dict[str, dict[str, Any]]] = PROJECTIONS
    steps: Annotated[int, Field(ge=1)] = 30
    stay: Annotated[float, Field(ge=0)] = 10.0  # against the mean squared way of a picture's embedding


_Kind = TypeVar("_Kind", bound=Begun)


def settings(order: Order, kind: type[_Kind]) -> _Kind:
    """Read an order: `data` is the folder of photos, `model` the checkpoint.

    Raises:
        BadInput: no folder of photos, no such checkpoint, a number out of bounds, or a word that this recipe does not
            know.
        WeightsRefused: the checkpoint does not say how pictures are prepared.
        OutOfResources: a device that is not here.
    """
    values = gathered(order, kind.recipe) | begun(order.model or POCKET.key, kind.recipe)
    values |= kind.of_tower[values["image_tower"]] | {"size": preprocessing_of(values["start"]).size}
    try:
        return kind(**values)
    except ValidationError as error:
        raise refused(kind.recipe, error) from None
