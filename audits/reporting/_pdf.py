"""The report for print, through WeasyPrint, which is an extra."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from audits.reporting._html import render
from audits.reporting._page import ReportOptions
from audits.run_directory.reader import Run
from workbench.errors import Unsupported

PACKAGE = "WeasyPrint is not installed: `pip install -r requirements-pdf.txt`, or `pip install clip-workbench[pdf]`"
LIBRARIES = (
    "WeasyPrint does not find its system libraries: "
    "`apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0` "
    "on Debian and Ubuntu, `dnf install pango` on Fedora, `brew install pango` on macOS"
)


def write(runs: Sequence[Run], options: ReportOptions, out: Path) -> None:
    """Print a report.

    Raises:
        Unsupported: WeasyPrint or its system libraries are missing; the message names the packages.
    """
    library = _library()
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it tells of every property that print does not have
    text = render(runs, replace(options, fixed=True, drawings={}))
    library.HTML(string=text, base_url=None, url_fetcher=_no_network).write_pdf(out)


def _library() -> Any:
    try:
        import weasyprint
    except ModuleNotFoundError:
        raise Unsupported(
            f"A PDF cannot be made here. {PACKAGE}. A browser prints the HTML report just as well."
        ) from None
    except OSError as error:
        told = str(error).split(":")[0][:120]
        raise Unsupported(f"A PDF cannot be made here ({told}). {LIBRARIES}.") from None
    return weasyprint


def _no_network(url: str, *arguments: Any, **options: Any) -> Any:
    """Give what the page itself holds, and nothing else."""
    import weasyprint

    if not url.startswith("data:"):
        raise ValueError("a report loads nothing")
    return weasyprint.default_url_fetcher(url, *arguments, **options)
