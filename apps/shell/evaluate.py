"""`evaluate`: several models on a folder of labelled images, and which of them is best for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.shell._adapting import adapt, embed_shifts, plain, show
from apps.shell._inputs import read_templates
from apps.shell._labelled import CacheOption, FolderArgument, embed_models, opened_engine, read_and_say
from audits.shell.options import DeviceOption, DtypeOption, JsonOption, SeedOption
from audits.shell.output import say, write_json, write_rows
from audits.shell.progress import progress
from workbench.errors import BadInput, unknown_name

if TYPE_CHECKING:
    from workbench.probes.adapters.methods import Method
    from workbench.probes.choosing import Standing
    from workbench.probes.evaluation import ModelEvaluation, Ways


def evaluate(
    folder: FolderArgument,
    models: Annotated[
        str,
        typer.Option(
            "--models",
            metavar="a,b",
            help="Keys or folders; timm:NAME is an image tower alone; all: those on this machine.",
        ),
    ] = "pocket",
    shots: Annotated[
        str, typer.Option("--shots", metavar="1,4,16", help="Images a class of the few-shot probes.")
    ] = "1,4,16",
    seeds: Annotated[int, typer.Option("--seeds", help="Drawings of each few-shot probe.")] = 10,
    templates: Annotated[
        list[str] | None, typer.Option("--templates", help="Prompt templates as `classify` takes them; repeatable.")
    ] = None,
    methods: Annotated[
        str,
        typer.Option(
            "--methods",
            metavar="a,b",
            help="Few-shot methods that start from the sentences, such as clap,tip-adapter; all: every one.",
        ),
    ] = "",
    shift: Annotated[
        list[str] | None,
        typer.Option("--shift", metavar="FOLDER", help="Images of the same classes from elsewhere; repeatable."),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="The column that decides: zero-shot or probe.")] = "probe",
    early: Annotated[bool, typer.Option("--early", help="Drop models that fall clearly behind on a sample.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="RUNS", help="Also write a run directory and a report of the audit `evaluation`."
        ),
    ] = None,
    seed: SeedOption = 0,
    cache: CacheOption = False,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Compare models on a folder: zero-shot, few shots, full probe, and whether their differences can be told."""
    from workbench.probes.adaptation import Plan
    from workbench.probes.adapting import planes
    from workbench.probes.embedding import TIMM, model_ref
    from workbench.probes.evaluation import PROBE, ZERO_SHOT, Ways
    from workbench.probes.shifts import read_shift
    from workbench.probes.table import EvaluationRequest, answers, ranked

    if by not in (ZERO_SHOT, PROBE):
        raise unknown_name("column", by, (ZERO_SHOT, PROBE))
    if seeds < 1:
        raise BadInput(f"--seeds is 1 or more; got {seeds}.")
    keys = _models(models)
    for key in keys:
        model_ref(key)
    ways = Ways(_shots(shots), seeds, seed, read_templates(templates or []))
    plan = Plan(_methods(methods, bool(shift)), ways.shots, seeds, seed)
    question = EvaluationRequest(read_and_say(folder, seed), keys, ways, by, early, seed)
    if report and not Path(folder).is_dir():
        raise BadInput(f"--report reads a folder of class folders; {Path(folder).name!r} is none.")
    elsewhere = [read_shift(path, question.images) for path in shift or ()]
    first = next((key for key in keys if not key.startswith(TIMM)), "pocket")
    with opened_engine(first, device, dtype, cache=cache) as engine:
        embedded = embed_models(engine, question)
        shifts = embed_shifts(engine, embedded, elsewhere) if elsewhere else {}
    rows: dict[str, ModelEvaluation] = {}
    with progress() as bar:
        bar.add_task("Fitting", total=None)
        for row in answers(embedded, ways):
            rows[row.model] = row
    order = ranked(list(rows.values()), by)
    if report:
        named = [key for key in embedded.made if key in embedded.texts]
        _report(report, folder, named, {"seed": seed, "device": device})
    results = adapt(embedded, plan, shifts) if plan.methods else {}
    drawn = planes(list(results.values()), seed=seed)
    if as_json:
        more = {key: plain(result, drawn) for key, result in results.items()}
        write_json([_plain(row, order.get(row.model), ways) | more.get(row.model, {}) for row in rows.values()])
        return
    _print(list(rows.values()), order, by)
    show(results, drawn, plan)


def _models(given: str) -> tuple[str, ...]:
    if given != "all":
        return tuple(dict.fromkeys(key.strip() for key in given.split(",") if key.strip()))
    from workbench.checkpoints import CHECKPOINTS
    from workbench.loading import hub

    return tuple(row.key for row in CHECKPOINTS if row.loader != "fake" and hub.presence(row).here)


def _report(out: Path, folder: str, models: list[str], options: dict[str, Any]) -> None:
    """Run the audit `evaluation` on the same folder by every model with a text tower, and write one page."""
    from audits.running import suites
    from audits.running.jobs import make
    from audits.shell.running import go

    done = go([make("evaluation", key, f"folder:{folder}", options=options) for key in models], out)
    say(f"Report: {suites.report(done, out)}. Runs can be compared and gated: `clip-workbench audit compare`, `gate`.")


def _methods(given: str, shifts: bool) -> tuple[Method, ...]:
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


def _plain(row: ModelEvaluation, standing: Standing | None, ways: Ways) -> dict[str, Any]:
    columns = {
        name: {
            "accuracy": one.accuracy.value,
            "low": one.accuracy.low,
            "high": one.accuracy.high,
            "n": len(one.right),
            "mean_per_class": one.per_class.value if one.per_class else None,
            "calibration_error": one.calibration.value if one.calibration else None,
            "strength": one.strength,
        }
        for name, one in row.answers.items()
    }
    difference = standing.difference if standing else None
    return {
        "model": row.model,
        "title": row.title,
        "columns": columns,
        "verdict": standing.verdict if standing else row.dropped,
        "difference": difference.value if difference else None,
        "difference_low": difference.low if difference else None,
        "difference_high": difference.high if difference else None,
        "p_value": standing.p_value if standing else None,
        "images_needed": standing.needed if standing else None,
        "seconds_per_1000": row.seconds,
        "megabytes": row.megabytes,
        "seeds": ways.seeds,
        "seed": ways.seed,
    }


def _print(rows: list[ModelEvaluation], order: dict[str, Standing], by: str) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row.answers))
    lines = []
    for row in rows:
        cells = [_share(row.answers[name].accuracy) if name in row.answers else "" for name in names]
        standing = order.get(row.model)
        verdict = standing.verdict if standing else row.dropped
        lines.append((row.model, *cells, f"{row.seconds or 0:.1f}", f"{row.megabytes:.0f}", verdict))
    headers = ("model", *names, "s per 1,000", "MB", f"by {by}")
    write_rows(headers, lines, right=(*names, "s per 1,000", "MB"))


def _share(share: Any) -> str:
    return f"{100 * share.value:.1f} % ({100 * share.low:.1f} to {100 * share.high:.1f})"
