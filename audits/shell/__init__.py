"""The command line of the audits: `python -m audits WORD …`, the same as `clip-workbench audit WORD …`."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from audits.shell import checking, judging, looking, running, suites
from workbench.cli.exit_codes import EPILOG, CodedGroup, run_app


class _AuditCommands(CodedGroup):
    interrupted = "Interrupted. Finished work is saved; the same command continues."


audit = typer.Typer(
    name="audits",
    cls=_AuditCommands,
    help="Audit models: each answer has its count and its interval.",
    epilog=EPILOG,
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
audit.command("sign")(checking.sign)
audit.command("repro")(checking.repro)
audit.command("view")(judging.view)


def main(arguments: Sequence[str] | None = None, *, name: str = "python -m audits") -> int:
    """Do what a command line says; return the exit code (`exit_codes.EXIT_CODES`)."""
    return run_app(audit, arguments, name)
