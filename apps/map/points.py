"""What lies on a map: images and texts with their columns, the groups that colour them, and their files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from apps import limits
from apps.shared import index_choice as choice
from apps.shared.upload_folders import folder_beside_uploads
from workbench.datasets import ImageSample
from workbench.datasets.uploads import read_uploads
from workbench.engine import Session
from workbench.errors import BadInput
from workbench.images import safe_decode
from workbench.languages import in_english
from workbench.neurons.vocabulary import WordTable, common_words, embed_words
from workbench.results.html import data_uri
from workbench.retrieval.clusters import NamedCluster, clusters_of, name_clusters, usual_count
from workbench.retrieval.conditions import isin
from workbench.retrieval.memory import table_vectors
from workbench.retrieval.table import StoredTable

FEW, SIDE = 300, 56  # images that all have a thumbnail on the map; pixels of one
MOST = 100_000  # points of an index that are drawn
GIVEN = "Images given here"
CLUSTER, KIND, LABEL = "cluster", "kind", "label"  # what always colours a map
GROUPS = 7  # with a colour of their own; the rest is one
OTHERS = "others"


@dataclass(frozen=True)
class MapPoint:
    """One image or text on the map."""

    name: str
    kind: str  # image or text
    columns: Mapping[str, str] = field(default_factory=dict)  # label, and whatever else its source states


@dataclass(frozen=True)
class MapPoints:
    """What is on the map."""

    points: tuple[MapPoint, ...]  # images first
    images: NDArray[np.float32]  # (n, dim)
    texts: NDArray[np.float32]  # (m, dim)
    samples: tuple[ImageSample, ...] = ()  # of images given here
    table: StoredTable | None = None  # of an index
    clusters: dict[int, tuple[NDArray[np.intp], list[NamedCluster]]] = field(default_factory=dict)  # count -> result

    @property
    def columns(self) -> list[str]:
        """What can colour the points: cluster, kind, and columns with two values or more."""
        values: dict[str, set[str]] = {}
        for point in self.points:
            for name, value in point.columns.items():
                values.setdefault(name, set()).add(value)
        return [CLUSTER, KIND, *(name for name, held in values.items() if len(held) > 1)]


def points_of(session: Session, index: str, files: list[str], *, names: tuple[str, ...]) -> MapPoints:
    """Embed the images and texts of a map, or take an index's vectors.

    Raises:
        BadInput: no image, or an index that is not offered.
    """
    texts = (
        session.embed_texts(in_english(names, session.spec)).numpy()
        if names
        else np.zeros((0, session.dim), np.float32)
    )
    labels = tuple(MapPoint(name, "text") for name in names)
    if index == GIVEN:
        if not files:
            raise BadInput("Choose images first, or press “Try the shipped images”.")
        samples = read_uploads(files, limit=limits.current().pictures).samples
        images = session.embed_images([sample.open() for sample in samples]).numpy()
        points = [MapPoint(Path(one.name).name, "image", {LABEL: one.label, **one.attributes}) for one in samples]
        return MapPoints((*points, *labels), images, texts, samples)
    opened = choice.open_table(choice.place_of(index, ""), session, own=False)
    vectors = table_vectors(opened)
    some = np.sort(np.random.default_rng(0).permutation(len(vectors.ids))[:MOST])
    columns = ["path", "label", "tags"]
    by_id = {line["_rowid"]: line for line in opened.table.take(vectors.ids[some], columns).to_pylist()}
    points = [_of_row(by_id[int(one)]) for one in vectors.ids[some]]
    images = vectors.vectors if len(some) == len(vectors.ids) else vectors.vectors[some]  # no copy of what is shared
    return MapPoints((*points, *labels), images, texts, table=opened.table.unscoped())


def _of_row(line: dict[str, Any]) -> MapPoint:
    tags = dict(tag.split("=", 1) for tag in line["tags"] or () if "=" in tag)
    return MapPoint(line["path"], "image", {LABEL: line["label"], **tags})


def find_clusters(points: MapPoints, session: Session, count: int) -> list[NamedCluster]:
    """Cluster the images and name the clusters, once for each count; 0 lets the number of images decide.

    Raises:
        BadInput: see `clusters_of`.
    """
    wanted = count or min(usual_count(len(points.images)), len(points.images))
    if count not in points.clusters:
        numbers = clusters_of(points.images, wanted)
        words = common_words()
        table = WordTable(words, embed_words(session, words).numpy())
        points.clusters[count] = numbers, name_clusters(points.images, numbers, table)
    return points.clusters[count][1]


def groups_of(points: MapPoints, by: str, count: int = 0) -> list[str]:
    """Return the group of each point; the seven largest keep their names, the rest is "others".

    Args:
        points: what is on the map.
        by: one of `points.columns`; clusters must have been found.
        count: of clusters.
    """
    if by == CLUSTER:
        numbers, named = points.clusters[count]
        images = [f"{named[number].number + 1}: {named[number].name}" for number in numbers]
    else:
        held = [point.kind if by == KIND else point.columns.get(by, "") for point in points.points]
        images = [value or f"no {by}" for value in held[: len(points.images)]]
    kept = {name for name, _ in Counter(images).most_common(GROUPS)}
    return [*(name if name in kept else OTHERS for name in images), *("text" for _ in points.texts)]


def labelled_images(
    key: str, points: MapPoints | None, chosen: str, *, groups: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Return the chosen images with their labels, as another view takes them.

    Audits get each image's label, or its group where it has none. Evaluate gets the same where the chosen images have
    two labels or more; else all images, as chosen and others, so that a probe learns what the lasso holds.

    Args:
        key: of the view that receives.
        points: what is on the map.
        chosen: numbers of points, with commas.
        groups: of all points.

    Raises:
        BadInput: no map, no image chosen, or too many.
    """
    if points is None:
        raise BadInput("Draw the map first, then choose images with a lasso.")
    inside = sorted({number for number in numbers(chosen, points) if number < len(points.images)})
    if not inside:
        raise BadInput("Choose images on the map first: draw a lasso around some.")
    label = {at: (points.points[at].columns.get(LABEL) or groups[at]).replace("/", "-") for at in inside}
    if key == "evaluate" and len(set(label.values())) < 2:
        label = {at: "chosen" if at in label else "others" for at in range(len(points.images))}
    most = limits.current().pictures
    if len(label) > most:
        raise BadInput(f"At most {most} images at once; this would send {len(label)}. Choose fewer.")
    files = _files(points, list(label))
    return tuple(zip(files, label.values(), strict=True))


def thumbnails(points: MapPoints, wanted: Sequence[int]) -> dict[int, str]:
    """Return small squares of some images as data addresses, by the number of their point; texts have none."""
    images = [at for at in wanted if at < len(points.images)]
    small = _stored(points, [points.points[at].name for at in images])
    return {
        at: _square(safe_decode(small[name], name) if small else points.samples[at].open())
        for at, name in ((at, points.points[at].name) for at in images)
    }


def _stored(points: MapPoints, names: Sequence[str]) -> dict[str, bytes]:
    """Return the thumbnails that an index holds, by path; none of images given here."""
    small: dict[str, bytes] = {}
    if points.table is not None:
        for condition in isin("path", names):
            for batch in points.table.scan(["path", "thumbnail"], where=condition):
                small |= dict(zip(batch["path"].to_pylist(), batch["thumbnail"].to_pylist(), strict=True))
    return small


def _square(image: Image.Image) -> str:
    return data_uri(ImageOps.fit(image.convert("RGB"), (SIDE, SIDE)), "WEBP", quality=75)


def numbers(chosen: str, points: MapPoints) -> list[int]:
    """Read the numbers of chosen points."""
    return [int(one) for one in chosen.split(",") if one.isdecimal() and int(one) < len(points.points)]


def _files(points: MapPoints, wanted: Sequence[int]) -> list[str]:
    """Return a file of each image: its own, or one beside the uploads for members of archives and frames."""
    folder = folder_beside_uploads("map-images-")
    names = [points.points[at].name for at in wanted]
    small = _stored(points, [name for name in names if not Path(name).is_file()])
    files = []
    for at, name in zip(wanted, names, strict=True):
        if points.table is not None and name not in small:
            files.append(name)
            continue
        sample = points.samples[at] if points.table is None else None
        if sample is not None and isinstance(sample.source, Path):
            files.append(str(sample.source))
            continue
        path = folder / f"{at:05d}{Path(name).suffix.lower() if sample else '.jpg'}"
        path.write_bytes(sample.read() if sample else small[name])
        files.append(str(path))
    return files
