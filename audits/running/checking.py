"""Is a run what it says? `verify` compares files with their hashes, `repro` does the run again and compares numbers."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audits import catalogue
from audits.analysis import Finding
from audits.errors import Tampered
from audits.protocol import read_file
from audits.run_directory import header, results, seal
from audits.run_directory.header import Header
from audits.run_directory.header_parts import run_id
from audits.run_directory.reader import Run
from audits.running.jobs import Options
from audits.running.provenance import git, packages
from audits.running.scoring import analysis_hash, analysis_of
from workbench.errors import BadInput, UnknownName
from workbench.statistics.measures import table

if TYPE_CHECKING:
    from pandas import DataFrame


NUMBERS = ("value", "ci_low", "ci_high")  # that a repetition must meet
TESTED = (*NUMBERS, "level", "detectable", "null_mean", "null_q95", "p_value", "p_adj", "n_tests", "n_effective")
ANALYSING = ("numpy", "pandas", "scipy", "statsmodels", "scikit-learn")  # packages that an analysis depends on
SAME = 1e-3  # numbers of one analysis, done on two machines
NAMES = ("metric", "label_set", "slice_by", "slice", "control", "contrast", "reference", "n", "k_pos")


@dataclass(frozen=True)
class Repetition:
    """How far a second run is from the first."""

    rows: int
    largest: float  # difference of a value or a bound
    metric: str  # where it is
    tolerance: float


@dataclass(frozen=True)
class Verified:
    """What agrees in a run that was not altered, as far as can be told without a signature."""

    files: int  # that match their hashes
    signed: bool  # by the key that was asked for
    measures: int | None  # that follow from the samples; None: not worked out again
    why: str = ""  # they were not

    def __str__(self) -> str:
        signed = "signed" if self.signed else "not signed"
        if self.measures is None:
            return f"{self.files} files match their manifest; {signed}; measures were not worked out again: {self.why}"
        return f"{self.files} files match their manifest; {signed}; {self.measures} measures follow from the samples"


def verify(folder: Path, signer: Path | None = None) -> Verified:
    """Compare a finished run with its hashes, and its measures and findings with what its samples give.

    The samples are analysed again where the run was made by the code and packages that are here. Whoever alters the
    samples too, or writes another version into the header, is found by a signature alone.

    `signer` is a public SSH key, whose owner must have signed the run.

    Raises:
        BadInput: no run directory, an unfinished run, or no such key.
        Tampered: a file is missing or changed, the header does not fit the protocol, measures or findings do not follow
            from the samples, or the key's signature is missing.
    """
    head = seal.read_checked(folder)
    _finished(folder, head)
    if faults := _header_faults(folder, head):
        raise Tampered(f"The run {folder.name!r} is not what was measured: {'; '.join(faults)}.")
    if signer is not None:
        seal.check_signature(folder, signer)
    files = len(seal.sealed_names(folder))
    if why := _other_code(folder, head):
        return Verified(files, signer is not None, None, why)
    return Verified(files, signer is not None, _analysed_again(folder, head))


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


def difference(first: DataFrame, second: DataFrame, tolerance: float, numbers: Sequence[str] = NUMBERS) -> Repetition:
    """Compare two tables of measures row by row.

    Raises:
        Tampered: they do not measure the same things.
    """
    names = [name for name in NAMES if name in first.columns]
    if len(first) != len(second) or not first[names].astype(str).equals(second[names].astype(str)):
        raise Tampered(f"The repetition measures other things: {len(first)} rows then, {len(second)} now.")
    largest, where = 0.0, "nothing"
    for column in (name for name in numbers if name in first.columns):
        one, other = first[column].astype(float), second[column].astype(float)
        apart = (one - other).abs()
        apart[one.isna() != other.isna()] = math.inf
        apart = apart.fillna(0.0)
        if len(apart) and float(apart.max()) > largest:
            largest, where = float(apart.max()), f"{column} of {first['metric'].iloc[int(apart.argmax())]}"
    return Repetition(len(first), largest, where, tolerance)


def _other_code(folder: Path, head: Header) -> str:
    """Say why the samples cannot be analysed as they were; empty where they can."""
    try:
        audit = catalogue.find(head.spec.audit)
    except UnknownName:
        return f"the audit {head.spec.audit!r} is not installed here"
    before, now = ({name: one.get(name) for name in ANALYSING} for one in (head.provenance.packages, packages()))
    digest = analysis_hash(folder, head, audit=audit)
    if (head.provenance.git, before, head.stages["analyse"].hash) != (git(), now, digest):
        return "another version of the code or of its packages made the run; `repro` repeats it"
    return ""


def _analysed_again(folder: Path, head: Header) -> int:
    """Analyse the samples, and compare with what the run says; return the number of measures.

    Raises:
        Tampered: a number or a finding is another one.
    """
    analysis, stated = analysis_of(folder, head, audit=catalogue.find(head.spec.audit)), Run(folder)
    made = results.named(table(list(analysis.measures)), head)
    fault = ""
    try:
        apart = difference(stated.metrics, made, SAME, numbers=TESTED)
        fault = f"{apart.metric} differs by {apart.largest:.3g}" if apart.largest > SAME else ""
    except Tampered:
        fault = f"{results.METRICS} measures other things"
    if not fault and stated.metrics.to_csv(index=False, lineterminator="\n") != stated.text(results.CSV):
        fault = f"{results.CSV} holds other numbers than {results.METRICS}"
    if not fault and list(map(_claim, stated.findings)) != list(map(_claim, analysis.findings)):
        fault = f"{results.FINDINGS} says something else"
    if fault:
        raise Tampered(f"The run {folder.name!r} is not what its samples give: {fault}.")
    return len(made)


def _claim(one: Finding) -> tuple[str, ...]:
    """What a finding says, without the digits, of which the last may differ between machines."""
    return one.strength, one.metric, str(dict(one.slice or {})), re.sub(r"[\d.]+", "", one.text)


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
