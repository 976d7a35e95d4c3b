"""`evaluate`: several models on a folder of labelled images, and which of them is best for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from apps.shared.percentages import percent
from apps.shell._adapting import adapt, embed_shifts, plain, show
from apps.shell._inputs import read_templates
from apps.shell._labelled import CacheOption, FolderArgument, opened_engine, read_and_say
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, SeedOption
from workbench.cli.output import say, write_json, write_rows
from workbench.cli.progress import watched
from workbench.errors import BadInput
from workbench.models import find

if TYPE_CHECKING:
    from audits.running.jobs import Options
    from workbench.probes.adapters.methods import FewShotMethod
    from workbench.results.evaluations import ModelComparison


_Models: TypeAlias = Annotated[
    str,
    typer.Option(
        "--models",
        metavar="a,b",
        help="Keys or folders; timm:NAME is an image tower alone; all: those on this machine.",
    ),
]
_Shots: TypeAlias = Annotated[
    str, typer.Option("--shots", metavar="1,4,16", help="Images a class of the few-shot probes.")
]
_Seeds: TypeAlias = Annotated[int, typer.Option("--seeds", help="Drawings of each few-shot probe.")]
_Templates: TypeAlias = Annotated[
    list[str] | None, typer.Option("--templates", help="Prompt templates as `classify` takes them; repeatable.")
]
_Methods: TypeAlias = Annotated[
    str,
    typer.Option(
        "--methods",
        metavar="a,b",
        help="Few-shot methods that start from the sentences, such as clap,tip-adapter; all: every one.",
    ),
]
_Shift: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--shift", metavar="FOLDER", help="Images of the same classes from elsewhere; repeatable."),
]
_By: TypeAlias = Annotated[str, typer.Option("--by", help="The column that decides: zero-shot or probe.")]
_Early: TypeAlias = Annotated[bool, typer.Option("--early", help="Drop models that fall clearly behind on a sample.")]
_Report: TypeAlias = Annotated[
    Path | None,
    typer.Option("--report", metavar="RUNS", help="Also write a run directory and a page of the audit `accuracy`."),
]


def evaluate(
    folder: FolderArgument,
    models: _Models = "pocket",
    shots: _Shots = "1,4,16",
    seeds: _Seeds = 10,
    templates: _Templates = None,
    methods: _Methods = "",
    shift: _Shift = None,
    by: _By = "probe",
    early: _Early = False,
    report: _Report = None,
    seed: SeedOption = 0,
    cache: CacheOption = False,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Compare models on a folder: zero-shot, few shots, full probe, and whether their differences can be told."""
    from workbench.probes.adaptation import AdaptationPlan
    from workbench.probes.adapting import planes
    from workbench.probes.embedding import TIMM
    from workbench.probes.shifts import read_shift
    from workbench.surface import EvaluateOptions
    from workbench.surface import evaluate as compare

    keys, counts = _models(models), _shots(shots)
    for key in keys:
        if not key.startswith(TIMM):
            find(key)
    plan = AdaptationPlan(_methods(methods, bool(shift)), counts, seeds, seed)
    images = read_and_say(folder, seed)
    elsewhere = [read_shift(path, images) for path in shift or ()]
    first = next((key for key in keys if not key.startswith(TIMM)), "pocket")
    given: EvaluateOptions = {
        "shots": counts,
        "seeds": seeds,
        "templates": read_templates(templates or []),
        "early": early,
    }
    with opened_engine(first, device, dtype, cache=cache) as engine:
        given["engine"] = engine
        with watched("Stopped; nothing was measured.") as watch:
            result = compare(images, models=keys, by=by, seed=seed, progress=watch, **given)
        shifts = embed_shifts(engine, result.embedded, elsewhere) if elsewhere else {}
    for row in result.rows.values():
        if row.dropped:
            say(f"{row.title}: {row.dropped}.")
    if report:
        _report(report, result, {"device": device})
    results = adapt(result.embedded, plan, shifts) if plan.methods else {}
    drawn = planes(list(results.values()), seed=seed)
    if as_json:
        more = {key: plain(one, drawn) for key, one in results.items()}
        write_json([line | more.get(line["model"], {}) for line in result.to_dict()])
        return
    _print(result)
    show(results, drawn, plan)


def _models(given: str) -> tuple[str, ...]:
    if given != "all":
        return tuple(dict.fromkeys(key.strip() for key in given.split(",") if key.strip()))
    from workbench.loading.listing import models_here

    return models_here()


def _report(out: Path, result: ModelComparison, options: Options) -> None:
    """Run the audit `accuracy` on the same images by every model with a text tower, and write one page."""
    from audits.datasets.unpacked import write_labelled
    from audits.running import suites
    from audits.running.evaluating import accuracy_jobs
    from audits.shell.running import go

    embedded = result.embedded
    models = [key for key in embedded.made if key in embedded.texts]
    dataset = f"csv:{write_labelled(embedded.images, out.resolve())}"
    done = go(accuracy_jobs(models, dataset, result.ways, options=options), out)
    say(f"Report: {suites.report(done, out)}, on the same test images as the table; its probes see the joint space.")
    say("Compare and gate runs with `clip-workbench audit compare` and `gate`; `report --out x.card.md` is a card.")


def _methods(given: str, shifts: bool) -> tuple[FewShotMethod, ...]:
    from workbench.probes.adapters.methods import IMAGE_PROBE, METHODS, find

    if given == "all" or (shifts and not given):
        return METHODS
    chosen = [find(key.strip()) for key in given.split(",") if key.strip()]
    image_probe = [find(IMAGE_PROBE)] if chosen else []
    return tuple(dict.fromkeys([*image_probe, *chosen]))


def _shots(given: str) -> tuple[int, ...]:
    try:
        numbers = sorted({int(one) for one in given.split(",") if one.strip()})
    except ValueError:
        raise BadInput(f"--shots takes whole numbers with commas, such as 1,4,16; got {given[:80]!r}.") from None
    if numbers and numbers[0] < 1:
        raise BadInput(f"--shots are 1 or more images a class; got {numbers[0]}.")
    return tuple(numbers)


def _print(result: ModelComparison) -> None:
    from workbench.probes.suite.published import prior_sentence

    rows, order, by = list(result.rows.values()), result.standings, result.by
    names = list(dict.fromkeys(name for row in rows for name in row.answers))
    lines = []
    for row in rows:
        cells = [percent(row.answers[name].accuracy) if name in row.answers else "" for name in names]
        standing = order.get(row.model)
        verdict = standing.verdict if standing else row.dropped
        lines.append((row.model, *cells, f"{row.seconds or 0:.1f}", f"{row.megabytes:.0f}", verdict))
    headers = ("model", *names, "s per 1,000", "MB", f"by {by}")
    write_rows(headers, lines, right=(*names, "s per 1,000", "MB"))
    measured = {row.model: row.answers[by].accuracy.value or 0 for row in rows if by in row.answers}
    if sentence := prior_sentence(measured):
        say(sentence)
