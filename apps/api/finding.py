"""Endpoints of the views that find: an index, its search, moments of videos, the map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from apps import limits
from apps.api.asking import Ask, Folder, Image, Labels, Model, Steps, allowed, new_place, place_of, seconds
from workbench.errors import BadInput

Files = Annotated[list[str], "images, videos, or one zip of images", "file"]
Videos = Annotated[list[str], "videos (mp4, mov, webm, mkv), up to 20", "file"]
Query = Annotated[str, "what is looked for; weights and signs: 2:dog + beach - people"]
Index = Annotated[
    str, "what index_add answered as `index`, or the name of an index of the server, where it serves its user alone"
]


def _index(name: str) -> tuple[str, bool]:
    """Return where an index lies, and whether it is the visitor's own.

    Raises:
        UnknownName: it is not there, or not offered.
    """
    from apps.shared.index_choice import OWN, offered

    if name in offered() and name != OWN:
        return name, False
    return str(place_of(name, "index")), True


def index_add(
    ask: Ask,
    images: Files = [],  # noqa: B006
    folder: Folder = "",
    index: Annotated[str, "an index that an earlier call made; empty for a new one"] = "",
    model: Model = "",
) -> Annotated[Steps, "index: its name for later calls; added, reused, unchanged, removed, failed, rows"]:
    """Add images and videos to an index, to be searched by sentence."""
    from workbench.datasets.uploads import read_uploads
    from workbench.retrieval.adding import add
    from workbench.retrieval.sources import is_video

    paths = [str(allowed(folder, *images))] if folder else list(images)
    if not paths:
        raise BadInput("Give images, videos, one zip, or a folder of the server; got none.")
    if not folder and (pictures := [one for one in paths if not is_video(one)]):
        read_uploads(pictures, limit=limits.current().pictures)
    place = place_of(index, "index") if index else new_place("index")
    with ask.session(model, "index") as session:
        report = yield from add(str(place), session, paths)
    failed = [(Path(path).name, reason) for path, reason in report.failed]
    yield {"index": place.name, **replace(report, failed=failed).to_dict()}


def search(
    ask: Ask,
    index: Index,
    query: Query = "",
    image: Image = "",
    top: Annotated[int, "exactly so many, 1 to 1000; 0: the list ends where chance begins"] = 0,
    where: Annotated[str, "a condition on the columns, such as label = 'cat' and width > 800"] = "",
    correct_hubs: Annotated[bool, "rank down images that match almost any query"] = False,
    model: Model = "",
) -> Annotated[
    dict[str, Any],
    "results, the best first: name, score (cosine), beats, chance, likely; rows of the index; note on its language",
]:
    """Find the images of an index that fit a sentence, an example, or both."""
    from apps.search.finding import SearchForm, check, terms_of
    from apps.shared.index_choice import open_table
    from workbench.index import MOST
    from workbench.languages import language_note
    from workbench.results.search_results import SearchResults
    from workbench.retrieval.ask import ask as ask_index
    from workbench.retrieval.query import texts_of

    form = SearchForm(query, image or None, 1.0, where, weaker=True, fold=False, correct_hubs=correct_hubs)
    check(form)
    place, own = _index(index)
    with ask.session(model) as session:
        table = open_table(place, session, own=own)
        terms = terms_of(form)
        matches = ask_index(session, table, terms, top=top or MOST, where=where, correct_hubs=correct_hubs)
        note = language_note(texts_of(terms), session.spec)
    rows = SearchResults(query, matches, matches.hits if top else matches.likely).to_dict()
    for row in rows if own else ():
        row["path"] = row["path"].rsplit("/", 1)[-1]
    return {"results": rows, "rows": matches.rows, "note": note}


def moments(
    ask: Ask,
    query: Query,
    videos: Videos = [],  # noqa: B006
    index: Annotated[str, "in place of videos: an index of the server, where it serves its user alone"] = "",
    fps: Annotated[float, "frames a second that are looked at, 0.25 to 4"] = 2.0,
    frames: Annotated[int, "of a video at most, spread over it; 64 to 4096"] = 1024,
    model: Model = "",
) -> Annotated[Steps, "videos, the best first: name, score, likely, and segments with start and end in seconds; note"]:
    """Find when videos show what a sentence says."""
    from apps.video.answering import GIVEN, AskedMoments, RankedVideos, answers
    from apps.video.watched import Watched
    from workbench.progress import Progress
    from workbench.scheduler import CancelToken

    if not (0.25 <= fps <= 4 and 64 <= frames <= 4096):
        raise BadInput(f"fps lies between 0.25 and 4, frames between 64 and 4096; got {fps:g} and {frames}.")
    question = AskedMoments(index or GIVEN, tuple(videos), query, fps, frames, "mean", ask.model(model))
    question.check()
    work = answers(ask.engine, question, Watched(), visitor=ask.visitor, token=CancelToken(), seconds=seconds("video"))
    for number, step in enumerate(work):
        if not isinstance(step, RankedVideos):
            yield Progress(number, 0, "parts", text=step.line)
            continue
        names = [Path(one.path).name if not index else one.path for one in step.hits]
        matches = [
            {"score": one.score, "likely": one.likely, "segments": list(map(vars, one.moments))} for one in step.hits
        ]
        videos_found = [{"name": name, **one} for name, one in zip(names, matches, strict=True)]
        yield {"videos": videos_found, "note": step.note}


def map_images(
    ask: Ask,
    images: Files = [],  # noqa: B006
    texts: Labels = [],  # noqa: B006
    index: Annotated[str, "in place of images: an index of the server, where it serves its user alone"] = "",
    method: Annotated[str, "pca or umap"] = "pca",
    centred: Annotated[bool, "centre images and texts, which closes the modality gap"] = True,
    clusters: Annotated[int, "0 to 30; 0: as many as suit the number of images"] = 0,
    model: Model = "",
) -> Annotated[dict[str, Any], "points: name, kind, x, y, cluster; clusters: number, size, words; explained; gap"]:
    """Lay images and texts out in the plane, and name clusters of the images."""
    from apps.map.points import GIVEN, find_clusters, points_of
    from workbench.errors import unknown_name
    from workbench.labels import check_labels
    from workbench.retrieval.projection import METHODS, project

    if method not in METHODS:
        raise unknown_name("projection", method, METHODS)
    names = check_labels(texts) if texts else ()
    with ask.session(model) as session:
        drawn = points_of(session, index or GIVEN, list(images), names=tuple(names))
        named = find_clusters(drawn, session, clusters)
        flat = project(drawn.images, drawn.texts, method=method, centred=centred)
    numbers = [*drawn.clusters[clusters][0].tolist(), *(None for _ in drawn.texts)]
    points = [
        {"name": point.name, "kind": point.kind, "x": x, "y": y, "cluster": number}
        for point, (x, y), number in zip(drawn.points, flat.positions.tolist(), numbers, strict=True)
    ]
    rows = [{"number": one.number, "size": one.size, "words": list(one.words)} for one in named]
    return {"points": points, "clusters": rows, "explained": flat.explained, "gap": flat.gap}
