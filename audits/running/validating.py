"""Can something be used? An audit, a data set, a protocol, a suite or thresholds, looked at without any weights.

Changes nothing; an audit is tried on the fake model, in a folder that is removed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from audits import catalogue, protocol
from audits.contracts import Audit
from audits.datasets import readers
from audits.datasets.label_errors import LabelCheck, label_errors
from audits.datasets.near_duplicates import near_duplicates
from audits.datasets.published_counts import beside_published
from audits.datasets.rows import duplicates
from audits.errors import NothingMeasured
from audits.protocol import Protocol as Rules
from audits.running import suites
from audits.running.embedding import fitting_protocols
from audits.running.jobs import adjusted
from audits.running.vectors import VectorStore
from audits.stages import stages
from workbench.engine import Session
from workbench.errors import BadInput
from workbench.progress import Progress

TRIED = 24  # images that an audit is tried with
SMALL = 30  # images below which a group says little


def check(name: str | Audit, *, dataset: str | None = None, rules: Rules | None = None) -> dict[str, Any]:
    """Try an audit on the fake model, twice, with a few images; both times must give the same bytes.

    Raises:
        UnknownName: no such audit.
        BadInput: it lacks something of the contract, or is not deterministic.

    Example:
        >>> import audits
        >>> sorted(audits.check("limits/counting"))
        ['measures', 'samples', 'warnings']
    """
    from audits.run_directory.files import sha256_of
    from audits.run_directory.results import METRICS
    from audits.running.api import run

    row = catalogue.find(name) if isinstance(name, str) else name
    module = stages(row)
    lacking = [one for one in ("plan", "texts", "score", "analyse", "Settings") if not hasattr(module, one)]
    lacking += [one for one in ("HOW_TO_READ", "LIMITS") if not str(getattr(module, one, "")).strip()]
    if lacking:
        raise BadInput(f"The audit {row.key!r} lacks {', '.join(lacking)} (see audits.contracts.Stages).")
    with tempfile.TemporaryDirectory(prefix="audits-validate-") as place:
        runs = []
        for turn in ("first", "second"):
            here = Path(place) / turn
            try:
                store = VectorStore(here / "vectors")
                runs.append(run(row, "fake", dataset, protocol=rules, out=here, limit=TRIED, store=store))
            except NothingMeasured as error:
                return {"tried": f"nothing to measure with {TRIED} images: {error}"}
        if len({sha256_of(one.folder / METRICS) for one in runs}) > 1:
            raise BadInput(f"The audit {row.key!r} gave other measures the second time: it is not deterministic.")
        return {"measures": len(runs[0].metrics), "samples": len(runs[0].samples()), "warnings": runs[0].warnings}


def dataset(reference: str) -> dict[str, Any]:
    """Read a data set; say how many images there are, which are left out or alike, and how large the groups are.

    Raises:
        BadInput: it cannot be read.
        NothingMeasured: no image can be used.
    """
    data = readers.read(reference)
    if not len(data.table):
        raise NothingMeasured(f"The data set {reference[:200]!r} holds no image that can be used.")
    groups = {
        name: {str(key): int(count) for key, count in data.table[name].value_counts().sort_index().items()}
        for name in ("label", *data.attributes)
        if data.table[name].nunique() <= 200
    }
    small = [f"{name}={key}" for name, counts in groups.items() for key, count in counts.items() if count < SMALL]
    return {
        "pictures": len(data.table),
        "hash": data.hash,
        "excluded": [list(one) for one in data.excluded],
        "duplicates": duplicates(data),
        "near_duplicates": near_duplicates(data),
        "groups": groups,
        "small_groups": small,
        **({"published": published} if (published := beside_published(data)) else {}),
        "usable_by": {row.key: names for row in catalogue.AUDITS.values() if (names := fitting_protocols(row, data))},
    }


def labels(
    reference: str, session: Session, *, column: str = "label", seed: int = 0
) -> Iterator[Progress | LabelCheck]:
    """Look for probable label errors of a data set with a model's features; see `datasets.label_errors`.

    Raises:
        BadInput: the data set cannot be read, or has no labels that can be checked.
    """
    yield from label_errors(readers.read(reference), session, column=column, seed=seed)


def rules(name: str) -> dict[str, Any]:
    """Read a protocol file, or `AUDIT:NAME`, and let its audit read the settings.

    Raises:
        UnknownName, BadInput: no such protocol, or one that cannot be used.
    """
    key, _, short = name.partition(":")
    read = (
        catalogue.read_protocol(key, short)
        if short and not name.endswith((".yaml", ".yml"))
        else protocol.read_file(Path(name))
    )
    row = catalogue.find(read.audit)
    adjusted(row, read, {})
    return {
        "audit": row.key,
        "hash": read.hash,
        "labels": {key: len(one.labels) for key, one in read.label_sets.items()},
    }


def suite(name: str) -> dict[str, Any]:
    """Read a suite and make all its jobs.

    Raises:
        UnknownName, BadInput: a name or a setting that cannot be used.
    """
    jobs = suites.jobs(suites.read(name), ("fake",), {})
    return {"jobs": len(jobs), "audits": [job.audit.key for job in jobs]}


def thresholds(name: str) -> dict[str, Any]:
    """Read thresholds.

    Raises:
        BadInput: they cannot be used.
    """
    from audits import comparing

    content = comparing.read_thresholds(Path(name))
    return {"rules": [rule.id for rule in content.rules]}


VALIDATORS: dict[str, Callable[[str], dict[str, Any]]] = {
    "audit": check,
    "dataset": dataset,
    "protocol": rules,
    "suite": suite,
    "thresholds": thresholds,
}
