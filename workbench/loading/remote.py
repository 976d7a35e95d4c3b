"""Ask the Hugging Face Hub what a pinned commit holds, and bring its files here, each compared with its announced hash.

Only `hub.download` calls it: nothing else uses the network.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.checkpoints.spec import ModelSpec
from workbench.errors import OutOfResources, Unsupported, WeightsMissing, WeightsRefused
from workbench.loading.hashes import CONFIGS, OPEN_CLIP_WEIGHTS, main_config, sha256_of

if TYPE_CHECKING:
    from huggingface_hub import HfApi

FULL_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class RemoteFile:
    """One file on the hub."""

    name: str
    size: int  # bytes
    sha256: str | None  # of large files
    blob: str | None  # git's own hash, of small ones


@dataclass(frozen=True)
class Source:
    """Where a checkpoint comes from, and the files of it that loading needs."""

    repo: str
    commit: str  # all 40 digits
    endpoint: str
    files: tuple[RemoteFile, ...]

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def look(spec: ModelSpec) -> Source:
    """Ask the hub for the pinned commit of a row, and what it holds.

    Raises:
        WeightsMissing: no connection, or no such repository or commit.
        WeightsRefused: no safetensors there.
    """
    from huggingface_hub import HfApi

    assert spec.repo is not None
    with plainly(spec):
        api = HfApi()
        commit = _commit(api, spec)
        return Source(spec.repo, commit, str(api.endpoint), tuple(_listing(api, spec, commit)))


@contextlib.contextmanager
def plainly(spec: ModelSpec) -> Iterator[None]:
    """Turn what huggingface_hub raises into errors that say what to do."""
    from huggingface_hub import errors

    from workbench.loading.transfer import Broken, transport_errors

    broken: tuple[type[Exception], ...] = (Broken, *transport_errors())
    again = f"clip-workbench models --download {spec.key}"
    try:
        yield
    except errors.OfflineModeIsEnabled:
        raise WeightsMissing(
            f"{spec.title} cannot be downloaded while HF_HUB_OFFLINE is set; unset it and run: {again}"
        ) from None
    except broken as error:
        raise WeightsMissing(
            f"The connection for {spec.title} failed ({str(error)[:200]}). With a connection, run: {again} "
            "(it goes on where it stopped). On a machine without one, copy a model folder here and use folder:PATH."
        ) from None
    except errors.GatedRepoError:
        raise WeightsMissing(f"{spec.repo} asks for an account: accept its terms there, then set HF_TOKEN.") from None
    except errors.HfHubHTTPError as error:
        code = error.response.status_code if error.response is not None else "no answer"
        raise WeightsMissing(
            f"The hub would not give {spec.repo} at commit {(spec.revision or '')[:7]} (HTTP {code}). "
            f"Try again later with: {again}"
        ) from None
    except OSError as error:  # the disk: full after all, or not writable
        raise OutOfResources(
            f"The files of {spec.title} could not be written ({error.strerror or type(error).__name__}). "
            f"Free some disk, or point CLIP_WORKBENCH_HOME elsewhere; then run: {again}"
        ) from None


def fetch_all(
    spec: ModelSpec,
    source: Source,
    part: Path,
    *,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> None:
    """Bring every file of a checkpoint into a folder; files that are there already are compared, not fetched.

    Raises:
        Cancelled, WeightsMissing, WeightsRefused: as `hub.download`.
    """
    from huggingface_hub import hf_hub_url

    from workbench.loading.transfer import fetch

    before = 0
    with plainly(spec):
        for file in source.files:

            def arrived(done: int, before: int = before) -> None:
                progress(before + done, source.total)

            url = hf_hub_url(source.repo, file.name, revision=source.commit, endpoint=source.endpoint)
            fetch(url, part / file.name, file.size, arrived=arrived, cancelled=cancelled)
            _check(part / file.name, file)
            before += file.size
    progress(source.total, source.total)


def _wanted(spec: ModelSpec, name: str) -> bool:
    if spec.loader == "open_clip":
        return name in (main_config(spec), *CONFIGS, *OPEN_CLIP_WEIGHTS[:2])
    shards = ("model.safetensors", "model-*-of-*.safetensors", "model.safetensors.index.json")
    return name in (main_config(spec), *CONFIGS) or any(fnmatch(name, shard) for shard in shards)


def _commit(api: HfApi, spec: ModelSpec) -> str:
    """Return the full commit of a row, which may give only its first digits."""
    assert spec.repo is not None
    if spec.revision is not None and FULL_COMMIT.fullmatch(spec.revision):
        return spec.revision
    if spec.revision is None:
        raise Unsupported(f"{spec.title} ({spec.repo}) is not downloaded. {spec.note}")
    for entry in api.list_repo_commits(spec.repo):
        if entry.commit_id.startswith(spec.revision):
            return str(entry.commit_id)
    raise WeightsMissing(f"The repository {spec.repo} has no commit {spec.revision} any more.")


def _listing(api: HfApi, spec: ModelSpec, commit: str) -> list[RemoteFile]:
    """Return the files that loading needs, with their sizes and hashes.

    Raises:
        WeightsRefused: no safetensors among them.
    """
    assert spec.repo is not None
    siblings = api.model_info(spec.repo, revision=commit, files_metadata=True, timeout=30).siblings or []
    chosen = [one for one in siblings if _wanted(spec, one.rfilename)]
    names = {one.rfilename for one in chosen}
    if "open_clip_model.safetensors" in names:
        chosen = [one for one in chosen if one.rfilename != "open_clip_pytorch_model.safetensors"]
    if "model.safetensors" in names:
        chosen = [one for one in chosen if not one.rfilename.startswith("model-")]
    if not any(name.endswith(".safetensors") for name in names):
        raise WeightsRefused(f"The repository {spec.repo} holds no safetensors at {commit[:7]}; others are not read.")
    return [
        RemoteFile(one.rfilename, int(one.size or 0), one.lfs.sha256 if one.lfs else None, one.blob_id)
        for one in chosen
    ]


def _check(path: Path, file: RemoteFile) -> None:
    """Compare with what the hub announced; throw a wrong file away."""
    if file.sha256:
        right = sha256_of(path) == file.sha256
    elif file.blob:
        content = path.read_bytes()
        git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        right = git == file.blob
    else:
        right = path.stat().st_size == file.size
    if not right:
        path.unlink()
        raise WeightsRefused(
            f"The file {file.name} did not arrive as the hub announced it; run the same command again."
        )
