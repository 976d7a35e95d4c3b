"""`probe`: the CLIP paper's linear probe on a folder of labelled images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.shell._labelled import CacheOption, FolderArgument, embed_and_show, opened_engine, read_and_say
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption, SeedOption
from workbench.cli.output import say, write, write_json, write_rows
from workbench.cli.progress import progress
from workbench.errors import BadInput, unknown_name
from workbench.models import find

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.engine import Session
    from workbench.probes.embedding import ImageFeatures
    from workbench.probes.labelled import LabelledImages
    from workbench.probes.linear import ProbeResult

SOLVERS = ("auto", "scikit-learn", "torch")
SEARCHES = ("paper", "bracket")


def probe(
    folder: FolderArgument,
    model: ModelOption = "pocket",
    seed: SeedOption = 0,
    solver: Annotated[
        str, typer.Option("--solver", help="auto, scikit-learn or torch (the same optimum, faster on big data).")
    ] = "auto",
    search: Annotated[
        str, typer.Option("--search", help="How the L2 penalty is found: paper (96 steps), or bracket (CoOp's code).")
    ] = "paper",
    alpha: Annotated[
        float, typer.Option("--alpha", help="Conformal sets miss the true class with at most this probability.")
    ] = 0.1,
    points: Annotated[
        bool, typer.Option("--points-to", help="Also the images and words that each class points to.")
    ] = False,
    cache: CacheOption = False,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Fit the CLIP paper's linear probe: features before the projection, one penalty chosen on validation images."""
    for kind, name, names in (("solver", solver, SOLVERS), ("search", search, SEARCHES)):
        if name not in names:
            raise unknown_name(kind, name, names)
    find(model)
    if not 0 < alpha < 1:
        raise BadInput(f"--alpha lies between 0 and 1; got {alpha}.")
    images = read_and_say(folder, seed)
    from workbench.probes.linear import probe as fit
    from workbench.probes.strength import bracket_search, parametric_search

    with opened_engine(model, device, dtype, cache=cache) as engine, engine.session("shell", keep_pictures=cache) as at:
        images, made = embed_and_show(at, images)
        cosines = _cosines(at, made) if points else None
    with progress() as bar:
        bar.add_task("Fitting", total=None)
        way = parametric_search if search == "paper" else bracket_search
        result = fit(made.features, images, solver=solver, search=way)  # type: ignore[arg-type]
    pointed = _pointed(result, made, images, cosines) if cosines is not None else None
    if as_json:
        more = {} if pointed is None else {"points_to": pointed}
        write_json(_plain(result, images, model=model, width=made.features.shape[1], alpha=alpha) | more)
        return
    _print(result, images, alpha)
    for one in pointed or ():
        sure = ", ".join(image["path"] for image in one["images"][:3])
        near = ", ".join(f"{word['word']} ({word['correlation']:.2f})" for word in one["words"][:3])
        write(f"{one['class']}: surest of {sure}; goes with {near or 'no word: the model has no text tower'}")
    say(f"Seed {images.seed}; features of width {made.features.shape[1]}, before the projection.")


def _cosines(session: Session, made: ImageFeatures) -> NDArray[np.float64]:
    """(n, w) cosines of the images with each word of everyday; no column without a text tower."""
    import numpy as np

    from workbench.neurons.vocabulary import common_words, embed_words

    if not made.embeddings.shape[1]:
        return np.zeros((len(made.features), 0))
    answer: NDArray[np.float64] = made.embeddings @ embed_words(session, common_words()).numpy().T
    return answer


def _pointed(
    result: ProbeResult, made: ImageFeatures, images: LabelledImages, cosines: NDArray[np.float64]
) -> list[dict[str, Any]]:
    from workbench.neurons.vocabulary import common_words
    from workbench.probes.pointing import pointings

    words = common_words() if cosines.shape[1] else ()
    logits = result.model.logits(made.features)
    return [
        {
            "class": one.name,
            "images": [{"path": images.samples[at].name, "logit": logit} for at, logit in one.images],
            "words": [{"word": word, "correlation": value} for word, value in one.words],
        }
        for one in pointings(logits, cosines, classes=images.classes, words=words)
    ]


def _print(result: ProbeResult, images: LabelledImages, alpha: float) -> None:
    from workbench.probes.sets import conformal_sets

    write(f"Accuracy on {result.accuracy.n} test images: {result.accuracy}")
    write(f"Mean over classes: {result.per_class}")
    write(f"Expected calibration error: {result.calibration}")
    write(f"L2 penalty: {result.strength:.3g}, chosen on {int(images.rows('validation').sum())} validation images")
    sweep = [(f"{strength:.3g}", f"{100 * score:.1f} %") for strength, score in result.sweep.points]
    write_rows(("penalty", "validation accuracy"), sweep, right=("penalty", "validation accuracy"))
    rows = [
        (
            name,
            share.n,
            f"{100 * (share.value or 0):.1f} %",
            f"{100 * (share.low or 0):.1f} %",
            f"{100 * (share.high or 0):.1f} %",
        )
        for name, share in result.classes.items()
    ]
    write_rows(("class", "test images", "right", "low", "high"), rows, right=("test images", "right", "low", "high"))
    for method, one in conformal_sets(result.probabilities, images, alpha=alpha).items():
        write(f"Sets ({method}, alpha {alpha:g}): hold the true class {one.coverage}; mean size {one.mean_size:.2f}")


def _plain(result: ProbeResult, images: LabelledImages, *, model: str, width: int, alpha: float) -> dict[str, Any]:
    from workbench.probes.sets import conformal_sets

    share, error = result.accuracy, result.calibration
    sets = conformal_sets(result.probabilities, images, alpha=alpha)
    return {
        "accuracy": share.value,
        "low": share.low,
        "high": share.high,
        "n": share.n,
        "strength": result.strength,
        "model": model,
        "width": width,
        "seed": images.seed,
        "mean_per_class": result.per_class.value,
        "mean_per_class_low": result.per_class.low,
        "mean_per_class_high": result.per_class.high,
        "calibration_error": error.value,
        "calibration_error_by_chance": error.null_q95,
        "calibration_error_p_value": error.p_value,
        "images": {part: int(images.rows(part).sum()) for part in ("train", "validation", "test")},
        "given": list(images.given),
        "sets": [
            {
                "method": method,
                "alpha": alpha,
                "coverage": one.coverage.value,
                "low": one.coverage.low,
                "high": one.coverage.high,
                "n": one.coverage.n,
                "mean_size": one.mean_size,
                "empty": one.empty.value,
            }
            for method, one in sets.items()
        ],
        "sweep": [{"strength": strength, "accuracy": score} for strength, score in result.sweep.points],
        "classes": [
            {"class": name, "accuracy": one.value, "low": one.low, "high": one.high, "n": one.n}
            for name, one in result.classes.items()
        ],
    }
