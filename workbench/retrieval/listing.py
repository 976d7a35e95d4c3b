"""The images of an index as a data set, with a column of the index as their labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.datasets import ImageSample, Listing, read_samples
from workbench.errors import BadInput
from workbench.retrieval.adding import file_of
from workbench.retrieval.filters import compile_filter
from workbench.retrieval.index import ModelTable, find_table

LABEL, CAPTION = "label", "caption"


def columns(opened: ModelTable) -> list[str]:
    """Return what can label the images of a table: those of label, caption and the tags that are filled."""
    filled: dict[str, None] = {}
    for batch in opened.table.scan([LABEL, CAPTION, "tags"], where="second IS NULL"):
        for line in batch.to_pylist():
            filled |= dict.fromkeys(name for name, value in _values(line).items() if value)
    return list(filled)


def indexed(name: str, *, column: str = LABEL, where: str = "") -> Listing:
    """List the images of an index that a column labels; frames of videos are left out, and no image is opened.

    Vectors are not read, so any model may have made them; the table that was written last is taken.

    Args:
        name: of the index, or its folder or address.
        column: `label`, `caption`, or the name of a tag, such as a column of the table that was added.
        where: a condition on the rows in the language of `filters`; empty for all.

    Raises:
        UnknownName: there is no such index.
        BadInput: no image has the column, or a condition that cannot be read.
    """
    condition = compile_filter(where)
    opened = find_table(name)
    archives: dict[str, Mapping[str, ImageSample]] = {}
    samples, skipped, frames = list[ImageSample](), list[str](), 0
    for batch in opened.table.scan(["path", "second", LABEL, CAPTION, "tags"], where=condition):
        for line in batch.to_pylist():
            values, path = _values(line), str(line["path"])
            frames += line["second"] is not None
            if line["second"] is None and not values.get(column):
                skipped.append(f"{Path(path).name}: no {column}")
            elif line["second"] is None:
                source = _source(path, archives)
                if source is None:
                    skipped.append(f"{Path(path).name}: no longer where it was added from")
                else:
                    samples.append(ImageSample(path, source, values[column], attributes=values))
    if not samples:
        known = ", ".join(columns(opened)[:12]) or "no column that is filled"
        raise BadInput(
            f"The labels come from a column of the index {name!r}: {known}; no image that was asked for has "
            f"{column[:80]!r}."
        )
    if frames:
        skipped.append(f"{frames} frames of videos: images only")
    return Listing(tuple(sorted(samples, key=lambda one: one.name)), tuple(skipped), title=f"the index {name}")


def _values(line: Mapping[str, Any]) -> dict[str, str]:
    tags = dict(tag.split("=", 1) for tag in line["tags"] or () if "=" in tag)
    return {LABEL: line[LABEL] or "", CAPTION: line[CAPTION] or "", **tags}


def _source(path: str, archives: dict[str, Mapping[str, ImageSample]]) -> Any:
    """Return a file, or what reads a member of an archive; None where it is gone."""
    archive = file_of(path)
    if archive == path:
        return Path(path) if Path(path).is_file() else None
    if archive not in archives:
        try:
            archives[archive] = {f"{archive}/{one.name}": one for one in read_samples(archive).samples}
        except BadInput:
            archives[archive] = {}
    member = archives[archive].get(path)
    return None if member is None else member.source
