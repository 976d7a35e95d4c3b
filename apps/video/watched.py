"""The videos of an open page whose frames are embedded, for further sentences; and files of what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from apps.shared.upload_folders import folder_beside_uploads
from workbench.batch.export import write_csv, write_json
from workbench.errors import BadInput
from workbench.retrieval.collection import read_items
from workbench.retrieval.index import ModelTable
from workbench.retrieval.moments import VideoSegment, VideoVectors
from workbench.retrieval.videos import as_video

FIELDS = ("start", "end", "score", "deviation", "likely")


@dataclass
class Watched:
    """Videos by path, as one model saw them at one density of frames."""

    settings: tuple[str, float, float] = ("", 0.0, 0.0)  # fingerprint, frames a second, frames at most
    videos: dict[str, VideoVectors] = field(default_factory=dict)  # uploads
    shown: dict[str, VideoVectors] = field(default_factory=dict)  # of the last answer
    failed: dict[str, str] = field(default_factory=dict)  # reasons, of the last answer

    def of(self, fingerprint: str, fps: float, most: float) -> Watched:
        """Return these videos, or none where model or density are others."""
        settings = (fingerprint, float(fps), float(most))
        return Watched(settings, dict(self.videos) if settings == self.settings else {})


def indexed(table: ModelTable) -> dict[str, VideoVectors]:
    """Return the videos of an index.

    Raises:
        BadInput: it holds none.
    """
    videos = {item.path: as_video(item) for item in read_items(table, videos_only=True)}
    if not videos:
        raise BadInput(f"The index {table.index!r} holds no videos, only images; “Search images” finds those.")
    return videos


def downloads(segments: Sequence[VideoSegment]) -> tuple[str, str]:
    """Write the segments as CSV and JSON; return both paths."""
    folder = folder_beside_uploads("video-")
    rows = [{name: getattr(one, name) for name in FIELDS} for one in segments]
    write_csv(folder / "segments.csv", FIELDS, [[float(row[name]) for name in FIELDS] for row in rows])
    write_json(folder / "segments.json", rows)
    return str(folder / "segments.csv"), str(folder / "segments.json")
