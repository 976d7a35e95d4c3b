"""Images as a script has them: paths, Pillow images, NumPy arrays, torch tensors, bytes and open files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, cast

import numpy as np
from PIL import Image

from workbench.datasets.folders import image_names
from workbench.errors import BadInput, BadPicture
from workbench.images import safe_decode

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from workbench.backend import Picture

    ImageLike: TypeAlias = Picture | os.PathLike[str] | NDArray[Any] | Tensor | bytes | BinaryIO

CHANNELS = (1, 3, 4)  # grey, RGB, RGBA


def read_images(given: ImageLike | Iterable[ImageLike]) -> tuple[list[Picture], bool]:
    """Return paths and Pillow images, and whether one image alone was given.

    Arrays and tensors of three axes or two are one image, of four axes many; see `read_image` for their values.

    Raises:
        BadPicture: something that is no image, or bytes that `images.safe_decode` refuses.
    """
    if isinstance(given, str | bytes | os.PathLike | Image.Image) or hasattr(given, "read"):
        return [read_image(cast("ImageLike", given))], True
    axes = getattr(given, "ndim", None)
    if axes is not None and axes != 4:
        return [read_image(cast("ImageLike", given))], True
    if not isinstance(given, Iterable):
        raise _refused(given)
    return [read_image(one) for one in given], False


def read_image(given: ImageLike) -> Picture:
    """Return one image as a path, which is opened where it is needed, or as a Pillow image.

    Args:
        given: a path; a Pillow image; the bytes of a PNG, JPEG or WebP file, or one opened in binary mode; or an array
            or tensor (height, width), (height, width, channels) or (channels, height, width) of 1, 3 or 4 channels,
            uint8 in 0..255 or floats in 0..1.

    Raises:
        BadPicture: none of these, or bytes that `images.safe_decode` refuses.
    """
    if isinstance(given, str | Path | Image.Image):
        return given
    if isinstance(given, os.PathLike):
        return os.fspath(given)
    if isinstance(given, bytes):
        return safe_decode(given, "given")
    if hasattr(given, "read"):
        name = Path(str(getattr(given, "name", "given"))).name
        data = given.read()
        if not isinstance(data, bytes):
            raise BadPicture(f"Open image files in binary mode, open({name!r}, 'rb'); this one gives text.")
        return safe_decode(data, name)
    if hasattr(given, "detach"):  # a torch tensor
        given = cast("Tensor", given).detach().cpu()
        given = (given.float() if given.is_floating_point() else given).numpy()
    if isinstance(given, np.ndarray):
        return _from_array(given)
    raise _refused(given)


def image_files(given: str | Sequence[str]) -> list[str]:
    """Return the image files that files, folders and patterns stand for, each once, in the order given.

    A folder stands for the PNG, JPEG and WebP files in it and below it, in the order of their names; hidden files and
    folders are passed over. A file that does not exist stays: it is reported with the results.

    Raises:
        BadInput: a folder or a pattern that holds no image, or a web address.
    """
    paths: dict[str, None] = {}
    for entry in [given] if isinstance(given, str) else given:
        paths.update(dict.fromkeys(_expand(entry)))
    return list(paths)


def image_name(picture: Picture) -> str:
    """Return what a table calls an image: its path as given, or its size in pixels."""
    if isinstance(picture, Image.Image):
        return f"image of {picture.width} x {picture.height} pixels"
    return str(picture)


def _expand(entry: str) -> Iterator[str]:
    if "://" in entry:
        raise BadInput(f"Images must be files on this machine; addresses are not fetched: {entry[:80]!r}.")
    if os.path.isdir(entry):
        inside = [os.path.join(entry, name) for name in image_names(entry)]
        if not inside:
            raise BadInput(f"The folder {Path(entry).resolve().name!r} holds no PNG, JPEG or WebP file.")
        yield from inside
    elif os.path.exists(entry) or not glob.has_magic(entry):
        yield entry
    else:
        matches = [path for path in sorted(glob.glob(entry, recursive=True)) if os.path.isfile(path)]
        if not matches:
            raise BadInput(f"The pattern {entry[:80]!r} matches no file.")
        yield from matches


def _from_array(values: NDArray[Any]) -> Image.Image:
    shape = values.shape
    if values.ndim == 3 and shape[-1] not in CHANNELS and shape[0] in CHANNELS:
        values = np.moveaxis(values, 0, -1)
    if values.ndim == 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[-1] not in CHANNELS) or 0 in values.shape:
        raise BadPicture(
            "An array of one image has the shape (height, width), (height, width, 3) or (3, height, width); "
            f"got {tuple(shape)}."
        )
    if np.issubdtype(values.dtype, np.floating):
        low, high = float(values.min()), float(values.max())
        if not (low >= 0 and high <= 1):  # NaN too
            raise BadPicture(
                f"Images of floats hold values in 0..1; got {low:.3g} to {high:.3g}. Undo the model's normalisation, "
                "or give uint8 in 0..255."
            )
        values = np.rint(values * 255).astype(np.uint8)
    if values.dtype != np.uint8:
        raise BadPicture(f"Arrays of images are uint8 in 0..255 or floats in 0..1; got {values.dtype}.")
    return Image.fromarray(np.ascontiguousarray(values))


def _refused(given: object) -> BadPicture:
    return BadPicture(
        "Images are paths, Pillow images, arrays, tensors, bytes or files opened in binary mode, one or many; "
        f"got {type(given).__name__}."
    )
