"""`suite`: several data sets and several models, and the CLIP paper's figures from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.shared.percentages import percent
from apps.shell._labelled import CacheOption, embed_models, opened_engine, read_and_say
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, SeedOption
from workbench.cli.output import say, write, write_json, write_rows
from workbench.cli.progress import progress
from workbench.errors import BadInput

if TYPE_CHECKING:
    from workbench.engine import Engine
    from workbench.probes.evaluation import Answered
    from workbench.probes.suite.paper_sets import PaperSet
    from workbench.probes.suite.plots import Duel, PlotPoint, SetRun
    from workbench.statistics.intervals import Interval

IMAGENET = "imagenet"
NOISE = 2  # images whose operations are counted


def suite(
    folders: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FOLDERS",
            help="Data sets: NAME=FOLDER, or folders of class folders. Names of the paper's 27 sets bring its prompts.",
        ),
    ] = None,
    models: Annotated[str, typer.Option("--models", metavar="a,b", help="As `evaluate` takes them.")] = "pocket",
    rival: Annotated[
        str, typer.Option("--rival", metavar="KEY", help="Whose probe zero-shot is compared with; the last model.")
    ] = "",
    reference: Annotated[
        str, typer.Option("--reference", metavar="NAME", help="The set that transfer is compared with.")
    ] = IMAGENET,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.html", help="Write the figures as one page that needs no network."),
    ] = None,
    list_sets: Annotated[bool, typer.Option("--list", help="Print the paper's 27 data sets and exit.")] = False,
    seed: SeedOption = 0,
    cache: CacheOption = False,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Measure models on several data sets, and draw the CLIP paper's figures from them; see `--list`."""
    if list_sets:
        _print_sets(as_json)
        return
    from workbench.probes.embedding import model_ref

    keys = tuple(dict.fromkeys(key.strip() for key in models.split(",") if key.strip()))
    for key in keys:
        model_ref(key)
    if not keys:
        raise BadInput(f"--models names one model or more, joined by commas; got {models!r}.")
    if rival and rival not in keys:
        raise BadInput(f"--rival is one of the models; got {rival!r} beside {', '.join(keys)}.")
    sets = _named(folders or ())
    if reference not in (*sets, IMAGENET):
        raise BadInput(f"--reference is one of the data sets; got {reference!r} beside {', '.join(sets)}.")
    runs, gmacs = [], {}
    with opened_engine(keys[0], device, dtype, cache=cache) as engine:
        for name, path in sets.items():
            say(f"\n{name}:")
            runs.append(_measured(engine, name, path, keys, seed=seed))
        for key in keys:
            gmacs[key] = _operations(engine, key)
    plots = _plots(runs, keys, rival or keys[-1], gmacs, reference)
    if out:
        _write_page(out, plots)
        say(f"Wrote {out}.")
    if as_json:
        write_json(_plain(runs, plots, gmacs))
        return
    _print(runs, plots)


def _named(folders: Any) -> dict[str, str]:
    if not folders:
        raise BadInput("Give one data set or more: NAME=FOLDER, or folders; `--list` prints the paper's names.")
    named = {}
    for entry in folders:
        name, equals, path = entry.partition("=")
        name, path = (name, path) if equals else (PurePath(entry).name or entry, entry)
        if not name or not path:
            raise BadInput(f"A data set is NAME=FOLDER, such as pets=photos/pets, or a folder; got {entry!r}.")
        if name in named:
            raise BadInput(f"Two data sets are named {name!r}; name them apart with NAME=FOLDER.")
        named[name] = path
    return named


def _measured(engine: Engine, name: str, path: str, keys: tuple[str, ...], *, seed: int) -> SetRun:
    from workbench.probes.evaluation import Ways
    from workbench.probes.suite.paper_sets import paper_set
    from workbench.probes.suite.plots import SetRun
    from workbench.probes.table import EvaluationRequest, answers
    from workbench.prompts import DEFAULT

    known = paper_set(name)
    template, metric = (known.template, known.metric) if known else (DEFAULT, "accuracy")
    ways = Ways((), 1, seed, (template,), metric=metric)
    images = read_and_say(path, seed, several=metric == "11-point mAP")
    embedded = embed_models(engine, EvaluationRequest(images, keys, ways, seed=seed))
    rows = {}
    with progress() as bar:
        bar.add_task("Fitting", total=None)
        for row in answers(embedded, ways):
            rows[row.model] = row
    return SetRun(name, tuple(rows.values()))


def _operations(engine: Engine, key: str) -> float:
    import numpy as np

    from workbench.engine.tasks import COUNT_OPERATIONS
    from workbench.probes.embedding import model_ref

    with engine.session("shell", model_ref(key)) as session:
        side = session.image_size
        (gmacs,) = session.stream(COUNT_OPERATIONS, np.zeros((NOISE, 3, side, side), np.uint8))
    return float(gmacs)


def _plots(
    runs: list[SetRun], keys: tuple[str, ...], rival: str, gmacs: dict[str, float], reference: str
) -> dict[str, Any]:
    from workbench.probes.suite import plots

    model = next((key for key in keys if any(run.right(key, "zero-shot") is not None for run in runs)), keys[0])
    several = len(runs) > 1 and any(run.title == reference for run in runs)
    return {
        "model": model,
        "rival": rival,
        "duels": plots.duels(runs, model, rival),
        "pairs": plots.pairs(runs, model),
        "reference": reference if several else None,
        "transfer": plots.transfer(runs, reference) if several else [],
        "scaling": plots.scaling(runs, gmacs),
    }


def _write_page(out: Path, plots: dict[str, Any]) -> None:
    from html import escape

    from apps.shared.suite_charts import duels_figure, points_figure
    from workbench.places import write_whole

    figures = {
        f"Zero-shot of {plots['model']} against the probe of {plots['rival']}": duels_figure(plots["duels"]),
        f"Probe against zero-shot of {plots['model']}": points_figure(
            plots["pairs"], x="zero-shot accuracy", y="probe accuracy", diagonal=True
        ),
        "Zero-shot error against compute": points_figure(
            plots["scaling"], x="GMACs an image", y="mean error", logs=True
        ),
    }
    if plots["transfer"]:
        title = f"Mean probe accuracy on the other sets against {plots['reference']}"
        figures[title] = points_figure(plots["transfer"], x=plots["reference"], y="mean of the other sets")
    parts = ["<!doctype html><html lang='en'><meta charset='utf-8'><title>The paper's figures</title><body>"]
    for number, (title, figure) in enumerate(figures.items()):
        parts.append(f"<h2>{escape(title)}</h2>{figure.to_html(full_html=False, include_plotlyjs=number == 0)}")
    write_whole(out, "".join([*parts, "</body></html>"]).encode())


def _plain(runs: list[SetRun], plots: dict[str, Any], gmacs: dict[str, float]) -> dict[str, Any]:
    from workbench.probes.suite.lines import correlation, log_log_slope
    from workbench.probes.suite.plots import WINS

    duels: list[Duel] = plots["duels"]
    return {
        "sets": [
            {
                "set": run.title,
                "models": [
                    {
                        "model": row.model,
                        **{name: _measures(one, _metric(run.title)) for name, one in row.answers.items()},
                    }
                    for row in run.rows
                ],
                "metric": _metric(run.title),
                "published_probes": _published(run.title),
            }
            for run in runs
        ],
        "zero_shot_against_probe": {
            "model": plots["model"],
            "rival": plots["rival"],
            "wins": sum((duel.difference.value or 0) > 0 for duel in duels),
            "wins_beyond_chance": sum(duel.verdict == WINS for duel in duels),
            "sets": len(duels),
            "duels": [
                {"set": duel.title, "difference": _bounds(duel.difference), "verdict": duel.verdict} for duel in duels
            ],
        },
        "probe_and_zero_shot": {"correlation": correlation(plots["pairs"]), "points": _points(plots["pairs"])},
        "transfer": {"reference": plots["reference"], "points": _points(plots["transfer"])},
        "scaling": {
            "gmacs": gmacs,
            "log_log_slope": log_log_slope(plots["scaling"]),
            "points": _points(plots["scaling"]),
        },
    }


def _print(runs: list[SetRun], plots: dict[str, Any]) -> None:
    from workbench.probes.suite.lines import correlation, log_log_slope
    from workbench.probes.suite.plots import WINS

    lines = [
        (
            run.title,
            row.model,
            *(percent(row.answers[name].accuracy) if name in row.answers else "" for name in ("zero-shot", "probe")),
        )
        for run in runs
        for row in run.rows
    ]
    write_rows(("set", "model", "zero-shot", "probe"), lines, right=("zero-shot", "probe"))
    for run in runs:
        _print_published(run)
    duels: list[Duel] = plots["duels"]
    wins = sum((duel.difference.value or 0) > 0 for duel in duels)
    sure = sum(duel.verdict == WINS for duel in duels)
    write(
        f"\nZero-shot of {plots['model']} is higher than the probe of {plots['rival']} on {wins} of {len(duels)} sets, "
        f"beyond chance on {sure}."
    )
    rows = [(duel.title, percent(duel.difference, sign="+"), duel.verdict) for duel in duels]
    write_rows(("set", "zero-shot minus probe", "verdict"), rows, right=("zero-shot minus probe",))
    if (r := correlation(plots["pairs"])) is not None:
        write(f"Zero-shot and probe of {plots['model']}: r = {r:.2f} over {len(plots['pairs'])} sets.")
    for title, points in (("mean of the other sets", plots["transfer"]), ("mean zero-shot error", plots["scaling"])):
        if points:
            first = plots["reference"] if points is plots["transfer"] else "GMACs"
            cells = [(point.name, f"{point.x.value:.3g}", percent(point.y)) for point in points]
            write_rows(("model", first, title), cells, right=(first, title))
    if (slope := log_log_slope(plots["scaling"])) is not None:
        write(f"Slope of log error over log GMACs: {slope:.2f}.")


def _print_sets(as_json: bool) -> None:
    from workbench.probes.suite.paper_sets import PAPER_SETS, PROBED

    if as_json:
        write_json([_plain_set(row) for row in PAPER_SETS])
        return
    lines = [
        (
            *(row.key, row.title, row.classes, f"{row.train:,}", f"{row.test:,}", row.metric, *map(str, row.probes)),
            *(row.source.licence, row.source.hub),
        )
        for row in PAPER_SETS
    ]
    short = [key.removeprefix("openai/clip-vit-") for key in PROBED]
    headers = ("key", "data set", "classes", "train", "test", "metric", *short, "licence", "name on the hub")
    write_rows(headers, lines, right=("classes", "train", "test", *short))
    say("Columns named after models are published linear probes in percent; six of L/14's agree with a second source.")


def _plain_set(row: PaperSet) -> dict[str, Any]:
    from dataclasses import asdict

    from workbench.probes.suite.paper_sets import PROBED

    probes = dict(zip(PROBED, row.probes, strict=True))
    return {**asdict(replace(row)), "probes": probes, **asdict(row.source)}


def _published(name: str) -> dict[str, float]:
    from workbench.probes.suite.paper_sets import PROBED, paper_set

    known = paper_set(name)
    return dict(zip(PROBED, known.probes, strict=True)) if known else {}


def _metric(name: str) -> str:
    from workbench.probes.suite.paper_sets import paper_set

    known = paper_set(name)
    return known.metric if known else "accuracy"


def _by_metric(answer: Answered, metric: str) -> Interval | None:
    """Return the set's metric of one way of asking; None where it was not measured."""
    if metric == "accuracy":
        return answer.accuracy
    return answer.per_class if metric == "mean per class" else answer.metric


def _measures(answer: Answered, metric: str) -> dict[str, Any]:
    """Return accuracy, and the set's metric with its interval."""
    value = _by_metric(answer, metric)
    more = {} if value is None else {"metric": _bounds(value)}
    return _bounds(answer.accuracy) | {"n": len(answer.right)} | more


def _print_published(run: SetRun) -> None:
    """Write what was measured by the paper's metric, beside the published probes."""
    values, metric = _published(run.title), _metric(run.title)
    if not values:
        return
    for row in run.rows:
        measured = {name: _by_metric(one, metric) for name, one in row.answers.items()}
        cells = ", ".join(f"{name} {percent(value)}" for name, value in measured.items() if value)
        write(f"{run.title}, {row.model}, {metric}: {cells}")
    write(f"{run.title}: published probes: " + ", ".join(f"{key} {value} %" for key, value in values.items()))


def _bounds(interval: Interval) -> dict[str, Any]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _points(points: list[PlotPoint]) -> list[dict[str, Any]]:
    return [{"name": point.name, "x": _bounds(point.x), "y": _bounds(point.y)} for point in points]
