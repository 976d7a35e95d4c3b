"""Each family of the catalogue, seeded and small, through every view that it can serve; what it cannot says why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import audits
import workbench
from tests.workbench.tiny_families import FAMILIES, LABELS, TEXTS
from workbench import attribution
from workbench.attacks.goals import Goal
from workbench.attacks.norms import Ball
from workbench.attacks.pgd import pgd
from workbench.datasets.samples import ImageSample
from workbench.errors import Unsupported
from workbench.images import safe_open
from workbench.neurons.decomposition import decompositions
from workbench.preprocessing import normalise, unit_range
from workbench.probes.labelled import TEST, TRAIN, VALIDATION, LabelledImages
from workbench.probes.linear import probe

PHOTOS = ("chelsea.png", "coffee.png", "rocket.jpg")


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_a_family_through_every_view(name: str, tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    family, folder = FAMILIES[name], tmp_path / "model"
    folder.mkdir()
    image, text = family.build(folder)
    model = workbench.load(f"folder:{folder}", device="cpu", dtype="float32")
    box, files = model.backend, [photos / one for one in PHOTOS]

    # the numbers are those of the library that its authors use
    squares = torch.stack([box.prepare(safe_open(file)) for file in files])
    with torch.inference_mode():
        images = torch.nn.functional.normalize(image(normalise(unit_range(squares), box.preprocessing)), dim=-1)
        texts = torch.nn.functional.normalize(text(TEXTS), dim=-1)
    torch.testing.assert_close(box.encode_pixels(squares), images, atol=2e-5, rtol=0)
    torch.testing.assert_close(box.embed_texts(TEXTS), texts, atol=2e-5, rtol=0)

    # classification: a softmax over labels, or a sigmoid for each, as the family was trained
    answer = model.classify(files[0], list(LABELS)).to_dict()
    logits = images[0] @ texts.T * box.logit_scale + box.logit_bias
    expected = logits.sigmoid() if family.score == "sigmoid" else logits.softmax(dim=0)
    given = {row["label"]: row["probability"] for row in answer["labels"]}
    assert [given[label] for label in LABELS] == pytest.approx(expected.tolist(), abs=1e-4)
    assert box.spec.score == family.score

    # explanation: what is offered works, what is not says why
    offered = attribution.availability(box)
    assert (offered["attention-relevance"] == "") == family.attention
    for method, why in offered.items():
        options = {"steps": 2} if method == "integrated-gradients" else {}
        options |= {"window": box.image_size // 2, "stride": box.image_size // 2} if method == "occlusion" else {}
        if why:
            with pytest.raises(Unsupported):
                model.explain(files[0], ["cat", "coffee"], method=method, **options)
        else:
            model.explain(files[0], ["cat", "coffee"], method=method, **options)

    # neurons
    assert box.anatomy.kind == family.kind
    with torch.no_grad():
        layer = list(box.anatomy.layers)[-1]
        assert len(box.activations(unit_range(squares), [layer])[layer]) == len(files)
    payload = squares[:1].numpy(), texts[:2].numpy()
    if family.exact:
        (parts,) = decompositions(box, payload)
        assert parts.error < 1e-4
    else:
        with pytest.raises(Unsupported, match="known last step"):
            next(iter(decompositions(box, payload)))

    # attack: pixels within a ball, and a word
    pixels = unit_range(squares)
    goal = Goal(texts.expand(len(files), *texts.shape), (images @ texts.T).argmax(dim=1), "ce", 10.0)
    attacked = pgd(box, pixels, goal, ball=Ball("linf", 4 / 255), steps=2, noise=torch.zeros_like(pixels))
    assert 0 < float((attacked - pixels).abs().max()) <= 4 / 255 + 1e-6
    assert model.attack(files[0], labels=["cat", "coffee"], word="rocket").to_dict()

    # probe, on the features before the projection
    _, features = box.encode_features(squares)
    features = (features - features.mean(dim=0)) / features.std()
    rows = features.repeat(6, 1).numpy() + np.random.default_rng(0).normal(0, 1e-3, (18, features.shape[1]))
    samples = tuple(ImageSample(str(number), Path("x")) for number in range(18))
    parts = np.repeat([TRAIN, VALIDATION, TEST], 6)
    labelled = LabelledImages(samples, PHOTOS, np.tile(np.arange(3), 6), parts, (TRAIN, VALIDATION, TEST), 0)
    assert probe(rows.astype(np.float32), labelled).accuracy.value == 1

    # search
    index = workbench.Index(f"{tmp_path}/index", model)
    assert index.add(files).failed == []
    found = [Path(hit.path).name for hit in index.search(TEXTS[0], top=3)]
    order = (images @ texts[0]).argsort(descending=True)
    assert found == [PHOTOS[at] for at in order]

    # audits
    run = audits.run("limits/counting", model, out=tmp_path / "runs", limit=6, progress=False)
    assert len(run.metrics)
