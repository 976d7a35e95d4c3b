"""What was published about one checkpoint, as a row of data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Loader = Literal["transformers", "open_clip", "fake", "edited", "timm"]
Score = Literal["softmax", "sigmoid"]


@dataclass(frozen=True)
class ModelSpec:
    """One checkpoint; None means: not known here."""

    key: str  # what `--model` takes
    title: str  # what a screen shows
    loader: Loader
    repo: str | None = None  # repository on the Hugging Face Hub; None for what is shipped or local
    revision: str | None = None  # the commit that holds safetensors: all 40 digits, or its first seven
    architecture: str | None = None  # open_clip's name, with -quickgelu where the weights need it
    image_tower: str | None = None  # its name in the literature, where `architecture` does not say it
    folder: Path | None = None  # where a local or shipped checkpoint lies
    licence: str | None = None
    paper: str | None = None
    trained_on: str | None = None
    parameters: int | None = None  # both towers
    download_bytes: int | None = None
    image_size: int | None = None  # side of the square, pixels
    context_length: int | None = None  # tokens
    dim: int | None = None  # width of the joint space
    score: Score = "softmax"
    english_only: bool = True
    sha256: dict[str, str] = field(default_factory=dict)  # file name -> hash; empty until the first download
    note: str = ""
    base: str = ""  # key of the model that an edited one was made from
