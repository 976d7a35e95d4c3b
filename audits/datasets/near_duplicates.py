"""Which images of a data set are near-duplicates, before it is audited: they count one thing several times."""

from __future__ import annotations

from audits.datasets.dataset import Dataset
from workbench.datasets import near_duplicates as images
from workbench.embedding.prefetch import prefetch
from workbench.images import safe_open

BATCH = 64  # images that are opened at a time


def near_duplicates(dataset: Dataset) -> list[str]:
    """Return each group of near-duplicates that are no declared cluster, as a line of ids, the mislabelled ones first.

    A group whose images have different labels says so: one of them is wrong, or the label is not in the image.
    """
    table = dataset.table
    paths = [dataset.file(path) for path in table["path"]]
    batches = [paths[at : at + BATCH] for at in range(0, len(paths), BATCH)]
    thumbnails = [row for rows in prefetch(batches, lambda path: images.thumbnail(safe_open(path))) for row in rows]
    lines: list[tuple[bool, str]] = []
    for group in images.near_duplicates(thumbnails):
        rows = table.iloc[group]
        if rows["cluster"].where(rows["cluster"] != "", rows["sample_id"]).nunique() > 1:
            labels = sorted(set(rows["label"]) - {""})
            end = f" (labels differ: {', '.join(labels[:4])})" if len(labels) > 1 else ""
            lines.append((not end, ", ".join(sorted(rows["sample_id"])[:5]) + end))
    return [line for _, line in sorted(lines)]
