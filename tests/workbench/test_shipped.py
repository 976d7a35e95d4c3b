"""The shipped weights, their records and their cards agree with one another and with arithmetic."""

from __future__ import annotations

import json
import re

import pytest
from scipy.stats import binomtest

from workbench.checkpoints.shipped import POCKET, POCKET_LITE2
from workbench.checkpoints.spec import ModelSpec

BOTH = pytest.mark.parametrize("spec", [POCKET, POCKET_LITE2], ids=lambda spec: spec.key)


def _text(spec: ModelSpec, file: str) -> str:
    assert spec.folder is not None
    return (spec.folder / file).read_text(encoding="utf-8")


@BOTH
def test_the_record_is_about_these_shards_and_captions_moved_the_texts_alone(spec: ModelSpec) -> None:
    record = json.loads(_text(spec, "training.json"))
    assert record["weights"] == spec.sha256
    captions = record["captions"]
    assert (captions["share"], captions["parts"]) == (0.5, ["text_model", "text_projection"])
    image_shard, *text_shards = sorted(spec.sha256)
    assert captions["of"][image_shard] == spec.sha256[image_shard]
    assert all(captions["of"][name] != spec.sha256[name] for name in text_shards)


@BOTH
def test_the_card_has_wilsons_intervals_and_names_its_sources(spec: ModelSpec) -> None:
    card = _text(spec, "README.md")
    assert len(card.splitlines()) <= 130
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in card.splitlines() if " to " in line]
    figures = [row for row in rows if len(row) >= 4 and re.fullmatch(r"[\d.]+ % \(.*\)", row[1])]
    assert len(figures) > 20
    for row in figures:
        share, low, high = (float(number) for number in re.findall(r"[\d.]+", row[1]))
        n = int(row[-1])
        near = [count for count in range(n + 1) if abs(100 * count / n - share) <= 0.051]
        intervals = [binomtest(count, n).proportion_ci(method="wilson") for count in near]
        assert (low, high) in [pytest.approx((100 * one.low, 100 * one.high), abs=0.051) for one in intervals], row[0]
    assert "Flickr8k" in card
    assert "research and education" in card


def test_both_together_stay_small() -> None:
    files = [file for spec in (POCKET, POCKET_LITE2) if spec.folder is not None for file in spec.folder.iterdir()]
    assert sum(file.stat().st_size for file in files) <= 62_000_000
    assert max(file.stat().st_size for file in files) < 10 * 2**20
