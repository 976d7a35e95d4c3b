"""The command line of the audits: `python -m audits WORD …`, the same as `clip-workbench audit WORD …`.

Knows which words there are and what an error means for a script; what each word does stands in a file of its own.
Data goes to stdout, everything else to stderr.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from audits.shell import checking, judging, looking, running, suites
from audits.shell._output import complain
from workbench import errors
from workbench.errors import WorkbenchError

EXIT_CODES = {
    0: "all that was asked for is done; a gate is passed",
    1: "a gate is failed, or an error that was not foreseen",
    2: "an option, a name or an input that cannot be used",
    3: "incomplete: a run failed, or pictures are left out; each is named",
    4: "a gate is inconclusive",
    5: "runs that are not comparable",
    6: "integrity: files differ from their hashes, or a repetition from its run",
    7: "nothing was measured",
    130: "interrupted; what is done is kept, and the same command continues",
}
_OURS = {  # what an error of the library means for a script that runs audits
    errors.WeightsMissing: 2,
    errors.WeightsRefused: 2,
    errors.OutOfResources: 3,
    errors.Busy: 3,
    errors.DeadlinePassed: 3,
}
_CODES = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + "."


class _Coded(TyperGroup):
    """Turns what a user can mend into one line on stderr and a documented exit code."""

    def invoke(self, ctx: Any) -> Any:  # click's own context
        try:
            return super().invoke(ctx)
        except WorkbenchError as error:
            complain(str(error))
            raise typer.Exit(exit_code(error)) from None
        except KeyboardInterrupt:
            complain("Interrupted. What is done is kept; the same command continues.")
            raise typer.Exit(130) from None


def exit_code(error: WorkbenchError) -> int:
    """Return what an error means for a script that runs audits."""
    return next((code for kind, code in _OURS.items() if isinstance(error, kind)), error.exit_code)


audit = typer.Typer(
    name="audits",
    cls=_Coded,
    help="Ask questions about a model, and read answers with intervals.",
    epilog=_CODES,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
audit.command("list")(looking.list_)
audit.command("show")(looking.show)
audit.command("validate")(checking.validate)
audit.command("plan")(suites.plan)
audit.command("run")(running.run)
audit.command("suite")(suites.suite)
audit.command("resume")(running.resume)
audit.command("score")(running.score)
audit.command("report")(judging.report)
audit.command("compare")(judging.compare)
audit.command("gate")(judging.gate)
audit.command("verify")(checking.verify)
audit.command("repro")(checking.repro)
audit.command("view")(judging.view)


def main(arguments: Sequence[str] | None = None, *, name: str = "python -m audits") -> int:
    """Do what a command line says; return the exit code (`EXIT_CODES`)."""
    try:
        audit(args=list(arguments) if arguments is not None else None, prog_name=name)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    return 0
