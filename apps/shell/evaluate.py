"""`evaluate`: several models on a folder of labelled images, and which of them is best for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.shell._inputs import read_templates
from apps.shell._labelled import CacheOption, FolderArgument, opened_engine, read_and_say
from audits.shell.interrupt import stop_on_ctrl_c
from audits.shell.options import DeviceOption, DtypeOption, JsonOption, SeedOption
from audits.shell.output import say, write_json, write_rows
from audits.shell.progress import progress
from workbench.errors import BadInput, Cancelled, unknown_name

if TYPE_CHECKING:
    from workbench.engine import Engine
    from workbench.probes.choosing import Standing
    from workbench.probes.evaluation import ModelEvaluation, Ways
    from workbench.probes.table import EmbeddedImages, EvaluationRequest


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
    by: Annotated[str, typer.Option("--by", help="The column that decides: zero-shot or probe.")] = "probe",
    early: Annotated[bool, typer.Option("--early", help="Drop models that fall clearly behind on a sample.")] = False,
    seed: SeedOption = 0,
    cache: CacheOption = False,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Compare models on a folder: zero-shot, few shots, full probe, and whether their differences can be told."""
    from workbench.probes.embedding import TIMM, model_ref
    from workbench.probes.evaluation import PROBE, ZERO_SHOT, Ways
    from workbench.probes.table import EvaluationRequest, answers, ranked

    if by not in (ZERO_SHOT, PROBE):
        raise unknown_name("column", by, (ZERO_SHOT, PROBE))
    if seeds < 1:
        raise BadInput(f"--seeds is 1 or more; got {seeds}.")
    keys = _models(models)
    for key in keys:
        model_ref(key)
    ways = Ways(_shots(shots), seeds, seed, read_templates(templates or []))
    question = EvaluationRequest(read_and_say(folder, seed), keys, ways, by, early, seed)
    first = next((key for key in keys if not key.startswith(TIMM)), "pocket")
    with opened_engine(first, device, dtype, cache=cache) as engine:
        embedded = _embedded(engine, question)
    rows: dict[str, ModelEvaluation] = {}
    with progress() as bar:
        bar.add_task("Fitting", total=None)
        for row in answers(embedded, ways):
            rows[row.model] = row
    order = ranked(list(rows.values()), by)
    if as_json:
        write_json([_plain(row, order.get(row.model), ways) for row in rows.values()])
        return
    _print(list(rows.values()), order, by)


def _embedded(engine: Engine, question: EvaluationRequest) -> EmbeddedImages:
    from workbench.probes.evaluation import ModelEvaluation
    from workbench.probes.table import EmbeddedImages, embed_all
    from workbench.progress import Progress

    with progress() as bar, stop_on_ctrl_c() as stop:
        task = bar.add_task("Images", total=len(question.images.samples))
        for step in embed_all(engine, question, owner="shell"):
            if isinstance(step, Progress):
                bar.update(task, completed=step.done, total=step.total, description=f"{step.stage}: {step.line}")
            elif isinstance(step, ModelEvaluation):
                say(f"{step.title}: {step.dropped}.")
            elif isinstance(step, EmbeddedImages):
                return step
            if stop.is_set():
                raise Cancelled("Stopped; nothing was measured.")
    raise AssertionError("the last step is the result")


def _models(given: str) -> tuple[str, ...]:
    if given != "all":
        return tuple(dict.fromkeys(key.strip() for key in given.split(",") if key.strip()))
    from workbench.loading.listing import models_here

    return models_here()


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
