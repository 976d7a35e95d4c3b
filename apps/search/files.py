"""Files of the search view beside the uploads: thumbnails, chosen images, downloads."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from apps.shared.upload_folders import folder_beside_uploads
from workbench.batch.export import write_csv, write_json
from workbench.places import write_whole
from workbench.retrieval.contact_sheet import contact_sheet
from workbench.retrieval.search import Hit

COLUMNS = ("path", "score", "beats", "chance", "likely", "label", "caption", "width", "height", "second")


def thumbnails(hits: Sequence[Hit]) -> Iterator[str]:
    """Write the thumbnails of results beside the uploads, and yield their paths."""
    folder = folder_beside_uploads("search-")
    for number, hit in enumerate(hits):
        path = folder / f"{number}.jpg"
        path.write_bytes(hit.row["thumbnail"])
        yield str(path)


def whole_image(hit: Hit) -> str:
    """Return a copy of a result beside the uploads, as another view takes it: the file, or the thumbnail of a frame."""
    source = Path(hit.path)
    folder = folder_beside_uploads("search-image-")
    if hit.row["second"] is None and source.is_file():
        path = folder / source.name
        shutil.copyfile(source, path)
    else:
        path = folder / "frame.jpg"
        path.write_bytes(hit.row["thumbnail"])
    return str(path)


def downloads(hits: Sequence[Hit], *, names_only: bool) -> tuple[str, str, str | None]:
    """Write results as CSV, JSON and a contact sheet; return the paths, no sheet where there is no result."""
    lines = [
        {
            "path": hit.path.rsplit("/", 1)[-1] if names_only else hit.path,
            **{name: getattr(hit, name) for name in COLUMNS[1:5]},
            **{name: hit.row[name] for name in COLUMNS[5:]},
        }
        for hit in hits
    ]
    folder = folder_beside_uploads("search-files-")
    write_csv(folder / "results.csv", COLUMNS, [[_cell(line[name]) for name in COLUMNS] for line in lines])
    write_json(folder / "results.json", {"results": lines})
    sheet = folder / "results.jpg" if hits else None
    if sheet is not None:
        texts = [f"{hit.score:.2f} {hit.path.rsplit('/', 1)[-1]}" for hit in hits]
        write_whole(sheet, contact_sheet([hit.row["thumbnail"] for hit in hits], texts))
    return str(folder / "results.csv"), str(folder / "results.json"), str(sheet) if sheet else None


def _cell(value: object) -> str | float:
    return value if isinstance(value, str | float) else "" if value is None else str(value)
