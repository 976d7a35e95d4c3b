"""`typographic targets`, `typographic stroop`: the tables of Goh et al. 2021 on a model of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from apps.shared.percentages import percent
from apps.shell._labelled import opened_engine
from apps.shell._loading import load_and_say
from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption, SeedOption
from workbench.cli.output import say, write, write_json, write_rows
from workbench.cli.progress import progress
from workbench.errors import Cancelled
from workbench.models import find

if TYPE_CHECKING:
    from PIL import Image

    from workbench.statistics.intervals import Share
    from workbench.typographic.nine_targets import NineTargets

DataOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--data", metavar="FOLDER", help="Class folders, four images each or more (default: drawings)."),
]

typographic = typer.Typer(help="Tables about words on images: the published attacks, and Stroop cards.")


@typographic.command("targets")
def targets(
    data: DataOption = None,
    limit: Annotated[int, typer.Option("--limit", min=2, help="Classes to use, at most.")] = 1000,
    size: Annotated[float, typer.Option("--size", help="Height of the letters, share of the square.")] = 0.08,
    model: ModelOption = "pocket",
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Write the nine words of Goh et al. 2021 on images; count targets answered, zero-shot and by linear probe."""
    from workbench.progress import Progress
    from workbench.typographic.nine_targets import SOURCE, nine_targets

    find(model)
    pictures, truth = _pictures(data, limit)
    say(f"{len(pictures)} images of {len(set(truth))} things; a quarter is attacked, the probe learns from the rest.")
    table: NineTargets | None = None
    with (
        opened_engine(model, device, dtype, cache=False) as engine,
        engine.session("shell", keep_pictures=False) as session,
        progress() as bar,
        stop_on_ctrl_c() as stop,
    ):
        task = bar.add_task("Attacking", total=None)
        for step in nine_targets(session, pictures, truth, seed=seed, size=size):
            if stop.is_set():
                raise Cancelled("Stopped; nothing was measured.")
            if isinstance(step, Progress):
                bar.update(task, completed=step.done, total=step.total)
            else:
                table = step
    assert table is not None
    if as_json:
        write_json(_plain(table) | {"model": model, "seed": seed, "size": size, "source": SOURCE})
        return
    write(f"Clean, zero-shot: {table.zero_shot_clean}")
    write(f"Clean, linear probe: {table.probe_clean}")
    write_rows(
        ("target", "word", "cover", "zero-shot", "linear probe", "published cover", "published"),
        [
            (
                row.target.name,
                row.target.word,
                f"{100 * row.cover:.1f} %",
                percent(row.zero_shot, missing="not measured"),
                percent(row.probe, missing="not measured") if row.probe else "no images of it",
                f"{100 * row.target.cover:.1f} %",
                f"{100 * row.target.success:.1f} %",
            )
            for row in table.rows
        ],
    )
    say(f"Published: {SOURCE}. Seed {seed}.")


@typographic.command("stroop")
def stroop_(
    model: ModelOption = "pocket",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Show cards with a colour's name in another colour's ink, and count what wins."""
    from workbench.typographic.stroop import PUBLISHED, TEMPLATE, stroop

    result = stroop(load_and_say(model, device, dtype).backend)
    if as_json:
        write_json(
            {
                "model": model,
                "template": TEMPLATE,
                "colours": list(result.colours),
                "answers": [list(row) for row in result.answers],
                **{name: _share(share) for name, share in result.counts.items()},
                "word_against_ink": _share(result.two_way),
            }
        )
        return
    write_rows(
        ("word \\ ink", *result.colours),
        [(word, *row) for word, row in zip(result.colours, result.answers, strict=True)],
    )
    for name, share in result.counts.items():
        write(f"Answered with the {name}: {share}" if name != "another" else f"Answered with another colour: {share}")
    write(f"Word against ink alone: {result.two_way}")
    say(f"Published for RN50x4: the word on {PUBLISHED[0]} of {PUBLISHED[1]} cards (Goh et al. 2021, Distill).")


def _pictures(data: Path | None, limit: int) -> tuple[list[Image.Image], list[str]]:
    """Built-in drawings, or the images of class folders, of so many classes."""
    if data is None:
        from audits.typographic.drawings import with_targets

        rows = [(one.picture, one.name) for one in with_targets()]
        classes = list(dict.fromkeys(name for _, name in rows))
        chosen = set(classes[-3:]) | {"pizza"} | set(classes[: max(0, limit - 4)])
        rows = [row for row in rows if row[1] in chosen]
        return [picture for picture, _ in rows], [name for _, name in rows]
    from workbench.probes.labelled import read_labelled
    from workbench.typographic.comparing import canvas

    images = read_labelled(str(data))
    pairs = [
        (sample, name)
        for sample, name in zip(images.samples, images.labels, strict=True)
        if name in images.classes[:limit]
    ]
    return [canvas(sample.open()) for sample, _ in pairs], [name.replace("_", " ") for _, name in pairs]


def _plain(table: NineTargets) -> dict[str, Any]:
    return {
        "zero_shot_clean": _share(table.zero_shot_clean),
        "probe_clean": _share(table.probe_clean),
        "targets": [
            {
                "target": row.target.name,
                "word": row.target.word,
                "cover": row.cover,
                "zero_shot": _share(row.zero_shot),
                "probe": _share(row.probe) if row.probe else None,
                "published": {"cover": row.target.cover, "success": row.target.success},
            }
            for row in table.rows
        ],
    }


def _share(one: Share) -> dict[str, Any]:
    return {"value": one.value, "low": one.low, "high": one.high, "n": one.n}
