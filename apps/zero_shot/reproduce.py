"""Reproduce: the same question as a page address, a command line and lines of Python.

Knows the view; what the lines say stands in `workbench.reproduce`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from apps._handler import LIGHT
from apps.zero_shot.question import Asked, numbers
from workbench.engine import Engine
from workbench.pictures import SAMPLES, sample
from workbench.reproduce import Setup, command_line, csv_row, from_query, python_lines, to_query

IDLE = "# Ask about a picture first."


def lines(asked: Asked | None, engine: Engine) -> tuple[str, str, str]:
    """Return address query, command line and Python lines of the last question; an upload goes by its bare name."""
    if asked is None:
        return "", IDLE, IDLE
    setup = asked.setup
    name = f"{setup.picture}.png" if setup.picture else Path(asked.picture).name
    dtype, device = numbers(engine)
    where = {"device": device, "dtype": dtype}
    return "?" + to_query(setup), command_line(setup, name, **where), python_lines(setup, name, **where)


def restored(query: dict[str, str], default: str) -> tuple[Setup, list[str]]:
    """Read a page's query into settings and notices."""
    return from_query(query, {entry.key: entry for entry in SAMPLES}, default=Setup(model=default))


def page_address(request: gr.Request) -> str:
    """Return where the visitor's browser has this page; it says so itself with each request (Origin)."""
    root = str(getattr(getattr(request.request, "app", None), "root_path", "") or "")
    return f"{request.headers.get('origin', '')}{root if root.startswith('/') else ''}/"


def build(engine: Engine, asked: gr.State, form: list[Any]) -> None:
    """Lay out the view; `form` is picture, shipped key, labels, templates, own list, none of these, model."""

    def on_load(request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        if not set(query) & {"labels", "model", "templates", "picture", "own", "none"}:
            return [gr.skip() for _ in form]
        setup, notices = restored(query, engine.default)
        for notice in notices:
            gr.Warning(notice)
        return [
            sample(setup.picture) if setup.picture else gr.skip(),
            setup.picture,
            csv_row(setup.labels) if setup.labels else gr.skip(),
            setup.templates,
            "\n".join(setup.own),
            setup.none_of_these,
            setup.model,
        ]

    def fill(question: Asked | None, request: gr.Request) -> tuple[str, str, str]:
        query, shell_line, python_code = lines(question, engine)
        return (page_address(request) + query if query else ""), shell_line, python_code

    address = gr.Textbox(
        label="Address with these settings",
        info="Settings only: an uploaded picture is never part of it.",
        interactive=False,
        buttons=["copy"],
        elem_id="reproduce-address",
    )
    shell = gr.Code(
        label="On the command line",
        language=None,  # Gradio's colours for code are too pale to read on white
        lines=1,
        wrap_lines=True,
        show_line_numbers=False,
        interactive=False,
    )
    python = gr.Code(
        label="In Python",
        language=None,
        lines=8,
        wrap_lines=True,
        show_line_numbers=False,
        interactive=False,
        elem_id="reproduce-python",
    )
    asked.change(fill, asked, [address, shell, python], api_visibility="private", **LIGHT)
    gr.on(None, on_load, None, form, api_visibility="private", show_progress="hidden")
