"""Texts that span a head's outputs: planted ones are found in order, their shares are those of a QR decomposition."""

from __future__ import annotations

import numpy as np
import pytest

from tests.workbench.neurons.planted_units import planted
from workbench.errors import BadInput, Unsupported
from workbench.neurons.head_passes import head_outputs
from workbench.neurons.text_span import text_span
from workbench.neurons.vocabulary import WordTable

DIM, IMAGES = 48, 120


def table() -> WordTable:
    rows = np.random.default_rng(0).normal(size=(60, DIM))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return WordTable(tuple(f"word {number}" for number in range(60)), rows.astype(np.float32))


def outputs(loud: float = 3.0, quiet: float = 1.0, noise: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    generator, rows = np.random.default_rng(1), table().centred
    along = generator.normal(size=(IMAGES, 2)) * (loud, quiet)
    return (along @ rows[[7, 31]] + noise * generator.normal(size=(IMAGES, DIM)) + 5).astype(np.float32), along


def test_planted_texts_are_found_in_order_and_chance_is_far_below() -> None:
    made, along = outputs()
    span = text_span(made, table(), block=3, head=2, count=4)
    assert [one.text for one in span.texts[:2]] == ["word 7", "word 31"]
    assert span.texts[1].explained > 0.98
    assert span.texts[1].by_chance < 0.5
    assert span.texts[0].strongest[0] == int(along[:, 0].argmax())
    assert (span.block, span.head) == (3, 2)
    centred = made - made.mean(axis=0)
    assert span.spread == pytest.approx(np.sqrt((centred**2).sum(axis=1).mean()), rel=1e-5)


def test_shares_are_those_of_a_projection_on_all_texts_chosen_so_far() -> None:
    made, _ = outputs(noise=0.3)
    span = text_span(made, table(), block=0, head=0, count=5)
    centred = (made - made.mean(axis=0)).astype(float)
    chosen = [table().words.index(one.text) for one in span.texts]
    for count, one in enumerate(span.texts, 1):
        base, _ = np.linalg.qr(table().centred[chosen[:count]].astype(float).T)
        assert one.explained == pytest.approx(((centred @ base) ** 2).sum() / (centred**2).sum(), rel=1e-4)
    assert len(set(chosen)) == 5


def test_a_head_of_noise_is_explained_about_as_well_by_shuffled_texts() -> None:
    noise = np.random.default_rng(2).normal(size=(IMAGES, DIM)).astype(np.float32)
    for one in text_span(noise, table(), block=0, head=0, count=5).texts:
        assert one.explained == pytest.approx(one.by_chance, abs=0.06)
    still = text_span(np.ones((IMAGES, DIM), np.float32), table(), block=0, head=0)
    assert still.texts == ()


def test_few_images_and_towers_without_heads_are_refused() -> None:
    with pytest.raises(BadInput, match="at least 20"):
        text_span(np.ones((3, DIM), np.float32), table(), block=0, head=0)
    with pytest.raises(Unsupported, match="class token"):
        list(head_outputs(planted(), (np.zeros((1, 3, 32, 32), np.uint8), 0)))
