"""`report`, `compare`, `gate` and `view`: what runs say, to people and to other programs."""

from __future__ import annotations

import webbrowser
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from workbench.cli.options import JsonOption
from workbench.cli.output import say, write, write_json, write_result, write_rows

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, or a folder of them.")]
OneRun = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]
Thumbnails = Literal["none", "blurred", "full"]


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="Run directories, or folders of them.")],
    out: Annotated[
        list[Path],
        typer.Option("--out", "-o", metavar="FILE", help="Ends in .html, .pdf, .json, .md, .xml or .csv; or a folder."),
    ],
    thumbnails: Annotated[Thumbnails, typer.Option("--thumbnails", help="none, blurred or full.")] = "none",
    as_json: JsonOption = False,
) -> None:
    """Write reports of runs; --out may be given several times."""
    from audits import reporting

    for path in out:
        reporting.write(runs, path, thumbnails=thumbnails)
    write_result(list(map(str, out)), *map(str, out), as_json=as_json)


def compare(
    base: OneRun,
    candidate: OneRun,
    correction: Annotated[
        Literal["bh", "holm", "none"], typer.Option("--correction", help="Multiple-testing correction.")
    ] = "bh",
    allow_mismatch: Annotated[
        bool, typer.Option("--allow-mismatch", help="Also compare runs that were measured differently.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the comparison: .html, .md, .json or .csv.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two runs image by image; differences are candidate minus base."""
    from audits import comparing, reporting
    from audits.run_directory.rows import rows as table_rows

    comparison = comparing.compare(base, candidate, correction=correction, allow_mismatch=allow_mismatch)
    if out is not None:
        reporting.write_comparison(comparison, out)
    say(f"protocol of {comparison.audit}: {' and '.join(dict.fromkeys(comparison.protocols))}")
    for line in comparison.mismatches:
        say(f"note: {line}")
    rows = list(table_rows(comparison.metrics))
    if as_json:
        facts = ("base", "candidate", "correction", "tests", "mismatches")
        summary = {name: getattr(comparison, name) for name in facts}
        write_json({**summary, "flips": len(comparison.flips), "metrics": rows})
        return
    names = ("metric", "label_set", "slice", "n", "value", "ci_low", "ci_high", "p_adj")
    cells = [["" if row.get(name) is None else row[name] for name in names] for row in rows]
    lines = [[f"{one:.4g}" if isinstance(one, float) else str(one) for one in row] for row in cells]
    write_rows(names, lines, right=names[3:])
    say(f"{len(comparison.flips)} images changed; {comparison.tests} tests, correction {comparison.correction}.")


def gate(
    run: RunArgument,
    thresholds: Annotated[Path, typer.Option("--thresholds", metavar="FILE.yaml", help="The rules.")],
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="RUN", help="Baseline run for paired rules.")
    ] = None,
    inconclusive: Annotated[
        Literal["fail", "warn", "pass"] | None,
        typer.Option(
            "--inconclusive",
            help="An undecided rule: fail (exit code 4), warn or pass (0). Default: the thresholds file's, else fail.",
        ),
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE.xml", help="Also write JUnit XML.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the outcome: .md, .xml or .json.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge runs by thresholds; exit code 0 passed, 1 failed, 4 inconclusive or not judged, 6 altered, 7 nothing."""
    from audits import comparing, reporting

    result = comparing.gate(run, thresholds, baseline=baseline, inconclusive=inconclusive)
    for path in filter(None, (junit, out)):
        reporting.write_gate(result, path)
    for name in dict.fromkeys(result.protocols):
        say(f"protocol of {name}")
    if as_json:
        write_json(asdict(result))
    else:
        write_rows(reporting.GATE_COLUMNS, reporting.gate_rows(result))
        for line in reporting.not_judged(result):
            write(line)
        write(result.outcome.replace("_", " "))
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def view(
    run: RunArgument,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in a browser.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Write the report of a run to the workbench's folder, print its path and open it."""
    from audits import reporting
    from audits.run_directory import header
    from audits.run_directory.reader import directories
    from workbench.errors import UnknownName
    from workbench.places import home

    folders = directories(run)
    if not folders:
        raise UnknownName(f"No run lies in {str(run)[-200:]!r}.")
    name = header.read(folders[0]).run_id if len(folders) == 1 else run.resolve().name
    path = home() / "audit-views" / f"{name}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    reporting.write(folders, path)
    opened = browser and webbrowser.open(path.as_uri())
    write_result({"report": str(path), "opened": bool(opened)}, str(path), as_json=as_json)
