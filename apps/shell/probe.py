"""`probe`: the CLIP paper's linear probe on a folder of labelled images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from apps.shell._labelled import CacheOption, FolderArgument, opened_engine, read_and_say
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption, SeedOption
from workbench.cli.output import say, write, write_json, write_rows
from workbench.cli.progress import watched
from workbench.models import find

if TYPE_CHECKING:
    from workbench.probes.labelled import LabelledImages
    from workbench.probes.linear import ProbeResult


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
    find(model)
    from workbench.surface import ProbeOptions, check_probe
    from workbench.surface import probe as fit

    given: ProbeOptions = {"solver": solver, "search": search, "points_to": points}
    check_probe(alpha, given)
    images = read_and_say(folder, seed)
    with (
        opened_engine(model, device, dtype, cache=cache) as engine,
        engine.session("shell", keep_pictures=cache) as opened,
        watched("Stopped; nothing was measured.") as watch,
    ):
        result = fit(images, opened, alpha=alpha, progress=watch, **given)
    for line in result.left_out[:3]:
        say(f"Left out: {line}")
    if as_json:
        write_json(result.to_dict())
        return
    _print(result.result, result.images, alpha)
    for one in result.points_to or ():
        sure = ", ".join(image["path"] for image in one["images"][:3])
        near = ", ".join(f"{word['word']} ({word['correlation']:.2f})" for word in one["words"][:3])
        write(f"{one['class']}: surest of {sure}; goes with {near or 'no word: the model has no text tower'}")
    say(f"Seed {images.seed}; features of width {result.width}, before the projection.")


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
