"""Claims about speed as ratios of one run, each peer in its best configuration, beside their targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.ceiling import VIT_B_32, images_per_second


@dataclass(frozen=True)
class Ratio:
    """One claim about speed: ours over a peer's, both from the same run."""

    what: str
    value: float
    target: float  # at least

    @property
    def reached(self) -> bool:
        """Whether the run reached the target."""
        return self.value >= self.target


def best(rows: dict[str, dict[str, Any]], peer: str) -> float | None:
    """Images per second of a peer in its best configuration (batch, number format); None where not measured."""
    rates = [row["pictures_per_s"] for name, row in rows.items() if name.startswith(peer) and "pictures_per_s" in row]
    return max(rates, default=None)


def ratios(results: dict[str, Any]) -> list[Ratio]:
    """Every ratio that the run allows, beside its target; a peer counts in its best configuration."""
    out = []
    rows = results.get("throughput", {})
    ours = best(rows, "ours")
    for peer in ("transformers pipeline", "open_clip loop", "ONNX Runtime tower", "OpenVINO tower"):
        rate = best(rows, peer)
        if ours and rate:
            out.append(Ratio(f"images/s, ours over the best {peer}", ours / rate, 1.0))
    for name, row in results.get("embedding", {}).items():
        if "pictures_per_s" in row:
            most = images_per_second(results["ceiling"][row["dtype"]], VIT_B_32)
            out.append(Ratio(f"embedding photos, share of the ceiling, {name}", row["pictures_per_s"] / most, 0.8))
    if "users" in results:
        label, alone = results["users"]["changed_label"], results["users"]["one_visitor_over_locked"]
        out.append(Ratio("one of 20 labels changed, over a first run", label["first_s"] / label["changed_s"], 20))
        out.append(Ratio("one visitor, open_clip's wait over ours", alone, 1.0))
        out.append(Ratio("8 visitors together, over batches of 8", results["users"]["share_of_batch_of_8"], 0.9))
    return out
