"""CLIP Workbench: look inside CLIP-style models and audit them. Start here: `python app.py` opens it in the browser.

Commands stand in `apps/shell`, and `python app.py WORD …` takes the same ones
as `clip-workbench WORD …`.
"""

from __future__ import annotations

import sys

from apps.shell import run


def main() -> None:
    """Do what the command line says, and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
