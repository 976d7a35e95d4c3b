"""Stage two goes on to the bit, and only what should learn does."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from tests.workbench.training.pocket.world import world
from workbench.training import checkpoints
from workbench.training.pocket import encoding, joint, parallel, stream, towers
from workbench.training.pocket.material import Material

PLAN = joint.Plan(4, ((32,),), seed=0, every=2)
pytestmark = pytest.mark.usefixtures("few")


@pytest.mark.heavy
def test_an_interrupted_run_ends_where_the_whole_one_does(material: Material, tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    whole, teachers = world(material, tokenizer)
    output = list(joint.train(whole, teachers, material=material, plan=PLAN, folder=tmp_path / "whole"))
    assert [step for step, _ in output] == [1, 2, 3, 4]
    assert all(value == value for _, parts in output for value in parts.values())

    first, teachers = world(material, tokenizer)
    for step, _ in joint.train(first, teachers, material=material, plan=PLAN, folder=tmp_path / "part"):
        if step == 3:  # the checkpoint of step 2 is the last one
            break
    later, teachers = world(material, tokenizer)
    last = checkpoints.latest(tmp_path / "part")
    assert last is not None
    later.restore(checkpoints.load(last))
    assert later.step == 2
    assert 0 < later.seconds < first.seconds  # the third step is lost, with its time
    assert later.seconds == checkpoints.load(last)["seconds"]
    again = dict(joint.train(later, teachers, material=material, plan=PLAN, folder=tmp_path / "part"))
    assert [again[step] for step in (3, 4)] == [dict(output)[step] for step in (3, 4)]
    assert later.seconds > checkpoints.load(last)["seconds"]
    for name, value in whole.towers.state_dict().items():
        assert torch.equal(value, later.towers.state_dict()[name]), name
    for name, value in whole.average.state_dict().items():
        assert torch.equal(value, later.average.state_dict()[name]), name


@pytest.mark.heavy
@pytest.mark.parametrize("count", [1, 2])
def test_each_row_is_that_of_its_picture_or_text_in_any_shard(material: Material, tokenizer, count: int) -> None:  # type: ignore[no-untyped-def]
    run, teachers = world(material, tokenizer)
    both, names = run.towers, ["a cat", "tree", "a photo of a tabby.", "a", "the motorcycle"]
    drawn = stream.batch(material, 0.5, sizes=((32,),), rng=random.Random(0))
    work = encoding.Encoder(both, run.lessons, locked=teachers.image, tokenizer=tokenizer)
    with parallel.DataParallel(count, work, list(both.parameters())) as made:
        seen, read = encoding.encode_images(drawn, made), encoding.encode_texts(names, made)
    pictures = [((one.float() / 127.5) - 1)[None] for part in (drawn.pixels, drawn.large) for one in part]
    with torch.no_grad(), both.mixed():
        rows = torch.cat([both.features(both.early(one)).float() for one in pictures])
        known = torch.cat([towers.late(teachers.image, both.early(one), both.frozen).float() for one in pictures])
        texts = torch.cat([both.pooled(dict(tokenizer(name, return_tensors="pt"))) for name in names])
    close = {"rtol": 0.03, "atol": 0.03 * float(rows.std())}
    torch.testing.assert_close(seen.rows, rows, **close)
    torch.testing.assert_close(seen.known, known[drawn.label >= 0], **close)
    with both.mixed(), torch.no_grad():
        clean = encoding._scaled(drawn.clean)
        under = towers.late(teachers.image, both.early(clean), both.frozen).float()
    torch.testing.assert_close(seen.under, under, **close)
    torch.testing.assert_close(read, texts, rtol=0.03, atol=0.03)
    large, concepts = len(drawn.large), len(material.bank.alike)
    assert seen.rows.shape == (len(pictures), 1280)
    assert seen.alive.shape == (len(pictures), concepts)
    assert seen.letters.shape == (large, 26, 3, 3)
    assert seen.known.shape == (3, 1280)
    assert read.shape == (len(names), 384)


@pytest.mark.gpu
def test_a_gpu_is_asked_the_same_and_its_run_goes_on(material: Material, tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    output = {}
    for device in ("cpu", "cuda"):
        run, teachers = world(material, tokenizer, device)
        output[device] = dict(joint.train(run, teachers, material=material, plan=PLAN, folder=tmp_path / device))
        for name, value in output[device][1].items():
            assert value == pytest.approx(output["cpu"][1][name], rel=0.05, abs=0.02), name
    run, teachers = world(material, tokenizer, "cuda")
    run.restore(checkpoints.load(tmp_path / "cuda" / "step-00000002"))
    again = dict(joint.train(run, teachers, material=material, plan=PLAN, folder=tmp_path / "cuda"))
    assert list(again) == [3, 4]
    assert all(value == value for value in again[4].values())
    assert joint.blended(run.average.cpu(), run.towers.cpu().state_dict(), (0.5, 0.5)).device.type == "cpu"


@pytest.mark.heavy
def test_in_two_shards_it_is_asked_the_same_and_early_stages_word_pieces_and_statistics_stay(
    material: Material,
    tokenizer,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, teachers = world(material, tokenizer)
    _, alone = next(joint.train(run, teachers, material=material, plan=PLAN, folder=tmp_path / "alone"))
    run, teachers = world(material, tokenizer)
    before = {name: value.clone() for name, value in run.towers.state_dict().items()}
    monkeypatch.setattr(joint, "worker_count", lambda device: 2)
    output = dict(joint.train(run, teachers, material=material, plan=PLAN, folder=tmp_path))
    assert output[1] == pytest.approx(alone, rel=0.01)
    moved = {name for name, value in run.towers.state_dict().items() if not torch.equal(value, before[name])}
    assert not any(
        name.startswith(("image.conv_stem", "image.blocks.0", "image.blocks.2", "image.cl")) for name in moved
    )
    assert not any(name.startswith(("text.embeddings", "text.encoder.layer.0")) for name in moved)
    for part in ("image.blocks.3", "image.blocks.6", "image.conv_head", "text.encoder.layer.2", "visual_projection"):
        assert any(name.startswith(part) for name in moved), part
    back = joint.blended(run.towers, before, (1.0, 1.0))
    for name, value in back.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=1e-6)


def test_the_rate_warms_up_and_falls_to_its_end() -> None:
    rates = [joint.rate(step, 1000) for step in range(1000)]
    assert rates[0] == pytest.approx(1 / joint.WARM, rel=0.01)
    assert max(rates) <= 1
    assert rates.index(max(rates)) in range(joint.WARM - 2, joint.WARM + 2)
    assert rates[-1] == pytest.approx(0.02, abs=1e-3)
