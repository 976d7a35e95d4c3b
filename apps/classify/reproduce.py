"""Reproduce: the same query as a page address, a command line and lines of Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from apps.classify.answer import Query
from apps.shared.events import LIGHT
from apps.shared.examples import example_file
from apps.shared.page import Page
from apps.shared.query import numbers
from apps.shared.widgets import code
from workbench.engine import Engine
from workbench.pictures import SAMPLES
from workbench.reproduce import Setup, command_line, csv_row, from_query, python_lines, to_query

IDLE = "# Classify an image first."


def lines(query: Query | None, engine: Engine) -> tuple[str, str, str]:
    """Return address query, command line and Python lines of the last query; an upload goes by its bare name."""
    if query is None:
        return "", IDLE, IDLE
    setup = query.setup
    name = f"{setup.picture}.png" if setup.picture else Path(query.image).name
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


def build(page: Page, query: gr.State, form: list[Any]) -> None:
    """Lay out the view; `form` is image, shipped key, labels, templates, own list, none of these, model."""

    def of_address(request: gr.Request) -> list[Any]:
        address = dict(request.query_params)
        if not set(address) & {"labels", "model", "templates", "picture", "own", "none"}:
            return [gr.skip() for _ in form]
        setup, notices = restored(address, page.engine.default)
        for notice in notices:
            gr.Warning(notice)
        return [
            example_file(setup.picture) if setup.picture else gr.skip(),
            setup.picture,
            csv_row(setup.labels) if setup.labels else gr.skip(),
            setup.templates,
            "\n".join(setup.own),
            setup.none_of_these,
            setup.model,
        ]

    def fill(last: Query | None, request: gr.Request) -> tuple[str, str, str]:
        settings, shell_line, python_code = lines(last, page.engine)
        return (page_address(request) + settings if settings else ""), shell_line, python_code

    address = gr.Textbox(
        label="Address with these settings",
        info="Settings only: an uploaded image is never part of it.",
        interactive=False,
        buttons=["copy"],
        elem_id="reproduce-address",
    )
    shell = code("On the command line", lines=1, interactive=False)
    python = code("In Python", lines=8, interactive=False, elem_id="reproduce-python")
    query.change(fill, query, [address, shell, python], **LIGHT)
    page.address.change(of_address, None, form, **LIGHT)
