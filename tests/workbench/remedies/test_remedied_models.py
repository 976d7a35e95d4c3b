"""An edited model gives the vectors that the audit works out for its remedy, and refuses tables of another shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.checkpoints.edit import write_edit
from workbench.errors import BadInput, UnknownName, WeightsRefused
from workbench.loading import load
from workbench.loading.torch_backend import TorchBackend
from workbench.remedies import REMEDIES, edit_of, learned
from workbench.remedies.edits import linear
from workbench.remedies.lesson import Wording, remedied, with_clauses

WORDING = Wording(("male", "female"), ("cook", "judge"), "a drawing of a {}")


@pytest.mark.parametrize("key", list(REMEDIES))
def test_an_edited_model_gives_the_vectors_of_its_remedy(pocket: TorchBackend, key: str, tmp_path: Path) -> None:
    base = pocket
    pictures = [Image.new("RGB", (64, 64), (40 * at, 200 - 30 * at, 90)) for at in range(6)]
    images = base.embed_images(pictures).numpy().astype(np.float64)

    def vectors(asked: object) -> np.ndarray:
        return base.embed_texts(list(asked)).numpy().astype(np.float64)  # type: ignore[call-overload]

    made = learned(key, WORDING.lesson(images, np.array([0, 0, 0, 1, 1, 1]), vectors))
    folder = write_edit(
        tmp_path / key, edit_of(key, "pocket", made, "male and female"),
        {name: torch.from_numpy(one) for name, one in made.tensors.items()},
    )  # fmt: skip
    edited = load(str(folder), device="cpu", dtype="float32")
    moved, texts = remedied(made, images, vectors)
    asked = ["a drawing of a cook", "science"]
    assert edited.embed_images(pictures).numpy() == pytest.approx(moved, abs=2e-5)
    assert edited.embed_texts(asked).numpy() == pytest.approx(texts(asked), abs=2e-5)
    assert edited.fingerprint != base.fingerprint
    assert REMEDIES[key].title in edited.spec.title
    unchanged = [np.allclose(one, other, atol=1e-6) for one, other in ((moved, images), (texts(asked), vectors(asked)))]
    assert not all(unchanged)


def test_a_table_of_another_shape_is_refused(pocket: TorchBackend) -> None:
    base = pocket
    for tensors in ({}, {"image": torch.zeros(3, 4)}, {"other": torch.zeros(base.dim, base.dim + 1)}):
        with pytest.raises(WeightsRefused, match="finite numbers"):
            linear(base, {}, tensors)
    with pytest.raises(WeightsRefused):
        linear(base, {}, {"text": torch.full((base.dim, base.dim + 1), torch.nan)})


def test_a_lesson_needs_two_images_of_each_group() -> None:
    with pytest.raises(BadInput, match="2 images or more"):
        WORDING.lesson(np.eye(4), np.array([0, 0, 1, -1]), lambda texts: np.ones((len(texts), 4)))
    with pytest.raises(UnknownName):
        learned("prayer", WORDING.lesson(np.eye(4), np.array([0, 0, 1, 1]), lambda texts: np.ones((len(texts), 4))))
    assert with_clauses(["a cook"], ("male", "female")) == ["a cook", "a cook who is male", "a cook who is female"]
