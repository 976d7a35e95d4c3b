"""What `evaluate --methods` adds: few-shot methods, the worth of zero-shot, WiSE-FT, and images from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.shared.percentages import percent
from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.output import say, write, write_rows
from workbench.cli.progress import progress
from workbench.errors import Cancelled

if TYPE_CHECKING:
    from workbench.engine import Engine
    from workbench.probes.adaptation import AdaptationPlan
    from workbench.probes.adapting import Adaptation
    from workbench.probes.robustness import Plane
    from workbench.probes.shifts import ShiftedFeatures, ShiftedImages
    from workbench.probes.table import EmbeddedImages
    from workbench.statistics.intervals import Interval


def embed_shifts(
    engine: Engine, embedded: EmbeddedImages, shifts: list[ShiftedImages]
) -> dict[str, tuple[ShiftedFeatures, ...]]:
    """Embed images from elsewhere by every model that was not dropped, with a progress bar."""
    from workbench.probes.adapting import embed_shifts as embed
    from workbench.progress import Progress

    with progress() as bar, stop_on_ctrl_c() as stop:
        task = bar.add_task("Shifts", total=None)
        for step in embed(engine, list(embedded.made), shifts, owner="shell"):
            if isinstance(step, Progress):
                bar.update(task, completed=step.done, total=step.total, description=f"{step.stage}: {step.line}")
            else:
                return step
            if stop.is_set():
                raise Cancelled("Stopped; nothing was measured.")
    raise AssertionError("the last step is the result")


def adapt(
    embedded: EmbeddedImages, plan: AdaptationPlan, shifts: dict[str, tuple[ShiftedFeatures, ...]]
) -> dict[str, Adaptation]:
    """Measure every model's methods with a progress bar; return them by model."""
    from workbench.probes.adapting import adaptations

    results: dict[str, Adaptation] = {}
    with progress() as bar, stop_on_ctrl_c() as stop:
        task = bar.add_task("Methods", total=None)
        for result in adaptations(embedded, plan, shifts):
            results[result.model] = result
            last = result.rows[-1]
            bar.update(task, description=f"{result.model}: {last.method}, {last.shots} shots")
            if stop.is_set():
                break
    return results


def plain(result: Adaptation, planes: list[Plane]) -> dict[str, Any]:
    """Return what one model's row of JSON gains."""
    effective = {
        (plane.shift, point.method, point.shots): point.effective
        for plane in planes
        for point in plane.points
        if point.model == result.model
    }
    return {
        "few_shot": [
            {
                "method": row.method,
                "shots": row.shots,
                **_numbers(row.accuracy(), row.right["test"].shape[1]),
                "seeds": len(row.right["test"]),
                "seconds": row.seconds,
                "shifts": {
                    name: {
                        **_numbers(row.accuracy(name), row.right[name].shape[1]),
                        "base": _numbers(row.accuracy(name, base=True), row.base[name].shape[1]),
                        "effective_robustness": _bounds(effective.get((name, row.method, row.shots))),
                    }
                    for name in row.base
                },
            }
            for row in result.rows
        ],
        "equivalent_shots": {method: _bounds(one) for method, one in result.equivalent.items()},
        "wise_ft": [
            {
                "mix": mix,
                "shots": row.shots,
                **_numbers(row.accuracy(), row.right["test"].shape[1]),
                "shifts": {name: _numbers(row.accuracy(name), row.right[name].shape[1]) for name in row.base},
            }
            for mix, row in result.mixes.items()
        ],
    }


def show(results: dict[str, Adaptation], planes: list[Plane], plan: AdaptationPlan) -> None:
    """Print tables of methods, of WiSE-FT and of effective robustness."""
    from workbench.probes.adapters.methods import METHODS
    from workbench.probes.equivalent import worth

    titles = {"zero-shot": "zero-shot", **{method.key: method.title for method in METHODS}}
    for result in results.values():
        names = list(result.rows[-1].base)
        write(f"\n{result.model}: accuracy over {plan.seeds} drawings (seeds from {plan.seed}) and test images")
        lines = [
            (
                titles[row.method],
                row.shots,
                percent(row.accuracy()),
                *(percent(row.accuracy(name)) for name in names),
                f"{row.seconds:.2f}",
            )
            for row in result.rows
        ]
        write_rows(("method", "shots", "test", *names, "s"), lines, right=("shots", "test", *names, "s"))
        for method, one in result.equivalent.items():
            write(
                f"Images a class that zero-shot is worth, by the {titles[method].lower()}: {worth(one, result.most)}."
            )
        if result.mixes:
            shots = next(iter(result.mixes.values())).shots
            lines = [
                (f"{mix:.1f}", percent(row.accuracy()), *(percent(row.accuracy(name)) for name in names))
                for mix, row in result.mixes.items()
            ]
            write(f"\nWiSE-FT: from the sentences (0) to the probe from text with {shots} shots (1)")
            write_rows(("mix", "test", *names), lines, right=("test", *names))
    for plane in planes:
        _show_plane(plane, titles)
    for chosen in plan.methods:
        if chosen.note:
            say(chosen.note)


def _show_plane(plane: Plane, titles: dict[str, str]) -> None:
    if plane.line is None:
        write(f"\n{plane.shift}: no line, which takes three probes of images alone that differ.")
        return
    intercept, slope = plane.line
    write(f"\n{plane.shift}: logit(shifted) = {intercept:.2f} + {slope:.2f} logit(base), by probes of images alone")
    lines = [
        (
            point.model,
            titles[point.method],
            point.shots,
            percent(point.base),
            percent(point.shifted),
            _points(point.effective),
        )
        for point in plane.points
    ]
    right = ("shots", "base", "shifted", "effective robustness")
    write_rows(("model", "method", *right), lines, right=right)


def _numbers(share: Interval, n: int) -> dict[str, Any]:
    return {"accuracy": share.value, "low": share.low, "high": share.high, "n": n}


def _bounds(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else {"value": interval.value, "low": interval.low, "high": interval.high}


def _points(change: Interval | None) -> str:
    if change is None or change.value is None or change.low is None or change.high is None:
        return ""
    return f"{100 * change.value:+.1f} ({100 * change.low:+.1f} to {100 * change.high:+.1f})"
