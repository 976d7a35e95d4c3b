"""Every setting that decides an image; written into its PNG and read back from there."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from workbench.errors import BadInput
from workbench.generation.canvases.kinds import CANVASES, OTHER_METHODS
from workbench.generation.prompts import parse_prompt
from workbench.places import shipped
from workbench.strict import Strict

BY_CHECKPOINT = ("diffusion", "latents")  # methods that need a folder in diffusers' format
PRIOR_FOLDER = shipped("prior")  # of the shipped prior


class Settings(Strict):
    """One image. A value that a method does not use changes nothing."""

    prompt: Annotated[str, Field(max_length=4000)]
    method: Annotated[str, Field(max_length=100)] = "fourier"  # a key of `methods`
    model: Annotated[str, Field(max_length=400)] = "pocket"  # a key of the catalogue, or a folder
    also: Annotated[tuple[str, ...], Field(max_length=4)] = ()  # further models that steer, with equal weight
    judge: Annotated[str, Field(max_length=400)] = ""  # a model that steers nothing and looks at the result
    checkpoint: Annotated[str, Field(max_length=400)] = ""  # a folder in diffusers' format, or a StyleGAN2 file
    classes: Annotated[str, Field(max_length=1000)] = ""  # as a prompt, of a class-conditioned checkpoint
    image_weights: Annotated[tuple[float, ...], Field(max_length=4)] = ()  # of the image prompts
    image_prompts: Annotated[tuple[str, ...], Field(max_length=4)] = ()  # SHA-256 of their pixels
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    seconds: Annotated[float, Field(gt=0, le=3600)] = 20.0  # of optimising; counts where `steps` is 0
    steps: Annotated[int, Field(ge=0, le=100_000)] = 0  # the same number of steps gives the same image
    side: Annotated[int, Field(ge=32, le=1024)] = 256  # pixels
    cutouts: Annotated[int, Field(ge=1, le=256)] = 8
    cutout_side: Annotated[int, Field(ge=0, le=1024)] = 0  # pixels that the model gets; 0: what suits the model
    wide: Annotated[float, Field(ge=0, le=1)] = 0.8  # share of cutouts that show nearly the whole image
    augment: bool = True
    rate: Annotated[float, Field(ge=0, le=10)] = 0.0  # learning rate; 0: the canvas's own
    smooth: Annotated[float, Field(ge=0, le=10)] = 0.2  # weight against differences of neighbouring pixels
    symmetry: Annotated[float, Field(ge=0, le=10)] = 0.0  # weight for left and right being alike
    clipping: Annotated[float, Field(ge=0, le=10)] = 0.0  # weight against values within 5 % of black or white
    saturation: Annotated[float, Field(ge=0, le=4)] = 1.0  # of the colour axes (Fourier)
    decay: Annotated[float, Field(ge=0, le=3)] = 1.5  # of frequencies (Fourier); higher is smoother
    strokes: Annotated[int, Field(ge=1, le=400)] = 48
    cells: Annotated[int, Field(ge=2, le=256)] = 32  # squares in a row (pixels)
    palette: Literal["free", "poster", "grey"] = "free"  # (pixels)
    drawing: Literal["any", "google", "twitter", "noto-v1", "emojione", "scene"] = "any"  # style (prior)
    candidates: Annotated[int, Field(ge=1, le=64)] = 8  # of a round, ranked by the model (prior, diffusion)
    guidance: Annotated[float, Field(ge=0, le=20)] = 3.0  # how far texts are stressed (prior, diffusion)
    denoising: Annotated[int, Field(ge=2, le=200)] = 16  # steps from noise to image (prior, diffusion)
    search: Literal["fresh", "near"] = "fresh"  # noise of each round: new, or near that of the best (prior, diffusion)
    guide: Literal["none", "mpgd", "dps", "freedom", "universal", "tfg"] = "mpgd"  # how `push` follows the score
    push: Annotated[float, Field(ge=0, le=20)] | None = None  # along it; not in edits; none: 1 for the prior
    noising: Annotated[float, Field(ge=0, le=1)] = 0.6  # how far a start image is noised (prior, diffusion)
    neutral: Annotated[str, Field(max_length=1000)] = ""  # an edit goes from this sentence to the prompt
    strength: Annotated[float, Field(ge=-3, le=3)] = 1.0  # of an edit; below zero, away from the prompt
    edit: Literal["follow", "gradient", "direction"] = "follow"  # of the prior; see docs/generation.md
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.1  # of a direction: latents that matter less stay as they are
    likeness: Annotated[float, Field(ge=0, le=10)] = 0.5  # weight for staying near the start image
    start_image: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""  # SHA-256 of the start image's pixels

    @field_validator("prompt")
    @classmethod
    def _readable(cls, given: str) -> str:
        try:
            parse_prompt(given)
        except BadInput as error:
            raise ValueError(str(error)) from None
        return given

    @field_validator("method")
    @classmethod
    def _known(cls, given: str) -> str:
        if given not in OTHER_METHODS and given not in CANVASES:
            raise ValueError(f"the methods are {', '.join(methods())}")
        return given

    @field_validator("model")
    @classmethod
    def _named(cls, given: str) -> str:
        if not given.strip():
            raise ValueError("a model has a name")
        return given


def methods() -> dict[str, str]:
    """Return the title of each way to generate by key."""
    return {
        "prior": "Prior: drawings by diffusion, guided by the model",
        **{key: row.title for key, row in CANVASES.items()},
        "diffusion": "Diffusion: a checkpoint of yours",
        "latents": "Latents: an autoencoder of yours",
    }


def editable() -> tuple[str, ...]:
    """Return the methods that can begin with any image."""
    return (*(key for key, row in CANVASES.items() if row.editable), "latents", "prior", "diffusion")


def read_settings(values: dict[str, Any]) -> Settings:
    """Check settings from a form, a command line or a PNG.

    Raises:
        BadInput: an unknown name or a value out of bounds; three at most are named.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        rows = error.errors()
        if len(rows) == 1 and rows[0]["loc"] == ("prompt",):
            raise BadInput(rows[0]["msg"].removeprefix("Value error, ")) from None
        problems = "; ".join(
            f"{'.'.join(map(str, row['loc']))}: {row['msg']} (got {str(row['input'])[:60]!r})" for row in rows[:3]
        )
        raise BadInput(f"These settings cannot be used: {problems}.") from None
