"""A small page behind the real launch, as a process of its own: what the security tests speak to.

Run as `python small_server.py PORT HOOKFILE [flags as JSON]`; each attempt to look up a name or connect to anything is
written to HOOKFILE as one line.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def hook(file: Path) -> None:
    """Write down each look-up and each connection of this process from now on."""
    out = file.open("a", buffering=1, encoding="utf-8")

    def watch(event: str, args: tuple[object, ...]) -> None:
        if event == "socket.getaddrinfo":
            out.write(f"getaddrinfo {args[0]}\n")
        elif event in ("socket.connect", "socket.sendto"):
            target = args[1]
            out.write(f"connect {target[0] if isinstance(target, tuple) else 'local'}\n")

    sys.addaudithook(watch)


def page(slow_seconds: float = 1.0):  # type: ignore[no-untyped-def]
    """A text box, a picture, a slow job, a light one, edits that take as long as they say, views that fail."""
    import gradio as gr

    from apps.shared.events import CHOICE
    from workbench.images import safe_open

    def look(path: str | None) -> str:
        if path is None:
            raise gr.Error("Give a picture.", print_exception=False)
        try:
            return "x".join(map(str, safe_open(path).size))
        except Exception as error:
            raise gr.Error(str(error), print_exception=False) from None

    def slow(text: str) -> str:
        time.sleep(slow_seconds)
        return text

    def edited(seconds: str) -> str:
        time.sleep(float(seconds))
        return seconds

    def ticked(value: bool) -> str:
        raise KeyError(value)

    def picked(text: str, event: Any) -> str:
        return text[event.index]

    picked.__annotations__["event"] = gr.SelectData  # gradio cannot resolve a name that is local here

    with gr.Blocks(analytics_enabled=False, delete_cache=(600, 3600)) as demo:
        text = gr.Textbox(label="Text")
        out = gr.Textbox(label="Answer")
        picture = gr.Image(type="filepath", image_mode=None, label="Picture")
        gr.Button("Look").click(look, picture, out, api_name="look")
        gr.Button("Slow").click(slow, text, out, api_name="slow")
        gr.Button("Light").click(lambda value: value, text, out, api_name="light", queue=False)
        gr.Textbox("0", label="Edited").change(edited, text, out, concurrency_limit=8)
        gr.Textbox("0", label="Chosen").change(edited, text, out, **CHOICE)
        gr.Checkbox(label="Ticked").change(ticked, gr.Checkbox(label="Ticked"), out)
        gr.Gallery(label="Rows").select(picked, text, out)
    return demo


def main() -> None:
    """Serve until told to stop."""
    port, file, flags = int(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3] if len(sys.argv) > 3 else "{}")
    hook(file)
    from apps import limits
    from apps.serving import launch
    from apps.serving.environment import prepare_environment, private_uploads
    from apps.serving.options import ServeOptions, check_options, login

    prepare_environment()
    # the tests speak faster than any visitor, and have no patience with slow ones
    table = replace(limits.current(), requests_burst=100_000, idle_seconds=1.0, **flags.pop("limits", {}))
    flags = {name: tuple(value) if isinstance(value, list) else value for name, value in flags.items()}
    options = ServeOptions(port=port, **flags)
    check_options(options)
    engine = SimpleNamespace(
        status=lambda: {"status": "ready", "model": "none", "device": "cpu"},
        leave=lambda owner: file.with_suffix(".left").open("a").write(f"{owner}\n"),
    )
    with private_uploads() as uploads, launch.stop_signals() as stop:
        demo = page()
        launch.launch(demo, options, uploads=uploads, engine=engine, check_login=login(options.auth), table=table)
        print(json.dumps({"uploads": str(uploads)}), flush=True)
        stop.wait()
        demo.close(verbose=False)


if __name__ == "__main__":
    main()
