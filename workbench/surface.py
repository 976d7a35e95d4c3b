"""The functions of the notebook surface: a model from its key or folder, and questions to one or several models."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeAlias, TypedDict, Unpack, cast, overload

from workbench.engine import Engine
from workbench.errors import BadInput, unknown_name
from workbench.model import Model
from workbench.prompts import DEFAULT, read_templates
from workbench.watching import Watch, outcome

if TYPE_CHECKING:
    from pandas import DataFrame

    from workbench.engine import Session
    from workbench.image_inputs import ImageLike
    from workbench.loading.torch_backend import TorchBackend
    from workbench.probes.labelled import LabelledImages
    from workbench.results.evaluations import LinearProbe, ModelComparison
    from workbench.results.predictions import ClassifyOptions, Prediction, Predictions

    ModelLike: TypeAlias = Model | Session | TorchBackend | str | os.PathLike[str]
    Folder: TypeAlias = str | os.PathLike[str] | LabelledImages


class EvaluateOptions(TypedDict, total=False):
    """What may be given with `evaluate`; everything has a default."""

    shots: Sequence[int]  # images a class of the few-shot probes: 1, 4, 16
    seeds: int  # drawings of each few-shot probe: 10
    templates: str | Sequence[str]  # see `Model.classify`
    early: bool  # drop models that are clearly below the best
    engine: Engine  # for models that are keys, in place of one of its own


class ProbeOptions(TypedDict, total=False):
    """What may be given with `probe`; everything has a default."""

    solver: str  # auto, scikit-learn or torch
    search: str  # how the L2 penalty is found: paper (96 steps), or bracket (CoOp's code)
    points_to: bool  # also name the images and words that each class points to


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


@overload
def classify(  # type: ignore[overload-overlap]  # a path is an iterable of letters too
    model: ModelLike, images: ImageLike, labels: Sequence[str], **options: Unpack[ClassifyOptions]
) -> Prediction: ...
@overload
def classify(
    model: ModelLike, images: Iterable[ImageLike], labels: Sequence[str], **options: Unpack[ClassifyOptions]
) -> Predictions: ...
def classify(
    model: ModelLike,
    images: ImageLike | Iterable[ImageLike],
    labels: Sequence[str],
    **options: Unpack[ClassifyOptions],
) -> Prediction | Predictions:
    """Classify one image or many with any labels; see `Model.classify` for the options.

    Example:
        >>> import workbench as wb
        >>> wb.classify("pocket", wb.sample("cat"), ["cat", "dog"]).label
        'cat'
    """
    return as_model(model).classify(images, labels, **options)


def evaluate(
    folder: Folder,
    *,
    models: ModelLike | Sequence[ModelLike] = "pocket",
    by: str = "probe",
    seed: int = 0,
    progress: Watch = None,
    **options: Unpack[EvaluateOptions],
) -> ModelComparison:
    """Compare models on labelled images: zero-shot, few shots, full probe, and whether their differences can be told.

    Args:
        folder: class folders, with `train/` and `test/` above them where both are given; a zip; or a table.
        models: one or several: keys, folders, what `load` returns; `timm:NAME` is an image tower alone.
        by: what decides which is best: zero-shot or probe.
        seed: of parts that are not given, and of few-shot drawings.
        progress: see `Model`.
        options: see `EvaluateOptions`.

    Raises:
        BadInput: fewer than two classes, a model twice, or something else that cannot be used.
        UnknownName, WeightsMissing, WeightsRefused: see `load`.

    Example:
        >>> import workbench as wb
        >>> wb.evaluate("photos", models=["pocket", "fake"], by="zero-shot", shots=[]).best
        'pocket'
    """
    from workbench.probes.evaluation import PROBE, SHOTS, ZERO_SHOT, Ways
    from workbench.probes.table import EvaluationRequest
    from workbench.results.evaluations import compare_models

    if by not in (ZERO_SHOT, PROBE):
        raise unknown_name("column", by, (ZERO_SHOT, PROBE))
    shots, seeds = tuple(options.get("shots", SHOTS)), options.get("seeds", 10)
    if seeds < 1 or any(count < 1 for count in shots):
        raise BadInput(f"Shots and seeds are 1 or more; got {list(shots)} and {seeds}.")
    ways = Ways(shots, seeds, seed, read_templates(options.get("templates", DEFAULT)))
    several = cast("Sequence[ModelLike]", models if isinstance(models, list | tuple) else [models])
    images = _labelled(folder, seed)
    with ExitStack() as stack:
        engine = options.get("engine") or stack.enter_context(Engine())
        keys = [os.fspath(one) if isinstance(one, str | os.PathLike) else engine.hold(as_model(one).backend)
                for one in several]  # fmt: skip
        question = EvaluationRequest(images, tuple(keys), ways, by, options.get("early", False), seed)
        return outcome(compare_models(engine, question), progress)


def probe(
    folder: Folder,
    model: ModelLike = "pocket",
    *,
    seed: int = 0,
    alpha: float = 0.1,
    progress: Watch = None,
    **options: Unpack[ProbeOptions],
) -> LinearProbe:
    """Fit the CLIP paper's linear probe: features before the projection, one penalty chosen on validation images.

    Args:
        folder: class folders, with `train/` and `test/` above them where both are given; a zip; or a table.
        model: a key, a folder, or what `load` returns.
        seed: of parts that are not given.
        alpha: conformal sets miss the true class with at most this probability.
        progress: see `Model`.
        options: see `ProbeOptions`.

    Raises:
        BadInput: fewer than two classes, or something else that cannot be used.

    Source:
        Radford et al. 2021, arXiv:2103.00020, appendix A.3.

    Example:
        >>> import workbench as wb
        >>> wb.probe("photos", "pocket").accuracy.n
        4
    """
    from workbench.results.evaluations import fit_probe

    check_probe(alpha, options)
    images, loaded = _labelled(folder, seed), as_model(model)
    return outcome(fit_probe(loaded.session, images, alpha=alpha, **options), progress)


def check_probe(alpha: float, options: ProbeOptions) -> None:
    """Refuse options of a probe before any image is read.

    Raises:
        BadInput: an alpha outside of 0..1.
        UnknownName: no such solver or search.
    """
    from workbench.results.evaluations import SEARCHES, SOLVERS

    for name, known in (("solver", SOLVERS), ("search", SEARCHES)):
        if (given := options.get(name)) is not None and given not in known:
            raise unknown_name(name, str(given), known)
    if not 0 < alpha < 1:
        raise BadInput(f"The alpha of conformal sets lies between 0 and 1; got {alpha}.")


def catalogue() -> DataFrame:
    """List the models that `load` knows: key, title, licence, what it was trained on, and whether it is here.

    Example:
        >>> import workbench as wb
        >>> wb.catalogue().set_index("key").loc["pocket", "here"].item()
        True
    """
    import pandas as pd

    from workbench.loading.listing import rows

    names = ["key", "title", "licence", "trained_on", "parameters", "image_size", "dim", "score", "here"]
    return pd.DataFrame(rows())[names]


def _labelled(folder: Folder, seed: int) -> LabelledImages:
    from workbench.probes.labelled import LabelledImages, read_labelled

    return folder if isinstance(folder, LabelledImages) else read_labelled(os.fspath(folder), seed=seed)
