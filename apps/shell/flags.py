"""`flags`: how well scores flag images that show none of a folder's classes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from apps.shared.percentages import percent
from apps.shell._labelled import CacheOption, FolderArgument, embed_and_show, opened_engine, read_and_say
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption, SeedOption
from workbench.cli.output import say, write_json, write_rows
from workbench.errors import BadInput
from workbench.models import find


def flags(
    folder: FolderArgument,
    outside: Annotated[
        str, typer.Option("--outside", metavar="FOLDER", help="Images that show none of the classes.")
    ] = "",
    kept: Annotated[float, typer.Option("--kept", help="Share of one's own images that stay unflagged.")] = 0.95,
    model: ModelOption = "pocket",
    seed: SeedOption = 0,
    cache: CacheOption = False,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Set thresholds for "not one of these" on a folder's own images, and measure them on images that it lacks."""
    find(model)
    if not 0.5 <= kept < 1:
        raise BadInput(f"--kept lies between 0.5 and 1; got {kept}.")
    images = read_and_say(folder, seed)
    from workbench.datasets import read_samples
    from workbench.probes.shifts import embed_unlabelled
    from workbench.probes.text_weights import text_weights
    from workbench.probes.unknown import flags as measured
    from workbench.prompts import DEFAULT

    others = read_samples(outside).samples if outside else ()
    if outside and not others:
        raise BadInput(f"No image in {outside!r}.")
    with opened_engine(model, device, dtype, cache=cache) as engine, engine.session("shell", keep_pictures=cache) as at:
        images, made = embed_and_show(at, images)
        there = embed_unlabelled(at, others) if others else None
        texts = text_weights(at, images.classes, (DEFAULT,))
    rows = measured(made, images, texts, outside=there, kept=kept)
    if as_json:
        write_json([_plain(row) for row in rows])
        return
    lines = [
        (
            row.score,
            f"{row.threshold:.4g}",
            percent(row.kept),
            percent(row.flagged) if row.flagged else "",
            percent(row.area) if row.area else "",
        )
        for row in rows
    ]
    right = ("threshold", "own images kept", "outside flagged", "area under ROC")
    write_rows(("score", *right), lines, right=right)
    say("Thresholds are set on half of the images that are not for testing; own images kept are test images.")


def _plain(row: Any) -> dict[str, Any]:
    return {
        "score": row.score,
        "threshold": row.threshold,
        **{name: _bounds(getattr(row, name)) for name in ("kept", "flagged", "area")},
    }


def _bounds(share: Any) -> dict[str, Any] | None:
    if share is None:
        return None
    return {"value": share.value, "low": share.low, "high": share.high, "n": getattr(share, "n", None)}
