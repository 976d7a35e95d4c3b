"""A training recipe as a file: model, data, loss, schedule, precision; each with bounds and a default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from workbench.errors import BadInput, unknown_name
from workbench.prompts import check_templates
from workbench.strict import Strict
from workbench.training.order import CAPTIONS
from workbench.yaml_file import load

SHIPPED = Path(__file__).parent / "recipes"

_Rate = Annotated[float, Field(gt=0, le=1)]


class Data(Strict):
    """Where the pairs come from."""

    path: str = ""  # a folder, a table, tars; not for shapes
    kind: Literal["auto", "folder", "csv", "parquet", "zip", "webdataset", "hf", "shapes"] = "auto"
    image: str = "image"  # a table's column of paths or bytes
    text: str = "text"  # a table's column of captions
    templates: tuple[str, ...] = ("a photo of a {}.",)  # for data with labels
    crop: Annotated[float, Field(gt=0, le=1)] = 0.7  # least part of a picture that a random crop keeps; 1: no crop
    validation: Annotated[int, Field(ge=0, le=10_000)] = 100  # pairs kept apart; at most a fifth of all
    unreadable: Annotated[int, Field(ge=0)] = 100  # pictures that may fail before training ends

    @field_validator("templates")
    @classmethod
    def _with_braces(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return check_templates(given)
        except BadInput as error:
            raise ValueError(str(error)) from None


class Recipe(Strict):
    """One training, from the model that it begins with to the last step."""

    model_config = ConfigDict(populate_by_name=True)

    name: Annotated[str, Field(max_length=100)] = "training"
    model: Annotated[str, Field(alias="from")] = "pocket"  # a key of the catalogue, or a folder
    data: Data = Data()
    loss: Literal["auto", "softmax", "sigmoid"] = "auto"  # auto: what the model was trained with
    multi_positive: bool = True  # equal captions or labels in a batch are right for each other
    lock: Literal["none", "image", "text"] = "none"  # the side that keeps its weights
    batch_norm: Literal["frozen", "learning"] = "frozen"
    steps: Annotated[int, Field(ge=1, le=100_000_000)] = 1000
    batch: Annotated[int, Field(ge=2, le=1_000_000)] = 64  # pairs of a step, over all processes
    chunk: Annotated[int, Field(ge=0)] = 0  # pairs embedded at once, by gradient caching; 0: all
    rate: _Rate = 1e-5  # highest learning rate
    warmup: Annotated[int, Field(ge=0)] = 50  # steps
    decay: Annotated[float, Field(ge=0, lt=10)] = 0.2
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.98)
    epsilon: Annotated[float, Field(gt=0, lt=1)] = 1e-6
    clip: Annotated[float, Field(ge=0)] = 1.0  # longest gradient; 0: as long as it is
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"  # auto: bfloat16 on CUDA, else float32
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    check_every: Annotated[int, Field(ge=1)] = 50  # steps between two measurements on the validation pairs
    save_every: Annotated[int, Field(ge=1)] = 200  # steps between two checkpoints

    @model_validator(mode="after")
    def _fits(self) -> Recipe:
        if self.batch_norm == "learning" and self.chunk:
            raise ValueError("batch_norm: learning cannot be combined with chunk: batch norm mixes its images")
        if self.data.kind != "shapes" and not self.data.path:
            raise ValueError("data.path names the training data, in the recipe or with --data")
        return self


def read_recipe(given: str, **changes: Any) -> Recipe:
    """Read a recipe: the path of a YAML file, or the name of a shipped one.

    Args:
        given: as the shell got it.
        changes: fields that take the place of the file's; `data` is the path of the data. None changes nothing.

    Raises:
        UnknownName: neither a file nor a shipped recipe.
        BadInput: no YAML, an unknown word, a value out of its bounds.
    """
    file = _file(given)
    read = load(file, "recipe") or {}
    if not isinstance(read, dict) or not isinstance(read.get("data") or {}, dict):
        raise BadInput(f"A recipe is a YAML file of settings such as “steps: 100”; {file.name!r} is not.")
    if changes.get("data") is not None:
        data = dict(read.get("data") or {})
        if data.get("kind") == "shapes":
            data.pop("kind")
        read["data"] = {**data, "path": changes.pop("data")}
    wanted = {("from" if name == "model" else name): value for name, value in changes.items() if value is not None}
    try:
        return Recipe.model_validate({**read, **wanted})
    except ValidationError as error:
        raise refused(file.name, error) from None


def refused(name: str, error: ValidationError) -> BadInput:
    """Say which words of a recipe are out of bounds, three at most.

    Args:
        name: of the recipe or its file.
        error: what reading it against its bounds raised.
    """
    problems = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'recipe'}: {one['msg']}" for one in error.errors()[:3])
    return BadInput(f"The recipe {name!r} cannot be used: {problems}.")


def shipped() -> list[str]:
    """Return the names of the recipes that come with the workbench."""
    return sorted(file.stem for file in SHIPPED.glob("*.yaml"))


def _file(given: str) -> Path:
    if given in shipped():
        return SHIPPED / f"{given}.yaml"
    if given.endswith((".yaml", ".yml")):
        return Path(given)
    raise unknown_name("recipe", given, (CAPTIONS, *shipped(), "race", "a file that ends in .yaml"))
