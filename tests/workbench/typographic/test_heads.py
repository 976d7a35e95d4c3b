"""Heads switched off: a planted reader is found and its damage undone; what goes is exactly the head's part."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.workbench.neurons.planted_units import planted
from tests.workbench.neurons.test_decomposition import SIDE, vit_open_clip, vit_transformers
from tests.workbench.typographic.planted_reader import READER, pictures, planted_reader
from workbench.errors import BadInput, Unsupported
from workbench.heads import TokenHead, without_heads
from workbench.hooks import hooked, open_blocks
from workbench.loading.torch_backend import TorchBackend
from workbench.neurons.decomposition import decompositions
from workbench.neurons.head_passes import head_outputs
from workbench.typographic.edits import heads_off
from workbench.typographic.head_learning import HeadLesson, _patches
from workbench.typographic.learned import Learned
from workbench.typographic.learning import learn
from workbench.typographic.measuring import AttackedSet, outcomes

VITS = [vit_open_clip, vit_transformers]


def lesson(model: TorchBackend, images: AttackedSet) -> HeadLesson:
    clean, written = (np.stack([model.prepare(one).numpy() for one in row]) for row in (images.clean, images.written))
    truth = np.array([images.names.index(name) for name in images.truth])
    return HeadLesson(clean, written, truth, images.names)


def test_the_planted_reader_is_found_and_accuracy_comes_back() -> None:
    model, images = planted_reader(), pictures()
    given = lesson(model, images)
    assert given.clean.shape == given.written.shape == (len(images.truth), 3, SIDE, SIDE)
    assert given.truth.shape == (len(images.truth),)
    *_, learned = learn(model, given)
    assert isinstance(learned, Learned)
    assert learned.settings == {"heads": [list(READER)]}
    before = outcomes(model, images)
    rights = (before.clean, before.attacked, before.clean_two, before.attacked_two)
    assert {(one.shape, one.dtype) for one in rights} == {((len(images.truth),), np.dtype(bool))}
    defended = TorchBackend(model.spec, heads_off(model, learned.settings, {}), "defended")
    after = outcomes(defended, images)
    assert (before.clean.mean(), before.attacked.mean()) == (1.0, 0.0)
    assert (after.clean.mean(), after.attacked.mean()) == (1.0, 1.0)
    assert outcomes(model, images).attacked.mean() == 0.0  # the base stays as it is
    assert defended.anatomy.head is None


def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 3, SIDE, SIDE), dtype=np.uint8)


def _head(model: TorchBackend) -> TokenHead:
    assert isinstance(model.anatomy.head, TokenHead)
    return model.anatomy.head


@pytest.mark.parametrize("made", VITS)
def test_a_head_of_the_last_block_is_its_columns_of_the_output_projection(made: Callable[[], TorchBackend]) -> None:
    model, given = made(), torch.from_numpy(pixels()).float() / 255
    head = _head(model)
    with torch.no_grad(), without_heads(head.blocks, {2: [1]}):
        dropped = model.embed_pixels(given)
    assert open_blocks() == 0
    with torch.no_grad():
        before = model.embed_pixels(given)
        weight = head.blocks[2].out[0]
        weight[:, weight.shape[1] // 4 : weight.shape[1] // 2] = 0  # four heads
        expected = model.embed_pixels(given)
    assert (before - expected).abs().max() > 1e-3
    assert torch.allclose(dropped, expected, atol=1e-5)


@pytest.mark.parametrize("made", VITS)
def test_patterns_and_outputs_are_those_of_the_tower(made: Callable[[], TorchBackend]) -> None:
    model, images = made(), pixels()
    given, received = torch.from_numpy(images).float() / 255, list[torch.Tensor]()
    head = _head(model)
    with (
        torch.enable_grad(),
        hooked([(head.blocks[1].attention, lambda rows: received.append(rows) or rows)], inputs=True),
    ):
        _, maps = model.attention(given)
    n, tokens, width = received[0].shape
    assert (n, tokens, head.blocks[1].heads) == (3, 17, 4)  # images; the class token and 4 x 4 patches
    pattern = head.blocks[1].pattern(received[0])
    assert pattern.shape == (n, 4, tokens)
    assert torch.allclose(pattern, maps[1][:, :, 0].float(), atol=1e-5)
    assert head.blocks[1].carried(received[0]).shape == (n, 4, width)
    assert head.directions.shape == (model.dim, width)
    texts = torch.nn.functional.normalize(torch.randn(5, model.dim, generator=torch.Generator().manual_seed(1)), dim=1)
    weights, constant, length = head.fold(received[0][:, 0], texts)
    assert (weights.shape, constant.shape, length.shape) == ((n, 5, width), (5,), (n,))
    (added,) = head_outputs(model, (images, 1))
    assert added.shape == (n, 4, model.dim)
    for row, parts in zip(added, decompositions(model, (images, texts.numpy())), strict=True):
        for number in range(4):
            at = parts.names.index(f"block 1, head {number}")
            assert row[number] @ texts.numpy().T == pytest.approx(parts.by_unit()[:, at], abs=1e-5)


def test_a_patch_is_changed_where_one_of_its_pixels_is() -> None:
    changed = np.zeros((1, 8, 8), bool)
    changed[0, 3, 4] = True
    patches = _patches(changed, (2, 2))
    assert patches.shape == (1, 4)
    assert np.flatnonzero(patches).tolist() == [1]


def test_what_has_no_such_heads_is_refused() -> None:
    model, images = planted_reader(), pictures()
    clean = AttackedSet(images.clean, images.clean, images.truth, images.words, images.names)
    with pytest.raises(Unsupported, match="no pixel"):
        list(learn(model, lesson(model, clean)))
    with pytest.raises(Unsupported, match="class token"):
        heads_off(planted(), {"heads": [[0, 0]]}, {})
    for heads in ([], [[9, 0]], [[0, 4]], [[-1, 0]], "x", None):
        with pytest.raises(BadInput, match="pairs of a block"):
            heads_off(model, {"heads": heads}, {})
