"""What an image is to show: its own names, the classifier's answer about a photo, or about what a label covers."""

from __future__ import annotations

import random

import pytest
import torch
from torch.nn import functional

from tests.workbench.training.pocket.world import world
from workbench.training.pocket import encoding, losses, stream
from workbench.training.pocket.material import Material


@pytest.mark.heavy
def test_the_target_of_each_kind_of_image_is_computed_row_by_row(material: Material, tokenizer) -> None:  # type: ignore[no-untyped-def]
    run, teachers = world(material, tokenizer)
    batch = stream.batch(material, 0.5, sizes=((32,),), rng=random.Random(0))
    generator = torch.Generator().manual_seed(0)
    photos, covered = int((batch.label >= 0).sum()), batch.covered.tolist()
    sizes = {"rows": len(batch.label), "known": photos, "under": len(covered)}
    features = {name: torch.rand(count, 1280, generator=generator) for name, count in sizes.items()}
    seen = encoding.Encoded(alive=torch.zeros(0), letters=torch.zeros(0), **features)
    bank = functional.normalize(torch.randn(len(material.bank.names), 16, generator=generator), dim=-1)
    with torch.no_grad():
        rows, parts = losses.image_losses(run.towers, teachers, batch, seen=seen, material=material, bank=bank)
        log = (run.towers.logit_scale.exp() * rows @ bank.T).log_softmax(-1)
        known = iter(teachers.image.classifier(features["known"]).softmax(-1))
        under = iter(teachers.image.classifier(features["under"]).softmax(-1))
        losses_by_row = []
        for place in range(len(log)):
            answers = known if batch.label[place] >= 0 else under if place in covered else None
            target, soft = batch.target[place], float(batch.soft[place])
            if answers is not None:
                target = (1 - soft) * target + soft * (next(answers) @ material.bank.spread)
            losses_by_row.append(-(target * log[place]).sum())
    assert len(covered) == sum(stream.DRAWING.larger[kind] for kind in ("attacked", "noted", "blank"))
    assert (batch.soft[batch.covered] > 0).all()
    assert float(parts["named"]) == pytest.approx(float(torch.stack(losses_by_row).mean()), rel=1e-5)
