"""Two runs of one audit, image by image: what changed, by how much, and in which group."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from audits.comparing import pairs
from audits.comparing.outcomes import Comparison, NotComparable
from audits.contracts import DRAWS
from audits.run_directory import results
from audits.run_directory.reader import Run, RunLike, open_runs
from workbench.errors import BadInput
from workbench.statistics.measures import Measure

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from workbench.statistics.draws import MeanOverDraws


Correction = Literal["bh", "holm", "none"]
SEED = 0  # of the bootstrap; every metric and slice begins anew with it, so that no number depends on another
MOST_VALUES = 200  # of an attribute; beyond that it names images, not groups


class Part(NamedTuple):
    """Rows of both runs that one number is about."""

    metric: str
    label_set: str
    by: str  # attribute, "" for all rows
    value: str
    rows: DataFrame


def compare(
    base: RunLike, candidate: RunLike, *, correction: Correction = "bh", allow_mismatch: bool = False
) -> Comparison:
    """Compare two runs on the images that both have.

    Differences are candidate minus base; p-values are corrected within a metric and attribute. With `allow_mismatch`
    runs that were not measured alike are compared on the rows that both have, and the result says so.

    Raises:
        NotComparable: audit, version, protocol, data or seed differ, a run is partial or did not end well, or samples
            are missing.
        BadInput: no such correction, or a run that cannot be read.

    Example:
        >>> import audits
        >>> one, other = (audits.run("limits/counting", "fake") for _ in "12")
        >>> audits.compare(one, other)
        Comparison(limits/counting, Fake (no weights) minus Fake (no weights), 0 flips)
    """
    if correction not in ("bh", "holm", "none"):
        raise BadInput(f"A correction is bh, holm or none; got {correction!r}.")
    return compared(_one(base), _one(candidate), correction=correction, allow_mismatch=allow_mismatch)


def compared(base: Run, candidate: Run, *, correction: Correction, allow_mismatch: bool = False) -> Comparison:
    """Compare two runs that were read before; see `compare`."""
    from workbench.statistics.measures import adjust, table

    joined, lines = joined_samples(base, candidate, allow_mismatch=allow_mismatch)
    attributes = tuple(name for name in base.header.dataset.attributes if name in joined.columns)
    measures = [measured(part, base.run_id) for part in parts(joined, attributes)]
    done = adjust([measure for measure in measures if measure is not None], correction)
    return Comparison(
        base=base.run_id,
        candidate=candidate.run_id,
        audit=base.audit,
        metrics=results.named(table(done), candidate.header),
        flips=flips(joined, attributes),
        correction=correction,
        tests=sum(measure.p_value is not None for measure in done),
        mismatches=tuple(lines),
        models=(base.model, candidate.model),
        protocols=(base.header.spec.protocol, candidate.header.spec.protocol),
    )


def joined_samples(base: Run, candidate: Run, *, allow_mismatch: bool) -> tuple[DataFrame, list[str]]:
    """Return the samples of both runs side by side, and what did not agree.

    Raises:
        NotComparable: see `compare`.
    """
    lines = pairs.mismatches(base, candidate)
    if lines and not allow_mismatch:
        raise NotComparable(
            f"{base.run_id!r} and {candidate.run_id!r} were not measured alike: {'; '.join(lines)}. "
            "Run both with the same audit, protocol and data, or allow the mismatch."
        )
    joined, first, second = pairs.join(base.samples(), candidate.samples(), base.header.dataset.attributes)
    if (first or second) and not allow_mismatch:
        raise NotComparable(
            f"Samples are missing: {first} rows only in {base.run_id!r}, {second} only in {candidate.run_id!r}."
        )
    if first or second:
        lines.append(f"compared on {len(joined)} rows; {first} rows only in the base, {second} only in the candidate")
    if not len(joined):
        raise NotComparable("The two runs have no sample in common.")
    return joined, lines


def parts(joined: DataFrame, attributes: tuple[str, ...]) -> Iterator[Part]:
    """Return what is compared: each metric and label set over all rows, then by each attribute's values."""
    for metric in pairs.metrics(joined):
        both = joined.dropna(subset=[f"base:{metric}", f"candidate:{metric}"])
        for label_set, rows in both.groupby("label_set", sort=True):
            yield Part(metric, str(label_set), "", "", rows)
            for attribute in attributes:
                values = rows[attribute].fillna("").astype(str)
                if values.nunique() <= MOST_VALUES:
                    groups = sorted(set(values) - {""})
                    yield from (Part(metric, str(label_set), attribute, one, rows[values == one]) for one in groups)


def measured(part: Part, base: str, *, level: float = 0.95) -> Measure | None:
    """Return the paired difference of one part as a row of the tidy table; None where the part has no rows."""
    from workbench.statistics import paired
    from workbench.statistics.measures import Measure
    from workbench.statistics.row import sized

    rows = part.rows
    if not len(rows):
        return None
    first, second = (rows[f"{side}:{part.metric}"].to_numpy(dtype=float) for side in ("base", "candidate"))
    units: Series[str] = rows["sample_id"].astype(str)  # what is independent: the cluster, else the image
    if "cluster" in rows.columns:
        named = rows["cluster"].fillna("").astype(str)
        units = named.where(named != "", units)
    cluster = None if units.is_unique else units.tolist()
    result = paired.compare(first, second, cluster=cluster, level=level)
    interval, p_value, test = result.difference, result.p_value, f"; test: {result.method}"
    if part.metric == "accuracy" and (drawn := _drawn(rows, cluster)) is not None:
        interval, p_value, test = drawn(level), drawn.p_value, ""
    return Measure(
        metric=part.metric,
        unit="difference",
        label_set=part.label_set,
        slice_by=part.by,
        slice={part.by: part.value} if part.by else {},
        n=result.n,
        value=interval.value,
        ci_low=interval.low,
        ci_high=interval.high,
        level=interval.level,
        ci_method=f"{interval.method}{test}",
        contrast="paired",
        reference=base,
        p_value=p_value,
        flags=sized(result.n, interval.value),
        at_level=interval.at_level,
    )


def _drawn(rows: DataFrame, cluster: list[str] | None) -> MeanOverDraws | None:
    """Return the mean change over drawings of few labelled images, where several were drawn; their chance counts."""
    import numpy as np

    from workbench.statistics.draws import mean_over_draws

    sides = [f"{side}:{DRAWS}" for side in ("base", "candidate")]
    if not all(name in rows.columns for name in sides):
        return None
    draws = min(rows[name].map(len).min() for name in sides)  # without `allow_mismatch` both have the same
    if draws < 2:
        return None
    before, after = (np.stack([one[:draws] for one in rows[name]]).T.astype(float) for name in sides)
    mean = mean_over_draws(after - before, cluster=cluster)
    return mean if mean.error else None


def flips(joined: DataFrame, attributes: tuple[str, ...]) -> DataFrame:
    """Return the rows whose outcome changed, one a metric: `change` is "gained" where it rose, "lost" where it fell."""
    import pandas as pd

    tables = []
    named = [name for name in ("base:y_pred", "candidate:y_pred") if name in joined.columns]
    for metric in pairs.metrics(joined):
        before, after = joined[f"base:{metric}"], joined[f"candidate:{metric}"]
        changed = joined[(before != after) & before.notna() & after.notna()]
        flipped = changed[[*pairs.KEY, *attributes, *named]].assign(
            base=changed[f"base:{metric}"].astype(float), candidate=changed[f"candidate:{metric}"].astype(float)
        )
        flipped.insert(0, "metric", metric)
        flipped.insert(1, "change", ["gained" if up else "lost" for up in flipped["candidate"] > flipped["base"]])
        tables.append(flipped)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _one(folder: RunLike) -> Run:
    runs = open_runs(folder)
    if len(runs) > 1:
        names = ", ".join(run.folder.name for run in runs[:4])
        raise BadInput(f"Two single runs are compared; {Path(folder).name!r} holds {len(runs)}: {names}.")
    return runs[0]
