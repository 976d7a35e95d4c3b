"""Which captions are true of which pictures: only those that are not may be negatives."""

from __future__ import annotations

import random

import pytest
import torch

from workbench.training import distillation
from workbench.training.pocket import losses, painting, scenes, stream
from workbench.training.pocket.bank import COUNTS
from workbench.training.pocket.material import Material

MIXES = (stream.READING, stream.DRAWING, *stream.ENDINGS)
KINDS = sorted({kind for mix in MIXES for kind in (*mix.smaller, *mix.larger)} | {*distillation.MIX})


def test_a_caption_is_true_of_what_shows_all_its_names() -> None:
    shown = [{"tabby", "cat"}, {"persian cat", "cat"}, {"grinning face", "face"}, {"winking face", "face"}]
    shown += [{"two", "cat"}, {"three", "cat"}, {"cat", "dog"}, {"cat"}]
    claims = [
        {"tabby"},
        {"cat"},
        {"grinning face"},
        {"face"},
        {"two", "cat"},
        {"three"},
        {"cat", "dog"},
        {"persian cat"},
    ]
    result = losses.also_true(*([frozenset(names) for names in every] for every in (shown, claims)))
    assert result.shape == (8, 8)
    assert result.dtype == torch.bool
    assert {tuple(place) for place in result.nonzero().tolist()} == {
        *((0, 1), (4, 1), (5, 1), (6, 1), (7, 1)),  # a cat it is in these five, and in its own, which is no other
        (1, 7),
        (2, 3),  # a face; but each face keeps its own name, though both are faces
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_caption_says_is_shown_and_stands_in_it(material: Material, kind: str) -> None:
    for seed in range(30):
        made = painting.example(material, kind, size=48, done=1.0, rng=random.Random(seed))
        assert made.claims
        assert made.claims <= set(made.weights), (made.caption, made.claims)
        for name in made.claims:
            spoken = [name, scenes.many(name), "gray"] if kind in ("colour", "count") else [name]
            # a photo's caption may use a name that only its first name stands for
            assert any(word in made.caption.lower() for word in spoken) or kind in (
                "photo",
                "attacked",
                "noted",
                "blank",
            ), made


def test_a_count_without_its_kind_says_the_number_alone(material: Material) -> None:
    made = [painting.example(material, "count", size=48, done=1.0, rng=random.Random(seed)) for seed in range(60)]
    general = tuple(word + end for word in ("thing", "object", "shape") for end in ("", "s"))
    alone = [one for one in made if one.caption.strip(".").endswith(general)]
    assert alone
    assert len(alone) < len(made)
    for one in made:
        assert len(one.claims & set(COUNTS)) == 1
        assert len(one.claims) == (1 if one in alone else 2), one
