"""Is a run what it says? `verify` compares files with their hashes, `repro` does the run again and compares numbers."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audits.errors import Tampered
from audits.protocol import read_file
from audits.run_directory import header, results, seal
from audits.run_directory.header import Header
from audits.run_directory.header_parts import run_id
from audits.running.jobs import Options
from workbench.errors import BadInput

if TYPE_CHECKING:
    from pandas import DataFrame


NUMBERS = ("value", "ci_low", "ci_high")  # that a repetition must meet
NAMES = ("metric", "label_set", "slice_by", "slice", "control", "contrast", "reference", "n", "k_pos")


@dataclass(frozen=True)
class Repetition:
    """How far a second run is from the first."""

    rows: int
    largest: float  # difference of a value or a bound
    metric: str  # where it is
    tolerance: float


def verify(folder: Path, signer: Path | None = None) -> int:
    """Compare a finished run with its hashes; return the number of files that agree.

    `signer` is a public SSH key, whose owner must have signed the run.

    Raises:
        BadInput: no run directory, an unfinished run, or no such key.
        Tampered: a file is missing or changed, the header does not fit the protocol, or the key's signature is missing.
    """
    head = seal.read_checked(folder)
    _finished(folder, head)
    if faults := _header_faults(folder, head):
        raise Tampered(f"The run {folder.name!r} is not what was measured: {'; '.join(faults)}.")
    if signer is not None:
        seal.check_signature(folder, signer)
    return len(seal.sealed_names(folder))


def repeat(folder: Path, *, tolerance: float, options: Options) -> Repetition:
    """Run again, from the images on and in a folder of its own, and compare every measure.

    Raises:
        BadInput: no finished run, or a tolerance below 0.
        Tampered: data, model or numbers are others.
    """
    from audits.running.api import again_into

    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise BadInput(f"A tolerance is 0 or more; got {tolerance}.")
    head = header.read(folder)
    _finished(folder, head)
    with tempfile.TemporaryDirectory(prefix="audits-repro-") as place:
        second = again_into(folder, Path(place), options)
        if second.header.hashes != head.hashes:
            names = [
                name for name in ("protocol", "model", "dataset")
                if getattr(second.header.hashes, name) != getattr(head.hashes, name)
            ]  # fmt: skip
            raise Tampered(f"The run {folder.name!r} cannot be repeated: {' and '.join(names)} changed since.")
        repetition = difference(results.read_parquet(folder / results.METRICS), second.metrics, tolerance)
    if not repetition.largest <= tolerance:
        raise Tampered(
            f"The repetition's {repetition.metric} differs by {repetition.largest:.3g}, more than --tol {tolerance:g}."
        )
    return repetition


def difference(first: DataFrame, second: DataFrame, tolerance: float) -> Repetition:
    """Compare two tables of measures row by row.

    Raises:
        Tampered: they do not measure the same things.
    """
    names = [name for name in NAMES if name in first.columns]
    if len(first) != len(second) or not first[names].astype(str).equals(second[names].astype(str)):
        raise Tampered(f"The repetition measures other things: {len(first)} rows then, {len(second)} now.")
    largest, where = 0.0, "nothing"
    for column in (name for name in NUMBERS if name in first.columns):
        one, other = first[column].astype(float), second[column].astype(float)
        apart = (one - other).abs()
        apart[one.isna() != other.isna()] = math.inf
        apart = apart.fillna(0.0)
        if len(apart) and float(apart.max()) > largest:
            largest, where = float(apart.max()), f"{column} of {first['metric'].iloc[int(apart.argmax())]}"
    return Repetition(len(first), largest, where, tolerance)


def _finished(folder: Path, head: Header) -> None:
    if head.status != "success":
        raise BadInput(f"The run {folder.name!r} is not finished ({head.status}); `resume` continues it.")


def _header_faults(folder: Path, head: Header) -> list[str]:
    rules = read_file(folder / results.PROTOCOL, head.spec.audit)
    faults = []
    if rules.hash != head.hashes.protocol:
        faults.append(f"{results.PROTOCOL} has another hash than {header.FILE} says")
    spec = head.spec
    device, seed, limit = spec.device, spec.seed, spec.limit
    if run_id(spec.audit, spec.audit_version, head.hashes, device=device, seed=seed, limit=limit) != head.run_id:
        faults.append(f"{header.FILE} names other data, model or settings than its run_id was made from")
    named = set(results.read_parquet(folder / results.METRICS)["run_id"])
    if named != {head.run_id}:
        faults.append(f"{results.METRICS} belongs to another run")
    return faults
