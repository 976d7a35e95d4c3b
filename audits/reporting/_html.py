"""The report as one HTML file: no network, readable without scripts, at most 5 MB.

A strict content security policy lets run exactly the two scripts that are in the file, by their hashes.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audits.reporting._page import ReportOptions, page
from audits.reporting._sections import ROOMS
from audits.reporting._thumbnails import pictures
from audits.run_directory.reader import Run
from workbench.errors import BadInput

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
MAX_BYTES = 5_000_000
PLOTLY = HERE / "vendor" / "plotly-cartesian.min.js"


def write(runs: Sequence[Run], options: ReportOptions, out: Path) -> None:
    """Write the page."""
    out.write_text(render(runs, options), encoding="utf-8")


def render(runs: Sequence[Run], options: ReportOptions) -> str:
    """Return the report as HTML; what does not fit is left out, and the page says so.

    Raises:
        BadInput: even the shortest form is larger than 5 MB.
    """
    shown = pictures(runs, options.thumbnails)
    for room in ROOMS:
        text = fill(
            "report.html.j2", {"page": page(runs, replace(options, room=room), shown)}, scripts=not options.fixed
        )
        if len(text.encode()) <= MAX_BYTES:
            return text
    raise BadInput(f"A report holds at most {MAX_BYTES // 10**6} MB; {len(runs)} runs are more. Report fewer at once.")


def fill(template: str, context: Mapping[str, Any], *, scripts: bool) -> str:
    """Return a filled template with style, scripts and their policy."""
    script, engine = (asset("report.js"), plotly()) if scripts else ("", "")
    sources = f"script-src {allow(script)} {allow(_plotly_source())}" if scripts else "script-src 'none'"
    csp = (
        f"default-src 'none'; {sources}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    from markupsafe import Markup

    own = {"csp": csp, "css": Markup(asset("report.css")), "script": Markup(script), "engine": Markup(engine)}
    return environment().get_template(template).render(**own, **context)


@functools.cache
def environment() -> Environment:
    """Return Jinja's environment: everything is escaped that is not our own markup."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(HERE / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@functools.cache
def asset(name: str) -> str:
    """Return a file of ours that stands inside the page."""
    return (HERE / "templates" / name).read_text(encoding="utf-8")


def allow(script: str) -> str:
    """Return the policy's word for one inline script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@functools.cache
def plotly() -> str:
    """Return Plotly, compressed, as text: the page unpacks it when a figure comes into sight."""
    return base64.b64encode(gzip.compress(_plotly_source().encode(), 9, mtime=0)).decode()


@functools.cache
def _plotly_source() -> str:
    return PLOTLY.read_text(encoding="utf-8").replace("\r\n", "\n")
