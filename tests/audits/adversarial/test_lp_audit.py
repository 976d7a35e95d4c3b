"""The audit of adversarial pixels: planted distances come back as robust accuracy, and bad attacks are flagged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from audits.analysis import Analysis
from audits.catalogue import find as audit
from audits.catalogue import protocol_names, read_protocol
from audits.contracts import CLEAN, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import LabelSet, Protocol
from tests.audits.in_memory import embed, measure
from tests.audits.planted import dataset, facts, find, protocol, stages_of
from workbench.errors import BadInput
from workbench.fake import COLOURS, FakeBackend
from workbench.statistics.measures import table

lp = stages_of("adversarial/lp")

ATTACKS = [
    {"method": "noise", "norm": "linf", "epsilons": [2]},
    {"method": "pgd", "norm": "linf", "steps": 5, "epsilons": [2, 4]},
    {"method": "apgd", "norm": "linf", "steps": 5, "epsilons": [4, 40]},
    {"method": "apgd", "norm": "l2", "loss": "dlr", "steps": 5, "epsilons": [0.15]},
]


def rules(attacks: list[dict[str, object]] | None = None, **settings: object) -> Protocol:
    return protocol("adversarial/lp", {"pictures": 0, "choices": 0, "attacks": attacks or ATTACKS, **settings})


class Grey:
    """A planted white box: bright above half grey, dark below; `wobble` makes it answer by chance."""

    image_size = 8

    def __init__(self, wobble: float = 0.0) -> None:
        self.wobble, self.device, self.dtype, self.dim = wobble, torch.device("cpu"), torch.float32, 2
        self.generator = torch.Generator().manual_seed(0)

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        mean = pixels.flatten(1).mean(dim=1)
        mean = mean + self.wobble * torch.randn(len(mean), generator=self.generator)
        return nn.functional.normalize(torch.stack([mean, 1 - mean], dim=1), dim=1)


TEXTS = {"bright": np.array([1, 0], np.float32), "dark": np.array([0, 1], np.float32)}
VALUES = [128 + at for at in range(10)] * 3  # (at + 0.5) / 255 above half grey


def run(box: Grey, given: Protocol, values: list[int] = VALUES) -> tuple[Analysis, pd.DataFrame]:
    """Drive the audit's own functions with a planted model."""
    data = dataset(["bright", *["bright"] * (len(values) - 1)])
    given = given.model_copy(update={"label_sets": {"two": LabelSet(labels=("bright", "dark"))}})
    items = lp.plan(data, given, seed=0)
    known = dict(zip(data.table["sample_id"], values, strict=True))
    pixels = torch.stack([torch.full((3, 8, 8), known[item.sample_id] / 255) for item in items])
    at = [place for place, item in enumerate(items) if item.recipe]
    pixels[at] = lp.attack(box, pixels[at], [items[place] for place in at], texts=TEXTS)  # type: ignore[arg-type]
    handed = Embedded(facts(2), data, tuple(items), box.embed_pixels(pixels).numpy(), TEXTS)
    samples = lp.score(handed, given, seed=0)
    return lp.analyse(samples, given, model=facts(2), seed=0), samples


@pytest.mark.heavy
def test_planted_distances_come_back_as_robust_accuracy() -> None:
    analysis, samples = run(Grey(), rules())
    assert find(analysis, "accuracy", attack="none", norm=CLEAN, epsilon="0").value == 1
    for attack, epsilon, left in (
        ("pgd-ce 5 steps", "2/255", 0.8),  # 0.5 and 1.5 of 255 away are lost
        ("pgd-ce 5 steps", "4/255", 0.6),
        ("apgd-ce 5 steps", "4/255", 0.6),
        ("apgd-ce 5 steps", "40/255", 0.0),
        ("worst", "4/255", 0.6),
        ("noise", "2/255", 1.0),  # signs of 192 values cancel
    ):
        assert find(analysis, "accuracy", attack=attack, norm="linf", epsilon=epsilon).value == pytest.approx(left)
    reach = 0.15 / (3 * 64) ** 0.5 * 255  # of the mean, in 255ths: 2.76
    lost = sum(at + 0.5 < reach for at in range(10)) / 10
    assert find(analysis, "accuracy", attack="worst", norm="l2", epsilon="0.15").value == pytest.approx(1 - lost)
    success = find(analysis, "attack_success", attack="worst", norm="linf", epsilon="4/255")
    assert (success.value, success.n) == (pytest.approx(0.4), 30)
    change = find(analysis, "accuracy_change", attack="worst", norm="linf", epsilon="4/255")
    assert change.value == pytest.approx(-0.4)
    assert change.p_adj < 0.01  # type: ignore[operator]
    assert list(analysis.sanity) == []
    message = {one.text.split(" by ")[0].split(" (95")[0]: one.strength for one in analysis.findings}
    assert message["Found: the worst of the attacks, linf 40/255, lowers accuracy"] == "found"
    assert message["No evidence that noise, linf 2/255, changes accuracy: 0.0 points"] == "no evidence"
    mean = samples[samples["variant"] != CLEAN].groupby(["attack", "norm", "epsilon"])["outcome:accuracy"].mean()
    assert mean["worst", "linf", "4/255"] == pytest.approx(0.6)


@pytest.mark.heavy
def test_a_model_that_cannot_be_moved_is_found_robust_and_flagged() -> None:
    class Wall(Grey):
        def embed_pixels(self, pixels: Tensor) -> Tensor:
            return super().embed_pixels((pixels > 0.5).float() + 0 * pixels)

    analysis, _ = run(Wall(), rules())
    assert find(analysis, "accuracy", attack="worst", norm="linf", epsilon="40/255").value == 1
    assert any("gradient is zero" in flag for flag in analysis.sanity)


@pytest.mark.heavy
def test_a_model_that_answers_by_chance_is_flagged() -> None:
    analysis, _ = run(Grey(wobble=0.01), rules())
    assert any("is not deterministic" in flag for flag in analysis.sanity)


def test_the_worst_counts_a_picture_only_where_no_attack_succeeds() -> None:
    given = rules([{"method": name, "norm": "linf", "epsilons": [4]} for name in ("pgd", "apgd")])
    data = dataset(["bright", "dark", "bright", "dark"])
    items = lp.plan(data, given, seed=0)
    lost = {("s0000", "pgd-ce 10 steps, linf 4"), ("s0001", "apgd-ce 10 steps, linf 4")}
    sides = [int(item.sample_id[1:]) % 2 ^ ((item.sample_id, item.variant) in lost) for item in items]
    samples = lp.score(Embedded(facts(2), data, tuple(items), np.eye(2, dtype=np.float32)[sides], TEXTS), given, seed=0)
    means = samples[samples["norm"] == "linf"].groupby("attack")["outcome:accuracy"].mean()
    assert means[["pgd-ce 10 steps", "apgd-ce 10 steps", "worst"]].tolist() == [0.75, 0.75, 0.5]


def samples_of(rows: list[tuple[str, str, str, float]]) -> pd.DataFrame:
    """(attack, norm, epsilon, share right of 20) -> samples."""
    frames = []
    for attack, norm, epsilon, share in [("none", CLEAN, "0", 1.0), *rows]:
        right = (np.arange(20) < round(20 * share)).astype(float)
        frames.append(
            pd.DataFrame(
                {
                    "sample_id": [f"s{at:02d}" for at in range(20)],
                    "variant": CLEAN if norm == CLEAN else f"{attack}, {norm} {epsilon}",
                    "label_set": "2 labels",
                    "cluster": [f"s{at:02d}" for at in range(20)],
                    "attack": attack,
                    "norm": norm,
                    "epsilon": epsilon,
                    "margin": 0.1,
                    "moved": 0.5,
                    "outcome:accuracy": right,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("apgd-ce 5 steps", "linf", "1/255", 0.2), ("apgd-ce 5 steps", "linf", "4/255", 0.5)], "attack is stuck"),
        ([("noise", "linf", "1/255", 0.2), ("worst", "linf", "1/255", 0.5)], "gradients are misleading"),
        ([("pgd-ce 5 steps", "linf", "1/255", 0.2), ("pgd-ce 50 steps", "linf", "1/255", 0.5)], "more steps"),
        ([("pgd-ce 50 steps", "linf", "1/255", 0.2), ("pgd-ce 5 steps", "linf", "1/255", 0.5)], ""),
    ],
)
def test_attacks_that_contradict_themselves_are_flagged(rows: list[tuple[str, str, str, float]], message: str) -> None:
    analysis = lp.analyse(samples_of(rows), rules(), model=facts(2), seed=0)
    assert [message in flag for flag in analysis.sanity] == ([True] if message else [])


def colours(folder: Path) -> Dataset:
    kept = {name: COLOURS[name] for name in ("red", "blue", "grey", "orange")}
    for at, value in enumerate(kept.values()):
        Image.new("RGB", (80, 80), tuple(min(255, part + 24) for part in value)).save(folder / f"s{at:04d}.png")
    return dataset(list(kept), folder)


def test_epsilon_0_is_the_clean_answer_exactly_and_no_change_is_larger_than_epsilon(tmp_path: Path) -> None:
    data, box = colours(tmp_path), FakeBackend()
    given = rules([{"method": "pgd", "norm": "linf", "loss": "dlr", "steps": 2, "epsilons": [8]}])
    handed = embed(lp, box, data, rules=given, seed=0)  # type: ignore[arg-type]
    of = {
        name: [at for at, item in enumerate(handed.items) if item.variant.startswith(name)] for name in ("clean", "no")
    }
    assert len(of["no"]) == 4
    assert np.array_equal(handed.images[of["clean"]], handed.images[of["no"]])
    items = [item for item in handed.items if 'epsilon": 8' in item.recipe]
    pixels = torch.stack([box.prepare(Image.open(data.file(f"{item.sample_id}.png"))) for item in items]) / 255
    changed = lp.attack(box, pixels, items, texts=handed.texts)
    assert 0 < (changed - pixels).abs().max() <= 8 / 255 + 1e-6
    assert 0 <= changed.min() <= changed.max() <= 1
    alone = lp.attack(box, pixels[1:2], items[1:2], texts=handed.texts)
    assert torch.allclose(alone, changed[1:2], atol=1e-6)  # whoever is beside it


@pytest.mark.heavy
def test_a_whole_run_is_deterministic(tmp_path: Path) -> None:
    data = colours(tmp_path)
    small = rules(ATTACKS[:2], pictures=4)
    one, two = (measure(audit("adversarial/lp"), FakeBackend(), data, rules=small) for _ in "12")
    assert table(one.measures).equals(table(two.measures))
    assert {m.metric for m in one.measures} == {"accuracy", "attack_success", "accuracy_change"}
    assert {one.strength for one in one.findings} <= {"not measured", "not judged"}  # four pictures


def test_the_recipe_holds_what_the_attack_needs_and_the_labels_are_those_of_the_clean_answer() -> None:
    names_ = [f"thing {at}" for at in range(8)]
    data = dataset(names_)
    items = lp.plan(data, rules(choices=3), seed=0)
    sets: dict[str, set[str]] = {}
    for item in items:
        if item.recipe:
            recipe = json.loads(item.recipe)
            assert recipe["truth"] in recipe["labels"]
            assert len(recipe["labels"]) == 3
            sets.setdefault(item.sample_id, set()).add("|".join(recipe["labels"]))
    assert {len(kept) for kept in sets.values()} == {1}
    assert len(items) == 8 * (1 + 2 + 6)
    assert Item("s0000") in items


def test_shipped_protocols_are_read_and_wrong_ones_refused() -> None:
    for name in protocol_names("adversarial/lp"):
        lp.Settings.model_validate(read_protocol("adversarial/lp", name).settings)
    with pytest.raises(BadInput, match=r"settings: attacks\.0\.norm"):
        lp.plan(dataset(["a", "b"]), rules([{"method": "pgd", "norm": "l1", "epsilons": [1]}]), seed=0)
    empty = protocol("adversarial/lp", {"attacks": ATTACKS}, label_sets={"x": {"labels": ["p", "q"]}})
    with pytest.raises(BadInput, match="No image"):
        lp.plan(dataset(["a", "b"]), empty, seed=0)
