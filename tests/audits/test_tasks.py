"""The embed stage as a task: the same rows from this process and from another, attacks included."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from audits.contracts import Item
from audits.tasks import CPU_PASS, EMBED_PASSES, PASS, Passes
from workbench.engine import Engine
from workbench.fake import SIDE, FakeBackend

RECIPE = {
    "labels": ["red", "blue"], "truth": "red", "templates": ["{}"], "scale": 30.0, "seed": 0,
    "method": "pgd", "norm": "linf", "loss": "ce", "steps": 3, "epsilon": 40,
}  # fmt: skip


class Far:
    """A device in another process, as far as can be told: everything is pickled on the way."""

    def stream(self, task: str, keys: tuple[str, ...], payload: Any) -> Iterator[Any]:
        assert (task, keys) == (EMBED_PASSES.name, ("fake",))
        for rows in EMBED_PASSES.run(FakeBackend(), pickle.loads(pickle.dumps(payload))):
            yield pickle.loads(pickle.dumps(rows))


def payload(attacked: bool, count: int = PASS + 3) -> Passes:
    pixels = np.zeros((count, 3, SIDE, SIDE), np.uint8)
    pixels[:, 0], pixels[:, 2] = 140, 100  # a little more red than blue
    items = tuple(Item(str(number), "attacked", json.dumps(RECIPE)) for number in range(count))
    rows = FakeBackend().embed_texts(["red", "blue"]).numpy()
    return Passes("audits.adversarial.lp.attack", pixels, items, attacked, {"red": rows[0], "blue": rows[1]})


def test_clean_images_are_embedded_in_passes() -> None:
    given = payload(attacked=False)
    parts = list(FakeBackend().stream(EMBED_PASSES, given))
    assert [len(part) for part in parts] == [CPU_PASS, CPU_PASS, 3]
    expected = FakeBackend().encode_pixels(torch.from_numpy(given.pixels)).numpy()
    np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-6)


def test_an_attack_runs_in_another_process_as_it_does_here() -> None:
    given = payload(attacked=True, count=3)
    here = np.concatenate(list(FakeBackend().stream(EMBED_PASSES, given)))
    with Engine(default="fake", device="cpu", remote=Far()) as engine, engine.session("a") as session:
        far = np.concatenate(list(session.stream(EMBED_PASSES, given)))
    np.testing.assert_array_equal(far, here)
    clean = np.concatenate(list(FakeBackend().stream(EMBED_PASSES, payload(attacked=False, count=3))))
    red = given.texts["red"]
    assert (here @ red < clean @ red - 0.01).all()  # the attack lowers the likeness to the true label


def test_attacks_are_estimated_to_take_longer() -> None:
    assert EMBED_PASSES.seconds(payload(attacked=True, count=20)) == 10.0
    assert EMBED_PASSES.seconds(payload(attacked=False, count=20)) == 0.1
