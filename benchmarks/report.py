"""Turn measurements into tables and into ratios beside their targets.

Everything comes in as plain dictionaries and can be read back from the JSON file of a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.table import Table

from benchmarks.ceiling import VIT_B_32, images_per_second
from benchmarks.ratios import Ratio, ratios


def throughput_table(results: dict[str, dict[str, Any]]) -> Table:
    """One row a peer: pictures per second, first answer, peak memory; "not measured" with its reason."""
    table = Table(title="Photos, 20 labels, 7 templates, end to end (decoding and texts included)")
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
    """Ours over the peers', beside the targets."""
    table = Table(title="Ours beside the best configuration of each peer, in this run")
    for column in ("what", "measured", "target", ""):
        table.add_column(column, justify="left" if column in ("what", "") else "right")
    for ratio in ratios:
        table.add_row(
            ratio.what, f"{ratio.value:.2f}x", f">= {ratio.target:g}x", "reached" if ratio.reached else "NOT reached"
        )
    return table


def tables(results: dict[str, Any]) -> Iterator[Table | str]:
    """Everything that a run has to show, the ratios first."""
    yield ratio_table(ratios(results))
    if "ceiling" in results:
        yield "Ceiling of this machine by matrix product: " + ", ".join(
            f"{dtype} {rate / 1e9:,.0f} GFLOP/s ({images_per_second(rate, VIT_B_32):.1f} images/s of ViT-B/32)"
            for dtype, rate in results["ceiling"].items()
        )
    if "throughput" in results:
        yield throughput_table(results["throughput"])
    if "least_cosine" in results:
        yield f"bfloat16 beside float32: cosine of the embeddings at least {results['least_cosine']:.5f}"
    if "growth" in results:
        yield growth_table(results["growth"])
    if "users" in results:
        yield users_table(results["users"]["rows"])
    for name in ("start", "gpu"):
        if name in results:
            yield f"{name}: " + ", ".join(
                f"{key} {value:.2f}" if isinstance(value, float) else f"{key}: {value}"
                for key, value in results[name].items()
            )
