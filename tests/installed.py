"""Makes a package count as installed: metadata with entry points in a folder of the import path, as pip writes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


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
