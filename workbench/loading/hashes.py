"""Look at a checkpoint before any of it is used: safetensors only, no code of its own, the recorded hashes."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

from workbench.checkpoints.spec import ModelSpec
from workbench.errors import OutOfResources, WeightsRefused
from workbench.places import home, read_json, write_json

OPEN_CLIP_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "model.safetensors")
CONFIGS = (
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
)
MAX_HEADER = 100_000_000  # bytes, as the format's own reader has it
REMEMBER_FROM = 64_000_000  # bytes; smaller files are hashed at every load
RECIPE = "1"  # of our own preprocessing; to be raised when equal files give other embeddings


def vet(spec: ModelSpec, folder: Path) -> dict[str, str]:
    """Refuse a checkpoint that may not be opened; return the sha256 of each of its weight files.

    The hash of what has none yet is recorded, and enforced from then on.

    Raises:
        WeightsRefused: no safetensors, a damaged one, one whose hash is another than recorded, or a model with code.
    """
    _refuse_code(folder)
    files = weight_files(spec, folder)
    for file in files:
        check_header(file)
    digests = {file.name: sha256_of(file) for file in files}
    known = spec.sha256 or recorded(spec)
    for name, digest in digests.items():
        if known and known.get(name) != digest:
            raise WeightsRefused(
                f"The file {name} of {spec.title} is not the one that was recorded: sha256 {digest[:16]}…, "
                f"recorded {known.get(name, 'none')[:16]}…. Delete it and download the model again, "
                "or find out who changed it."
            )
    if spec.repo and not known:
        _record(spec, digests)
    return digests


def fingerprint(spec: ModelSpec, folder: Path, weights: dict[str, str], *, dtype: str) -> str:
    """Hash of weights, preprocessing, tokenizer and dtype: 32 hexadecimal digits."""
    digest = hashlib.sha256(f"recipe {RECIPE} dtype {dtype}".encode())
    for name, sha256 in sorted(weights.items()):
        digest.update(f"\n{name} {sha256}".encode())
    for name in sorted((main_config(spec), *CONFIGS)):
        if (folder / name).is_file():
            digest.update(f"\n{name} {sha256_of(folder / name)}".encode())
    return digest.hexdigest()[:32]


def main_config(spec: ModelSpec) -> str:
    """Name of the file that describes the towers."""
    return "open_clip_config.json" if spec.loader == "open_clip" else "config.json"


def weight_files(spec: ModelSpec, folder: Path) -> list[Path]:
    """Return the safetensors files that a loading room will read, in order.

    Raises:
        WeightsRefused: there are none, or one that the index names is missing.
    """
    names = OPEN_CLIP_WEIGHTS if spec.loader == "open_clip" else ("model.safetensors",)
    single = next((folder / name for name in names if (folder / name).is_file()), None)
    if single is not None:
        return [single]
    index = folder / "model.safetensors.index.json"
    if spec.loader == "transformers" and index.is_file():
        shards = _read(index).get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(name, str) for name in shards.values()):
            raise WeightsRefused(f"The file {index.name} of {folder.name!r} names no weights.")
        files = [folder / name for name in sorted(set(shards.values()))]
        for file in files:
            if file.parent != folder or file.suffix != ".safetensors" or not file.is_file():
                raise WeightsRefused(f"{index.name} names {file.name!r}, which is no safetensors file in the folder.")
        return files
    other = sorted(file.name for file in folder.iterdir() if file.suffix in (".bin", ".pt", ".pth", ".ckpt", ".pkl"))
    given = f"it holds only {', '.join(other[:3])}, and pickled weights can run code" if other else "it holds none"
    raise WeightsRefused(f"Weights are read from safetensors files alone ({' or '.join(names)}); {given}.")


def sha256_of(file: Path) -> str:
    """Return the sha256 of a file; that of a large one is remembered until the file changes."""
    stat = file.stat()
    if stat.st_size < REMEMBER_FROM:
        return _digest(file)
    mark = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    place = home() / "seen.json"
    name = str(file.resolve())
    before = read_json(place).get(name)
    if isinstance(before, dict) and before.get("mark") == mark:
        return str(before["sha256"])
    digest = _digest(file)
    try:
        write_json(place, {**read_json(place), name: {"mark": mark, "sha256": digest}})
    except OutOfResources:  # only costs the hashing again next time
        return digest
    return digest


def recorded(spec: ModelSpec) -> dict[str, str]:
    """Return the hashes that were recorded at the first download; empty before it."""
    digests = read_json(home() / "hashes.json").get(_name(spec), {})
    return dict(digests) if isinstance(digests, dict) else {}


def _record(spec: ModelSpec, hashes: dict[str, str]) -> None:
    """Keep the hashes of a checkpoint: from now on no others are loaded."""
    place = home() / "hashes.json"
    write_json(place, {**read_json(place), _name(spec): hashes})


def _refuse_code(folder: Path) -> None:
    """Refuse a model that asks for code of its own.

    Raises:
        WeightsRefused: a configuration with `auto_map`.
    """
    for name in ("config.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json"):
        if (folder / name).is_file() and "auto_map" in _read(folder / name):
            raise WeightsRefused(
                f"This model wants to run code of its own ({name} of {folder.name!r} has an auto_map), "
                "which is not done here. Model families read here need no code."
            )


def check_header(file: Path) -> None:
    """Refuse a safetensors file whose header is damaged or does not fit the file.

    Raises:
        WeightsRefused: such a file.
    """
    size = file.stat().st_size
    with file.open("rb") as opened:
        start = opened.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(MAX_HEADER, size - 8):
            raise WeightsRefused(
                f"{file.name} is no intact safetensors file: it has {size:,} bytes, and its header claims {length:,}."
            )
        try:
            header = json.loads(opened.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
            whole = max(ends, default=0) == size - 8 - length
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            raise WeightsRefused(f"{file.name} is no intact safetensors file: its header cannot be read.") from None
    if not whole:
        raise WeightsRefused(f"{file.name} is cut short or too long: its header and its {size:,} bytes do not agree.")


def _name(spec: ModelSpec) -> str:
    return f"{spec.repo}@{spec.revision}"


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsRefused(f"The file {file.name} of the model cannot be read: {str(error)[:200]}") from None
    if not isinstance(content, dict):
        raise WeightsRefused(f"The file {file.name} of the model holds no settings.")
    return content


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
