"""A run's ending: from the average, with rates and a mix of its own; an interruption anywhere changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.workbench.training.pocket.world import world
from workbench.training import checkpoints
from workbench.training.pocket import build, export, joint, making, sources, stream
from workbench.training.pocket.asking import Teachers
from workbench.training.pocket.material import Material
from workbench.training.pocket.settings import Settings
from workbench.training.pocket.towers import Towers

PLAN = joint.Plan(2, ((32,),), seed=0, every=1, ending=2)


@pytest.mark.heavy
@pytest.mark.usefixtures("few")
def test_an_ending_goes_on_wherever_it_was_interrupted(material: Material, tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    def on(run: joint.Run, teachers: Teachers, folder: str) -> Iterator[tuple[int, dict[str, float]]]:
        return making.legs(run, teachers, material=material, plan=PLAN, pace=1.0, folder=tmp_path / folder)

    run, teachers = world(material, tokenizer)
    told = dict(on(run, teachers, "whole"))
    assert list(told) == [1, 2, 3, 4]
    for stop in (2, 3):  # between both, and within the ending
        part, teachers = world(material, tokenizer)
        any(step == stop for step, _ in on(part, teachers, f"part{stop}"))
        last = checkpoints.latest(tmp_path / f"part{stop}")
        assert last is not None
        part, teachers = world(material, tokenizer)
        part.restore(checkpoints.load(last))
        again = dict(on(part, teachers, f"part{stop}"))
        assert again == {step: parts for step, parts in told.items() if step > stop}
        for name, value in run.average.state_dict().items():
            assert torch.equal(value, part.average.state_dict()[name]), name
    assert list(on(run, teachers, "whole")) == []
    began = checkpoints.latest(tmp_path / making.BEGAN)
    assert began is not None
    assert set(checkpoints.load(began)["towers"]) == set(run.towers.state_dict())  # what its end is blended with


@pytest.mark.heavy
@pytest.mark.usefixtures("few")
def test_what_is_written_is_blended_with_what_the_ending_began_from(
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
    monkeypatch.setattr(export, "write", lambda made, settings, out, ready: written.append(made))
    settings = Settings(photos=tmp_path, steps=6, sizes=((32,),), blend=0.25)
    rows = list(making.make(settings, tmp_path, lambda: False))
    assert [(row.step, row.steps) for row in rows] == [(step, 6) for step in range(1, 7)]
    (began,) = (tmp_path / "work" / making.BEGAN).iterdir()
    before, after = checkpoints.load(began)["towers"], run.average.state_dict()
    (made,) = written
    for name, value in made.state_dict().items():
        torch.testing.assert_close(value, 0.75 * after[name] + 0.25 * before[name], rtol=1e-5, atol=1e-7)
    name = "image.conv_head.weight"  # which learns, so these three differ
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
    joint.settle(run, pace=0.5)
    assert run.step == 2
    assert run.bank is None  # it was embedded by other weights
    assert all((part == 0.25).all() for part in (*run.towers.parameters(), *run.average.parameters()))
    assert {name for name, part in run.towers.named_parameters() if part.requires_grad} == learns
    paces = [group["base"] / rate for group, rate in zip(run.optimiser.param_groups, rates, strict=True)]
    lessons = joint.RATES["lessons"]
    assert {rate for rate, before in zip(paces, rates, strict=True) if before == lessons} == {1.0}
    assert paces.count(1.0) == 1
    assert min(paces) == pytest.approx(0.5)


def test_rates_rise_and_fall_twice() -> None:
    plan = joint.Plan(1000, ((32,),), seed=0, ending=500)
    rates = [plan.rate(step) for step in range(plan.whole)]
    assert rates[:1000] == [joint.rate(step, 1000) for step in range(1000)]
    assert rates[1000:] == [joint.rate(step, 500) for step in range(500)]
    assert rates[999] < 0.03 < 0.7 < rates[1000 + joint.WARM]


def test_its_pictures_are_mixed_otherwise(material: Material) -> None:
    drawn = stream.Stream(material, seed=0, start=7, steps=8, sizes=((32,), (48,)))
    last, first = itertools.islice(drawn, 2)
    counts = [(sum(mix.smaller.values()), sum(mix.larger.values())) for mix in (stream.DRAWING, stream.ENDING)]
    assert [(len(batch.pixels), len(batch.large)) for batch in (last, first)] == counts
    assert first.pixels.shape[-1] == 48  # as large as at the end of the run


@pytest.mark.parametrize(("steps", "ending"), [(12_000, 5_400), (4, 1), (2, 0), (1, 0)])
def test_nine_in_twenty_are_the_ending_where_the_run_is_none_itself(steps: int, ending: int) -> None:
    assert Settings(photos=Path(), steps=steps).ending == ending
    assert Settings(photos=Path(), steps=steps, start=Path("shards")).ending == 0
