"""The attacks on the pixels of an image, by recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audits.adversarial import surrogates
from audits.answers import classifier, prompts
from audits.contracts import Item
from audits.seeds import generator
from workbench.attacks import ATTACKS
from workbench.attacks.goals import Goal, Loss
from workbench.attacks.norms import Ball, Norm
from workbench.backend import WhiteBox
from workbench.plugins import resolve

if TYPE_CHECKING:
    from torch import Tensor


NOISE = "noise"  # a random change of the same size
WORST = "worst"  # an image counts as correct only where it is correct under every attack of that size


def attack(box: WhiteBox, pixels: Tensor, items: Sequence[Item], *, texts: Mapping[str, NDArray[np.float32]]) -> Tensor:
    """(n, 3, size, size) in 0..1 -> the same, each changed by at most what its recipe allows."""
    import torch

    answer = pixels.detach().clone()
    recipes = [json.loads(item.recipe) for item in items]
    groups: dict[str, list[int]] = {}
    for at, recipe in enumerate(recipes):
        same = {name: recipe.get(name) for name in ("method", "norm", "loss", "steps", "epsilon", "scale", "on")}
        groups.setdefault(json.dumps([same, len(recipe["labels"])], sort_keys=True), []).append(at)
    for members in groups.values():
        recipe = recipes[members[0]]
        noise = torch.stack([_noise(recipes[at], items[at].sample_id, tuple(pixels.shape[1:])) for at in members])
        chosen = torch.tensor(members, device=pixels.device)
        own = [recipes[at] for at in members]
        with ExitStack() as stack:
            target: Any = box
            if "on" in recipe:
                target = stack.enter_context(surrogates.surrogate(str(recipe["on"]), box))
                known = target.read([text for one in own for text in prompts(one["labels"], one["templates"])])
            else:
                known = texts
            goal = replace(_goal(own, known, pixels), onward="on" in recipe)
            answer[chosen] = _changed(target, answer[chosen], goal, recipe=recipe, noise=noise.to(pixels))
    return answer


def _noise(recipe: Mapping[str, object], sample_id: str, shape: tuple[int, ...]) -> Tensor:
    """Draw where an image's attack starts, (3, h, w) in -1..1 for linf and normal for l2, from its own generator."""
    import torch

    parts = [str(recipe[name]) for name in ("method", "norm", "loss", "steps", "epsilon")]
    rng = generator(int(str(recipe["seed"])), sample_id, *parts)
    drawn = rng.uniform(-1, 1, shape) if recipe["norm"] == "linf" else rng.normal(size=shape)
    return torch.from_numpy(drawn.astype(np.float32))


def _goal(recipes: Sequence[Mapping[str, object]], texts: Mapping[str, NDArray[np.float32]], like: Tensor) -> Goal:
    import torch

    weights, truth = [], []
    for recipe in recipes:
        labels, templates = recipe["labels"], recipe["templates"]
        assert isinstance(labels, list)
        assert isinstance(templates, list)
        weights.append(classifier(texts, labels, templates))
        truth.append(labels.index(recipe["truth"]))
    loss: Loss = "dlr" if recipes[0]["loss"] == "dlr" else "ce"
    stacked = torch.from_numpy(np.stack(weights).astype(np.float32)).to(like.device)
    return Goal(stacked, torch.tensor(truth, device=like.device), loss, float(str(recipes[0]["scale"])))


def _changed(box: WhiteBox, pixels: Tensor, goal: Goal, *, recipe: Mapping[str, object], noise: Tensor) -> Tensor:
    norm: Norm = "l2" if recipe["norm"] == "l2" else "linf"
    epsilon, steps = float(str(recipe["epsilon"])), int(str(recipe["steps"]))
    ball = Ball(norm, epsilon / 255 if norm == "linf" else epsilon)
    if epsilon == 0:
        return pixels
    if recipe["method"] == NOISE:
        return ball.project(pixels + ball.surface(noise.sign() if norm == "linf" else noise), pixels)
    ascend = resolve(ATTACKS.find(str(recipe["method"]), "pixel attack").run)
    changed: Tensor = ascend(box, pixels, goal, ball=ball, steps=steps, noise=noise)
    return changed
