"""`serve`: open the workbench in the browser."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.options import DeviceOption, DtypeOption, ModelOption
from workbench.cli.output import say


def serve(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; addresses beyond this machine need --auth.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = 7860,
    model: ModelOption = "pocket",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="Another host name of this server, behind a proxy; repeatable."),
    ] = None,
    auth: Annotated[str | None, typer.Option("--auth", help="user:password for visitors, or @FILE with them.")] = None,
    root_path: Annotated[
        str, typer.Option("--root-path", help="Path under which a proxy serves this page, such as /clip.")
    ] = "",
    folder: Annotated[
        list[str] | None, typer.Option("--folder", help="Folder that calls of the API may read; repeatable.")
    ] = None,
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Offer the API to agents at /gradio_api/mcp (extra `mcp`).")
    ] = False,
) -> None:
    """Serve the workbench to the browser; the default without a command."""
    from apps.serving import ServeOptions
    from apps.serving import serve as serve_page
    from workbench.models import find

    find(model)  # a mistyped name is refused before anything heavy is imported
    given = {"allow_host": tuple(allow_host or ()), "folder": tuple(folder or ()), "mcp": mcp}
    options = ServeOptions(host, port, model, device, dtype, auth=auth, root_path=root_path, **given)  # type: ignore[arg-type]
    serve_page(options, ready=lambda address: say(f"CLIP Workbench is at {address} (Ctrl-C stops it)."))
