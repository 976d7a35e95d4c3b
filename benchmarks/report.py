"""Turn measurements into tables and into ratios beside what was aimed at.

Knows no measuring: everything comes in as plain dictionaries and can be read back from the JSON file of a run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.table import Table


@dataclass(frozen=True)
class Ratio:
    """One claim about speed: ours over a peer's, both from the same run."""

    what: str
    value: float
    target: float  # at least

    @property
    def reached(self) -> bool:
        """Whether the run reached what was aimed at."""
        return self.value >= self.target


def throughput_table(results: dict[str, dict[str, Any]]) -> Table:
    """One row a peer: pictures per second, first answer, peak memory; "not measured" with its reason."""
    table = Table(title="64 pictures, 20 labels, 7 templates, end to end (decoding and texts included)")
    for column in ("peer", "dtype", "pictures/s", "first answer, s", "opening, s", "peak memory, MB"):
        table.add_column(column, justify="left" if column in ("peer", "dtype") else "right")
    for name, row in results.items():
        if "missing" in row:
            table.add_row(name, row["dtype"], f"not measured: {row['missing']}")
        else:
            table.add_row(
                name, row["dtype"], f"{row['pictures_per_s']:.1f}", f"{row['first_answer_s']:.2f}",
                f"{row['open_s']:.1f}", f"{row['peak_bytes'] / 1e6:.0f}",
            )  # fmt: skip
    return table


def growth_table(results: dict[str, dict[str, Any]]) -> Table:
    """Seconds as one of pictures, labels and templates grows."""
    table = Table(title="How cost grows (seconds; the others stay at 8 pictures, 20 labels, 1 template)")
    table.add_column("peer")
    sizes = [
        (kind, size) for kind in ("pictures", "labels", "templates") for size in next(iter(results.values()))[kind]
    ]
    for kind, size in sizes:
        table.add_column(f"{size} {kind}", justify="right")
    for name, row in results.items():
        table.add_row(name, *(f"{row[kind][size]:.2f}" for kind, size in sizes))
    return table


def users_table(rows: Iterable[dict[str, Any]]) -> Table:
    """Latency of single-picture visitors who all ask at once, again and again."""
    table = Table(title="Single-picture visitors at the same time (new pictures, texts known)")
    for column in ("server", "visitors", "pictures/s", "p50, s", "p95, s"):
        table.add_column(column, justify="left" if column == "server" else "right")
    for row in rows:
        speed = (f"{row['pictures_per_s']:.1f}", f"{row['p50_s']:.3f}", f"{row['p95_s']:.3f}")
        table.add_row(row["server"], str(row["users"]), *speed)
    return table


def ratio_table(ratios: Iterable[Ratio]) -> Table:
    """Ours over the peers', beside what was aimed at."""
    table = Table(title="Ratios of this run")
    for column in ("what", "measured", "aimed at", ""):
        table.add_column(column, justify="left" if column in ("what", "") else "right")
    for ratio in ratios:
        table.add_row(
            ratio.what, f"{ratio.value:.2f}x", f">= {ratio.target:g}x", "reached" if ratio.reached else "NOT reached"
        )
    return table


def ratios(found: dict[str, Any]) -> list[Ratio]:
    """Every ratio that the run allows, beside what was aimed at."""
    out = []
    rows = found.get("throughput", {})
    ours, half = rows.get("ours"), rows.get("ours, bfloat16", {})
    aims = (("transformers pipeline", 3.5, 10.0), ("open_clip loop", 1.5, 4.0))
    for peer, aim, aim_half in aims:
        if ours and peer in rows:
            rate = rows[peer]["pictures_per_s"]
            out.append(Ratio(f"float32 over the {peer}", ours["pictures_per_s"] / rate, aim))
            if "pictures_per_s" in half:
                out.append(Ratio(f"bfloat16 over the {peer}", half["pictures_per_s"] / rate, aim_half))
    if "users" in found:
        label = found["users"]["changed_label"]
        out.append(Ratio("one of 20 labels changed, over a first run", label["first_s"] / label["changed_s"], 20))
        out.append(Ratio("8 visitors together, over batches of 8", found["users"]["share_of_batch_of_8"], 0.8))
    return out
