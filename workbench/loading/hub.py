"""What of the catalogue is on this machine, and how the rest gets here: only when asked for, from the pinned commit.

Downloads go to a folder of our own, under another name until they are complete;
what lies in the Hugging Face cache already is used where it is.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.checkpoints.spec import ModelSpec
from workbench.errors import Busy, OutOfResources, Unsupported, WeightsMissing, WeightsRefused
from workbench.loading.hashes import main_config, vet, weight_files
from workbench.models import find
from workbench.places import NO_WEIGHTS, home

FULL_COMMIT = re.compile(r"[0-9a-f]{40}")
SPARE = 200_000_000  # bytes that a download leaves free on the disk


@dataclass(frozen=True)
class Presence:
    """What of a checkpoint is on this machine."""

    here: bool  # all of it
    where: str  # "shipped", "local folder", "downloaded", "Hugging Face cache", "partly …", "not here"
    bytes: int  # that it takes on the disk


def presence(spec: ModelSpec) -> Presence:
    """Say whether a checkpoint is on this machine; looks at the disk, never at the network."""
    if spec.loader == "fake":
        return Presence(True, "shipped", 0)
    if spec.loader == "edited":
        base = presence(find(spec.base))
        return Presence(base.here, "edited here" if base.here else f"its base is {base.where}", base.bytes)
    place = _find(spec)
    if place is not None:
        folder, where = place
        return Presence(True, where, _bytes(folder))
    part = _part(spec)
    return Presence(False, "partly downloaded", _bytes(part)) if part else Presence(False, "not here", 0)


def command(spec: ModelSpec) -> str:
    """Return the command that brings a checkpoint onto this machine."""
    return f"clip-workbench models --download {spec.key}"


def locate(spec: ModelSpec) -> Path:
    """Return the folder of a checkpoint that is on this machine.

    Raises:
        WeightsMissing: it is not; the message names the command that fetches it.
        Unsupported: the model has no weights.
    """
    if spec.loader == "fake":
        raise Unsupported(f"{spec.title} has no weights.")
    place = _find(spec)
    if place is not None:
        return place[0]
    if spec.folder is not None:
        if spec.sha256:
            raise WeightsMissing(f"{NO_WEIGHTS.format(spec.title)}; or choose another model with --model.")
        raise WeightsMissing(f"The weights of {spec.title} are not where they should be ({spec.folder.name!r}).")
    if spec.revision is None:
        raise WeightsMissing(f"{spec.title} ({spec.key}) is not on this machine. {spec.note}")
    size = f"{spec.download_bytes / 1e6:,.0f} MB" if spec.download_bytes else "size not known"
    raise WeightsMissing(
        f"{spec.title} ({spec.key}) is not on this machine. Download it ({size}) with: {command(spec)}"
    )


def download(
    spec: ModelSpec,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Path:
    """Fetch a checkpoint from the Hugging Face Hub, going on where an earlier attempt stopped; return its folder.

    Args:
        spec: a row of the catalogue with a repository.
        progress: called with (bytes done, bytes in all).
        cancelled: asked whenever bytes come; what has come by then is kept.

    Raises:
        Cancelled: on request.
        WeightsMissing: no connection, or no such repository or commit.
        WeightsRefused: no safetensors there, or files that are not what the hub announced.
        OutOfResources: not enough free disk.
        Busy: the same model is being downloaded already.
    """
    place = _find(spec) if spec.loader != "fake" else None
    if place is not None:
        return place[0]
    if spec.repo is None:
        raise Unsupported(f"{spec.title} has nothing to download.")
    from workbench.loading import remote

    source = remote.look(spec)
    target = _place() / f"{_stem(spec)}@{source.commit}"
    part = target.with_name(target.name + ".part")
    with _alone(spec, part):
        _look_at_disk(spec, part, source.total)
        remote.fetch_all(spec, source, part, progress=progress, cancelled=cancelled)
        _keep(spec, part, target)
    return target


def _find(spec: ModelSpec) -> tuple[Path, str] | None:
    """Return the complete folder of a checkpoint and what kind of place it is."""
    if spec.folder is not None:
        where = "shipped" if spec.sha256 else "local folder"
        return (spec.folder, where) if spec.folder.is_dir() else None
    if spec.repo is None or spec.revision is None:
        return None
    for folder in sorted(_place().glob(f"{_stem(spec)}@{spec.revision}*")):
        if FULL_COMMIT.fullmatch(folder.name.rpartition("@")[2]):  # not one that ends in .part or .lock
            return folder, "downloaded"
    snapshots = _hub_cache() / f"models--{_stem(spec)}" / "snapshots"
    for folder in sorted(snapshots.glob(f"{spec.revision}*")):
        if _complete(spec, folder):
            return folder, "Hugging Face cache"
    return None


def _complete(spec: ModelSpec, folder: Path) -> bool:
    """Say whether a folder of the shared cache holds all that loading needs; others fill it file by file."""
    needed = [main_config(spec)] + (["preprocessor_config.json"] if spec.loader == "transformers" else [])
    try:
        return all((folder / name).is_file() for name in needed) and bool(weight_files(spec, folder))
    except WeightsRefused:
        return False


def _place() -> Path:
    return home() / "models"


def _hub_cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _stem(spec: ModelSpec) -> str:
    return (spec.repo or "").replace("/", "--")


def _part(spec: ModelSpec) -> Path | None:
    return next(iter(sorted(_place().glob(f"{_stem(spec)}@{spec.revision}*.part"))), None) if spec.repo else None


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@contextlib.contextmanager
def _alone(spec: ModelSpec, part: Path) -> Iterator[None]:
    """Hold the unfinished folder; the lock goes with the process that holds it."""
    from filelock import FileLock, Timeout

    lock = part.with_name(part.name + ".lock")
    try:
        part.mkdir(parents=True, exist_ok=True)
        holder = FileLock(lock, timeout=0)
        holder.acquire()
    except Timeout:
        raise Busy(f"{spec.title} is being downloaded already; wait for that download to end.") from None
    except OSError as error:
        raise OutOfResources(
            f"The folder for downloads cannot be written ({error.strerror}); "
            "point CLIP_WORKBENCH_HOME at a folder that can be."
        ) from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        holder.release()
        if part.is_dir() and not any(part.iterdir()):
            part.rmdir()


def _look_at_disk(spec: ModelSpec, part: Path, total: int) -> None:
    needed = total - _bytes(part)
    free = shutil.disk_usage(part).free
    if needed + SPARE > free:
        raise OutOfResources(
            f"{spec.title} needs {needed / 1e6:,.0f} MB more on the disk, and {SPARE / 1e6:,.0f} MB to spare; "
            f"{free / 1e6:,.0f} MB are free. Free some, or point CLIP_WORKBENCH_HOME at a larger disk."
        )


def _keep(spec: ModelSpec, part: Path, target: Path) -> None:
    """Record the hashes, or compare with those recorded, and give the complete folder its name."""
    vet(spec, part)
    os.replace(part, target)
