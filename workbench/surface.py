"""The functions of the notebook surface: a model from its key or folder, and questions to one or several models."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.errors import BadInput
from workbench.model import Model

if TYPE_CHECKING:
    from workbench.engine import Session
    from workbench.image_inputs import ImageLike
    from workbench.loading.torch_backend import TorchBackend
    from workbench.results.predictions import Prediction, Predictions

    ModelLike: TypeAlias = Model | Session | TorchBackend | str | os.PathLike[str]


def load(key: str | os.PathLike[str] = "pocket", *, device: str = "auto", dtype: str = "auto") -> Model:
    """Load a model that is on this machine.

    Args:
        key: a key of the catalogue (see `models`), a folder with a checkpoint, or the folder of an edited model.
        device: auto, cpu, cuda, mps, or openvino (the CPU; OpenVINO embeds images, torch does everything else).
        dtype: auto (float32 on the CPU, bfloat16 on CUDA), float32, bfloat16 or float16.

    Raises:
        UnknownName: no such model.
        BadInput: no such device or dtype.
        WeightsMissing: the checkpoint is not on this machine; the message names the command that fetches it.
        WeightsRefused: the files are not what was recorded, are no safetensors, or ask for code of their own.
        OutOfResources: this machine has no such device.

    Example:
        >>> import workbench as wb
        >>> wb.load("pocket", device="cpu")
        Model(pocket, EfficientNet-Lite0, 384-d, cpu)
    """
    from workbench import loading

    return Model(loading.load(os.fspath(key), device=device, dtype=dtype))


def as_model(model: ModelLike) -> Model:
    """Return a loaded model: itself, or what a key, a folder, a session or a checkpoint in memory stands for.

    Raises:
        BadInput: none of these; see `load` for keys and folders.
    """
    if isinstance(model, Model):
        return model
    if isinstance(model, str | os.PathLike):
        return load(model)
    if not hasattr(model, "spec"):
        raise BadInput(
            f"A model is a key such as 'pocket', a folder, or what `load` returns; got {type(model).__name__}."
        )
    return Model(model)


def classify(
    model: ModelLike, images: ImageLike | Iterable[ImageLike], labels: Sequence[str], **options: Any
) -> Prediction | Predictions:
    """Classify one image or many with any labels; see `Model.classify` for the options.

    Example:
        >>> import workbench as wb
        >>> wb.classify("pocket", wb.sample("cat"), ["cat", "dog"]).label
        'cat'
    """
    return as_model(model).classify(images, labels, **options)
