"""`mcp`: offer the commands to agents, over stdio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.errors import BadInput, Unsupported


def mcp(
    context: typer.Context,
    folder: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FOLDERS", help="Folders whose files may be read (default: this one)."),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FOLDER", help="Folder for outputs; without it, nothing is written."),
    ] = None,
) -> None:
    """Offer the commands as tools of the Model Context Protocol over stdio; needs the extra `mcp`."""
    folders = tuple(one.expanduser().resolve() for one in folder or (Path.cwd(),))
    write = write.expanduser().resolve() if write else None
    for one in (*folders, *((write,) if write else ())):
        if not one.is_dir():
            raise BadInput(f"mcp takes folders that exist; {str(one)!r} is none.")
    try:
        from apps.mcp.server import serve
    except ModuleNotFoundError as error:
        if error.name != "mcp":
            raise
        raise Unsupported("mcp needs the extra `mcp`: pip install 'mcp>=1.21,<2'") from None
    from apps.mcp.tools import Fence

    serve(context.find_root().command, Fence(folders, write))
