"""The stream gives the same pictures for the same step, and targets that say what is shown."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from workbench.training.pocket import bank as banks
from workbench.training.pocket import painting, stream, worded
from workbench.training.pocket.material import Material

SIZES = ((48,), (64,))


def test_a_run_that_goes_on_sees_the_pictures_it_would_have_seen(material: Material) -> None:
    def batches(start: int, count: int) -> list[stream.Batch]:
        whole = stream.Stream(material, seed=3, start=start, ends=(8,), sizes=SIZES)
        return list(itertools.islice(whole, count))

    whole, later = batches(0, 6), batches(4, 2)
    assert torch.equal(whole[4].pixels, later[0].pixels)
    assert torch.equal(whole[5].target, later[1].target)
    assert whole[5].captions == later[1].captions
    assert not torch.equal(whole[0].pixels, whole[1].pixels)
    assert [batch.pixels.shape[-1] for batch in whole] == [48, 48, 48, 48, 64, 64]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12
def test_several_painters_take_turns(material: Material) -> None:
    whole = stream.Stream(material, seed=3, start=2, ends=(8,), sizes=SIZES)
    alone = itertools.islice(whole, 4)
    together = itertools.islice(DataLoader(whole, batch_size=None, num_workers=2), 4)
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one.pixels, other.pixels)
        assert one.captions == other.captions


def test_how_much_is_over_grows_along_the_run_and_stays_within_an_ending() -> None:
    over = [stream.part_done(step, (8, 10, 12)) for step in (0, 4, 7, 8, 9, 10, 11)]
    assert over == [0, 0.5, 0.875, 1, 1, 2, 2]


MIXES = [
    *((0.39, stream.READING), (0.99, stream.DRAWING)),
    *((1.0, stream.ENDINGS[0]), (1.99, stream.ENDINGS[0]), (2.0, stream.ENDINGS[1])),
]


@pytest.mark.parametrize(("done", "mix"), MIXES)
def test_shapes_kinds_and_sums(material: Material, done: float, mix: stream.Mix) -> None:
    batch = stream.batch(material, done, sizes=((64,),), rng=random.Random(0))
    smaller, larger = sum(mix.smaller.values()), sum(mix.larger.values())
    kinds = [kind for part in (mix.smaller, mix.larger) for kind, times in part.items() for _ in range(times)]
    assert kinds[0] == kinds[smaller] == "photo"  # they come first: the locked classifier is asked about these alone
    assert batch.pixels.shape == (smaller, 3, 64, 64)
    assert batch.large.shape == (larger, 3, 96, 96)  # half as large again
    assert batch.pixels.dtype == batch.large.dtype == torch.uint8
    assert batch.target.shape == (len(kinds), len(material.bank.names))
    torch.testing.assert_close(batch.target.sum(1), torch.tensor([float(kind != "pair") for kind in kinds]))
    assert len(batch.captions) == len(batch.shown) == len(batch.soft) == len(kinds)
    assert [bool(value) for value in batch.label >= 0] == [kind == "photo" for kind in kinds]
    covered = [place for place, kind in enumerate(kinds) if kind in ("attacked", "noted", "blank")]
    assert batch.covered.tolist() == covered
    assert batch.clean.shape == (len(covered), 3, 96, 96)
    request = batch.label >= 0
    request[covered] = True
    assert (batch.soft[~request] == 0).all()  # the classifier is asked about photos alone, and knows no words
    assert batch.soft.max() > 0.5
    assert (batch.label < 3).all()
    assert len(batch.spots) == len(batch.letters) == larger
    written = [bool(spots) for spots in batch.spots]
    assert (batch.letters.sum(1) > 0).tolist() == written
    for kind, has in zip(kinds[smaller:], written, strict=True):
        assert has == (kind in ("attacked", "noted", "word", "penned")) or kind == "drawing"  # some have a label
    for spots, row in zip(batch.spots, batch.letters, strict=True):
        assert {spot.letter for spot in spots} == {"abcdefghijklmnopqrstuvwxyz"[k] for k in row[:26].nonzero()}


def test_larger_pictures_grow_up_to_what_the_tower_is_made_for(material: Material) -> None:
    sides = [stream.batch(material, 0, sizes=((k,),), rng=random.Random(0)).large.shape[-1] for k in (128, 144, 192)]
    assert sides == [192, 208, 224]


@pytest.mark.parametrize(("kind", "least", "most"), [("attacked", 0.1, 0.32), ("noted", 0.8, 0.92)])
def test_a_word_on_a_photo_gets_its_share_and_the_object_keeps_the_rest(
    material: Material, kind: str, least: float, most: float
) -> None:
    shares = []
    for seed in range(120):
        made = painting.example(material, kind, size=64, done=1.0, rng=random.Random(seed))
        assert sum(made.weights.values()) == pytest.approx(1)
        if made.written == "tree":  # which no photo shows, so that its share is the word's alone
            shares.append(made.weights["tree"] * (1 - made.soft))
            rest = sum(weight for name, weight in made.weights.items() if name != "tree")
            others = {name: weight / rest for name, weight in made.weights.items() if name != "tree"}
            assert any(others == pytest.approx(own) for own in material.bank.of_class[:3])
            of_photo = made.soft / (1 - shares[-1])  # what the classifier decides of the photo's own part
            assert of_photo in (pytest.approx(worded.SOFT), pytest.approx(worded.SOFT_SMALL))
            assert made.clean is not None
            assert made.clean.tobytes() != made.picture.tobytes()
    assert len(shares) > 5
    assert all(least <= share <= most for share in shares)
    assert max(shares) - min(shares) > 0.3 * (most - least)  # larger words get more


def test_printed_words_are_as_wide_and_paper_labels_as_large_as_is_wanted(material: Material) -> None:
    def covered(kind: str, axes: tuple[int, ...], **sizes: tuple[float, float]) -> list[float]:
        parts = []
        for seed in range(12):
            made = painting.example(replace(material, **sizes), kind, size=224, done=1.0, rng=random.Random(seed))
            assert made.clean is not None
            away = np.abs(np.asarray(made.picture, int) - np.asarray(made.clean, int)).max(2)
            other = away > 40  # more than noise
            parts.append(float(other.any(axes).mean()))
        return parts

    narrow, wide = (covered("attacked", (0,), print_size=(size, size)) for size in (0.3, 0.7))
    assert 0.25 < np.median(narrow) < 0.45 < 0.65 < np.median(wide) < 0.85  # with what is round the word
    for kind in ("noted", "blank"):
        small, large = (covered(kind, (), paper_size=(size, size)) for size in (0.02, 0.2))
        assert 0.01 < np.median(small) < 0.04 < 0.12 < np.median(large) < 0.22


def test_a_photo_with_a_blank_label_shows_what_the_photo_does(material: Material) -> None:
    for seed in range(20):
        made = painting.example(material, "blank", size=64, done=1.0, rng=random.Random(seed))
        assert made.weights in material.bank.of_class[:3]
        assert (made.written, made.spots, made.label) == ("", (), -1)
        assert made.soft in (worded.SOFT, worded.SOFT_SMALL)
        assert made.clean is not None
        assert made.clean.tobytes() != made.picture.tobytes()


@pytest.mark.parametrize("kind", ["word", "penned"])
def test_a_written_word_is_its_own_target(material: Material, kind: str) -> None:
    made = painting.example(material, kind, size=64, done=1.0, rng=random.Random(1))
    (word,) = made.weights
    assert word in material.common
    assert word in made.caption


def test_a_shared_name_means_each_of_its_classes(material: Material) -> None:
    bank = material.bank
    assert set(bank.classes["crane"]) == {1, 2}
    assert sum(bank.classes["crane"].values()) == pytest.approx(1)
    assert bank.of_class[1]["crane"] > bank.of_class[1]["bird"] > 0
    assert bank.spread.shape == (1000, len(bank.names))
    torch.testing.assert_close(bank.spread.sum(1), torch.ones(1000))
    assert "tabby cat" not in bank.words  # two words are not read as one
    assert {"tabby", "crane", "tree", "motorcycle"} <= set(bank.words)


def test_common_things_are_read_though_no_picture_shows_them(material: Material) -> None:
    lexicon = replace(material.lexicon, things=("crane", "extraordinarily", "wine"))
    bank = banks.bank(lexicon, (), Counter())
    assert bank.things == ("wine",)  # not what has a name already, nor what is too long
    assert "wine" in bank.place
    assert "wine" not in bank.words
    assert bank.alike == ()
    reading = replace(material, bank=bank)
    made = [painting.example(reading, "penned", size=64, done=1.0, rng=random.Random(seed)) for seed in range(60)]
    assert 5 < sum(one.written == "wine" for one in made) < 30


def test_each_word_to_read_is_in_the_bank(material: Material) -> None:
    lexicon = material.lexicon
    many = replace(lexicon.concepts[2], names=("crane", "lift", "hoist", "derrick", "jib"))
    wider = replace(lexicon, concepts=(*lexicon.concepts[:2], many, *lexicon.concepts[3:]))
    made = banks.bank(wider, (), Counter())
    assert "jib" in made.words  # the fifth name, which no photo is asked for
    assert made.target({"jib": 1.0})[made.place["jib"]] == 1
    assert "jib" in made.things
