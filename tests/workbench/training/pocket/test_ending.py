"""A run's endings: each from the average, with rates and a mix of its own; an interruption changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.workbench.training.pocket.world import world
from workbench.training import checkpoints
from workbench.training.pocket import build, export, joint, making, sources, stream
from workbench.training.pocket.losses import Teachers
from workbench.training.pocket.material import Material
from workbench.training.pocket.settings import PARTS, Settings
from workbench.training.pocket.towers import Towers

PLAN = joint.Plan(2, ((32,),), seed=0, every=1, endings=(2, 1))


@pytest.mark.heavy
@pytest.mark.usefixtures("few")
def test_endings_go_on_wherever_they_were_interrupted(material: Material, tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    def on(run: joint.JointRun, teachers: Teachers, folder: str) -> Iterator[tuple[int, dict[str, float]]]:
        return making.train_parts(run, teachers, material=material, plan=PLAN, pace=1.0, folder=tmp_path / folder)

    run, teachers = world(material, tokenizer)
    output = dict(on(run, teachers, "whole"))
    assert list(output) == [1, 2, 3, 4, 5]
    for stop in (2, 3, 4, 5):  # one run, interrupted between the parts, within one, and not any more
        part, teachers = world(material, tokenizer)
        if stop > 2:
            last = checkpoints.latest(tmp_path / "parts")
            assert last is not None
            part.restore(checkpoints.load(last))
        for step, parts in on(part, teachers, "parts"):
            assert parts == output.pop(step)
            if step == stop < 5:
                break
    assert not output
    for name, value in run.average.state_dict().items():
        assert torch.equal(value, part.average.state_dict()[name]), name
    assert list(on(run, teachers, "whole")) == []
    began = checkpoints.latest(tmp_path / making.BEGAN)
    assert began is not None
    assert began.name.endswith("4")  # the last of them
    assert set(checkpoints.load(began)["towers"]) == set(run.towers.state_dict())  # what its end is blended with


@pytest.mark.heavy
@pytest.mark.usefixtures("few")
def test_what_is_written_is_blended_with_what_the_last_ending_began_from(
    material: Material,
    tokenizer,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, teachers = world(material, tokenizer)
    start = {name: value.clone() for name, value in run.towers.state_dict().items()}
    written: list[Towers] = []
    ready = build.Ready(run, teachers, None, start)  # type: ignore[arg-type]
    monkeypatch.setattr(build, "prepare", lambda settings, out, stopped: iter([ready]))
    monkeypatch.setattr(sources, "material", lambda settings, read, work: material)
    monkeypatch.setattr(export, "write", lambda made, settings, out, **facts: written.append(made))
    settings = Settings(photos=tmp_path, steps=12, sizes=((32,),), blend=(0.25, 0.75))
    rows = list(making.make(settings, tmp_path, lambda: False))
    assert [(row.done, row.total) for row in rows] == [(step, 12) for step in range(1, 13)]
    first, began = sorted((tmp_path / "work" / making.BEGAN).iterdir())
    before, after = checkpoints.load(began)["towers"], run.average.state_dict()
    (made,) = written
    shares = {"image": 0.25, "visual_projection": 0.25, "text": 0.75, "text_projection": 0.75, "logit_scale": 0.75}
    for name, value in made.state_dict().items():
        share = shares[name.split(".")[0]]
        torch.testing.assert_close(value, (1 - share) * after[name] + share * before[name], rtol=1e-5, atol=1e-7)
    name = "image.conv_head.weight"  # which learns, so these three differ
    assert not torch.equal(before[name], checkpoints.load(first)["towers"][name])
    assert not torch.equal(before[name], start[name])
    assert not torch.equal(before[name], after[name])


def test_it_settles_from_the_average_at_the_pace_it_is_told(material: Material, tokenizer) -> None:  # type: ignore[no-untyped-def]
    run, _ = world(material, tokenizer)
    run.step, run.bank = 2, torch.zeros(1)
    rates = [group["base"] for group in run.optimiser.param_groups]
    learns = {name for name, part in run.towers.named_parameters() if part.requires_grad}
    with torch.no_grad():
        for part in run.average.parameters():
            part.fill_(0.25)
    joint.begin_ending(run, pace=0.5)
    assert run.step == 2
    assert run.bank is None  # it was embedded by other weights
    assert all((part == 0.25).all() for part in (*run.towers.parameters(), *run.average.parameters()))
    assert {name for name, part in run.towers.named_parameters() if part.requires_grad} == learns
    paces = [group["base"] / rate for group, rate in zip(run.optimiser.param_groups, rates, strict=True)]
    lessons = joint.RATES["lessons"]
    assert {rate for rate, before in zip(paces, rates, strict=True) if before == lessons} == {1.0}
    assert paces.count(1.0) == 1
    assert min(paces) == pytest.approx(0.5)


def test_rates_rise_and_fall_in_each_part_and_stay_lower_in_the_last() -> None:
    plan = joint.Plan(1000, ((32,),), seed=0, endings=(500, 400))
    assert plan.whole == 1900
    rates = [plan.rate(step) for step in range(plan.whole)]
    assert rates[:1000] == [joint.rate(step, 1000) for step in range(1000)]
    assert rates[1000:1500] == [joint.rate(step, 500) for step in range(500)]
    assert rates[1500:] == pytest.approx([0.75 * joint.rate(step, 400) for step in range(400)])
    assert rates[999] < 0.03 < 0.7 < rates[1000 + joint.WARM]


def test_its_pictures_are_mixed_otherwise(material: Material) -> None:
    drawn = stream.Stream(material, seed=0, start=7, ends=(8, 9, 10), sizes=((32,), (48,)))
    batches = list(itertools.islice(drawn, 4))
    mixes = stream.DRAWING, *stream.ENDINGS, stream.ENDINGS[-1]  # pictures are made ahead of the last step
    counts = [(sum(mix.smaller.values()), sum(mix.larger.values())) for mix in mixes]
    assert len(set(counts)) == 3
    assert [(len(batch.pixels), len(batch.large)) for batch in batches] == counts
    assert {batch.pixels.shape[-1] for batch in batches} == {48}  # as large as at the end of the run


@pytest.mark.parametrize(
    ("steps", "parts"),
    [(17_000, (6_600, 5_400, 5_000)), (170, (66, 54, 50)), (4, (2, 1, 1)), (3, (3, 0, 0)), (1, (1, 0, 0))],
)
def test_more_than_half_are_endings_where_the_run_is_none_itself(steps: int, parts: tuple[int, ...]) -> None:
    assert Settings(photos=Path(), steps=steps).parts == parts
    assert Settings(photos=Path(), steps=steps, start=Path("shards")).parts == (0, 0, steps)


def test_a_run_from_a_checkpoint_is_its_last_ending_alone(material: Material) -> None:
    plan = joint.Plan(0, ((32,), (48,)), seed=0, endings=(0, 400))
    assert plan.whole == plan.end(0) == plan.end(399) == 400
    assert [plan.rate(step) for step in (0, 200)] == [0.75 * joint.rate(step, 400) for step in (0, 200)]
    (batch,) = itertools.islice(stream.Stream(material, seed=0, start=0, ends=plan.ends, sizes=plan.sizes), 1)
    mix = stream.ENDINGS[-1]
    assert (len(batch.pixels), len(batch.large)) == (sum(mix.smaller.values()), sum(mix.larger.values()))
    assert batch.pixels.shape[-1] == 48


def test_each_part_has_its_length_its_mix_and_its_pace() -> None:
    assert len(PARTS) == len(joint.PACES) == 1 + len(stream.ENDINGS)
