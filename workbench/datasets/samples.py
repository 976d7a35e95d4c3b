"""One image of a data set with what is known about it, wherever it is stored."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from PIL import Image

from workbench.errors import BadPicture
from workbench.images import safe_decode, safe_open

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
SEVERAL = "|"  # between the classes of one image that shows several
MAX_TEXT_FILE = 100_000  # bytes of a caption, a label or a JSON file that belongs to one image


@dataclass(frozen=True, slots=True)
class ImageSample:
    """One image and what is known about it."""

    name: str  # its path within the data set, or the name of its row or archive member
    source: Path | Callable[[], bytes]  # the image file, or a function that reads its bytes (raises BadPicture)
    label: str = ""  # its class, or several joined by `SEVERAL`; empty where unknown
    captions: tuple[str, ...] = ()  # as they stand
    attributes: Mapping[str, str] = field(default_factory=dict)  # everything else that the source states
    size: int = 0  # bytes of the image file, where known without reading it

    def open(self) -> Image.Image:
        """Return the image, upright RGB.

        Raises:
            BadPicture: see `images.safe_open`.
        """
        return safe_open(self.source) if isinstance(self.source, Path) else safe_decode(self.source(), self.name)

    def read(self) -> bytes:
        """Return the bytes of the image file.

        Raises:
            BadPicture: they cannot be read.
        """
        if not isinstance(self.source, Path):
            return self.source()
        try:
            return self.source.read_bytes()
        except OSError as error:
            raise BadPicture(f"The file {self.source.name[:255]!r} cannot be read ({error.strerror}).") from None

    @contextmanager
    def file(self) -> Iterator[Path]:
        """Give a file that holds the image: its own, or a private temporary one for the length of the `with` block.

        Raises:
            BadPicture: the bytes cannot be read.
        """
        if isinstance(self.source, Path):
            yield self.source
            return
        with tempfile.TemporaryDirectory(prefix="clip-workbench-image-") as folder:  # mode 0700
            path = Path(folder, f"image{PurePosixPath(self.name).suffix.lower()}")
            path.write_bytes(self.source())
            yield path


@dataclass(frozen=True)
class Listing:
    """What a source holds."""

    samples: tuple[ImageSample, ...]
    skipped: tuple[str, ...] = ()  # "name: reason" of everything that is no usable row
    files: tuple[Path, ...] = ()  # whose contents are the data
    ignored: tuple[str, ...] = ()  # names of files that are not images
    title: str = ""
    licence: str = ""
    homepage: str = ""
    version: str = ""  # changes when the contents change; empty where only `files` can tell


def is_image(name: str) -> bool:
    """Return whether a relative path ends like an image and neither it nor a folder above it is hidden."""
    path = PurePosixPath(name)
    hidden = any((part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in IMAGE_SUFFIXES and not hidden


def class_of(name: str) -> str:
    """Return the first folder of a relative path, which class folders use as the label; empty for a loose file."""
    return name.split("/")[0] if "/" in name else ""
