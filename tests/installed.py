"""Makes a package count as installed: metadata with entry points in a folder of the import path, as pip writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from apps.tabs import VIEWS
from audits.catalogue import AUDITS
from workbench.attacks import ATTACKS
from workbench.checkpoints import MODELS
from workbench.generation.canvases.kinds import CANVASES


def install(site: Path, package: str, groups: Mapping[str, Mapping[str, str]]) -> Path:
    """Write the metadata of version 1.0 of a package; return the folder that belongs on the import path.

    Args:
        site: the folder, made if missing.
        package: its name.
        groups: table, such as "audits" -> name -> "module:NAME".
    """
    place = site / f"{package.replace('-', '_')}-1.0.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    lines = []
    for table, points in groups.items():
        lines += [f"[clip_workbench.{table}]", *(f"{name} = {value}" for name, value in points.items()), ""]
    (place / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return site


@contextmanager
def importable(site: Path) -> Iterator[None]:
    """Put a folder on the import path for a while, and let every table read the installed packages anew."""
    before = set(sys.modules)
    sys.path.append(str(site))
    try:
        _forget()
        yield
    finally:
        sys.path.remove(str(site))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(site)):
                del sys.modules[name]
        _forget()


def _forget() -> None:
    for table in (AUDITS, MODELS, ATTACKS, CANVASES, VIEWS):
        table.forget()
