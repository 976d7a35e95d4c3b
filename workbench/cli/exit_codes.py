"""One table of exit codes for all commands: what each means, and how an error becomes one."""

from __future__ import annotations

import errno
import functools
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from workbench import errors
from workbench.cli.output import complain
from workbench.errors import WorkbenchError

EXIT_CODES = {
    errors.DONE: "done, or a gate passed",
    errors.FAILED: "a gate failed, or an unforeseen error (please report it)",
    errors.UNUSABLE: "an option, name or input cannot be used",
    errors.INCOMPLETE: "incomplete: a run or an image failed; each is named",
    errors.INCONCLUSIVE: "a gate is inconclusive",
    errors.NOT_COMPARABLE: "the runs are not comparable",
    errors.ALTERED: "a run is not what was measured: files differ from their hashes, or a repetition from its run",
    errors.NOTHING_MEASURED: "nothing was measured",
    errors.WEIGHTS: "the model's weights are missing or refused",
    errors.RESOURCES: "not enough memory, disk space or device",
    errors.DEADLINE: "time limit reached",
    errors.INTERRUPTED: "interrupted; finished work is saved",
}
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of a disk
UNUSABLE_PLACES = (  # what a path that was given can be
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST),
    *(errno.ENAMETOOLONG, errno.ELOOP),
)
EPILOG = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + "."


class CodedGroup(TyperGroup):
    """Commands whose errors become one line on stderr and an exit code of the table."""

    interrupted = "Interrupted."

    def invoke(self, ctx: Any) -> Any:  # click's own context
        """Run a command."""
        try:
            return super().invoke(ctx)
        except WorkbenchError as error:
            complain(str(error))
            raise typer.Exit(error.exit_code) from None
        except OSError as error:
            if error.errno not in FULL + UNUSABLE_PLACES or isinstance(error, BrokenPipeError):
                raise
            place = f"{str(error.filename)[-200:]!r} cannot be used" if error.filename else "A file cannot be written"
            complain(f"{place}: {error.strerror}.")
            raise typer.Exit(errors.RESOURCES if error.errno in FULL else errors.UNUSABLE) from None
        except KeyboardInterrupt:
            complain(self.interrupted)
            raise typer.Exit(errors.INTERRUPTED) from None


_command = functools.cache(get_command)  # reading the options of fifty commands takes most of a refusal's time


def run_app(app: typer.Typer, arguments: Sequence[str] | None, name: str) -> int:
    """Do what a command line says; return the exit code. None stands for the arguments of this process."""
    try:
        _command(app)(args=None if arguments is None else list(arguments), prog_name=name)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    return 0
