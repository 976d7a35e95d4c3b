"""A chunk of texts: the device serves others between its batches, and the rows are those of one call."""

from __future__ import annotations

import torch

from audits.passes import encode_texts
from workbench.engine import Engine
from workbench.loading.torch_backend import BATCH


def test_a_chunk_of_texts_gives_the_device_back_after_each_batch() -> None:
    texts = [f"a photo of thing {number}" for number in range(3 * BATCH + 1)]
    with Engine(default="fake", device="cpu", dtype="float32") as engine, engine.session("audit") as session:
        steps = list(session.steps(lambda box: box.text_batches(texts)))
        assert len(steps) == 4
        rows = torch.from_numpy(encode_texts(session, texts))
    from workbench.loading import load

    assert torch.equal(rows, load("fake", device="cpu", dtype="float32").embed_texts(texts))
