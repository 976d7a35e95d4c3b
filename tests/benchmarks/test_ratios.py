"""The benchmark's report: ratios by hand, each peer in its best configuration."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.ceiling import VIT_B_32, images_per_second, multiply_adds
from benchmarks.ratios import best, ratios

ROWS: dict[str, dict[str, Any]] = {
    "ours, float32": {"pictures_per_s": 10.0},
    "ours, bfloat16": {"pictures_per_s": 24.0},
    "transformers pipeline, float32": {"pictures_per_s": 2.0},
    "transformers pipeline, batch 32, float32": {"pictures_per_s": 6.0},
    "transformers pipeline, batch 32, bfloat16": {"pictures_per_s": 12.0},
    "OpenVINO tower, float32": {"missing": "not installed"},
}


def test_a_peer_counts_in_its_best_configuration() -> None:
    assert best(ROWS, "transformers pipeline") == 12.0
    assert best(ROWS, "OpenVINO tower") is None
    (only,) = ratios({"throughput": ROWS})
    assert (only.what, only.value, only.reached) == ("images/s, ours over the best transformers pipeline", 2.0, True)


def test_the_ceiling_of_vit_b_32_is_the_published_4_4_billion_multiply_adds() -> None:
    """Radford et al.'s ViT-B/32 takes 4.4 GMACs an image (open_clip's model profile says 4.37)."""
    assert multiply_adds(**VIT_B_32) / 1e9 == pytest.approx(4.37, rel=0.02)
    assert images_per_second(2 * 4.37e9 * 20, VIT_B_32) == pytest.approx(20, rel=0.02)


def test_the_share_of_the_ceiling_and_the_visitors_have_their_targets() -> None:
    results = {
        "ceiling": {"float32": 2 * multiply_adds(**VIT_B_32) * 20},
        "embedding": {
            "ours, float32": {"dtype": "float32", "pictures_per_s": 15.0},
            "ours, device openvino, float32": {"dtype": "float32", "pictures_per_s": 18.0},
            "ours, device openvino, bfloat16": {"dtype": "bfloat16", "missing": "openvino is not installed"},
        },
        "users": {
            "changed_label": {"first_s": 30.0, "changed_s": 1.0},
            "one_visitor_over_locked": 1.1,
            "share_of_batch_of_8": 0.85,
        },
    }
    result = {ratio.what: (round(ratio.value, 3), ratio.target, ratio.reached) for ratio in ratios(results)}
    assert result == {
        "embedding photos, share of the ceiling, ours, float32": (0.75, 0.8, False),
        "embedding photos, share of the ceiling, ours, device openvino, float32": (0.9, 0.8, True),
        "one of 20 labels changed, over a first run": (30.0, 20, True),
        "one visitor, open_clip's wait over ours": (1.1, 1.0, True),
        "8 visitors together, over batches of 8": (0.85, 0.9, False),
    }
