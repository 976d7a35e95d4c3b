"""Where a label's letters are said to lie there is their ink, however the paper is bent; a blank one has none."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tests.workbench.training.pocket.conftest import FONT
from workbench.training.pocket import handwriting, labels
from workbench.training.pocket.writing import Spot

SIDE = 200
CORNERS = [(0, 0, 20.0, 50.0), (1, 0, 170.0, 30.0), (1, 1, 160.0, 120.0), (0, 1, 30.0, 110.0)]


@pytest.mark.parametrize(("angle", "sag"), [(0.0, 0.0), (0.6, 0.3), (1.2, -0.1)])
def test_a_point_goes_to_the_picture_and_back(angle: float, sag: float) -> None:
    bend = labels.Bend(labels._plane(CORNERS), angle, sag)
    for u, v, x, y in CORNERS:
        assert bend.forward(u, v) == pytest.approx((x, y), abs=1e-6)  # the ends stay where they are
    for u, v in itertools.product((0.05, 0.3, 0.5, 0.9), (0.1, 0.5, 0.95)):
        x, y = bend.forward(u, v)
        back = bend.back(np.array([[x]], np.float32), np.array([[y]], np.float32))
        assert [float(one[0, 0]) for one in back] == pytest.approx([u, v], abs=1e-3)


def test_a_wrapped_label_is_squeezed_at_its_ends_and_hangs_in_its_middle() -> None:
    square = [(u, v, 100.0 * u, 100.0 * v) for u, v in ((0, 0), (1, 0), (1, 1), (0, 1))]
    bend = labels.Bend(labels._plane(square), 1.2, 0.2)
    x, y = bend.forward(0.1, 0.5)
    assert x == pytest.approx(50 * (1 - np.sin(0.8 * 1.2) / np.sin(1.2)))
    assert bend.forward(0.5, 0.5) == pytest.approx((50, 70))
    assert 50 < y < 70


@pytest.mark.parametrize("seed", range(12))
def test_letters_lie_where_their_ink_is(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ink = np.zeros((40, 120), np.float32)
    ink[10:16, 90:96] = 1  # one dot for a letter
    monkeypatch.setattr(labels, "PAPERS", ((250, 250, 250),))
    monkeypatch.setattr(labels, "INKS", ((0, 0, 0),))
    monkeypatch.setattr(labels, "RULED", 0)
    monkeypatch.setattr(labels, "taken", lambda base, rng: Image.fromarray(base.clip(0, 255).astype(np.uint8)))
    photo = Image.new("RGB", (SIDE, SIDE), (250, 250, 250))
    text = handwriting.Penned(ink, (Spot("x", 93, 13),))
    written, _ = labels.labelled(photo, text, random.Random(seed), shares=(0.2, 0.3))
    (spot,) = written.spots
    dark = 255 - np.asarray(written.picture.convert("L")).astype(float)
    rows, columns = (dark > dark.max() - 60).nonzero()
    assert dark.max() > 150
    assert (spot.x * SIDE, spot.y * SIDE) == pytest.approx((columns.mean() + 0.5, rows.mean() + 0.5), abs=2)


@pytest.mark.parametrize("seed", range(6))
def test_a_label_takes_about_its_share_and_leaves_the_rest_of_the_photo(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "taken", lambda base, rng: Image.fromarray(base.clip(0, 255).astype(np.uint8)))
    monkeypatch.setattr(labels, "SHADOW", 0)
    photo = Image.new("RGB", (SIDE, SIDE), (0, 90, 0))
    written, share = labels.labelled(photo, None, random.Random(seed), shares=(0.1, 0.1))
    assert written.spots == ()
    assert 0.05 < share < 0.14
    assert (np.asarray(photo) == (0, 90, 0)).all()
    paper = np.asarray(written.picture)[..., 0] > 60
    assert paper.mean() == pytest.approx(share, abs=0.02)
    assert (np.asarray(written.picture)[:, :, 1][~paper] <= 90).mean() > 0.95  # as it was, or in shadow


def test_the_same_generator_gives_the_same_picture() -> None:
    photo = Image.effect_noise((SIDE, SIDE), 60).convert("RGB")
    one, other = (labels.labelled(photo, None, random.Random(3))[0].picture for _ in "ab")
    assert one.tobytes() == other.tobytes()
    assert one.tobytes() != labels.labelled(photo, None, random.Random(4))[0].picture.tobytes()


def test_a_camera_changes_the_light_and_adds_noise_and_moves_nothing() -> None:
    photo = Image.new("RGB", (64, 64), (120, 120, 120))
    photo.paste((250, 250, 250), (0, 0, 64, 32))
    means, noises = [], []
    for seed in range(40):
        made = np.asarray(labels.taken(photo, random.Random(seed))).astype(float)
        assert made[:30].mean() > made[34:].mean() + 60
        means.append(made[40:].mean())
        noises.append(made[40:].std(axis=(0, 1)).mean())
    assert 3 < np.std(means) < 25
    assert min(noises) < 0.5 < 2 < max(noises)


@pytest.mark.parametrize("seed", range(10))
def test_each_written_letter_has_its_ink_around_its_spot(seed: int) -> None:
    text = handwriting.penned("olo", str(FONT), random.Random(seed))
    assert [spot.letter for spot in text.spots] == ["o", "l", "o"]
    assert (text.ink.min(), text.ink.max()) == (pytest.approx(0, abs=0.3), pytest.approx(1, abs=0.4))
    rows, columns = (text.ink > 0.4).nonzero()
    points = np.array([(spot.x, spot.y) for spot in text.spots])
    where = np.stack([columns, rows], 1) + 0.5
    nearest = np.linalg.norm(where[:, None] - points[None], axis=-1).argmin(1)
    for letter in range(3):
        middle = where[nearest == letter].mean(0)
        assert np.abs(middle - points[letter])[0] < 0.2 * handwriting.EM, (letter, middle, points[letter])


def test_pens_differ_in_width_and_words_in_case() -> None:
    amounts = [(handwriting.penned("mill", str(FONT), random.Random(seed)).ink > 0.5).mean() for seed in range(40)]
    assert max(amounts) > 1.6 * min(amounts)
    tall = [handwriting.penned("ace", str(FONT), random.Random(seed)).ink.shape for seed in range(40)]
    assert len({round(height / 8) for height, _ in tall}) > 2  # capitals are taller


def test_a_fine_pen_writes_thin_lines_that_hold_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Width of a stroke: twice the mean depth of its ink, as SciPy's distance transform has it."""
    widths: dict[float, list[float]] = {0.0: [], 1.0: []}
    pieces = []
    for share, seen in widths.items():
        monkeypatch.setattr(handwriting, "FINE_PENS", share)
        for seed in range(12):
            ink = handwriting.penned("lo", str(FONT), random.Random(seed)).ink > 0.4
            seen.append(float(2 * ndimage.distance_transform_edt(ink)[ink].mean()))
            pieces.append(ndimage.label(ndimage.binary_dilation(ink))[1])
    assert np.mean(widths[1.0]) < 0.85 * np.mean(widths[0.0])
    assert set(pieces) == {2}  # letters


def test_smooth_noise_keeps_its_bounds_and_its_wave() -> None:
    rng = random.Random(0)
    long, short = handwriting.smooth((200, 40), 60, rng), handwriting.smooth((200, 40), 5, rng)
    assert long.shape == short.shape == (40, 200)
    assert np.abs(long).max() < 1.4
    assert np.abs(np.diff(long, axis=1)).mean() < 0.25 * np.abs(np.diff(short, axis=1)).mean()
