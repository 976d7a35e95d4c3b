"""`serve`: open the workbench in the browser.

Knows the flags; how a page is served safely is `apps.serving`'s affair.
"""

from __future__ import annotations

from typing import Annotated

import typer

from audits.shell.options import DeviceOption, DtypeOption, ModelOption
from audits.shell.output import say


def serve(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; others than this machine's own need --auth.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen at.")] = 7860,
    model: ModelOption = "pocket",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host", help="A further name that visitors use for this server, behind a proxy; repeatable."
        ),
    ] = None,
    auth: Annotated[
        str | None, typer.Option("--auth", help="user:password that visitors give, or @FILE that holds them.")
    ] = None,
    root_path: Annotated[
        str, typer.Option("--root-path", help="The path under which a proxy shows this server, such as /clip.")
    ] = "",
) -> None:
    """Serve the workbench to the browser (this is what happens without a command)."""
    from apps.serving import ServeOptions
    from apps.serving import serve as serve_page
    from workbench.models import find

    find(model)  # a mistyped name is told before anything heavy is imported
    options = ServeOptions(host, port, model, device, dtype, tuple(allow_host or ()), auth, root_path)
    serve_page(options, ready=lambda address: say(f"CLIP Workbench is at {address} (Ctrl-C ends it)."))
